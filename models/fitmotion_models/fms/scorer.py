"""Scores one person's movement, pose by pose: the same code for a live camera and for a whole clip."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.criteria import CriterionRule, Judged, judge_all, unseen
from fitmotion_models.fms.moment import Body, Moment, Stance, body_from_pose, mean_body, view_sine
from fitmotion_models.fms.movements import MovementRules, chosen_form, movement_rules
from fitmotion_models.fms.repetitions import Progress, Repetition, finish
from fitmotion_models.fms.scoring import Score
from fitmotion_models.fms.screen import EASIER
from fitmotion_models.fms.sides import SidedRepetition
from fitmotion_models.fms.values import (
    NOT_SCORABLE,
    Assessment,
    AssessmentState,
    Criterion,
    Movement,
    Phase,
    Side,
    Variation,
    Verdict,
)
from fitmotion_models.fms.view_guidance import ViewGuide
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.motion_clip import MotionClip

# Criteria are measured on the mean body within this time before and after the lowest one, s: five frames at 30 Hz.
LOWEST_AVERAGING = 0.067

SCORER_NAME = "rules"

# No recording with labels shows these forms.
_UNLEARNED = frozenset(easier for easier, _ in EASIER.values())
_LEARNED_CORRECT = 3


@dataclass(frozen=True, eq=False)
class ScorerUpdate:
    """What one pose did: the live state, and the assessment of a repetition that has just ended, with its frames.

    guidance: where the camera should be for this test, a sentence; empty where it is good or not known.
    """

    state: AssessmentState
    assessment: Assessment | None = None
    repetition: Repetition | None = None
    guidance: str = ""


class Scorer:
    """Follows ONE subject through a trial. Causal.

    A score depends on the repetition, the stance before it and the person's entered measures only.

    movement, variation, side: what is being done; variation NONE and side BOTH: every repetition says its own, as far
    as the test has any (a squat's is the first, on the floor). trial: its number, from 1. person: what was entered.
    learned: whether the learned scorer, where there is one for the test, is asked beside the rules. Repetitions count
    from 1 within the trial, for each form and side, and go on counting after the person was lost.
    Raises ValueError for a movement, variation or side that can't be scored.
    """

    def __init__(
        self,
        movement: Movement = Movement.DEEP_SQUAT,
        variation: Variation = Variation.NONE,
        side: Side = Side.BOTH,
        trial: int = 1,
        person: Anthropometry = UNKNOWN_BODY,
        *,
        learned: bool = True,
    ) -> None:
        self._definition = movement_rules(movement, variation, side)
        if trial < 1:
            raise ValueError(f"trial is {trial}; trials count from 1")
        self.variation, self.side = chosen_form(movement, variation, side)
        self.movement, self.trial, self.person = movement, trial, person
        self._repetitions = self._definition.repetitions()
        self._last: BodyPose | None = None
        self._counts: Counter[tuple[Variation, Side]] = Counter()
        self._learned = learned
        self._guide = ViewGuide()

    def reset(self) -> None:
        """Start the trial over: no stance, no repetitions."""
        self._repetitions.reset()
        self._counts.clear()

    def finish(self) -> Assessment | None:
        """The stream has ended: the repetition that lacked nothing but the last instants of standing, if any."""
        repetition = finish(self._repetitions)
        return self._assess(repetition, self._last) if repetition is not None and self._last is not None else None

    def update(self, pose: BodyPose) -> ScorerUpdate:
        """Take the next pose of this subject; poses come in the order of their stamps.

        Of a test with sides the state's criteria are not seen until the repetition under way has shown its side.
        """
        body = body_from_pose(pose)
        self._last = pose
        progress = self._repetitions.update(body)
        assessment = self._assess(progress.finished, pose) if progress.finished else None
        state = AssessmentState(
            stamp=pose.stamp,
            subject=pose.subject,
            movement=self.movement,
            side=self._live_side(progress),
            phase=progress.phase,
            progress=progress.progress,
            criteria=live_criteria(self._definition, self.person, body, progress),
        )
        guidance = self._guide.update(self.movement, body, progress.stance, self.person)
        return ScorerUpdate(state, assessment, progress.finished, guidance)

    def _live_side(self, progress: Progress) -> Side:
        side = side_of(progress.finished) if progress.finished else progress.side
        return side if side is not Side.BOTH else self.side

    def _assess(self, repetition: Repetition, pose: BodyPose) -> Assessment:
        side = side_of(repetition)
        variation = form_of(repetition, side, self._definition, self.variation)
        self._counts[variation, side] += 1
        return assess_repetition(
            repetition,
            stamp=pose.stamp,
            subject=pose.subject,
            movement=self.movement,
            variation=variation,
            side=side,
            trial=self.trial,
            number=self._counts[variation, side],
            person=self.person,
            asked_for=self.side,
            learned=self._learned,
        )


def side_of(repetition: Repetition) -> Side:
    """The side that a repetition was done on, BOTH where its test has none."""
    return repetition.side if isinstance(repetition, SidedRepetition) else Side.BOTH


def form_of(repetition: Repetition, side: Side, definition: MovementRules, chosen: Variation) -> Variation:
    """The form of a repetition: what its frames say, else what was chosen, else the first one of its side."""
    if repetition.variation is not Variation.NONE:
        return repetition.variation
    form = definition.variations.get(chosen)
    return chosen if form is not None and form.side in (side, Side.BOTH) else definition.variation_for(side)


def live_criteria(
    definition: MovementRules, person: Anthropometry, body: Body, progress: Progress
) -> tuple[Criterion, ...]:
    """The criteria as they are at this instant of a repetition; not seen while there is none or its side is unknown."""
    side = progress.side if definition.has_sides else Side.BOTH
    side_known = side is not Side.BOTH or not definition.has_sides
    # names, thresholds and views are the same on both sides
    rules = definition.rules(side if side_known else Side.LEFT, person)
    if progress.stance is None or progress.phase in (Phase.UNKNOWN, Phase.STANDING) or not side_known:
        return unseen(rules)
    moment = _moment(body, progress.stance, (body,))
    return tuple(judged.criterion for judged in judge_all(rules, moment))


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


def judge_repetition(rules: Sequence[CriterionRule], repetition: Repetition) -> tuple[Judged, ...]:
    """A repetition's criteria, measured and decided."""
    return judge_all(rules, moment_of(repetition))


def assess_repetition(
    repetition: Repetition,
    *,
    stamp: float,
    subject: str,
    movement: Movement,
    variation: Variation,
    side: Side,
    trial: int,
    number: int,
    person: Anthropometry = UNKNOWN_BODY,
    asked_for: Side = Side.BOTH,
    learned: bool = True,
) -> Assessment:
    """The result of a repetition by the rules, from it alone and what was entered about the person.

    stamp: of the pose that ended it; number: within the trial, from 1. asked_for: the side of the trial; a repetition
    on the other one is measured and not scored. learned: ask the learned scorer too, where there is one. Raises
    ValueError for a form that the movement does not have.
    """
    definition = movement_rules(movement, variation, side)
    judged = judge_repetition(definition.rules(side, person), repetition)
    score = definition.variations[variation].grades.score(judged)
    opinion, disagreement = NOT_SCORABLE, False
    if learned and variation not in _UNLEARNED:
        opinion, disagreement = _learned_opinion(movement, repetition, side, judged, score)
    if asked_for not in (side, Side.BOTH):
        score = _other_side(side, asked_for, score)
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
        learned_score=opinion,
        disagreement=disagreement,
    )


def _learned_opinion(
    movement: Movement, repetition: Repetition, side: Side, judged: Sequence[Judged], score: Score
) -> tuple[int, bool]:
    """The learned scorer's score, -1 where there is none, and whether it disagrees with the rules on "correct".

    It knows correct and incorrect repetitions only, so that 1 and 2 agree with each other.
    """
    # loaded with the first repetition that needs it: whoever only follows states has no use for ONNX Runtime
    from fitmotion_models.fms.learned_scorer import learned_scorer

    scorer = learned_scorer(movement)
    if scorer is None:
        return NOT_SCORABLE, False
    found = scorer.score(repetition, side)
    if NOT_SCORABLE in (found.score, score.score):
        return found.score, False
    correct_by_rules = all(one.criterion.verdict is not Verdict.NOT_MET for one in judged)
    return found.score, correct_by_rules != (found.score == _LEARNED_CORRECT)


def _other_side(done: Side, asked_for: Side, score: Score) -> Score:
    wrong, wanted = done.name.lower(), asked_for.name.lower()
    reason = f"Done on the {wrong} side in a trial of the {wanted} one: repeat on the {wanted}, or start the {wrong}."
    return Score(NOT_SCORABLE, score.confidence, reason)


def score_clip(clip: MotionClip, **options: Any) -> list[Assessment]:
    """Every repetition of a clip, by feeding it to a `Scorer` frame by frame; options are the `Scorer`'s."""
    scorer = Scorer(**options)
    found = [scorer.update(pose).assessment for pose in clip]
    return [assessment for assessment in (*found, scorer.finish()) if assessment is not None]
