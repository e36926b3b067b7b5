"""What the buttons of a page ask the fms node for, as its services."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node

from fitmotion_models.viewer.page_controls import (
    Asked,
    FinishScreen,
    ReportPain,
    ResetScreen,
    SetGrade,
    StartScreen,
    StartTest,
)
from fitmotion_msgs import srv

ANSWER_PATIENCE_S = 5.0  # a service that has not answered by then will not
# hears what was asked (None: no answer came), for whom, the answer's words and whether it was done
OnAnswer = Callable[[Asked | None, str, str, bool], None]

_SERVICES: dict[type[Asked], tuple[type, str]] = {
    StartTest: (srv.StartTest, "fms/start_test"),
    ReportPain: (srv.ReportPain, "fms/report_pain"),
    SetGrade: (srv.SetScore, "fms/set_score"),
    ResetScreen: (srv.ResetScreen, "fms/reset_screen"),
    StartScreen: (srv.StartScreen, "fms/start_screen"),
    FinishScreen: (srv.FinishScreen, "fms/finish_screen"),
}
_SEXES = {"": 0, "female": srv.StartScreen.Request.SEX_FEMALE, "male": srv.StartScreen.Request.SEX_MALE}


class FmsServices:
    """Asks the fms node; what it answers comes to `on_answer`, and nothing waits for it."""

    def __init__(self, node: Node, on_answer: OnAnswer) -> None:
        self._on_answer = on_answer
        self._asked = {kind: node.create_client(*service) for kind, service in _SERVICES.items()}
        self._waiting: dict[Any, tuple[str, float]] = {}  # a call -> its service and when to give up

    def is_ready(self, kind: type[Asked]) -> bool:
        """Whether somebody is there who answers this kind of command."""
        return bool(self._asked[kind].service_is_ready())

    def ask(self, command: Asked, subject: str) -> None:
        """Ask for this subject (empty: whoever is in view)."""
        client = self._asked[type(command)]
        if not client.service_is_ready():
            self._on_answer(None, subject, f"{client.srv_name} is not there: the fms node does not run", False)
            return
        future = client.call_async(request_of(command, subject))
        self._waiting[future] = client.srv_name, time.monotonic() + ANSWER_PATIENCE_S
        future.add_done_callback(partial(self._answered, command, subject))

    def give_up_waiting(self) -> None:
        """Say of what has not been answered for long that it will not be. Call it now and then."""
        now = time.monotonic()
        for future in [future for future, (_, end) in self._waiting.items() if now > end]:
            name, _ = self._waiting.pop(future)
            future.cancel()
            self._on_answer(None, "", f"{name} has not answered", False)

    def _answered(self, command: Asked, subject: str, future: Any) -> None:
        if self._waiting.pop(future, None) is None:
            return  # came after we had given up
        answer = future.result()
        self._on_answer(command, subject, answer.message, answer.success)


def request_of(command: Asked, subject: str) -> Any:
    """The request of a command's service."""
    if isinstance(command, StartTest):
        return srv.StartTest.Request(
            subject=subject,
            movement=int(command.movement),
            variation=int(command.variation),
            side=int(command.side),
            trial=command.trial,
        )
    if isinstance(command, ReportPain):
        return srv.ReportPain.Request(
            subject=subject,
            movement=int(command.movement),
            side=int(command.side),
            clearing=0 if command.clearing is None else 1 + int(command.clearing),  # 0 is the movement itself
            pain=command.pain,
            note=command.note,
        )
    if isinstance(command, SetGrade):
        return srv.SetScore.Request(
            subject=subject,
            movement=int(command.movement),
            side=int(command.side),
            score=command.score,
            reason=command.reason,
            beside=command.beside,
        )
    if isinstance(command, StartScreen):
        return srv.StartScreen.Request(
            subject=subject,
            person=command.person,
            measured_by=command.measured_by,
            consent=command.consent,
            stature_m=command.stature_m,
            hand_length_m=command.hand_length_m,
            sex=_SEXES[command.sex],
            resume=command.resume,
        )
    kind, _ = _SERVICES[type(command)]
    return kind.Request(subject=subject)  # type: ignore[attr-defined]
