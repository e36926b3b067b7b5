"""Everybody in view: for each subject a scorer, a screen, and what the operator and the person say about the tests."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from fitmotion_models.fms.movements import chosen_form
from fitmotion_models.fms.scorer import Scorer, ScorerUpdate
from fitmotion_models.fms.screen import TESTS, ClearingTest, Screen, ScreenResult
from fitmotion_models.fms.values import Assessment, Movement, Side, Variation
from fitmotion_models.skeleton.body_pose import BodyPose

REMEMBERED = 4  # updates of the last poses: a pose that comes twice is answered again, not scored again
TIME_JUMP_S = 1.0  # poses this much older than the last one mean that a recording was started again
MAX_TRIAL = 255
MOST_PEOPLE = 100  # who are remembered, with their screens; a gym class is smaller


@dataclass(frozen=True)
class Trial:
    """What a subject is doing: movement, form, side and the number of the trial, from 1."""

    movement: Movement = Movement.DEEP_SQUAT
    variation: Variation = Variation.DEEP_SQUAT_FLOOR
    side: Side = Side.BOTH
    number: int = 1

    def scorer(self) -> Scorer:
        """A scorer for this trial. Raises ValueError for a test that cannot be scored."""
        return Scorer(self.movement, self.variation, self.side, self.number)


@dataclass(eq=False)
class _Person:
    """A subject. trials: the last trial's number of every variation. latest: the last result of every test."""

    trial: Trial
    scorer: Scorer
    screen: Screen
    heard: int = 0  # counts up over all people: who was heard of last has the largest
    last_stamp: float = -float("inf")
    trials: dict[tuple[Movement, Variation], int] = field(default_factory=dict)
    recent: "OrderedDict[float, ScorerUpdate]" = field(default_factory=OrderedDict)
    latest: dict[tuple[Movement, Side], Assessment] = field(default_factory=dict)

    @property
    def has_result(self) -> bool:
        """Whether forgetting this person would lose something: a score, a grade, or what they said."""
        return bool(self.latest) or not self.screen.is_empty

    def start(self, trial: Trial) -> None:
        """From now on repetitions count for this trial."""
        self.scorer = trial.scorer()
        self.trial = trial
        self.trials[trial.movement, trial.variation] = trial.number
        self.recent.clear()


class Session:
    """Scores every subject that it is given poses of, and keeps their screens.

    Of more than `MOST_PEOPLE` it forgets whom it heard of longest ago, those without any result first.

    first: what a subject does until `start_test` says otherwise. timeout: seconds (of stamps) after which a subject who
    comes back begins the next trial. Raises ValueError for a test that cannot be scored.
    """

    def __init__(self, first: Trial | None = None, *, timeout: float = 30.0) -> None:
        self._first = first or Trial()
        self._first.scorer()  # a test that cannot be scored is found now, not with the first pose
        self.timeout = timeout
        self._people: dict[str, _Person] = {}
        self._heard = 0

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody seen or named so far, in the order of appearance."""
        return tuple(self._people)

    def update(self, pose: BodyPose) -> ScorerUpdate:
        """Score a pose of any subject. A pose that was given before is answered as before, without its assessment.

        Raises ValueError for a pose that is older than the last one of its subject; one that is more than `TIME_JUMP_S`
        older, or comes after the timeout, begins the subject's next trial.
        """
        person = self._person(pose.subject)
        if pose.stamp in person.recent:
            return replace(person.recent[pose.stamp], assessment=None)
        behind = person.last_stamp - pose.stamp
        if 0 <= behind <= TIME_JUMP_S:
            raise ValueError(
                f"pose of {pose.subject!r} at {pose.stamp:.3f} s came after the one at {person.last_stamp:.3f} s; "
                "is there a second source of this subject?"
            )
        absent = pose.stamp - person.last_stamp
        if person.last_stamp > -float("inf") and not -TIME_JUMP_S <= absent <= self.timeout:
            person.start(replace(person.trial, number=_following(person.trial.number)))
        person.last_stamp = pose.stamp
        update = person.scorer.update(pose)
        if update.assessment is not None:
            update = replace(update, assessment=self._recorded(person, update.assessment))
        person.recent[pose.stamp] = update
        if len(person.recent) > REMEMBERED:
            person.recent.popitem(last=False)
        return update

    def start_test(self, subject: str, movement: Movement, variation: Variation, side: Side, trial: int = 0) -> Trial:
        """Start a trial for a subject; returns it. variation NONE: the movement's first form. trial 0: the next one.

        Raises ValueError for a test that cannot be scored.
        """
        variation, side = chosen_form(movement, variation, side)
        person = self._person(self.resolve(subject))
        started = Trial(movement, variation, side, trial or _following(person.trials.get((movement, variation), 0)))
        person.start(started)
        return started

    def report_pain(
        self, subject: str, movement: Movement, side: Side, clearing: ClearingTest | None, *, pain: bool
    ) -> Assessment | None:
        """What the person says. movement UNKNOWN: the test under way. clearing: one of the clearing tests instead.

        Returns the last result of the test with the change in it, where there is one.
        """
        person = self._person(self.resolve(subject))
        if clearing is not None:
            person.screen.report_clearing(clearing, pain=pain)
            return None
        if movement is Movement.UNKNOWN:
            movement, side = person.trial.movement, person.trial.side
        person.screen.report_pain(movement, side, pain=pain)
        return self._latest(person, movement, side)

    def set_score(
        self, subject: str, movement: Movement, side: Side, score: int, reason: str
    ) -> tuple[Assessment | None, int]:
        """The operator's own grade, -1 to withdraw it; raises ValueError without a reason.

        Returns the last result of the test with the grade in it, where there is one, and the score that the rules gave.
        """
        person = self._person(self.resolve(subject))
        person.screen.set_score(movement, side, score, reason)
        return self._latest(person, movement, side), person.screen.measured(movement, side)

    def reset_screen(self, subject: str) -> None:
        """Forget a subject's screen; the trials count from 1 again."""
        person = self._person(self.resolve(subject))
        person.screen.reset()
        person.latest.clear()
        person.trials.clear()
        person.start(replace(person.trial, number=1))

    def screen(self, subject: str) -> ScreenResult:
        """A subject's screen as it stands."""
        return self._person(self.resolve(subject)).screen.result()

    def resolve(self, subject: str) -> str:
        """The subject that is meant: the name itself, or for an empty one the only person in view.

        Raises ValueError when there is nobody or more than one.
        """
        if subject:
            return subject
        newest = max((person.last_stamp for person in self._people.values()), default=-float("inf"))
        in_view = [name for name, person in self._people.items() if person.last_stamp >= newest - self.timeout]
        if len(in_view) != 1:
            who = f"{len(in_view)} people are in view ({', '.join(in_view)})" if in_view else "nobody has been seen yet"
            raise ValueError(f"subject is empty and {who}; name the subject")
        return in_view[0]

    def _person(self, subject: str) -> _Person:
        if subject not in self._people:
            self._make_room()
            person = _Person(self._first, self._first.scorer(), Screen(subject))
            person.trials[self._first.movement, self._first.variation] = self._first.number
            self._people[subject] = person
        self._heard += 1
        self._people[subject].heard = self._heard
        return self._people[subject]

    def _make_room(self) -> None:
        """Anybody may send poses of ever new subjects."""
        if len(self._people) >= MOST_PEOPLE:
            del self._people[min(self._people, key=lambda name: self._rank(self._people[name]))]

    @staticmethod
    def _rank(person: _Person) -> tuple[bool, int]:
        return person.has_result, person.heard

    def _recorded(self, person: _Person, assessment: Assessment) -> Assessment:
        """Enter a result into the screen; returns it with the person's pain in it."""
        if assessment.movement not in TESTS:
            return assessment
        person.screen.add(assessment)
        person.latest[assessment.movement, assessment.side] = assessment
        return self._with_pain(person, assessment)

    def _latest(self, person: _Person, movement: Movement, side: Side) -> Assessment | None:
        """The last result of a test with the person's pain and the operator's grade in it."""
        assessment = person.latest.get((movement, side))
        if assessment is None:
            return None
        override = person.screen.override(movement, side)
        if override is not None:
            assessment = replace(assessment, score=override.score, overridden=True, override_reason=override.reason)
        return self._with_pain(person, assessment)

    @staticmethod
    def _with_pain(person: _Person, assessment: Assessment) -> Assessment:
        hurts = person.screen.hurts(assessment.movement, assessment.side)
        return replace(assessment, score=0, pain=True) if hurts else assessment


def _following(number: int) -> int:
    return min(number + 1, MAX_TRIAL)
