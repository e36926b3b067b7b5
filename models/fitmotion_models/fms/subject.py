"""One subject of a session: the scorer of their trial, their screen, their last poses and results."""

import math
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.scorer import ScorerUpdate
from fitmotion_models.fms.screen import TESTS, Screen, sides_to_do, title
from fitmotion_models.fms.trial import Trial, following
from fitmotion_models.fms.values import Assessment, Movement, Side, Variation
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.motion_clip import MotionClip, clip_from_poses

REMEMBERED = 4  # updates of the last poses: a pose that comes twice is answered again, not scored again
# The longest repetition takes 30 s; what is kept of one begins before it, so that its stance is in it.
KEPT_S, BEFORE_S = 34.0, 2.0
MOST_KEPT = 34 * 120  # poses, of a camera of 120 Hz

Test = tuple[Movement, Variation, Side, int]


class Subject:
    """A subject: who they are in the poses, what they are doing and what has come of it.

    name: in the poses. first: their first trial. heard: counts up over all people: who was heard of last has the
    largest. latest, measured: the last result of every test and of all, as they were measured. has_repetition: in the
    trial under way.
    """

    def __init__(self, name: str, first: Trial, *, learned: bool) -> None:
        self.name, self.trial, self._learned = name, first, learned
        self.body: Anthropometry = UNKNOWN_BODY
        self.scorer = first.scorer(self.body, learned=learned)
        self.screen = Screen(name)
        self.finished = self.has_repetition = False
        self.heard = 0
        self.last_stamp = -math.inf
        self.guidance = ""
        self.latest: dict[tuple[Movement, Side], Assessment] = {}
        self.measured: Assessment | None = None
        self.recent: OrderedDict[float, ScorerUpdate] = OrderedDict()
        self._last_test: tuple[Movement, Side] | None = None
        self._trials: dict[tuple[Movement, Variation], int] = {(first.movement, first.variation): first.number}
        self._repetitions: dict[Test, int] = {}
        self._poses: deque[BodyPose] = deque(maxlen=MOST_KEPT)

    @property
    def has_result(self) -> bool:
        """Whether forgetting this person would lose something: a score, a grade, or what they said."""
        return bool(self.latest) or not self.screen.is_empty

    def start(self, trial: Trial) -> None:
        """From now on repetitions count for this trial."""
        self.scorer = trial.scorer(self.body, learned=self._learned)
        self.trial, self.has_repetition = trial, False
        self._trials[trial.movement, trial.variation] = trial.number
        self.recent.clear()
        self._poses.clear()

    def next_trial(self, trial: Trial) -> int:
        """The number that follows the last trial of a form."""
        return following(self._trials.get((trial.movement, trial.variation), 0))

    def score(self, pose: BodyPose) -> ScorerUpdate:
        """The update for the next pose, its assessment entered into the screen and with the person's pain in it."""
        self._poses.append(pose)
        while self._poses[0].stamp < pose.stamp - KEPT_S:
            self._poses.popleft()
        update = self.scorer.update(pose)
        self.guidance = update.guidance
        if update.assessment is None:
            return update
        return replace(update, assessment=self._entered(update.assessment))

    def finish(self) -> Assessment | None:
        """The stream has ended: the result of a repetition that lacked nothing but the last instants of standing."""
        last = self.scorer.finish()
        return None if last is None else self._entered(last)

    def remember(self, update: ScorerUpdate) -> None:
        """Keep an update for a pose that comes again."""
        self.recent[update.state.stamp] = update
        if len(self.recent) > REMEMBERED:
            self.recent.popitem(last=False)

    def clip_of(self, assessment: Assessment) -> MotionClip | None:
        """The poses of a repetition from `BEFORE_S` before its start to the one that ended it; None if they are gone.

        Scored alone they give the same result.
        """
        poses = [pose for pose in self._poses if assessment.start - BEFORE_S <= pose.stamp <= assessment.stamp]
        if len(poses) < 2:
            return None
        fps = 1.0 / float(np.median(np.diff([pose.stamp for pose in poses])))
        labels = (assessment.movement.name.lower(), assessment.side.name.lower())
        return clip_from_poses(poses, fps, labels)

    def _entered(self, assessment: Assessment) -> Assessment:
        """Number a result within its trial and enter it into the screen; returns it with the person's pain in it."""
        self.has_repetition = True
        self.measured = assessment = self._numbered(assessment)
        if assessment.movement not in TESTS:
            return assessment
        self._last_test = assessment.movement, assessment.side
        self.latest[self._last_test] = assessment
        if not self.finished:
            self.screen.add(assessment)
        return self.with_pain(assessment)

    def _numbered(self, assessment: Assessment) -> Assessment:
        """A trial that is taken up again goes on counting: no two results have the same number."""
        test = assessment.movement, assessment.variation, assessment.side, assessment.trial
        number = self._repetitions[test] = self._repetitions.get(test, 0) + 1
        return replace(assessment, repetition=number)

    def test_meant(self, movement: Movement, side: Side) -> tuple[Movement, Side]:
        """The test and side that are meant: UNKNOWN is the one under way, BOTH the side that was done last.

        Raises ValueError when that is not known yet.
        """
        last = self._last_test
        if movement is Movement.UNKNOWN:
            movement, side = self.trial.movement, self.trial.side if side is Side.BOTH else side
        if movement is Movement.UNKNOWN:
            if last is None:
                raise ValueError("no test has been recognised yet; name the movement and its side")
            movement = last[0]
        if movement in TESTS and side is Side.BOTH and side not in sides_to_do(movement):
            if last is None or last[0] is not movement:
                raise ValueError(f"{title(movement)} is done on both sides; say side LEFT or RIGHT")
            side = last[1]
        return movement, side

    def latest_result(self, movement: Movement, side: Side) -> Assessment | None:
        """The last result of a test with the person's pain and the operator's grade over ours in it."""
        assessment = self.latest.get((movement, side))
        if assessment is None:
            return None
        grade = self.screen.grade(movement, side)
        if grade is not None and not grade.beside:
            assessment = replace(assessment, score=grade.score, overridden=True, override_reason=grade.reason)
        return self.with_pain(assessment)

    def with_pain(self, assessment: Assessment) -> Assessment:
        """A result as the person's pain makes it."""
        hurts = self.screen.hurts(assessment.movement, assessment.side)
        return replace(assessment, score=0, pain=True) if hurts else assessment

    def forget_results(self) -> None:
        """A new screen; the trials count from 1 again."""
        self.screen.reset()
        self.finished = False
        self.latest.clear()
        self._last_test = None
        self._trials.clear()
        self._repetitions.clear()
        self.start(replace(self.trial, number=1))

    def restore(self, screen: Screen, assessments: Iterable[Assessment]) -> None:
        """Take over a screen that was kept, and count on from its results."""
        screen.subject = self.name
        self.screen = screen
        for one in assessments:
            test = one.movement, one.variation, one.side, one.trial
            self._repetitions[test] = max(one.repetition, self._repetitions.get(test, 0))
            form = one.movement, one.variation
            self._trials[form] = max(one.trial, self._trials.get(form, 0))
            if one.movement in TESTS:
                self._last_test = one.movement, one.side
                self.latest[self._last_test] = replace(one, subject=self.name)

    def rename(self, name: str) -> None:
        """The same person under another name."""
        self.name = self.screen.subject = name
        self.latest = {test: replace(one, subject=name) for test, one in self.latest.items()}
        self.recent.clear()
