"""Scores the tests that are done on both sides, pose by pose; each repetition says which side it was.

For whoever leads a person through a test: the live scorer knows only movements of `movements.MOVEMENTS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fitmotion_models.fms import hurdle_step, inline_lunge
from fitmotion_models.fms.criteria import CriterionRule, judge_all, unseen
from fitmotion_models.fms.hurdle_repetitions import HurdleRepetitions
from fitmotion_models.fms.lunge_repetitions import LungeRepetitions
from fitmotion_models.fms.moment import body_from_pose
from fitmotion_models.fms.movements import Repetitions
from fitmotion_models.fms.scorer import ScorerUpdate, assessment_of, moment_of
from fitmotion_models.fms.sides import Grades, SidedRepetition
from fitmotion_models.fms.values import Assessment, AssessmentState, Criterion, Movement, Phase, Side, Variation
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.motion_clip import MotionClip


@dataclass(frozen=True)
class SidedMovement:
    """All that scoring needs to know of a test with two sides. views: how to film it, for people."""

    rules: Callable[[Side], tuple[CriterionRule, ...]]
    repetitions: Callable[[], Repetitions]
    grades: Grades
    variations: dict[Side, Variation]
    views: str


SIDED_MOVEMENTS: dict[Movement, SidedMovement] = {
    Movement.HURDLE_STEP: SidedMovement(
        rules=hurdle_step.rules,
        repetitions=HurdleRepetitions,
        grades=hurdle_step.GRADES,
        variations={Side.LEFT: Variation.HURDLE_STEP_LEFT, Side.RIGHT: Variation.HURDLE_STEP_RIGHT},
        views="from the front for knee, ankle and dowel; from the side for trunk, foot and hurdle",
    ),
    Movement.INLINE_LUNGE: SidedMovement(
        rules=inline_lunge.rules,
        repetitions=LungeRepetitions,
        grades=inline_lunge.GRADES,
        variations={Side.LEFT: Variation.INLINE_LUNGE_LEFT, Side.RIGHT: Variation.INLINE_LUNGE_RIGHT},
        views="from the side for trunk, rear knee and heel; from the front for the feet's line and the trunk's lean",
    ),
}


class SidedScorer:
    """Follows ONE subject through repetitions of one test on either side. Causal.

    A score depends on the repetition and the stance before it only. Repetitions count from 1 for each side. Raises
    ValueError for a movement without sides that can be scored and for a trial below 1.
    """

    def __init__(self, movement: Movement, trial: int = 1) -> None:
        if movement not in SIDED_MOVEMENTS:
            known = ", ".join(one.name for one in SIDED_MOVEMENTS)
            raise ValueError(f"movement {movement!r} can't be scored by sides; known: {known}")
        if trial < 1:
            raise ValueError(f"trial is {trial}; trials count from 1")
        self.movement, self.trial = movement, trial
        self._definition = SIDED_MOVEMENTS[movement]
        self._repetitions = self._definition.repetitions()
        self._counts = dict.fromkeys(self._definition.variations, 0)

    def reset(self) -> None:
        """Start over: no stance, no repetitions."""
        self._repetitions.reset()
        self._counts = dict.fromkeys(self._definition.variations, 0)

    def update(self, pose: BodyPose) -> ScorerUpdate:
        """Take the next pose of this subject; poses come in the order of their stamps.

        The state's side is BOTH and its criteria are not seen until the repetition has shown its side.
        """
        progress = self._repetitions.update(body_from_pose(pose))
        finished = progress.finished
        assessment = self._assess(finished, pose) if isinstance(finished, SidedRepetition) else None
        state = AssessmentState(
            stamp=pose.stamp,
            subject=pose.subject,
            movement=self.movement,
            side=assessment.side if assessment else Side.BOTH,
            phase=progress.phase if progress.stance else Phase.UNKNOWN,
            progress=progress.progress,
            criteria=assessment.criteria if assessment else self._nothing_seen(),
        )
        return ScorerUpdate(state, assessment)

    def _nothing_seen(self) -> tuple[Criterion, ...]:
        return unseen(self._definition.rules(Side.LEFT))

    def _assess(self, repetition: SidedRepetition, pose: BodyPose) -> Assessment:
        side = repetition.side
        self._counts[side] += 1
        judged = judge_all(self._definition.rules(side), moment_of(repetition))
        return assessment_of(
            repetition,
            judged,
            self._definition.grades.score(judged),
            stamp=pose.stamp,
            subject=pose.subject,
            movement=self.movement,
            variation=self._definition.variations[side],
            side=side,
            trial=self.trial,
            number=self._counts[side],
        )


def score_sided_clip(clip: MotionClip, movement: Movement, trial: int = 1) -> list[Assessment]:
    """Every repetition of a clip on either side, by feeding it to a `SidedScorer` frame by frame."""
    scorer = SidedScorer(movement, trial)
    updates = (scorer.update(pose) for pose in clip)
    return [update.assessment for update in updates if update.assessment is not None]
