"""Scores one person's movement, pose by pose: the same code for a live camera and for a whole clip."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fitmotion_models.fms.criteria import Judged, judge_all, unseen
from fitmotion_models.fms.moment import Body, Moment, Stance, body_from_pose, mean_body, view_sine
from fitmotion_models.fms.movements import movement_rules
from fitmotion_models.fms.repetitions import Progress, Repetition
from fitmotion_models.fms.scoring import Score, score_repetition
from fitmotion_models.fms.values import Assessment, AssessmentState, Criterion, Movement, Phase, Side, Variation
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.motion_clip import MotionClip

# Criteria are measured on the mean body within this time before and after the lowest one, s: five frames at 30 Hz.
LOWEST_AVERAGING = 0.067

SCORER_NAME = "rules"


@dataclass(frozen=True, eq=False)
class ScorerUpdate:
    """What one pose did: the live state, and the assessment of a repetition that has just ended."""

    state: AssessmentState
    assessment: Assessment | None = None


class Scorer:
    """Follows ONE subject through a trial. Causal; a score depends on the repetition and the stance before it only.

    movement, variation, side: what is being done; trial: its number, from 1. Repetitions count from 1 within the trial
    and go on counting after the person was lost.
    Raises ValueError for a movement, variation or side that can't be scored.
    """

    def __init__(
        self,
        movement: Movement = Movement.DEEP_SQUAT,
        variation: Variation = Variation.DEEP_SQUAT_FLOOR,
        side: Side = Side.BOTH,
        trial: int = 1,
    ) -> None:
        self._definition = movement_rules(movement, variation, side)
        if trial < 1:
            raise ValueError(f"trial is {trial}; trials count from 1")
        self.movement, self.variation, self.side, self.trial = movement, variation, side, trial
        self._rule = self._definition.variations[variation]
        self._repetitions = self._definition.repetitions()
        self._count = 0

    def reset(self) -> None:
        """Start the trial over: no stance, no repetitions."""
        self._repetitions.reset()
        self._count = 0

    def update(self, pose: BodyPose) -> ScorerUpdate:
        """Take the next pose of this subject; poses come in the order of their stamps."""
        body = body_from_pose(pose)
        progress = self._repetitions.update(body)
        assessment = self._assess(progress.finished, pose) if progress.finished else None
        state = AssessmentState(
            stamp=pose.stamp,
            subject=pose.subject,
            movement=self.movement,
            side=self.side,
            phase=progress.phase,
            progress=progress.progress,
            criteria=self._live_criteria(body, progress),
        )
        return ScorerUpdate(state, assessment)

    def _live_criteria(self, body: Body, progress: Progress) -> tuple[Criterion, ...]:
        """The criteria as they are at this instant of a repetition; not seen while there is none."""
        if progress.stance is None or progress.phase in (Phase.UNKNOWN, Phase.STANDING):
            return unseen(self._definition.rules)
        moment = _moment(body, progress.stance, (body,))
        return tuple(judged.criterion for judged in judge_all(self._definition.rules, moment))

    def _assess(self, repetition: Repetition, pose: BodyPose) -> Assessment:
        self._count += 1
        judged = judge_all(self._definition.rules, moment_of(repetition))
        score = score_repetition(judged, self._rule)
        return assessment_of(
            repetition,
            judged,
            score,
            stamp=pose.stamp,
            subject=pose.subject,
            movement=self.movement,
            variation=self.variation,
            side=self.side,
            trial=self.trial,
            number=self._count,
        )


def moment_of(repetition: Repetition) -> Moment:
    """What the criteria of a repetition are measured on: the mean body around its lowest frame."""
    lowest_stamp = repetition.frames[repetition.lowest].stamp
    near = [body for body in repetition.frames if abs(body.stamp - lowest_stamp) <= LOWEST_AVERAGING]
    return _moment(mean_body(near), repetition.stance, repetition.frames)


def _moment(body: Body, stance: Stance, frames: tuple[Body, ...]) -> Moment:
    """The moment of a repetition whose lowest body is `body`; the view is the mean one of the stance and the frames."""
    whole = mean_body(frames)
    views = min(stance.body.views, whole.views)
    return Moment(body, stance, frames, whole, views, view_sine(stance.facing, whole.view_direction))


def assessment_of(
    repetition: Repetition,
    judged: Sequence[Judged],
    score: Score,
    *,
    stamp: float,
    subject: str,
    movement: Movement,
    variation: Variation,
    side: Side,
    trial: int,
    number: int,
) -> Assessment:
    """The result of a repetition by the rules. stamp: of the pose that ended it; number: within the trial, from 1."""
    return Assessment(
        stamp=stamp,
        subject=subject,
        movement=movement,
        variation=variation,
        side=side,
        trial=trial,
        repetition=number,
        score=score.score,
        reason=score.reason,
        confidence=score.confidence,
        scorer=SCORER_NAME,
        criteria=tuple(one.criterion for one in judged),
        start=repetition.frames[0].stamp,
        end=repetition.frames[-1].stamp,
    )


def score_clip(clip: MotionClip, **options: Any) -> list[Assessment]:
    """Every repetition of a clip, by feeding it to a `Scorer` frame by frame; options are the `Scorer`'s."""
    scorer = Scorer(**options)
    updates = (scorer.update(pose) for pose in clip)
    return [update.assessment for update in updates if update.assessment is not None]
