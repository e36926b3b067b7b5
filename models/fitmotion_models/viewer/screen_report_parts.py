"""The pieces of a screen's report that its web page and its PDF share: words, cells and pictures."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from fitmotion_models.fms.normal_bands import made_of
from fitmotion_models.fms.screen import TOTAL_CUT_OFF
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Movement, Side, Verdict
from fitmotion_models.viewer.report import decisive_name, moments
from fitmotion_models.viewer.screen_report import SIDE_WORDS, CriterionRow, KeptRepetition, ScreenReport, TestPage
from fitmotion_models.viewer.screen_report_drawings import as_png, body_figure, curves_figure
from fitmotion_models.viewer.terminal import measurement, score_word, words

PICTURES_KEPT = 8  # pages whose drawings are kept: those of one report, for its web page and its PDF
CUT_OFF_WORDS = f"A total under {TOTAL_CUT_OFF} is the usual cut-off for a raised risk of injury (Kiesel 2007)."
SCORE_WORDS = "3: as it should be. 2: with compensation. 1: could not be done. 0: pain. –: not done or not scorable."


def about_person(report: ScreenReport) -> str:
    """When, by whom, with what, and what was entered about the person."""
    person, session = report.person, report.session
    facts = [f"{session.started.astimezone():%d %B %Y, %H:%M}", f"measured by {session.measured_by}", session.device]
    if person.birth_year is not None:
        facts.append(f"born {person.birth_year}")
    body = session.body
    if body.stature_m is not None:
        facts.append(f"{body.stature_m:.2f} m tall")
    if body.hand_length_m is not None:
        facts.append(f"hand {100 * body.hand_length_m:.1f} cm")
    return ", ".join(fact for fact in facts if fact)


def sentence(text: str) -> str:
    """A text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def told_lines(page: TestPage) -> list[str]:
    """What is said of a test: why it has its scores, the clinicians' grades, the notes; nothing twice."""
    lines = [*_counted_why(page), *_grade_lines(page), *(sentence(note) for note in page.notes)]
    return list(dict.fromkeys(lines))


def band_lines(movement: Movement) -> list[str]:
    """What the band behind a test's curves is; nothing where it has none."""
    counts = made_of(movement)
    if counts is None:
        return []
    return [
        f"Normal band: 90 % of {counts.repetitions} correct repetitions of {counts.persons} healthy persons (UI-PRMD, "
        "one Kinect), of the first curve of each drawing."
    ]


def _counted_why(page: TestPage) -> list[str]:
    """The reason of each side's best repetition, as its scorer gave it."""
    lines = []
    for side, kept in page.best.items():
        one = kept.assessment
        reason = one.reason or ("Every criterion was met." if one.score == 3 else "")
        side_word = SIDE_WORDS[side]
        if reason:
            lines.append(f"{side_word.capitalize()}: {reason}" if side_word else reason)
    return lines


def _grade_lines(page: TestPage) -> list[str]:
    """The clinicians' own grades, with their reasons."""
    lines = []
    for grade in page.grades:
        side = f", {SIDE_WORDS[grade.side]}" if SIDE_WORDS[grade.side] else ""
        counts = "beside ours, which counts" if grade.beside else "which counts"
        given = "withdrawn" if grade.score == NOT_SCORABLE else f"{grade.score}, {counts}"
        reason = f": {grade.reason}" if grade.reason else ""
        lines.append(f"The clinician's own grade{side}: {given} ({grade.graded_by}{reason}).")
    return lines


def criterion_cells(row: CriterionRow, sides: Sequence[Side]) -> list[tuple[str, str]]:
    """What was measured on each side with its kind: "met", "not_met" or "not_seen"."""
    cells = []
    for side in sides:
        one = row.sides.get(side)
        if one is None:
            cells.append(("", "not_seen"))
            continue
        value = measurement(one.value, one.unit)
        unseen = one.verdict is Verdict.NOT_SEEN
        shown = ("not seen" if value == "–" else f"{value} (too close)") if unseen else value
        cells.append((shown, one.verdict.name.lower()))
    return cells


def repetition_rows(page: TestPage) -> list[tuple[str, ...]]:
    """All repetitions: which, score, how sure, the learned scorer's, and why."""
    return [_repetition_row(kept.assessment) for kept in page.repetitions]


def _repetition_row(one: Assessment) -> tuple[str, ...]:
    learned = score_word(one.learned_score) + (", differs" if one.disagreement else "")
    sure = f"{one.confidence:.0%}" if np.isfinite(one.confidence) else "–"
    name = f"{words(one.variation.name)}, trial {one.trial}, repetition {one.repetition}".capitalize()
    return name, score_word(one.score), sure, learned, one.reason


@lru_cache(maxsize=PICTURES_KEPT)
def curves_picture(page: TestPage) -> bytes | None:
    """The curves of the best repetitions, left against right, as a PNG; None where no poses were kept."""
    shown = {
        SIDE_WORDS[side]: (kept.clip, kept.assessment.start, kept.assessment.end)
        for side, kept in page.best.items()
        if kept.clip is not None
    }
    figure = curves_figure(page.movement, shown)
    return None if figure is None else as_png(figure)


@lru_cache(maxsize=PICTURES_KEPT)
def frames_of(page: TestPage) -> tuple[tuple[str, bytes], ...]:
    """The key moments of each side's best repetition, captioned: its pictures, or the bare body where there is none."""
    frames = []
    for side, kept in page.best.items():
        for name, stamp in moments(kept.assessment, kept.clip).items():
            picture = kept.pictures.get(name) or _body(kept, name, stamp)
            if picture is not None:
                caption = f"{SIDE_WORDS[side]}, {name}".removeprefix(", ")
                frames.append((f"{caption}, {stamp - kept.assessment.start:.1f} s".capitalize(), picture))
    return tuple(frames)


def _body(kept: KeptRepetition, name: str, stamp: float) -> bytes | None:
    clip, one = kept.clip, kept.assessment
    if clip is None or not len(clip):
        return None
    pose = clip.frame(int(np.argmin(np.abs(clip.stamps - stamp))))
    judged = name == decisive_name(one)
    failing = [item for item in one.criteria if item.verdict is Verdict.NOT_MET] if judged else []
    return as_png(body_figure(pose, failing, from_front=False))
