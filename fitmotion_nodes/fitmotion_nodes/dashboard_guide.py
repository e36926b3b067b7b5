"""The guided screen of the dashboard: what buttons, time and other programs do with the guide of the person shown."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from std_srvs.srv import Trigger

from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_models.viewer.page_controls import Asked, ReportPain, StartTest
from fitmotion_models.viewer.screen_guide import Step
from fitmotion_models.viewer.screen_lead import Lead, LeadSettings, Move, ScreenLead
from fitmotion_models.viewer.screen_texts import say
from fitmotion_models.viewer.watch import Watch
from fitmotion_msgs.msg import AssessmentState as RosAssessmentState
from fitmotion_nodes.conversions import state_from_msg
from fitmotion_nodes.unspun import Mailbox

TICK_S = 0.5
# The attempts of a step are repetitions of one trial, however often somebody comes back to it: those after the third
# trial would not count.
TRIAL = 1
ELSEWHERE_S = 2.0  # an answer of the scorer takes a fraction of that


class DashboardGuide:
    """Leads the person who is shown through their screen, with a browser or without.

    Services (std_srvs/Trigger), each answered with the step that is shown then: screen/next, screen/back,
    screen/repeat, screen/skip, screen/step; screen/pain and screen/no_pain: what the person says of that step.
    ask: asks the fms node. say: tells the person at the page.
    """

    def __init__(self, node: Node, watch: Watch, ask: Callable[[Asked], None], say: Callable[..., None]) -> None:
        self._watch, self._ask, self._say = watch, ask, say
        self._elsewhere_since = math.inf
        # the newest are enough, and nobody waits for this: also while no browser looks
        newest = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._states = Mailbox(node, RosAssessmentState, "fms/state", newest)
        for move in (Move.NEXT, Move.BACK, Move.REPEAT, Move.SKIP):
            node.create_service(Trigger, f"screen/{move.value}", partial(self._on_service, move))
        node.create_service(Trigger, "screen/step", partial(self._on_service, None))
        for name, pain in (("pain", True), ("no_pain", False)):
            node.create_service(Trigger, f"screen/{name}", partial(self._on_service, pain))
        # media time may stand still while the person who measures reads
        self._timer = node.create_timer(TICK_S, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def _lead(self) -> ScreenLead | None:
        person = self._watch.people.get(self._watch.shown)
        return None if person is None else person.lead

    def obey(self, command: Lead | LeadSettings) -> None:
        """A button: move through the screen, or change how it is led."""
        if isinstance(command, LeadSettings):
            self._set(command)
            return
        try:
            self._move(command)
        except ValueError as error:
            self._say(str(error), good=False)

    def _set(self, settings: LeadSettings) -> None:
        lead = self._lead
        if lead is None:
            return
        changed, lead.settings = lead.settings.recognise != settings.recognise, settings
        lead.guide.recognise = settings.recognise
        if changed and settings.recognise:
            self._ask(StartTest(Movement.UNKNOWN, Variation.NONE, Side.BOTH, TRIAL))
        elif changed and lead.guide.step is not None and lead.guide.step.clearing is None:
            self._begin(lead.guide.step)

    def begin_shown(self) -> None:
        """Somebody else is shown and assessed from now on: their step is started."""
        lead = self._lead
        if lead is not None and lead.guide.step is not None and lead.guide.step.clearing is None:
            self._begin(lead.guide.step)

    def _move(self, lead: Lead) -> None:
        led = self._lead
        if led is None:
            raise ValueError("nobody has been seen yet; let the person step into view")
        step = led.obey(lead)
        if step is not None:
            self._begin(step)

    def _begin(self, step: Step) -> None:
        if self._lead is not None and self._lead.settings.recognise:
            return  # any test is scored as what it is
        self._ask(StartTest(step.movement, step.variation, step.side, TRIAL))

    def _tick(self) -> None:
        for msg, _ in self._states:
            with suppress(ValueError):  # a test that we do not know; who draws it counts it
                self._watch.hear_test(state_from_msg(msg))
        lead = self._lead
        if lead is None or not self._is_open():
            return
        now = time.monotonic()
        self._elsewhere_since = min(self._elsewhere_since, now) if lead.guide.is_elsewhere else math.inf
        if now - self._elsewhere_since > ELSEWHERE_S:
            self._elsewhere_since = math.inf
            self.begin_shown()
        step = lead.tick(now)
        if step is not None:
            self._begin(step)

    def _is_open(self) -> bool:
        person = self._watch.people.get(self._watch.shown)
        return person is not None and person.screen is not None and person.screen.open

    def _on_service(self, asked: Move | bool | None, request: Any, response: Any) -> Any:
        """asked: how to move, whether there is pain, None for nothing."""
        try:
            if isinstance(asked, Move):
                self._move(Lead(asked))
            elif asked is not None:
                self._report(pain=asked)
            response.message, response.success = self._told(), True
        except ValueError as error:
            response.message, response.success = str(error), False
        return response

    def _report(self, *, pain: bool) -> None:
        lead = self._lead
        step = None if lead is None else lead.guide.question or lead.guide.step
        if step is None:
            raise ValueError("no test is shown in which there could be pain")
        self._ask(ReportPain(step.clearing, pain, "", *((step.movement, step.side) if step.clearing is None else ())))

    def _told(self) -> str:
        """The step that is shown: its title, then what is said to the person."""
        lead = self._lead
        if lead is None or not self._is_open():
            raise ValueError("no screen is under way; begin one with fms/start_screen")
        guide = lead.guide
        step = guide.question or guide.step
        if step is None:
            names = ", ".join(one.title for one in guide.open_steps)
            return f"The end of the screen{f'; still open: {names}' if names else ''}. Finish it with fms/finish_screen"
        tried = sum(score >= 0 for score in guide.attempts)
        of = f"{tried} of {guide.attempts_to_do}" if tried <= guide.attempts_to_do else f"{tried}"
        counted = "" if step.clearing is not None else f" ({of} attempts)"
        return f"{step.title}{counted}: {' '.join(say(step, lead.sex))}"
