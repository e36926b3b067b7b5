"""A report of one recording as one HTML file that needs nothing else: scores, why, curves and key frames."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from fitmotion_models.fms.shown_curves import SHOWN, decisive_frame
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Criterion, Side, Verdict
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.live_test import fault_text
from fitmotion_models.viewer.page_html import css, gauge_html, verdict_words
from fitmotion_models.viewer.report_curves import curves_svg
from fitmotion_models.viewer.report_pictures import Picture, common_crop, key_frame, stick_figure
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
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.gauge{width:140px;padding-top:8px}td:first-child{white-space:nowrap}
.not_met{color:#c3212d;font-weight:600}.met{color:#1d8045}.not_seen{color:#6a717a}
.moments{display:flex;gap:12px;flex-wrap:wrap}.moments figure{margin:0;flex:1 1 200px;max-width:290px}
figure img,figure svg{width:100%;border-radius:6px;background:#f4f6f8;display:block}
figcaption{font-size:13px;color:#6a717a;padding:3px 0 8px}section>svg{width:100%;height:auto}
.chip,.mark{display:inline-block;color:#fff;font-weight:700;text-align:center;border-radius:5px;padding:0 7px}
.mark{background:#c3212d;border-radius:9px;padding:0 5px;font-size:11px;min-width:8px}
.overview td{padding:5px 10px 5px 0}.overview td:nth-child(-n+3){white-space:nowrap}a{color:#1a5fb4}
"""


@dataclass(frozen=True, eq=False)
class Reported:
    """One repetition as a report shows it.

    clip: the poses that were scored, on the assessment's clock, a little more than the repetition where there is more;
    None where they were not kept. pictures: name of a moment, see `moments`, to the frame of it.
    """

    assessment: Assessment
    clip: MotionClip | None
    pictures: Mapping[str, Picture] = field(default_factory=dict)


class Stamped(Protocol):
    """Whatever has a stamp, seconds."""

    @property
    def stamp(self) -> float:
        """Seconds."""


Some = TypeVar("Some", bound=Stamped)


def decisive_stamp(assessment: Assessment, clip: MotionClip | None) -> float:
    """When a repetition was at the moment that its criteria are about, seconds; its middle where that was not seen."""
    middle = 0.5 * (assessment.start + assessment.end)
    if clip is None:
        return middle
    side = 1 if assessment.side is Side.RIGHT else 0
    frame = decisive_frame(clip, assessment.movement, side, assessment.start, assessment.end)
    return middle if frame is None else float(clip.stamps[frame])


def decisive_name(assessment: Assessment) -> str:
    """What that moment is called: `lowest point`."""
    return SHOWN[assessment.movement].moment if assessment.movement in SHOWN else "middle"


def moments(assessment: Assessment, clip: MotionClip | None) -> dict[str, float]:
    """The moments of a repetition that a report shows, name -> stamp."""
    return {
        "start": assessment.start,
        decisive_name(assessment): decisive_stamp(assessment, clip),
        "end": assessment.end,
    }


def key_stamps(assessments: Sequence[Assessment], clip: MotionClip) -> dict[float, str]:
    """The moments that a report shows, stamp -> what it is: whoever reads a video keeps the pictures of these."""
    return {stamp: name for one in assessments for name, stamp in moments(one, clip).items()}


def nearest(wanted: Mapping[str, float], found: Collection[Some], within_s: float) -> dict[str, Some]:
    """For each moment what was seen nearest to it; nothing further away than this, which shows something else."""
    near = {name: min(found, key=lambda each: abs(each.stamp - stamp)) for name, stamp in wanted.items() if found}
    return {name: one for name, one in near.items() if abs(one.stamp - wanted[name]) <= within_s}


def save_report(
    path: str | Path,
    assessments: Sequence[Assessment],
    clip: MotionClip,
    *,
    pictures: Sequence[Picture] = (),
    keep_faces: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a report; see `report_html` and `save_page`."""
    content = report_html(assessments, clip, pictures=pictures, keep_faces=keep_faces)
    return save_page(path, content, overwrite=overwrite)


def save_page(path: str | Path, content: str, *, overwrite: bool = False) -> Path:
    """Write a page beside its place and move it there, so that no half file is ever seen.

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
        partial.write_text(content, encoding="utf-8")
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
    repetitions = [
        Reported(one, clip, nearest(moments(one, clip), pictures, _NEAR_FRAMES / clip.fps)) for one in assessments
    ]
    seconds = float(clip.stamps[-1] - clip.stamps[0]) if len(clip) else 0.0
    facts = f"{seconds:.1f} s at {clip.fps:.3g} Hz, {cameras(clip.views)}"
    return repetitions_html(repetitions, title=clip.subject, facts=facts, keep_faces=keep_faces)


def repetitions_html(repetitions: Sequence[Reported], *, title: str, facts: str, keep_faces: bool = False) -> str:
    """The report of these repetitions. title: who or what was seen. facts: how, in a few words."""
    sections = "".join(_section(number, one, keep_faces) for number, one in enumerate(repetitions, start=1))
    if not repetitions:
        sections = "<section><p>No repetition was found in this recording.</p></section>"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>FitMotion: {escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>Movement report: {escape(title)}</h1>{_summary(repetitions, facts)}"
        f'<div class="notice">{NOT_A_MEDICAL_DEVICE}</div>{_overview(repetitions)}{sections}</body></html>\n'
    )


def cameras(views: int) -> str:
    """How many cameras saw somebody, in words."""
    return {0: "no camera", 1: "one camera"}.get(views, f"{views} cameras")


def _summary(repetitions: Sequence[Reported], facts: str) -> str:
    count = len(repetitions)
    scores = [one.assessment.score for one in repetitions if one.assessment.score != NOT_SCORABLE]
    best = f"best score <b>{max(scores)}</b>" if scores else "no repetition could be scored"
    counted = f"{count} repetition{'' if count == 1 else 's'}{', ' + best if count else ''}"
    return f'<div class="quiet">{escape(facts)}{", " if facts else ""}{counted}</div>'


def _overview(repetitions: Sequence[Reported]) -> str:
    """All repetitions at a glance, where there are several: score, what failed by how much, and where to read on."""
    if len(repetitions) < 2:
        return ""
    several = len({one.assessment.subject for one in repetitions}) > 1
    rows = []
    for number, reported in enumerate(repetitions, start=1):
        one = reported.assessment
        failed = [fault_text(criterion) for criterion in one.criteria if criterion.verdict is Verdict.NOT_MET]
        why = "; ".join(failed) or one.reason or "every criterion met"
        who = f"{one.subject}, " if several else ""
        name = f"{who}{words(one.variation.name)}, repetition {one.repetition}"
        rows.append(
            f'<tr><td><span class="chip" style="background:{_score_css(one)}">{_score_word(one)}</span></td>'
            f'<td><a href="#r{number}">{escape(name)}</a></td><td>{one.start:.1f} s</td>'
            f'<td class="{"not_met" if failed else "quiet"}">{escape(why)}</td></tr>'
        )
    return f'<table class="overview">{"".join(rows)}</table>'


def _score_word(one: Assessment) -> str:
    return "?" if one.score == NOT_SCORABLE else str(one.score)


def _score_css(one: Assessment) -> str:
    return css(palette.on_paper(palette.score_colour(one.score)))


def _section(number: int, reported: Reported, keep_faces: bool) -> str:
    one, clip = reported.assessment, reported.clip
    side = "" if one.side is Side.BOTH else f", {words(one.side.name)}"
    curves = "" if clip is None else curves_svg(clip, one, decisive_stamp(one, clip))
    return (
        f'<section id="r{number}"><div class="head"><div class="badge" style="background:{_score_css(one)}">'
        f"{_score_word(one)}</div><div>"
        f"<h2>{escape(words(one.variation.name).capitalize())}{side}, repetition {one.repetition}</h2>"
        f'<div class="quiet">{escape(one.subject)}, trial {one.trial}, {one.start:.2f} to {one.end:.2f} s, '
        f"{one.confidence:.0%} sure, scored by {escape(one.scorer)}</div></div></div>{_why(one)}"
        f'{_criteria(one.criteria)}<div class="moments">{_moments(reported, keep_faces)}</div>{curves}</section>'
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
        gauge = gauge_html(one.value, one, css(palette.on_paper(palette.VERDICTS[one.verdict])))
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


def _moments(reported: Reported, keep_faces: bool) -> str:
    one, clip = reported.assessment, reported.clip
    figures, crop, decisive = [], common_crop(reported.pictures.values()), decisive_name(one)
    for name, stamp in moments(one, clip).items():
        failing = [item for item in one.criteria if item.verdict is Verdict.NOT_MET] if name == decisive else []
        picture = reported.pictures.get(name)
        if picture is not None:
            drawing = key_frame(picture, failing, keep_faces=keep_faces, crop=crop)
            figures.append(_figure(drawing, name, picture.stamp, failing, numbered=False))
        elif clip is not None and len(clip):
            pose = clip.frame(int(np.argmin(np.abs(clip.stamps - stamp))))
            views = ((False, "from the side"), (True, "from the front"))
            for from_front, view in views if name == decisive else views[:1]:
                drawing = stick_figure(pose, failing, from_front=from_front)
                figures.append(_figure(drawing, f"{name}, {view}", stamp, () if from_front else failing))
    return "".join(figures)


def _figure(drawing: str, name: str, stamp: float, failing: Sequence[Criterion], *, numbered: bool = True) -> str:
    """A drawing with its caption, in which the faults are told, with the numbers that they have in the drawing."""
    marks = (f'<span class="mark">{number}</span> ' if numbered else "" for number in range(1, len(failing) + 1))
    faults = "".join(
        f'<div class="not_met">{mark}{escape(fault_text(one))}</div>' for mark, one in zip(marks, failing, strict=True)
    )
    return f"<figure>{drawing}<figcaption>{name}, {stamp:.2f} s{faults}</figcaption></figure>"
