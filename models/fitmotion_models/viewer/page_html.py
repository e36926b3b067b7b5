"""The parts of a page that are read: score, criteria, timeline, screen, nodes, as HTML.

Everything that came from outside is escaped. Colours and sizes are written into the elements, as a page of viser takes
HTML pieces and no style sheets.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from fitmotion_models.fms.screen import TESTS, ScreenResult, title
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Criterion, Phase, Verdict
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.terminal import measurement, words
from fitmotion_models.viewer.timeline import Timeline

# How far a gauge reaches to both sides of the threshold, in the criterion's unit: about three times what counts.
_REACH = {"deg": 30.0, "m": 0.15}
_MARKS = {Verdict.MET: "✓", Verdict.NOT_MET: "✗", Verdict.NOT_SEEN: "·"}
_WORDS = {Verdict.MET: "met", Verdict.NOT_MET: "not met", Verdict.NOT_SEEN: "not seen"}
_FONT = "font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:13px;line-height:1.35;"
_QUIET = "opacity:.65;"
_SILENT_S = 3.0  # nodes report once a second: three missed reports are worth a word


@dataclass(frozen=True)
class NodeLine:
    """What a node says about itself, ready to be read.

    latency_ms, slow_ms: from the stamp to its answer, the middle and the slow end. warning: a sentence, empty when all
    is well. age: seconds. guidance: what to change about the camera, sentences joined by "; ".
    """

    name: str
    rate_hz: str
    latency_ms: str
    slow_ms: str
    dropped: str
    message: str
    warning: str
    age: float
    guidance: str = ""


def block(content: str, padding: str = "4px 14px 8px") -> str:
    """A piece of the page."""
    return f'<div style="{_FONT}padding:{padding}">{content}</div>'


def css(colour: palette.Rgb) -> str:
    """A colour as CSS writes it."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)


def verdict_words(criterion: Criterion) -> str:
    """What a criterion says: met, not met, not seen; or measured, but nearer to the limit than it can be measured."""
    if criterion.verdict is Verdict.NOT_SEEN and criterion.value == criterion.value:
        return "too close to tell"
    return _WORDS[criterion.verdict]


# ---- score -----------------------------------------------------------------------------------------------------------


def score_html(subject: str, test: LiveTest, *, seen: bool) -> str:
    """Who does what, and the last score with its reason.

    seen: whether the person is in view now.
    """
    badge = _badge(test.assessment)
    status = test.status if seen else "nobody in view" if not subject else "out of view"
    heading = (
        f'<div style="display:flex;gap:14px;align-items:center">{badge}<div>'
        f'<div style="font-size:17px;font-weight:600">{escape(test.title)}</div>'
        f'<div id="fm-status">{escape(status)}</div>'
        f'<div style="{_QUIET}">{escape(subject) or "waiting for a body"}</div></div></div>'
    )
    return block(heading + _why(test.assessment), "10px 14px 8px")


def _badge(assessment: Assessment | None) -> str:
    colour = css(palette.score_colour(None if assessment is None else assessment.score))
    shown = "–" if assessment is None else "?" if assessment.score == NOT_SCORABLE else str(assessment.score)
    return (
        f'<div style="flex:none;width:76px;height:76px;border-radius:14px;background:{colour};color:#101418;'
        'text-align:center;padding-top:3px"><div style="font-size:11px;font-weight:600">score</div>'
        f'<div id="fm-score" style="font-size:42px;font-weight:700;line-height:1">{shown}</div></div>'
    )


def _why(assessment: Assessment | None) -> str:
    """The reason of the last score: what failed, by how much, and what to change."""
    if assessment is None:
        return ""
    lines = []
    if assessment.pain:
        lines.append(_note("Pain was reported: the score is 0.", palette.FAULT))
    if assessment.overridden:
        lines.append(_note(f"The operator's own grade: {assessment.override_reason}", palette.FAIR))
    if assessment.reason and not assessment.pain:
        lines.append(_note(assessment.reason, palette.score_colour(assessment.score)))
    elif not assessment.reason and assessment.score == 3:
        lines.append(_note("Every criterion was met.", palette.GOOD))
    if lines:
        lines.append(
            f'<div style="{_QUIET}font-size:12px">repetition {assessment.repetition} of trial {assessment.trial}, '
            f"{words(assessment.variation.name)}, {assessment.confidence:.0%} sure</div>"
        )
    return f'<div id="fm-reason" style="margin-top:8px">{"".join(lines)}</div>'


def _note(text: str, colour: palette.Rgb) -> str:
    return f'<div style="border-left:3px solid {css(colour)};padding-left:8px;margin:4px 0">{escape(text)}</div>'


# ---- criteria --------------------------------------------------------------------------------------------------------


def criteria_html(test: LiveTest) -> str:
    """Every criterion as a gauge: the mark in the middle is the threshold, what is right of it fails."""
    live = {criterion.name: criterion for criterion in test.criteria}
    moving = test.phase not in (Phase.UNKNOWN, Phase.STANDING)
    rows = [_criterion(judged, live.get(judged.name) if moving else judged) for judged in test.verdicts]
    if not rows:
        return block(f'<div style="{_QUIET}">The criteria come with the first body.</div>')
    when = "now" if moving else "last repetition" if test.assessment else "no repetition yet"
    heading = (
        f'<div style="display:flex;justify-content:space-between;{_QUIET}font-size:12px;margin-bottom:4px">'
        f"<span>criteria, {when}</span><span>measured / limit</span></div>"
    )
    return block(heading + "".join(rows))


def _criterion(judged: Criterion, shown: Criterion | None) -> str:
    colour = css(palette.VERDICTS[judged.verdict])
    value = float("nan") if shown is None else shown.value
    limit = escape(measurement(judged.threshold, judged.unit))
    bold = "font-weight:600;" if judged.verdict is Verdict.NOT_MET else ""
    advice = judged.advice if judged.verdict is Verdict.NOT_MET else ""
    line = (
        f'<div style="display:flex;gap:7px;align-items:baseline">'
        f'<span style="color:{colour};width:12px;font-weight:700" title="{verdict_words(judged)}">'
        f"{_MARKS[judged.verdict]}</span>"
        f'<span style="flex:1;{bold}">{escape(words(judged.name).capitalize())}</span>'
        f'<span style="font-variant-numeric:tabular-nums;{bold}color:{colour if bold else "inherit"}">'
        f'{escape(measurement(value, judged.unit))}</span><span style="{_QUIET}">/ {limit}</span></div>'
    )
    below = f'<div style="{_QUIET}font-size:12px;padding-left:19px">{escape(advice)}</div>' if advice else ""
    verdict = judged.verdict.name.lower()
    return (
        f'<div class="fm-criterion" data-name="{escape(judged.name)}" data-verdict="{verdict}" '
        f'style="margin:5px 0 7px">{line}{gauge_html(value, judged, colour)}{below}</div>'
    )


def gauge_html(value: float, criterion: Criterion, colour: str) -> str:
    """A bar of which the left half is good; the dot is the value, at the bar's end when it is beyond."""
    good, bad = css(palette.GOOD), css(palette.FAULT)
    dot = ""
    if value == value:
        reach = _REACH.get(criterion.unit, max(abs(criterion.threshold), 1.0))
        place = 50.0 + 50.0 * min(max((value - criterion.threshold) / reach, -0.97), 0.97)
        dot = (
            f'<div style="position:absolute;left:calc({place:.1f}% - 5px);top:-3px;width:10px;height:10px;'
            f'border-radius:5px;background:{colour};border:1px solid #fff"></div>'
        )
    return (
        '<div style="position:relative;height:4px;margin:5px 2px 4px 19px;border-radius:2px;'
        f'background:linear-gradient(90deg,{good}55 50%,{bad}66 50%)">'
        f'<div style="position:absolute;left:50%;top:-3px;width:2px;height:10px;background:#c8ccd2"></div>{dot}</div>'
    )


# ---- repetitions -----------------------------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _TOP = 400, 84, 16


def timeline_html(timeline: Timeline) -> str:
    """The last seconds: a curve that goes down as the person does, and over it the repetitions with their scores."""
    end, seconds = timeline.end, timeline.seconds
    bands = "".join(_band(one, end, seconds) for one in timeline.repetitions if one.end > end - seconds)
    points = " ".join(
        f"{_across(stamp, end, seconds):.1f},{_TOP + 4 + depth * (_HEIGHT - _TOP - 10):.1f}"
        for stamp, depth in timeline.depths
    )
    curve = f'<polyline points="{points}" fill="none" stroke="#cfd4da" stroke-width="1.6"/>' if points else ""
    drawing = (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" style="width:100%;display:block;background:#0002;border-radius:6px">'
        f"{bands}{curve}</svg>"
    )
    heading = (
        f'<div style="display:flex;justify-content:space-between;{_QUIET}font-size:12px;margin:2px 0 4px">'
        f"<span>repetitions</span><span>last {seconds:.0f} s</span></div>"
    )
    return block(heading + drawing + _chips(timeline.repetitions))


def _across(stamp: float, end: float, seconds: float) -> float:
    return _WIDTH * (1.0 - (end - stamp) / seconds)


def _band(one: Assessment, end: float, seconds: float) -> str:
    left, right = _across(one.start, end, seconds), _across(one.end, end, seconds)
    colour = css(palette.score_colour(one.score))
    return (
        f'<rect x="{left:.1f}" y="0" width="{right - left:.1f}" height="{_HEIGHT}" fill="{colour}" opacity=".28"/>'
        f'<text x="{(left + right) / 2:.1f}" y="13" text-anchor="middle" font-size="13" font-weight="700" '
        f'fill="{colour}">{_score_word(one.score)}</text>'
    )


def _chips(repetitions: Sequence[Assessment]) -> str:
    """A line a repetition, newest first: number, score, what failed."""
    rows = []
    for one in repetitions[::-1][:6]:
        failed = [f"✗ {words(item.name)}" for item in one.criteria if item.verdict is Verdict.NOT_MET]
        colour = css(palette.score_colour(one.score))
        why = "pain" if one.pain else ", ".join(failed) or ("not scorable" if one.score == NOT_SCORABLE else "clean")
        if one.overridden and not one.pain:
            why = f"operator: {one.override_reason}"
        rows.append(
            '<div class="fm-repetition" style="display:flex;gap:8px;margin-top:4px;align-items:baseline">'
            f'<span style="{_QUIET}width:16px;text-align:right">{one.repetition}</span>'
            f'<span style="background:{colour};color:#101418;border-radius:4px;padding:0 6px;font-weight:700">'
            f"{_score_word(one.score)}</span><span>{escape(why)}</span></div>"
        )
    return "".join(rows)


def _score_word(score: int) -> str:
    return "?" if score == NOT_SCORABLE else str(score)


# ---- screen and nodes ------------------------------------------------------------------------------------------------


def screen_html(screen: ScreenResult | None) -> str:
    """The seven tests with the score that counts, the total, and the notes."""
    if screen is None:
        return block(f'<div style="{_QUIET}">No test has been scored yet.</div>')
    rows = []
    for index, test in enumerate(TESTS):
        score = screen.final[index]
        done = score != NOT_SCORABLE
        colour = css(palette.score_colour(score if done else None))
        sides = _sides(screen.left[index], screen.right[index])
        rows.append(
            f'<tr style="{"" if done else _QUIET}"><td style="padding:1px 0">{escape(title(test).capitalize())}</td>'
            f'<td style="{_QUIET}">{sides}</td><td style="text-align:right;font-weight:700;color:{colour}">'
            f"{score if done else '–'}</td></tr>"
        )
    total = "incomplete" if screen.total == NOT_SCORABLE else f"{screen.total} of 21"
    notes = "".join(_note(note, palette.FAIR) for note in screen.notes)
    return block(
        f'<table id="fm-screen" style="width:100%;border-collapse:collapse">{"".join(rows)}'
        '<tr style="border-top:1px solid #8886"><td>Total</td><td></td>'
        f'<td style="text-align:right;font-weight:700">{total}</td></tr></table>{notes}'
    )


def _sides(left: int, right: int) -> str:
    if left == right == NOT_SCORABLE:
        return ""
    return f"left {_side_word(left)}, right {_side_word(right)}"


def _side_word(score: int) -> str:
    return "–" if score == NOT_SCORABLE else str(score)


def nodes_html(nodes: Iterable[NodeLine]) -> str:
    """A line a node: rate, latency, drops; under it what it is, in red what is wrong."""
    rows = []
    for node in nodes:
        trouble = _trouble(node)
        colour = css(palette.FAULT if trouble else palette.GOOD)
        numbers = "".join(
            f'<td style="text-align:right;padding-left:10px;font-variant-numeric:tabular-nums">{escape(text)}</td>'
            for text in (node.rate_hz, node.latency_ms, node.slow_ms, node.dropped)
        )
        told = f"color:{colour}" if trouble else _QUIET
        rows.append(
            f'<tr data-node="{escape(node.name)}"><td><span style="color:{colour}">●</span> {escape(node.name)}</td>'
            f'{numbers}</tr><tr><td colspan="5" style="{told};font-size:12px;padding:0 0 5px 16px;'
            f'overflow-wrap:anywhere">{escape(trouble or node.message)}</td></tr>'
        )
    if not rows:
        return block(f'<div style="{_QUIET}">No node has reported yet.</div>')
    heads = "".join(
        f'<td style="text-align:right;padding-left:10px">{head}</td>' for head in ("Hz", "p50", "p95", "dropped")
    )
    return block(
        f'<table style="width:100%;border-collapse:collapse"><tr style="{_QUIET}font-size:12px"><td>node</td>{heads}'
        f'</tr>{"".join(rows)}</table><div style="{_QUIET}font-size:12px">p50, p95: milliseconds from the '
        "image to the node's answer, the middle and the slow end of the last seconds</div>"
    )


def alerts_html(nodes: Iterable[NodeLine]) -> str:
    """What is wrong with the nodes, for a place that is always in sight; empty when all is well."""
    lines = [_note(f"{node.name}: {_trouble(node)}", palette.FAULT) for node in nodes if _trouble(node)]
    return block(f'<div id="fm-alerts">{"".join(lines)}</div>') if lines else ""


def _trouble(node: NodeLine) -> str:
    return f"silent for {node.age:.0f} s" if node.age > _SILENT_S else node.warning


def answer_html(text: str, *, good: bool) -> str:
    """What became of the last button."""
    return block(f'<div id="fm-answer">{_note(text, palette.GOOD if good else palette.FAULT)}</div>') if text else ""
