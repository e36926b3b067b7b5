"""Scores one person through tests in any order: each repetition is scored as the test that it is recognised as."""

from collections import Counter
from collections.abc import Sequence

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.moment import Body, body_from_pose
from fitmotion_models.fms.movements import MOVEMENTS
from fitmotion_models.fms.recogniser import Recognised, Recogniser, Recognition
from fitmotion_models.fms.repetitions import Progress
from fitmotion_models.fms.scorer import ScorerUpdate, assess_repetition, form_of, live_criteria
from fitmotion_models.fms.values import Assessment, AssessmentState, Criterion, Movement, Side, Variation
from fitmotion_models.fms.view_guidance import ViewGuide
from fitmotion_models.skeleton.body_pose import BodyPose


class AnyTestScorer:
    """Follows ONE subject; movement and side are recognised. Causal.

    movements: the tests that may be done; None: all. variation: the form of the test that it belongs to, which no
    camera can tell (heels on the board); NONE: the first one. side: of tests with sides, BOTH for either. trial, person
    and repetitions as in `Scorer`. Raises ValueError for a movement that can't be scored and a trial below 1.
    """

    movement = Movement.UNKNOWN

    def __init__(
        self,
        variation: Variation = Variation.NONE,
        side: Side = Side.BOTH,
        trial: int = 1,
        person: Anthropometry = UNKNOWN_BODY,
        *,
        movements: Sequence[Movement] | None = None,
        learned: bool = True,
    ) -> None:
        if trial < 1:
            raise ValueError(f"trial is {trial}; trials count from 1")
        self.variation, self.side, self.trial, self.person = variation, side, trial, person
        self._learned = learned
        self._recogniser = Recogniser(movements)
        self._last: BodyPose | None = None
        self._counts: Counter[tuple[Variation, Side]] = Counter()
        self._guide = ViewGuide()

    def reset(self) -> None:
        """Start the trial over: no stance, no repetitions."""
        self._recogniser.reset()
        self._counts.clear()

    def finish(self) -> Assessment | None:
        """The stream has ended: the repetition that lacked nothing but the last instants of standing, if any."""
        found = self._recogniser.finish()
        return self._assess(found, self._last) if found is not None and self._last is not None else None

    def update(self, pose: BodyPose) -> ScorerUpdate:
        """Take the next pose of this subject; poses come in the order of their stamps.

        The state's movement is UNKNOWN and it has no criteria until the repetition under way is recognised.
        """
        body = body_from_pose(pose)
        self._last = pose
        found = self._recogniser.update(body)
        finished = found.finished
        state = AssessmentState(
            stamp=pose.stamp,
            subject=pose.subject,
            movement=found.movement,
            side=found.side,
            phase=found.phase,
            progress=found.progress,
            criteria=self._live_criteria(body, found),
        )
        assessment = self._assess(finished, pose) if finished else None
        guidance = self._guide.update(found.movement, body, found.stance, self.person)
        return ScorerUpdate(state, assessment, finished.repetition if finished else None, guidance)

    def _live_criteria(self, body: Body, found: Recognition) -> tuple[Criterion, ...]:
        definition = MOVEMENTS.get(found.movement)
        if definition is None:
            return ()
        progress = Progress(found.phase, found.progress, found.stance, side=found.side)
        return live_criteria(definition, self.person, body, progress)

    def _assess(self, found: Recognised, pose: BodyPose) -> Assessment:
        variation = form_of(found.repetition, found.side, MOVEMENTS[found.movement], self.variation)
        self._counts[variation, found.side] += 1
        has_sides = MOVEMENTS[found.movement].has_sides
        return assess_repetition(
            found.repetition,
            stamp=pose.stamp,
            subject=pose.subject,
            movement=found.movement,
            variation=variation,
            side=found.side,
            trial=self.trial,
            number=self._counts[variation, found.side],
            person=self.person,
            asked_for=self.side if has_sides else Side.BOTH,
            learned=self._learned,
        )
