"""How well repetitions are found in a stream, told apart, and let go where they are none of the tests.

UI-PRMD's recordings of one person and movement are put one after the other with pauses of 1, 0.5 and 2 s in turn (see
`datasets.concatenated`), correct and incorrect ones in a stream each, as the person did them. The true boundaries are
the set's own cuts: a recording's first and last frame, with what they hold of standing. HDM05's and CMU's clips are
taken as they are. Every person is judged by a squat gate that was fitted without them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from fitmotion_models.datasets import read_uiprmd
from fitmotion_models.datasets.asf_archive import read_asf_recordings
from fitmotion_models.datasets.concatenated import Span, concatenate
from fitmotion_models.fms.moment import Body, body_from_pose
from fitmotion_models.fms.movements import MOVEMENTS
from fitmotion_models.fms.recogniser import Recogniser
from fitmotion_models.fms.repetitions import Repetition, SquatRepetitions, finish
from fitmotion_models.fms.sides import SidedRepetition
from fitmotion_models.fms.squat_gate import SquatGate, default_squat_gate, fit_squat_gate, squat_features
from fitmotion_models.fms.values import Movement, Side
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.motion_clip import MotionClip

Source = str | PathLike[str]
Report = Callable[[int, int | None], None]

# UI-PRMD's movements that are tests; the others have to come back as none
TESTS: dict[str, Movement] = {
    "m01": Movement.DEEP_SQUAT,
    "m02": Movement.HURDLE_STEP,
    "m03": Movement.INLINE_LUNGE,
    "m06": Movement.STANDING_LEG_RAISE,
}
OTHERS = ("m04", "m05", "m07", "m08", "m09", "m10")
PAUSES_S = (1.0, 0.5, 2.0)
BOUNDARY_S = 0.25
# what the squat gate is fitted on: deep squats, and sitting down
GATE_SQUATS, GATE_OTHERS = "m01", "m05"


@dataclass(frozen=True, eq=False)
class Stream:
    """Recordings of one person and movement, one after the other. sides: as labelled, BOTH where there is no label."""

    movement: str
    person: str
    bodies: tuple[Body, ...]
    spans: tuple[Span, ...]
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Found:
    """A repetition in a stream, seconds. recording: the index of the one it lies on, None in a pause."""

    movement: Movement
    side: Side
    start: float
    end: float
    recording: int | None


@dataclass(frozen=True)
class Outcome:
    """One recording. count: repetitions of its own test found by that test's segmentation, with their boundary errors.

    recognised: what the recogniser said, UNKNOWN for none; more than one: the first that is wrong. side: labelled, as
    found, and as found in the mirror image (None: not tried).
    """

    movement: str
    person: str
    count: int
    start_error: float
    end_error: float
    recognised: Movement
    labelled_side: Side
    side: Side
    mirrored_side: Side | None


def uiprmd_streams(source: Source, movement: str, persons: Sequence[str] | None, *, mirrored: bool) -> Iterator[Stream]:
    """The streams of one movement; mirrored: each followed by its mirror image."""
    groups: dict[tuple[str, bool], list[MotionClip]] = {}
    for name, clip in read_uiprmd(source, movements=[movement], persons=persons):
        groups.setdefault((name.person, name.correct), []).append(clip)
    for (person, _), clips in groups.items():
        sides = tuple(_labelled_side(clip) for clip in clips)
        joined, spans = concatenate(clips, PAUSES_S)
        yield Stream(movement, person, _bodies(joined), spans, sides)
        if mirrored:
            yield Stream(movement, person, _bodies(mirror_clip(joined)), spans, sides)


def _labelled_side(clip: MotionClip) -> Side:
    return next((side for side in (Side.LEFT, Side.RIGHT) if side.name.lower() in clip.labels), Side.BOTH)


def _bodies(clip: MotionClip) -> tuple[Body, ...]:
    return tuple(body_from_pose(pose) for pose in clip)


def recognised_in(
    bodies: Iterable[Body], spans: Sequence[Span] = (), squat_gate: SquatGate | None = None
) -> list[Found]:
    """What the recogniser, armed for every test, finds in a stream."""
    recogniser = Recogniser(squat_gate=squat_gate)
    ended = [recogniser.update(body).finished for body in bodies]
    found = [one for one in (*ended, recogniser.finish()) if one is not None]
    return [_found(one.movement, one.side, one.repetition, spans) for one in found]


def segmented_in(bodies: Iterable[Body], movement: Movement, spans: Sequence[Span]) -> list[Found]:
    """What the segmentation of one test finds in a stream, as when that test is asked for."""
    segmentation = MOVEMENTS[movement].repetitions()
    found = [segmentation.update(body).finished for body in bodies]
    return [
        _found(movement, one.side if isinstance(one, SidedRepetition) else Side.BOTH, one, spans)
        for one in (*found, finish(segmentation))
        if one is not None
    ]


def _found(movement: Movement, side: Side, repetition: Repetition, spans: Sequence[Span]) -> Found:
    start, end = repetition.frames[0].stamp, repetition.frames[-1].stamp
    middle = (start + end) / 2.0
    on = [index for index, span in enumerate(spans) if span.start <= middle <= span.end]
    return Found(movement, side, start, end, on[0] if on else None)


class SquatGates:
    """The squat gate for each person: one fitted without them for those who are in the one that ships."""

    def __init__(self, source: Source, persons: Sequence[str] | None) -> None:
        self._shipped = default_squat_gate()
        known = set(self._shipped.persons)
        self._features: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
        self._squats: list[bool] = []
        self._persons: list[str] = []
        if persons is not None and not known & set(persons):
            return
        for movement in (GATE_SQUATS, GATE_OTHERS):
            for stream in uiprmd_streams(source, movement, sorted(known), mirrored=False):
                for features in gate_features(stream):
                    self._features.append(features)
                    self._squats.append(movement == GATE_SQUATS)
                    self._persons.append(stream.person)

    def for_person(self, person: str) -> SquatGate:
        """The gate that has not seen this person."""
        if person not in self._shipped.persons:
            return self._shipped
        others = np.array(self._persons) != person
        squats = np.array(self._squats)[others]
        if len(set(squats.tolist())) < 2:
            return self._shipped
        return fit_squat_gate(np.array(self._features)[others], squats.tolist())


def gate_features(stream: Stream) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """The gate's features of every repetition that the squat's segmentation finds in a stream."""
    segmentation = SquatRepetitions()
    found = [segmentation.update(body).finished for body in stream.bodies]
    return [squat_features(one) for one in (*found, segmentation.finish()) if one is not None]


def judge_stream(stream: Stream, gate: SquatGate, mirror: Stream | None) -> tuple[list[Outcome], int]:
    """One outcome a recording, and how many repetitions lie in pauses. mirror: the mirror image, where it is tried."""
    found = recognised_in(stream.bodies, stream.spans, gate)
    test = TESTS.get(stream.movement)
    segmented = segmented_in(stream.bodies, test, stream.spans) if test in MOVEMENTS and test is not None else []
    mirrored = recognised_in(mirror.bodies, mirror.spans, gate) if mirror is not None else []
    outcomes = []
    for index, span in enumerate(stream.spans):
        here = [one for one in found if one.recording == index]
        own = [one for one in segmented if one.recording == index]
        wrong = [one for one in here if one.movement is not test]
        said = (*wrong, *here)[0] if here else None
        reflected = [one for one in mirrored if one.recording == index]
        outcomes.append(
            Outcome(
                movement=stream.movement,
                person=stream.person,
                count=len(own),
                start_error=own[0].start - span.start if len(own) == 1 else np.nan,
                end_error=own[0].end - span.end if len(own) == 1 else np.nan,
                recognised=said.movement if said else Movement.UNKNOWN,
                labelled_side=stream.sides[index],
                side=said.side if said else Side.BOTH,
                mirrored_side=None if mirror is None else (reflected[0].side if reflected else Side.BOTH),
            )
        )
    return outcomes, sum(one.recording is None for one in (*segmented, *(found if test is None else ())))


@dataclass(frozen=True)
class Measured:
    """What was measured.

    outcomes: of UI-PRMD's recordings. in_pauses: repetitions found where there was none, by movement. clips: of each
    other source and action, in how many clips the recogniser said what (UNKNOWN: none).
    """

    outcomes: tuple[Outcome, ...]
    in_pauses: dict[str, int]
    clips: dict[str, dict[str, Counter[Movement]]]


def measure(
    uiprmd: Source,
    others: Mapping[str, Source],
    persons: Sequence[str] | None = None,
    progress: Report | None = None,
) -> Measured:
    """Run everything. others: name to source of clips without a test (HDM05, CMU). progress: told of steps done."""
    missing = [str(source) for source in (uiprmd, *others.values()) if not Path(source).exists()]
    if missing:
        raise ValueError(f"there is no {', '.join(missing)}; give each set's folder or its tar archive")
    movements = (*TESTS, *OTHERS)
    steps = len(movements) + len(others) + 1
    gates = SquatGates(uiprmd, persons)
    outcomes: list[Outcome] = []
    in_pauses: dict[str, int] = {}
    for step, movement in enumerate(movements, 1):
        if progress is not None:
            progress(step, steps)
        mirrored = movement in TESTS and movement != GATE_SQUATS
        streams = uiprmd_streams(uiprmd, movement, persons, mirrored=mirrored)
        for stream in streams:
            mirror = next(streams) if mirrored else None
            found, extra = judge_stream(stream, gates.for_person(stream.person), mirror)
            outcomes += found
            in_pauses[movement] = in_pauses.get(movement, 0) + extra
    if not outcomes:
        raise ValueError(
            f"{uiprmd} holds no recording of {', '.join(persons or ['anybody'])}; persons are s01, s02, ..."
        )
    clips: dict[str, dict[str, Counter[Movement]]] = {}
    for step, (name, source) in enumerate(others.items(), len(movements) + 1):
        if progress is not None:
            progress(step, steps)
        clips[name] = {}
        for recording, clip in read_asf_recordings(source):
            said = {one.movement for one in recognised_in(_bodies(clip))} or {Movement.UNKNOWN}
            clips[name].setdefault(action_of(recording), Counter()).update(said)
    return Measured(tuple(outcomes), in_pauses, clips)


def action_of(recording: str) -> str:
    """The action in the name of one of HDM05's cuts (HDM_bd_squat1Reps_002_120); of others, the person's number."""
    parts = recording.split("_")
    return parts[2] if len(parts) > 3 else parts[0]
