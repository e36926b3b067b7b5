"""The screens of a session, kept as they come: what has been told is on the disk before it is told on.

Whatever process dies, the screen goes on in the next one from what is here; at most the repetition under way is lost.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.records.database import RecordsError
from fitmotion_models.fms.records.records import Records
from fitmotion_models.fms.records.values import Grade
from fitmotion_models.fms.records.values import Session as Visit
from fitmotion_models.fms.scorer import ScorerUpdate
from fitmotion_models.fms.screen import TESTS, Clearing, ClearingTest, Screen, ScreenResult, sides_to_do, title
from fitmotion_models.fms.session import EVERYBODY, Session
from fitmotion_models.fms.trial import Trial
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Movement, Side, Variation
from fitmotion_models.skeleton.body_pose import BodyPose

# A screen whose person goes by another name in the poses after an interruption is given to whoever is there after so
# long without them, s: the tracking may have begun its names anew.
CLAIM_AFTER_S = 3.0
WHOEVER = ""  # the subject of a screen whose person has not been seen yet


@dataclass(frozen=True)
class ScreenRequest:
    """What a screen begins with. person: in the records, "" to keep nothing. consent: they agree to being kept.

    measured_by: who measures. body: what was entered; what is None or UNKNOWN is as the records say. resume: go on with
    the person's open screen.
    """

    person: str = ""
    measured_by: str = ""
    consent: bool = False
    body: Anthropometry = UNKNOWN_BODY
    resume: bool = False


class ScreenKeeper:
    """A session with its records. records: None to keep nothing. device: with what is measured.

    measured_by: who measures when nobody says. runner: the process that begins screens; another one of the same name
    takes them over. Raises RecordsError and ValueError, one sentence, for what cannot be done; `problem` says what
    could not be written, which is tried again with whatever is written next.
    """

    def __init__(
        self,
        session: Session,
        records: Records | None = None,
        *,
        measured_by: str = "",
        device: str = "FitMotion",
        runner: str = "",
    ) -> None:
        self.session, self.problem = session, ""
        self._records, self._measured_by, self._device, self._runner = records, measured_by, device, runner
        self._visits: dict[str, Visit] = {}  # by subject, finished ones too until another begins
        self._bodies: dict[str, Anthropometry] = {}  # of screens whose person has not been seen yet
        self._waiting: dict[str, float | None] = {}  # subjects of screens without a pose, and since when (stamps)
        self._unwritten: list[Callable[[], None]] = []
        self._found: list[str] = []

    # ---- begin, go on, finish ----

    def start(self, subject: str, request: ScreenRequest) -> tuple[str, Visit | None]:
        """Begin a subject's screen, or go on with it; returns the subject and the visit, None where nothing is kept.

        subject "": the one who is assessed, or the first one who will be.
        """
        subject = self._subject_or_whoever(subject)
        self._check_free(subject, request)
        if not request.person:
            self._begin(subject, request.body)
            return subject, None
        records = self._needed_records()
        if request.resume:
            return self._resume(self._open_visit(request.person), subject)
        self._enter(records, request)
        visit = records.start_session(
            request.person,
            measured_by=request.measured_by or self._measured_by,
            device=self._device,
            subject=subject,
            runner=self._runner,
        )
        self._begin(subject, visit.body)
        self._visits[subject] = visit
        self._keep_trial(subject)
        return subject, visit

    def go_on(self, request: ScreenRequest) -> list[tuple[str, Visit]]:
        """What a process does when it starts: take over the screens of the one that it replaces, or begin as asked.

        A process that replaces another one does not do again what was asked when the first one started. request: its
        person "" asks for nothing, or with resume for the latest open screen of all. Returns (subject, visit) of each.
        Raises RecordsError when a screen is to go on and none is open.
        """
        if self._records is None:
            return []
        before = self._records.sessions_of_runner(self._runner) if self._runner else []
        if before:
            return [self._resume(visit, visit.subject) for visit in before if visit.is_open]
        if request.resume:
            visit = self._open_visit(request.person)
            return [self._resume(visit, visit.subject)]
        if not request.person:
            return []
        subject, begun = self.start(WHOEVER, request)
        assert begun is not None
        return [(subject, begun)]

    def finish(self, subject: str) -> tuple[ScreenResult, str]:
        """Close a subject's screen; returns it, and what is missing in words (empty: nothing)."""
        subject = self.known_subject(subject)
        visit = self._visits.get(subject)
        if subject != WHOEVER:
            self.session.finish_screen(subject)
        if visit is not None and visit.is_open:
            self._flush()
            self._visits[subject] = self._needed_records().finish_session(visit)
        self._waiting.pop(subject, None)
        result = self.screen(subject)
        return result, missing_of(result)

    def reset(self, subject: str) -> None:
        """Forget a subject's screen and begin a new one; what the records have of the old one stays, as abandoned."""
        subject = self.known_subject(subject)
        visit = self._visits.pop(subject, None)
        self._begin(subject, self._bodies.get(subject) if visit is None else visit.body)
        if visit is None or not visit.is_open:
            return
        records = self._needed_records()
        records.finish_session(visit, abandoned=True)
        again = records.start_session(
            visit.person, measured_by=visit.measured_by, device=self._device, subject=subject, runner=self._runner
        )
        self._visits[subject] = records.set_session_body(again, visit.body)
        self._keep_trial(subject)

    # ---- what happens in it ----

    def update(self, pose: BodyPose) -> ScorerUpdate:
        """Score a pose, see `Session.update`; a result is kept before it is returned."""
        if self._waiting:
            self._claim(pose)
        update = self.session.update(pose)
        if update.assessment is not None:
            self._keep_result(pose.subject, update.assessment)
        return update

    def end_stream(self) -> list[Assessment]:
        """No more poses come, see `Session.end_stream`; results are kept before they are returned."""
        ended = self.session.end_stream()
        for assessment in ended:
            self._keep_result(assessment.subject, assessment)
        return ended

    def start_test(self, subject: str, movement: Movement, variation: Variation, side: Side, trial: int = 0) -> Trial:
        """See `Session.start_test`."""
        started = self.session.start_test(subject, movement, variation, side, trial)
        self._keep_trial(self.session.resolve(subject))
        return started

    def report_pain(
        self, subject: str, movement: Movement, side: Side, clearing: ClearingTest | None, *, pain: bool, note: str = ""
    ) -> Assessment | None:
        """See `Session.report_pain`. note: where and when, in the person's words."""
        subject = self.session.resolve(subject)
        if clearing is None:
            movement, side = self.session.test_meant(subject, movement, side)
        latest = self.session.report_pain(subject, movement, side, clearing, pain=pain)
        if clearing is None:
            self._keep(subject, lambda records, visit: records.set_pain(visit, movement, side, pain=pain, note=note))
        else:
            self._keep(subject, lambda records, visit: records.set_clearing(visit, clearing, pain=pain, note=note))
        return latest

    def set_score(
        self, subject: str, movement: Movement, side: Side, score: int, reason: str, *, beside: bool = False
    ) -> tuple[Assessment | None, int]:
        """See `Session.set_score`."""
        subject = self.session.resolve(subject)
        told = self.session.set_score(subject, movement, side, score, reason, beside=beside)
        given = datetime.now(UTC)

        def keep(records: Records, visit: Visit) -> None:
            records.add_grade(visit, Grade(movement, side, score, reason, visit.measured_by, given, beside))

        self._keep(subject, keep)
        return told

    def screen(self, subject: str) -> ScreenResult:
        """A subject's screen as it stands, with whose it is and whether it goes on."""
        subject = self.known_subject(subject)
        result = Screen(WHOEVER).result() if subject == WHOEVER else self.session.screen(subject)
        visit = self._visits.get(subject)
        if visit is None:
            return replace(result, open=subject in self._bodies)
        return replace(result, person=visit.person, session=visit.id, open=visit.is_open)

    def visit(self, subject: str) -> Visit | None:
        """The session in the records that a subject's screen belongs to, None where it is not kept."""
        return self._visits.get(self.known_subject(subject))

    def open_before(self, visit: Visit) -> str:
        """That an earlier screen of the same person is still open, a sentence; empty where none is."""
        earlier = [one for one in self._needed_records().open_sessions(visit.person) if one.id < visit.id]
        if not earlier:
            return ""
        began = f"{earlier[-1].started.astimezone():%Y-%m-%d %H:%M}"
        return f"an earlier screen, begun on {began}, is still open: resume would have gone on with it"

    # ---- whose screen it is ----

    def known_subject(self, subject: str) -> str:
        """The subject that is meant, as `Session.resolve`; "" for a screen whose person has not been seen yet."""
        if not subject and WHOEVER in self._bodies:
            return WHOEVER
        return self.session.resolve(subject)

    def take_found(self) -> list[str]:
        """Subjects whose screens have found their person since this was asked last: they are to be told again."""
        found, self._found = self._found, []
        return found

    def _subject_or_whoever(self, subject: str) -> str:
        try:
            return self.session.resolve(subject)
        except ValueError:
            if self.session.subjects:
                raise  # several people
            return WHOEVER

    def _check_free(self, subject: str, request: ScreenRequest) -> None:
        """One open screen a subject, and one subject a person."""
        for name, visit in self._visits.items():
            same_person = request.person and visit.person.casefold() == request.person.strip().casefold()
            if visit.is_open and (name == subject or same_person):
                who = name or "the first person who comes into view"
                raise RecordsError(
                    f"{visit.person}'s screen is under way with {who}; finish it, or reset it to begin anew"
                )

    def _begin(self, subject: str, body: Anthropometry | None) -> None:
        """An empty screen; for whoever comes first where nobody was seen yet."""
        self._visits.pop(subject, None)
        self._bodies[subject] = body or UNKNOWN_BODY
        if subject == WHOEVER:
            self._waiting[WHOEVER] = None
            return
        if self.session.assess != EVERYBODY:
            self.session.choose(subject)
        self.session.reset_screen(subject)
        self.session.measure(subject, self._bodies[subject])

    def _resume(self, visit: Visit, subject: str) -> tuple[str, Visit]:
        records = self._needed_records()
        # a subject without a body so far: the name that the person had
        subject = subject or visit.subject
        visit = records.move_session(visit, subject=subject, runner=self._runner)
        self._bodies[subject], self._visits[subject] = visit.body, visit
        if subject == WHOEVER:
            self._waiting[subject] = None
            return subject, visit
        self.session.restore(
            subject, records.screen(visit), records.assessments(visit), trial=visit.trial, body=visit.body
        )
        if self.session.last_seen(subject) == -float("inf"):
            self._waiting[subject] = None
        return subject, visit

    def _claim(self, pose: BodyPose) -> None:
        """A screen without a body finds its person: by the name, or as the one who is there while they are not."""
        if pose.subject in self._waiting:
            del self._waiting[pose.subject]
            return
        for name, since in list(self._waiting.items()):
            if since is None:
                since = self._waiting[name] = pose.stamp
            if self._may_claim(pose, name, since):
                del self._waiting[name]
                self._hand_over(name, pose.subject)
                return

    def _may_claim(self, pose: BodyPose, name: str, since: float) -> bool:
        if self.session.assess not in ("", EVERYBODY, pose.subject) or pose.subject in self._visits:
            return False
        return name == WHOEVER or (self.session.assess != EVERYBODY and pose.stamp - since > CLAIM_AFTER_S)

    def _hand_over(self, old: str, new: str) -> None:
        body, visit = self._bodies.pop(old), self._visits.pop(old, None)
        if old == WHOEVER:
            self._begin(new, body)
        else:
            self.session.rename(old, new)
            self._bodies[new] = body
        if visit is not None:
            self._visits[new] = self._needed_records().move_session(visit, subject=new)
            self._keep_trial(new)
        self._found.append(new)

    # ---- the records ----

    def _needed_records(self) -> Records:
        if self._records is None:
            raise RecordsError("no records are kept here; start the fms node with its parameter records=FILE")
        return self._records

    def _open_visit(self, person: str) -> Visit:
        visits = self._needed_records().open_sessions(person)
        if not visits:
            whose = f"of {person} " if person else ""
            raise RecordsError(f"no screen {whose}is open; begin a new one")
        return visits[-1]

    def _enter(self, records: Records, request: ScreenRequest) -> None:
        """The person and their measures, entered where they are new."""
        known = {person.name.casefold() for person in records.persons()}
        if request.person.strip().casefold() not in known:
            if not request.consent:
                raise RecordsError(
                    f"nobody is called '{request.person}' yet; begin with their consent to being measured and kept"
                )
            records.add_person(request.person, consent=True)
        elif request.consent and not records.person(request.person).consent:
            records.set_consent(request.person, True)
        if request.body != UNKNOWN_BODY:
            records.set_body(request.person, request.body)

    def _keep_result(self, subject: str, assessment: Assessment) -> None:
        measured = self.session.measured(subject) or assessment
        clip = self.session.clip_of(subject, assessment)
        self._keep(subject, lambda records, visit: records.add_assessment(visit, measured, clip))

    def _keep_trial(self, subject: str) -> None:
        visit = self._visits.get(subject)
        if subject == WHOEVER or visit is None or not visit.is_open:
            return
        trial = self.session.trial(subject)

        def keep(records: Records, visit: Visit) -> None:
            self._visits[subject] = records.move_session(visit, trial=trial)

        self._keep(subject, keep)

    def _keep(self, subject: str, write: "Callable[[Records, Visit], None]") -> None:
        """Write something of a subject's open screen now; where that fails it is tried again, and `problem` says so."""
        visit, records = self._visits.get(subject), self._records
        if visit is None or records is None or not visit.is_open:
            return
        self._unwritten.append(lambda: write(records, visit))
        try:
            self._flush()
        except RecordsError as error:
            del self._unwritten[0]
            if records.has_session(visit):
                self.problem = f"a result is not kept: {error}"
            else:
                del self._visits[subject]
                self.problem = f"{visit.person}'s screen is no longer kept: the person or the session was removed"

    def _flush(self) -> None:
        """Write what waits. Raises RecordsError for what can never be written; what may be later goes on waiting."""
        while self._unwritten:
            try:
                self._unwritten[0]()
            except sqlite3.Error as error:
                self.problem = f"{len(self._unwritten)} results are not written yet: {error}"
                return
            del self._unwritten[0]
        self.problem = ""


def missing_of(result: ScreenResult) -> str:
    """What a screen lacks, for people: 'hurdle step left, inline lunge'; clearing tests too; empty where complete."""
    missing = []
    for number, test in enumerate(TESTS):
        if result.final[number] != NOT_SCORABLE:
            continue
        scores = {Side.LEFT: result.left[number], Side.RIGHT: result.right[number]}
        sides = [side for side in sides_to_do(test) if scores.get(side, NOT_SCORABLE) == NOT_SCORABLE]
        whole = len(sides) == len(sides_to_do(test))
        missing += [title(test)] if whole else [f"{title(test)} {side.name.lower()}" for side in sides]
    undone = [test for test in ClearingTest if result.clearing[test] == Clearing.NOT_DONE]
    return ", ".join([*missing, *(f"clearing test {title(test)}" for test in undone)])
