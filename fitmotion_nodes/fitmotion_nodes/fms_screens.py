"""The services of the fms node, by which a page or a script leads through a screen, and what a screen is kept in."""

import os
import sqlite3
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rclpy.node import Node

from fitmotion_models.fms.anthropometry import Anthropometry, Sex
from fitmotion_models.fms.learned_scorer import learned_scorer
from fitmotion_models.fms.movements import MOVEMENTS
from fitmotion_models.fms.records import Records
from fitmotion_models.fms.records.screens import WHOEVER, ScreenKeeper, ScreenRequest
from fitmotion_models.fms.screen import ClearingTest, ScreenResult
from fitmotion_models.fms.session import Session
from fitmotion_models.fms.trial import chosen_trial, movement_named
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Movement, Side, Variation
from fitmotion_msgs.srv import FinishScreen, ReportPain, ResetScreen, SetScore, StartScreen, StartTest
from fitmotion_nodes.conversions import enum_from_msg
from fitmotion_nodes.parameters import FmsParameters
from fitmotion_nodes.spin import CannotRunError


def make_keeper(given: FmsParameters, node: str) -> ScreenKeeper:
    """The session that the parameters ask for, with its records. node: fully qualified name.

    Raises CannotRunError for a test that cannot be scored and records that cannot be opened.
    """
    try:
        movement = movement_named(given.movement)
        first = chosen_trial(movement, Variation[given.variation.upper()], Side[given.side.upper()], given.trial)
        session = Session(first, timeout=given.subject_timeout_s, assess=given.assess, learned=given.learned)
        records = Records(Path(given.records).expanduser()) if given.records else None
        if given.learned:
            _load_learned(movement)
    except (ValueError, OSError, sqlite3.Error) as error:
        raise CannotRunError(f"fms: {error}") from error
    device = f"FitMotion {version('fitmotion_models')}"
    return ScreenKeeper(session, records, measured_by=given.measured_by, device=device, runner=f"{node} {_parent()}")


def _load_learned(movement: Movement) -> None:
    """Read the networks of a test, of all for UNKNOWN, now and not when the first repetition ends."""
    for one in MOVEMENTS if movement is Movement.UNKNOWN else (movement,):
        learned_scorer(one)


def _parent() -> str:
    """Who started this process: a node that is started again by the same one takes over what it had begun."""
    parent = os.getppid()
    try:
        # the 22nd field of proc(5)'s stat is when it started; the second one, a name, may hold spaces
        began = Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        began = ""
    return f"{parent} {began}"


def go_on(node: Node, keeper: ScreenKeeper, given: FmsParameters) -> list[str]:
    """Go on with the screens of the process that this one replaces, or begin as the parameters say.

    Returns the subjects whose screens go on. Raises CannotRunError when that cannot be done.
    """
    try:
        screens = keeper.go_on(ScreenRequest(given.person, given.measured_by, resume=given.resume))
    except (ValueError, sqlite3.Error) as error:
        raise CannotRunError(f"fms: {error}") from error
    for subject, visit in screens:
        who = f"with {subject}" if subject else "with the first person who comes into view"
        node.get_logger().info(f"session {visit.id}: the screen of {visit.person} goes on {who}")
        if earlier := keeper.open_before(visit):
            node.get_logger().warning(f"session {visit.id}: {earlier}")
    return [subject for subject, _ in screens if subject != WHOEVER]


class ScreenServices:
    """fms/start_screen, finish_screen, start_test, report_pain, set_score and reset_screen of a node.

    tell_again: publishes a result that was corrected. screen_changed: publishes a subject's screen. learned: whether
    learned scorers are asked.
    """

    def __init__(
        self,
        node: Node,
        keeper: ScreenKeeper,
        tell_again: Callable[[Assessment], None],
        screen_changed: Callable[[str], None],
        *,
        learned: bool,
    ) -> None:
        self._node, self._keeper, self._learned = node, keeper, learned
        self._tell_again, self._screen_changed = tell_again, screen_changed
        for kind, name, act in (
            (StartScreen, "start_screen", self._start_screen),
            (FinishScreen, "finish_screen", self._finish_screen),
            (StartTest, "start_test", self._start_test),
            (ReportPain, "report_pain", self._report_pain),
            (SetScore, "set_score", self._set_score),
            (ResetScreen, "reset_screen", self._reset_screen),
        ):
            node.create_service(kind, f"fms/{name}", self._answering(act))

    def _answering(self, act: Callable[[Any, Any], tuple[str, str]]) -> Callable[[Any, Any], Any]:
        """A service callback: what cannot be done is answered with the reason, and what was done changes the screen.

        act: does it; returns whose screen it was and what to say.
        """

        def answer(request: Any, response: Any) -> Any:
            try:
                subject, response.message = act(request, response)
                response.success = True
            except (ValueError, sqlite3.Error) as error:
                response.success, response.message = False, str(error)
                return response
            self._node.get_logger().info(f"{subject or 'whoever comes first'}: {response.message}")
            if subject != WHOEVER:
                self._screen_changed(subject)
            return response

        return answer

    def _start_screen(self, request: StartScreen.Request, response: StartScreen.Response) -> tuple[str, str]:
        body = Anthropometry(
            round(request.stature_m, 4) or None,  # the message holds float32
            round(request.hand_length_m, 4) or None,
            enum_from_msg(Sex, request.sex, "sex"),
        )
        asked = ScreenRequest(
            request.person.strip(), request.measured_by.strip(), request.consent, body, request.resume
        )
        subject, visit = self._keeper.start(request.subject, asked)
        if visit is None:
            return subject, "a screen is begun, which is not kept in the records"
        response.session = visit.id
        earlier = "" if request.resume else self._keeper.open_before(visit)
        done = f"the screen of {visit.person} {'goes on' if request.resume else 'is begun'}"
        return subject, f"{done}; {earlier}" if earlier else done

    def _finish_screen(self, request: FinishScreen.Request, response: FinishScreen.Response) -> tuple[str, str]:
        screen, missing = self._keeper.finish(request.subject)
        response.total, response.session = screen.total, screen.session
        return screen.subject, _finished(screen, missing)

    def _start_test(self, request: StartTest.Request, response: StartTest.Response) -> tuple[str, str]:
        subject = self._keeper.session.resolve(request.subject)
        started = self._keeper.start_test(
            subject,
            enum_from_msg(Movement, request.movement, "movement"),
            enum_from_msg(Variation, request.variation, "variation"),
            enum_from_msg(Side, request.side, "side"),
            request.trial,
        )
        if self._learned:
            _load_learned(started.movement)
        response.trial = started.number
        if started.movement is Movement.UNKNOWN:
            return subject, f"trial {started.number} of any test started"
        form = started.movement if started.variation is Variation.NONE else started.variation
        return subject, f"trial {started.number} of {form.name.lower()} started"

    def _report_pain(self, request: ReportPain.Request, response: ReportPain.Response) -> tuple[str, str]:
        subject = self._keeper.session.resolve(request.subject)
        clearing = None
        if request.clearing != ReportPain.Request.CLEARING_NONE:
            # the message counts from 1, as 0 means the movement itself
            clearing = enum_from_msg(ClearingTest, request.clearing - 1, "clearing test (less 1)")
        latest = self._keeper.report_pain(
            subject,
            enum_from_msg(Movement, request.movement, "movement"),
            enum_from_msg(Side, request.side, "side"),
            clearing,
            pain=request.pain,
            note=request.note,
        )
        if latest is not None:
            self._tell_again(latest)
        return subject, f"{'pain' if request.pain else 'no pain'} noted{': ' if request.note else ''}{request.note}"

    def _set_score(self, request: SetScore.Request, response: SetScore.Response) -> tuple[str, str]:
        subject = self._keeper.session.resolve(request.subject)
        latest, response.automatic_score = self._keeper.set_score(
            subject,
            enum_from_msg(Movement, request.movement, "movement"),
            enum_from_msg(Side, request.side, "side"),
            request.score,
            request.reason,
            beside=request.beside,
        )
        if latest is not None:
            self._tell_again(latest)
        if request.score == SetScore.Request.WITHDRAW:
            return subject, "the operator's grade is withdrawn"
        effect = "stands beside ours" if request.beside else "counts"
        return subject, f"the operator's grade {request.score} {effect} ({request.reason})"

    def _reset_screen(self, request: ResetScreen.Request, response: ResetScreen.Response) -> tuple[str, str]:
        subject = request.subject or self._keeper.known_subject("")
        self._keeper.reset(subject)
        return subject, "a new screen is begun"


def _finished(screen: ScreenResult, missing: str) -> str:
    total = "without a total" if screen.total == NOT_SCORABLE else f"{screen.total} of 21"
    return f"finished: {total}{'; missing: ' if missing else ''}{missing}"
