"""Which test of the screen a body is doing, on which side, and when a repetition of it is over. Causal.

The segmentation of every armed test follows the same stream; each knows what a repetition of its own test looks like
and lets go of everything else. Where a test is asked for, a person who sits down may have failed at a squat; where none
is, they sit down: that a deep squat is one is decided by `squat_gate`. A stream and a file give the same, pose by pose:
it is the same code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fitmotion_models.fms.moment import Body, Stance
from fitmotion_models.fms.movements import MOVEMENTS
from fitmotion_models.fms.repetitions import Progress, Repetition, finish
from fitmotion_models.fms.sides import SidedRepetition
from fitmotion_models.fms.squat_gate import SquatGate, default_squat_gate
from fitmotion_models.fms.values import Movement, Phase, Side

# What is less likely to be the test than not is none.
LEAST_CONFIDENCE = 0.5
_AT_REST = (Phase.UNKNOWN, Phase.STANDING)


@dataclass(frozen=True, eq=False)
class Recognised:
    """A repetition that has just ended, and what it was. confidence: 0 to 1 that it was this movement."""

    movement: Movement
    side: Side
    repetition: Repetition
    confidence: float


@dataclass(frozen=True, eq=False)
class Recognition:
    """What one body did.

    movement, side: of the repetition under way, or of the one that has just ended; UNKNOWN and BOTH while there is none
    or while it may still be one of several. phase, progress: as in `AssessmentState`. stance: the one that counts now.
    """

    movement: Movement
    side: Side
    phase: Phase
    progress: float
    stance: Stance | None
    finished: Recognised | None = None


class Recogniser:
    """Follows ONE body through tests in any order.

    movements: the tests that may be done; None: all that can be scored. squat_gate: what tells squats from sitting
    down; None: the one that ships. Depends on nothing but the bodies given since the last stance; repetitions do not
    influence one another. Raises ValueError for a test that can't be scored.
    """

    def __init__(self, movements: Sequence[Movement] | None = None, squat_gate: SquatGate | None = None) -> None:
        armed = tuple(MOVEMENTS) if movements is None else tuple(dict.fromkeys(movements))
        unknown = [Movement(movement).name for movement in armed if movement not in MOVEMENTS]
        if unknown or not armed:
            known = ", ".join(movement.name for movement in MOVEMENTS)
            raise ValueError(f"{', '.join(unknown) or 'no movement'} can't be recognised; known: {known}")
        self.movements = armed
        self._segmentations = {movement: MOVEMENTS[movement].repetitions() for movement in armed}
        self._squat_gate = squat_gate or default_squat_gate()
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next repetition needs a stance first."""
        for segmentation in self._segmentations.values():
            segmentation.reset()
        self._last_end = float("-inf")
        self._last_stamp: float | None = None

    def update(self, body: Body) -> Recognition:
        """Take the next body. One that is not newer than the last one starts all over."""
        if self._last_stamp is not None and body.stamp <= self._last_stamp:
            self.reset()
        self._last_stamp = body.stamp
        steps = {movement: one.update(body) for movement, one in self._segmentations.items()}
        finished = self._finished(steps)
        if finished is not None:
            done = steps[finished.movement]
            stance = finished.repetition.stance
            return Recognition(finished.movement, finished.side, done.phase, done.progress, stance, finished)
        return _under_way(steps)

    def finish(self) -> Recognised | None:
        """The stream has ended: the repetition that lacked nothing but the last instants of standing, if there is one.

        Forgets everything.
        """
        ended = {movement: finish(one) for movement, one in self._segmentations.items()}
        finished = self._recognised({movement: one for movement, one in ended.items() if one is not None})
        self.reset()
        return finished

    def _finished(self, steps: dict[Movement, Progress]) -> Recognised | None:
        return self._recognised({movement: one.finished for movement, one in steps.items() if one.finished is not None})

    def _recognised(self, ended: dict[Movement, Repetition]) -> Recognised | None:
        """What a repetition was that has just ended, unless its time belongs to one that has ended before."""
        for movement, repetition in ended.items():
            first, last = repetition.frames[0].stamp, repetition.frames[-1].stamp
            if (first + last) / 2.0 <= self._last_end:
                continue
            confidence = self._squat_gate.probability(repetition) if movement is Movement.DEEP_SQUAT else 1.0
            if confidence < LEAST_CONFIDENCE:
                continue
            self._last_end = last
            side = repetition.side if isinstance(repetition, SidedRepetition) else Side.BOTH
            return Recognised(movement, side, repetition, confidence)
        return None


def _under_way(steps: dict[Movement, Progress]) -> Recognition:
    """The live state: the one test whose repetition is under way; UNKNOWN while it may be one of several."""
    active = [(movement, step) for movement, step in steps.items() if step.phase not in _AT_REST]
    if active:
        movement, step = active[0]
        if len(active) > 1:
            return Recognition(Movement.UNKNOWN, Side.BOTH, step.phase, step.progress, step.stance)
        return Recognition(movement, step.side, step.phase, step.progress, step.stance)
    stance = next((step.stance for step in steps.values() if step.phase is Phase.STANDING), None)
    return Recognition(Movement.UNKNOWN, Side.BOTH, Phase.UNKNOWN if stance is None else Phase.STANDING, 0.0, stance)
