"""Everybody in view: for each subject a scorer, a screen, and what the operator and the person say about the tests."""

import math
from collections.abc import Iterable
from dataclasses import replace

from fitmotion_models.fms.anthropometry import Anthropometry
from fitmotion_models.fms.scorer import ScorerUpdate
from fitmotion_models.fms.screen import ClearingTest, Screen, ScreenResult
from fitmotion_models.fms.subject import Subject
from fitmotion_models.fms.trial import Trial, chosen_trial, following
from fitmotion_models.fms.values import Assessment, AssessmentState, Movement, Phase, Side, Variation
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.motion_clip import MotionClip

TIME_JUMP_S = 1.0  # poses this much older than the last one mean that a recording was started again
MOST_PEOPLE = 100  # who are remembered, with their screens; a gym class is smaller
EVERYBODY = "all"


class Session:
    """Scores the subjects that it is given poses of, and keeps their screens.

    Of more than `MOST_PEOPLE` it forgets whom it heard of longest ago, those without any result first.

    first: what a subject does until `start_test` says otherwise. timeout: seconds (of stamps) after which a subject who
    comes back begins the next trial. assess: who is scored: a subject's name, "all", or "" for one at a time: the first
    who is heard of, until they have been out of view for the timeout or `start_test` names another. learned: whether
    learned scorers are asked beside the rules. Raises ValueError for a test that cannot be scored.
    """

    def __init__(
        self,
        first: Trial | None = None,
        *,
        timeout: float = 30.0,
        assess: str = EVERYBODY,
        learned: bool = True,
    ) -> None:
        self._first = first or Trial()
        self._first.scorer()  # a test that cannot be scored is found now, not with the first pose
        self.timeout = timeout
        self._learned = learned
        self._assess = assess
        self._chosen = ""  # who is assessed when `assess` is empty
        self._chosen_seen = self._newest = -math.inf
        self._people: dict[str, Subject] = {}
        self._heard = 0

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody seen or named so far, in the order of appearance."""
        return tuple(self._people)

    @property
    def assess(self) -> str:
        """Who is scored: a name, "all" or "" for one at a time."""
        return self._assess

    @assess.setter
    def assess(self, who: str) -> None:
        if who != self._assess:
            self._assess, self._chosen = who, ""

    # ---- poses ----

    def update(self, pose: BodyPose) -> ScorerUpdate:
        """Score a pose of any subject. A pose that was given before is answered as before, without its assessment.

        A body that is not assessed gets a state with movement and phase UNKNOWN and no criteria. Raises ValueError for
        a pose that is older than the last one of its subject; one that is more than `TIME_JUMP_S` older, or comes after
        the timeout, begins the subject's next trial, or the same one again where it has no repetition yet.
        """
        person = self._person(pose.subject)
        if pose.stamp in person.recent:
            return replace(person.recent[pose.stamp], assessment=None, repetition=None)
        behind = person.last_stamp - pose.stamp
        if 0 <= behind <= TIME_JUMP_S:
            raise ValueError(
                f"pose of {pose.subject!r} at {pose.stamp:.3f} s came after the one at {person.last_stamp:.3f} s; "
                "is there a second source of this subject?"
            )
        absent = pose.stamp - person.last_stamp
        if person.last_stamp > -math.inf and not -TIME_JUMP_S <= absent <= self.timeout:
            number = person.trial.number
            person.start(replace(person.trial, number=following(number) if person.has_repetition else number))
        person.last_stamp = pose.stamp
        self._look_after_chosen(pose)
        update = person.score(pose) if self.is_assessed(pose.subject) else _not_assessed(pose)
        person.remember(update)
        return update

    def end_stream(self) -> list[Assessment]:
        """No more poses come: the results of repetitions that lacked nothing but the last instants of standing.

        What else was under way is forgotten; poses that come nevertheless begin anew within their trials.
        """
        ended = [person.finish() for name, person in self._people.items() if self.is_assessed(name)]
        return [assessment for assessment in ended if assessment is not None]

    def is_assessed(self, subject: str) -> bool:
        """Whether a subject's poses are scored as things stand."""
        return subject == self._chosen if not self._assess else self._assess in (subject, EVERYBODY)

    def choose(self, subject: str) -> None:
        """From now on this subject is the one who is assessed. Raises ValueError where somebody else is by name."""
        if self._assess not in ("", EVERYBODY, subject):
            raise ValueError(f"{subject} is not assessed, {self._assess} is; set assess to {subject}, all or nothing")
        self._chosen, self._chosen_seen = subject, self._newest
        self._person(subject)

    def _look_after_chosen(self, pose: BodyPose) -> None:
        """With one at a time: the first is chosen, and after the timeout without them whoever is heard of then."""
        if pose.stamp < self._newest - TIME_JUMP_S or self._chosen_seen == -math.inf:
            self._chosen_seen = pose.stamp  # the recording was started again, or begins
        self._newest = pose.stamp
        if not self._chosen or pose.stamp - self._chosen_seen > self.timeout:
            self._chosen = pose.subject
        if pose.subject == self._chosen:
            self._chosen_seen = pose.stamp

    def clip_of(self, subject: str, assessment: Assessment) -> MotionClip | None:
        """The poses of a repetition that has just ended and of the stance before it; None where they are gone."""
        person = self._people.get(subject)
        return None if person is None else person.clip_of(assessment)

    def measured(self, subject: str) -> Assessment | None:
        """A subject's last result as it was measured, whatever pain or the operator say; None before the first."""
        person = self._people.get(subject)
        return None if person is None else person.measured

    def guidance(self) -> dict[str, str]:
        """Where the camera should be for the tests under way: sentences by subject, of those who are in view."""
        people = (self._people[name] for name in self._in_view() if self.is_assessed(name))
        return {person.name: person.guidance for person in people if person.guidance}

    # ---- what the operator and the person say ----

    def start_test(self, subject: str, movement: Movement, variation: Variation, side: Side, trial: int = 0) -> Trial:
        """Start a trial for a subject; returns it. movement UNKNOWN: any test, recognised. trial 0: the next one.

        variation NONE: the movement's first form, or where the side decides, what a repetition shows. Raises ValueError
        for a test that cannot be scored.
        """
        started = chosen_trial(movement, variation, side, max(trial, 1))
        subject = self.resolve(subject)
        self.choose(subject)
        person = self._person(subject)
        started = replace(started, number=trial or person.next_trial(started))
        person.start(started)
        return started

    def trial(self, subject: str) -> Trial:
        """What a subject is doing."""
        return self._person(self.resolve(subject)).trial

    def measure(self, subject: str, body: Anthropometry) -> None:
        """Enter a person's measures; scores from now on depend on them, and a repetition under way begins anew."""
        person = self._person(self.resolve(subject))
        if body != person.body:
            person.body = body
            person.start(person.trial)

    def report_pain(
        self, subject: str, movement: Movement, side: Side, clearing: ClearingTest | None, *, pain: bool
    ) -> Assessment | None:
        """What the person says. movement UNKNOWN: the test under way. clearing: one of the clearing tests instead.

        Returns the last result of the test with the change in it, where there is one. Raises ValueError when it is not
        known which test, or which side of it, is meant.
        """
        person = self._person(self.resolve(subject))
        if clearing is not None:
            person.screen.report_clearing(clearing, pain=pain)
            return None
        movement, side = person.test_meant(movement, side)
        person.screen.report_pain(movement, side, pain=pain)
        return person.latest_result(movement, side)

    def test_meant(self, subject: str, movement: Movement, side: Side) -> tuple[Movement, Side]:
        """The test and side that are meant: UNKNOWN is the one under way. Raises ValueError when that is not known."""
        return self._person(self.resolve(subject)).test_meant(movement, side)

    def set_score(
        self, subject: str, movement: Movement, side: Side, score: int, reason: str, *, beside: bool = False
    ) -> tuple[Assessment | None, int]:
        """The operator's own grade, -1 to withdraw it; raises ValueError without a reason. beside: ours still counts.

        Returns the last result of the test with the grade in it, where there is one, and the score that the rules gave.
        """
        person = self._person(self.resolve(subject))
        person.screen.set_score(movement, side, score, reason, beside=beside)
        return person.latest_result(movement, side), person.screen.measured(movement, side)

    def reset_screen(self, subject: str) -> None:
        """Forget a subject's screen; the trials count from 1 again."""
        self._person(self.resolve(subject)).forget_results()

    def finish_screen(self, subject: str) -> ScreenResult:
        """A subject's screen is finished: later results are told and do not change it, until it is reset."""
        person = self._person(self.resolve(subject))
        person.finished = True
        return person.screen.result()

    def restore(
        self,
        subject: str,
        screen: Screen,
        assessments: Iterable[Assessment],
        *,
        trial: Trial | None = None,
        body: Anthropometry | None = None,
    ) -> None:
        """Go on with a screen that was kept: its results, the trial that was under way and the person's measures."""
        person = self._person(subject)
        person.forget_results()
        if body is not None:
            person.body = body
        person.restore(screen, assessments)
        person.start(trial or person.trial)
        if self._assess != EVERYBODY:
            self.choose(subject)

    def rename(self, old: str, new: str) -> None:
        """What was kept for one subject belongs to another: the same person under the name that the tracking gives."""
        person = self._people.pop(old)
        person.rename(new)
        # what was seen under the new name so far was not assessed
        if new in self._people:
            person.last_stamp = self._people[new].last_stamp
        self._people[new] = person
        if self._chosen == old:
            self._chosen = new

    def screen(self, subject: str) -> ScreenResult:
        """A subject's screen as it stands."""
        return self._person(self.resolve(subject)).screen.result()

    # ---- people ----

    def last_seen(self, subject: str) -> float:
        """Stamp of a subject's last pose, seconds; minus infinity before the first."""
        person = self._people.get(subject)
        return -math.inf if person is None else person.last_stamp

    def resolve(self, subject: str) -> str:
        """The subject that is meant: the name itself, or for an empty one the person who is assessed.

        Raises ValueError when there is nobody, or when everybody is assessed and more than one is in view.
        """
        only = subject or (self._assess or self._chosen if self._assess != EVERYBODY else "")
        if only:
            return only
        in_view = self._in_view()
        if len(in_view) != 1:
            who = f"{len(in_view)} people are in view ({', '.join(in_view)})" if in_view else "nobody has been seen yet"
            raise ValueError(f"subject is empty and {who}; name the subject")
        return in_view[0]

    def _in_view(self) -> list[str]:
        newest = max((person.last_stamp for person in self._people.values()), default=-math.inf)
        return [name for name, person in self._people.items() if person.last_stamp >= newest - self.timeout]

    def _person(self, subject: str) -> Subject:
        if subject not in self._people:
            self._make_room()
            self._people[subject] = Subject(subject, self._first, learned=self._learned)
        self._heard += 1
        self._people[subject].heard = self._heard
        return self._people[subject]

    def _make_room(self) -> None:
        """Anybody may send poses of ever new subjects."""
        if len(self._people) >= MOST_PEOPLE:
            del self._people[min(self._people, key=lambda name: self._rank(self._people[name]))]

    def _rank(self, person: Subject) -> tuple[bool, bool, int]:
        return person.has_result, self.is_assessed(person.name), person.heard


def _not_assessed(pose: BodyPose) -> ScorerUpdate:
    return ScorerUpdate(AssessmentState(pose.stamp, pose.subject, Movement.UNKNOWN, Side.BOTH, Phase.UNKNOWN, 0.0, ()))
