"""A report of one recording as one HTML file that needs nothing else: scores, why, curves and key frames."""

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Criterion, Side
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.page_html import css, gauge_html, verdict_words
from fitmotion_models.viewer.report_curves import curves_svg
from fitmotion_models.viewer.report_pictures import Picture, key_frame, on_paper, stick_figure
from fitmotion_models.viewer.terminal import measurement, words

NOT_A_MEDICAL_DEVICE = (
    "FitMotion is not a medical device. This report is no diagnosis and replaces no examination; whoever has pain or "
    "is in doubt should ask a physician or physiotherapist."
)
# a picture further than this from a key moment, in frames of the clip, shows something else
_NEAR_FRAMES = 1.5
_STYLE = """
body{font:15px/1.45 system-ui,'Segoe UI','DejaVu Sans',sans-serif;color:#22262b;max-width:900px;margin:28px auto;
padding:0 18px;background:#fff}
h1{font-size:25px;margin:0}h2{font-size:19px;margin:0}small,.quiet{color:#6a717a}
.notice{border-left:4px solid #d99a1e;background:#fdf6e7;padding:8px 12px;margin:16px 0}
section{border-top:1px solid #d9dde2;padding:18px 0 6px;break-inside:avoid}
.head{display:flex;gap:16px;align-items:center}
.badge{flex:none;width:58px;height:58px;border-radius:12px;color:#fff;font-size:34px;font-weight:700;text-align:center;
line-height:58px}
table{border-collapse:collapse;width:100%;margin:12px 0}td,th{padding:4px 8px;text-align:left;vertical-align:top}
th{font-weight:600;color:#6a717a;font-size:13px}tr+tr td{border-top:1px solid #eceff2}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.gauge{width:190px;padding-top:8px}
.not_met{color:#c3212d;font-weight:600}.met{color:#1d8045}.not_seen{color:#6a717a}
.moments{display:flex;gap:12px;flex-wrap:wrap}.moments figure{margin:0;flex:1 1 200px;max-width:290px}
figure img,figure svg{width:100%;border-radius:6px;background:#f4f6f8;display:block}
figcaption{font-size:13px;color:#6a717a;padding:3px 0 8px}section>svg{width:100%;height:auto}
"""


def lowest_stamp(assessment: Assessment, clip: MotionClip) -> float:
    """When in a repetition the pelvis was lowest, seconds; its middle where the pelvis was never seen."""
    inside = (clip.stamps >= assessment.start) & (clip.stamps <= assessment.end) & (clip.confidence[:, 0] > 0.0)
    if not inside.any():
        return 0.5 * (assessment.start + assessment.end)
    heights = np.where(inside, clip.positions[:, 0, 2], np.inf)
    return float(clip.stamps[np.argmin(heights)])


def key_stamps(assessments: Sequence[Assessment], clip: MotionClip) -> dict[float, str]:
    """The moments that a report shows, stamp -> what it is: whoever reads a video keeps the pictures of these."""
    moments: dict[float, str] = {}
    for one in assessments:
        moments |= {one.start: "start", lowest_stamp(one, clip): "lowest point", one.end: "end"}
    return moments


def save_report(
    path: str | Path,
    assessments: Sequence[Assessment],
    clip: MotionClip,
    *,
    pictures: Sequence[Picture] = (),
    keep_faces: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a report; see `report_html`. Written beside and moved into place, so that no half file is ever seen.

    Raises ValueError when the name does not end in .html, FileExistsError when the file is there and overwrite is
    False, OSError when it cannot be written.
    """
    target = Path(path)
    if target.suffix != ".html":
        raise ValueError(f"report {target} must be named *.html")
    if target.exists() and not overwrite:
        raise FileExistsError(f"report {target} exists; choose another name or ask to overwrite it")
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_text(report_html(assessments, clip, pictures=pictures, keep_faces=keep_faces), encoding="utf-8")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def report_html(
    assessments: Sequence[Assessment],
    clip: MotionClip,
    *,
    pictures: Sequence[Picture] = (),
    keep_faces: bool = False,
) -> str:
    """The report of one subject's recording.

    clip: the poses that were scored, on the same clock. pictures: frames of the recording; those at `key_stamps` are
    used, and where there is none the stick figure stands alone. keep_faces: do not blur faces.
    """
    sections = "".join(_section(one, clip, pictures, keep_faces) for one in assessments)
    if not assessments:
        sections = "<section><p>No repetition was found in this recording.</p></section>"
    subject = escape(clip.subject)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>FitMotion: {subject}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>Movement report: {subject}</h1>{_summary(assessments, clip)}"
        f'<div class="notice">{NOT_A_MEDICAL_DEVICE}</div>{sections}</body></html>\n'
    )


def _summary(assessments: Sequence[Assessment], clip: MotionClip) -> str:
    seconds = float(clip.stamps[-1] - clip.stamps[0]) if len(clip) else 0.0
    cameras = {0: "no camera", 1: "one camera"}.get(clip.views, f"{clip.views} cameras")
    facts = f"{seconds:.1f} s at {clip.fps:.3g} Hz, {cameras}, {len(assessments)} repetition"
    scores = [one.score for one in assessments if one.score != NOT_SCORABLE]
    best = f"best score <b>{max(scores)}</b>" if scores else "no repetition could be scored"
    plural = "" if len(assessments) == 1 else "s"
    return f'<div class="quiet">{facts}{plural}{", " + best if assessments else ""}</div>'


def _section(one: Assessment, clip: MotionClip, pictures: Sequence[Picture], keep_faces: bool) -> str:
    side = "" if one.side is Side.BOTH else f", {words(one.side.name)}"
    score = "?" if one.score == NOT_SCORABLE else str(one.score)
    colour = css(on_paper(palette.score_colour(one.score)))
    lowest = lowest_stamp(one, clip)
    return (
        f'<section><div class="head"><div class="badge" style="background:{colour}">{score}</div><div>'
        f"<h2>{escape(words(one.variation.name).capitalize())}{side}, repetition {one.repetition}</h2>"
        f'<div class="quiet">trial {one.trial}, {one.start:.2f} to {one.end:.2f} s, {one.confidence:.0%} sure, '
        f"scored by {escape(one.scorer)}</div></div></div>{_why(one)}{_criteria(one.criteria)}"
        f'<div class="moments">{_moments(one, clip, lowest, pictures, keep_faces)}</div>'
        f"{curves_svg(clip, one, lowest)}</section>"
    )


def _why(one: Assessment) -> str:
    lines = []
    if one.pain:
        lines.append("Pain was reported: the score is 0.")
    if one.overridden:
        lines.append(f"The operator's own grade: {one.override_reason}")
    lines.append(one.reason or ("Every criterion was met." if one.score == 3 else ""))
    return "".join(f"<p>{escape(line)}</p>" for line in lines if line)


def _criteria(criteria: Sequence[Criterion]) -> str:
    rows = []
    for one in criteria:
        kind = one.verdict.name.lower()
        value, limit = (escape(measurement(number, one.unit)) for number in (one.value, one.threshold))
        gauge = gauge_html(one.value, one, css(on_paper(palette.VERDICTS[one.verdict])))
        rows.append(
            f'<tr data-name="{escape(one.name)}"><td class="{kind}">{escape(words(one.name).capitalize())}</td>'
            f'<td class="number {kind}">{value}</td><td class="gauge">{gauge}</td><td class="number">{limit}</td>'
            f'<td class="{kind}">{verdict_words(one)}</td><td>{escape(one.advice)}</td></tr>'
        )
    heads = (
        '<tr><th>criterion</th><th class="number">measured</th><th></th><th class="number">limit</th><th></th>'
        "<th>what to change</th></tr>"
    )
    return f"<table>{heads}{''.join(rows)}</table>"


def _moments(one: Assessment, clip: MotionClip, lowest: float, pictures: Sequence[Picture], keep_faces: bool) -> str:
    figures = []
    for stamp, name in ((one.start, "start"), (lowest, "lowest point"), (one.end, "end")):
        criteria = one.criteria if stamp == lowest else ()
        picture = min(pictures, key=lambda each: abs(each.stamp - stamp), default=None)
        caption = f"<figcaption>{name}, {stamp:.2f} s</figcaption>"
        if picture is not None and abs(picture.stamp - stamp) * clip.fps <= _NEAR_FRAMES:
            figures.append(f"<figure>{key_frame(picture, criteria, keep_faces=keep_faces)}{caption}</figure>")
        elif len(clip):
            pose = clip.frame(int(np.argmin(np.abs(clip.stamps - stamp))))
            views = ((False, "from the side"), (True, "from the front"))
            for from_front, view in views if stamp == lowest else views[:1]:
                drawing = stick_figure(pose, criteria, from_front=from_front)
                figures.append(f"<figure>{drawing}<figcaption>{name}, {view}, {stamp:.2f} s</figcaption></figure>")
    return "".join(figures)
