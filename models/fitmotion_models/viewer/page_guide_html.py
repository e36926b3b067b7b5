"""The parts of a guided screen that are read: the card of a step, the seven tests, what the camera needs, as HTML."""

from collections.abc import Sequence
from html import escape

from fitmotion_models.fms.screen import CLEARED_BY, TESTS, Clearing, ScreenResult, sides_to_do, title
from fitmotion_models.fms.values import NOT_SCORABLE, Movement, Side
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.page_html import block, css
from fitmotion_models.viewer.screen_guide import ScreenGuide, Step, StepState
from fitmotion_models.viewer.screen_texts import TEST_TEXTS, note, say
from fitmotion_models.viewer.step_drawings import camera_words, plan_svg, view_svg

_QUIET = "opacity:.65;"
_SMALL = "font-size:12px;"
_CLEARING_MARKS = {
    Clearing.NOT_DONE: ("–", palette.UNKNOWN),
    Clearing.NO_PAIN: ("no pain", palette.GOOD),
    Clearing.PAIN: ("pain", palette.FAULT),
}


def step_html(guide: ScreenGuide, sex: str, waiting_s: float | None) -> str:
    """The card of the step: which test and side, attempts, what to say, what the camera sees and where it stands.

    sex: "male", "female" or empty. waiting_s: seconds until the next step comes by itself, None when it does not.
    """
    step = guide.step
    if step is None:
        return end_html(guide)
    asked = guide.question
    if asked is not None and asked.clearing is not None:
        return _clearing_html(guide, asked)
    heading = _heading(guide, step, step.title)
    return block(
        f'<div id="fm-step" data-step="{escape(step.variation.name.lower())}">{heading}'
        f"{_drawings(step)}{_sentences(say(step, sex))}{_around(step, sex)}"
        f"{_attempts(guide)}{_coming(guide, waiting_s)}</div>",
        "10px 14px 6px",
    )


def _heading(guide: ScreenGuide, step: Step, name: str) -> str:
    plan = guide.plan
    done = sum(guide.state(one) is not StepState.OPEN for one in plan)
    place = plan.index(step) + 1 if step in plan else len(plan)
    over = "recognised" if guide.recognise and step.clearing is None else f"step {place} of {len(plan)}"
    bar = (
        f'<div style="height:4px;border-radius:2px;background:#8883;margin:6px 0 8px"><div style="width:'
        f'{100 * done / len(plan):.0f}%;height:4px;border-radius:2px;background:{css(palette.GOOD)}"></div></div>'
    )
    return (
        f'<div style="display:flex;justify-content:space-between;align-items:baseline;gap:8px">'
        f'<span id="fm-step-title" style="font-size:17px;font-weight:600">{escape(name)}</span>'
        f'<span style="{_QUIET}{_SMALL}white-space:nowrap">{over}</span></div>{bar}'
    )


def _drawings(step: Step) -> str:
    return (
        f'<div style="display:flex;gap:12px;align-items:center"><div style="width:196px">{view_svg(step)}</div>'
        f'<div style="width:112px">{plan_svg(step)}</div></div>'
    )


def _sentences(sentences: Sequence[str]) -> str:
    lines = "".join(f'<div style="margin:3px 0">{escape(text)}</div>' for text in sentences)
    return f'<div style="border-left:3px solid {css(palette.LEFT)};padding-left:8px;margin:8px 0">{lines}</div>'


def _around(step: Step, sex: str) -> str:
    """What whoever measures has to see to."""
    text = TEST_TEXTS[step.movement]
    lines = [("camera", camera_words(step)), ("needs", text.needs), ("note", note(step, sex))]
    return "".join(
        f'<div style="display:flex;gap:8px;margin:2px 0"><span style="{_QUIET}width:52px;flex:none">{name}</span>'
        f"<span>{escape(words)}</span></div>"
        for name, words in lines
        if words
    )


def _attempts(guide: ScreenGuide) -> str:
    """A box an attempt: its score, empty for what is still to do."""
    scores = guide.attempts
    boxes = [_box(score) for score in scores[-6:]]
    scored = sum(score != NOT_SCORABLE for score in scores)
    boxes += [_box(None)] * (0 if guide.is_over else max(guide.attempts_to_do - scored, 0))
    best = guide.score(guide.step.movement, guide.step.side) if guide.step else NOT_SCORABLE
    counts = "" if best == NOT_SCORABLE else f"counts: <b>{best}</b>"
    return (
        f'<div id="fm-attempts" style="display:flex;gap:6px;align-items:center;margin-top:9px"><span style="{_QUIET}'
        f'width:62px">attempts</span>{"".join(boxes)}<span style="margin-left:auto">{counts}</span></div>'
    )


def _box(score: int | None) -> str:
    if score is None:
        return '<span style="width:26px;height:26px;border:1.5px dashed #888a;border-radius:6px"></span>'
    shown = "?" if score == NOT_SCORABLE else str(score)
    return (
        f'<span style="width:26px;height:26px;line-height:26px;text-align:center;border-radius:6px;font-weight:700;'
        f'background:{css(palette.score_colour(score))};color:#101418">{shown}</span>'
    )


def _coming(guide: ScreenGuide, waiting_s: float | None) -> str:
    """What follows, and when it comes by itself."""
    following = "the end" if guide.following is None else guide.following.title
    when = "" if waiting_s is None else f" in {waiting_s:.0f} s"
    return f'<div id="fm-next" style="{_QUIET}{_SMALL}margin-top:6px">then{when}: {escape(following)}</div>'


def _clearing_html(guide: ScreenGuide, step: Step) -> str:
    related = title(step.movement)
    answer = "" if guide.state(step) is StepState.OPEN else "Answered; the buttons change the answer."
    return block(
        f'<div id="fm-step" data-step="clearing">{_heading(guide, step, step.title)}'
        f'<div style="width:196px">{view_svg(step)}</div>{_sentences(say(step))}'
        f'<div style="{_QUIET}">Pain here makes the {escape(related)} a 0. Only the person can say so. {answer}</div>'
        "</div>",
        "10px 14px 6px",
    )


# ---- before and after ------------------------------------------------------------------------------------------------


def end_html(guide: ScreenGuide) -> str:
    """After the last step: what is still open, or that all is done."""
    names = [step.title for step in guide.open_steps]
    skipped = [step.title for step in guide.plan if guide.state(step) is StepState.SKIPPED]
    parts = ["All seven tests are done." if not names and not skipped else "The last step is over."]
    if names:
        parts.append(f"Still open: {', '.join(names)}.")
    if skipped:
        parts.append(f"Skipped: {', '.join(skipped)}.")
    parts.append("<b>Finish the screen</b> closes it and writes the report; Back returns to a step.")
    lines = "".join(f'<div style="margin:5px 0">{part}</div>' for part in parts)
    return block(
        f'<div id="fm-step" data-step="end"><div id="fm-step-title" style="font-size:17px;font-weight:600">The end of '
        f"the screen</div>{lines}</div>",
        "10px 14px 6px",
    )


def beginning_html() -> str:
    """Over the form with which a screen begins."""
    return block(
        '<div id="fm-step" data-step="form"><div id="fm-step-title" style="font-size:17px;font-weight:600">A new screen'
        '</div><div style="margin:5px 0">Seven tests, on both sides where they have two, up to three attempts each: '
        "about fifteen minutes.</div></div>",
        "10px 14px 2px",
    )


def finished_html(screen: ScreenResult | None, links: Sequence[tuple[str, str]]) -> str:
    """What came of the screen that was finished last; empty where there was none. links: of its report."""
    if screen is None or not screen.session or screen.open:
        return ""
    total = "without a total" if screen.total == NOT_SCORABLE else f"<b>{screen.total} of 21</b>"
    report = reports_html(links) or block(f'<span style="{_QUIET}">The report is being written.</span>')
    return (
        block(
            f'<div id="fm-finished" style="font-size:17px">{escape(screen.person)}: finished, {total}</div>',
            "10px 14px 2px",
        )
        + report
    )


def consent_html() -> str:
    """What the person agrees to, under the box for it."""
    return block(
        f'<div style="{_QUIET}{_SMALL}">The person agrees to being measured, and that scores, movements and pictures '
        "with the face blurred are kept on this machine. Without a name nothing is kept. Without a measured hand its "
        "length is taken from the stature.</div>",
        "0 14px 6px",
    )


def guidance_html(sentences: Sequence[str]) -> str:
    """What the camera needs; empty when it sees well."""
    lines = "".join(
        f'<div style="border-left:3px solid {css(palette.FAIR)};padding-left:8px;margin:3px 0">{escape(text)}</div>'
        for text in sentences
    )
    return block(f'<div id="fm-guidance">{lines}</div>', "4px 14px 4px") if lines else ""


# ---- the seven tests -------------------------------------------------------------------------------------------------


def seven_tests_html(screen: ScreenResult | None, guide: ScreenGuide) -> str:
    """The seven tests with left, right and the score that counts, clearing tests, total, asymmetries and notes."""
    head = "".join(
        f'<td style="text-align:center;width:44px;{_QUIET}{_SMALL}">{name}</td>' for name in ("left", "right", "final")
    )
    rows = "".join(_test_row(screen, guide, place, test) for place, test in enumerate(TESTS))
    total = "–" if screen is None or screen.total == NOT_SCORABLE else f"{screen.total} / 21"
    return block(
        f'<table id="fm-screen" style="width:100%;border-collapse:collapse"><tr><td></td>{head}</tr>{rows}'
        f'<tr style="border-top:1px solid #8886"><td style="padding-top:4px">Total</td><td></td><td colspan="2" '
        f'style="text-align:right;font-weight:700;font-size:16px;padding-top:4px">{total}</td></tr></table>',
        "8px 14px 4px",
    )


def _test_row(screen: ScreenResult | None, guide: ScreenGuide, place: int, test: Movement) -> str:
    now = guide.step is not None and guide.step.movement is test
    mark = f"box-shadow:inset 3px 0 {css(palette.LEFT)};background:#ffffff0c;" if now else ""
    two_sided = sides_to_do(test) != (Side.BOTH,)
    left, right, final = (
        (screen.left[place], screen.right[place], screen.final[place]) if screen else (NOT_SCORABLE,) * 3
    )
    uneven = screen is not None and screen.asymmetric[place]
    cells = (_cell(left), _cell(right)) if two_sided else ("", "")
    name = escape(title(test).capitalize()) + (_sign("≠", palette.FAIR) if uneven else "")
    row = (
        f'<tr style="{mark}"><td style="padding:3px 0 3px 8px">{name}</td>'
        + "".join(f'<td style="text-align:center">{cell}</td>' for cell in cells)
        + f'<td style="text-align:center;font-weight:700">{_cell(final)}</td></tr>'
    )
    return row + (_clearing_row(screen, test, mark) if test in CLEARED_BY else "")


def _cell(score: int) -> str:
    if score == NOT_SCORABLE:
        return f'<span style="{_QUIET}">–</span>'
    return f'<span style="color:{css(palette.score_colour(score))}">{score}</span>'


def _clearing_row(screen: ScreenResult | None, test: Movement, mark: str) -> str:
    clearing = Clearing(screen.clearing[CLEARED_BY[test]]) if screen else Clearing.NOT_DONE
    words, colour = _CLEARING_MARKS[clearing]
    return (
        f'<tr style="{mark}{_SMALL}"><td style="padding:0 0 3px 20px;{_QUIET}">{escape(title(CLEARED_BY[test]))}</td>'
        f'<td colspan="3" style="text-align:right;color:{css(colour)};padding-right:8px">{words}</td></tr>'
    )


def _sign(text: str, colour: palette.Rgb) -> str:
    return f' <span title="left and right differ" style="color:{css(colour)};font-weight:700">{text}</span>'


def notes_html(screen: ScreenResult | None) -> str:
    """Asymmetries, pain, own grades and the cut-off, in sentences; empty where there is nothing to say."""
    lines = "".join(f'<div style="margin:3px 0">{escape(text)}</div>' for text in (screen.notes if screen else ()))
    return block(f'<div id="fm-notes" style="{_QUIET}{_SMALL}">{lines}</div>') if lines else ""


def reports_html(links: Sequence[tuple[str, str]]) -> str:
    """Links to reports: (words, address)."""
    anchors = "".join(
        f'<a href="{escape(address)}" target="_blank" rel="noopener" style="color:#74c0fc;margin-right:14px">'
        f"{escape(words)}</a>"
        for words, address in links
    )
    return block(f'<div id="fm-reports">{anchors}</div>') if anchors else ""
