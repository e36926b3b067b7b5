"""What a terminal asks the nodes of a guided screen for, and what it hears of the screens."""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from fitmotion_models.fms.screen import ScreenResult
from fitmotion_models.viewer.page_controls import FinishScreen
from fitmotion_msgs import srv
from fitmotion_msgs.msg import Screen as RosScreen
from fitmotion_nodes.conversions import screen_from_msg
from fitmotion_nodes.dashboard_services import request_of
from fitmotion_nodes.parameters import result_qos

NODE = "screen_terminal"
SCREENS_KEPT = 20  # as many as the fms node keeps
STEP_S = 1.0  # how often the step is asked for
TRIGGERS = ("next", "back", "repeat", "skip", "pain", "no_pain")


class ScreenClient:
    """A node of its own in a thread of its own; answers come to `on_said` (words, whether it was done), from there."""

    def __init__(self, namespace: str, on_said: Callable[[str, bool], None]) -> None:
        self._on_said = on_said
        self._lock = threading.Lock()
        self._screens: dict[str, ScreenResult] = {}
        self._step = ""
        self._context = rclpy.Context()
        rclpy.init(
            context=self._context,
            args=["--ros-args", "--disable-external-lib-logs", "--log-level", "error"],
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = rclpy.create_node(
            NODE, namespace=namespace or None, context=self._context, use_global_arguments=False
        )
        self._finish = self._node.create_client(srv.FinishScreen, "fms/finish_screen")
        self._triggers = {name: self._node.create_client(Trigger, f"screen/{name}") for name in (*TRIGGERS, "step")}
        qos = result_qos(latched=True, depth=SCREENS_KEPT)
        self._node.create_subscription(RosScreen, "fms/screen", self._on_screen, qos)
        self._node.create_timer(STEP_S, self._ask_step)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name="screen_client", daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            while self._context.ok():
                self._executor.spin_once(timeout_sec=0.2)

    def close(self) -> None:
        """Leave the graph."""
        self._context.try_shutdown()
        self._thread.join(timeout=2.0)
        self._node.destroy_node()

    # ---- what is heard ----

    @property
    def screens(self) -> dict[str, ScreenResult]:
        """The screen of every subject as it was heard last, the one that changed last at the end."""
        with self._lock:
            return dict(self._screens)

    @property
    def step(self) -> str:
        """The step that is shown, with what is said to the person; empty while no screen is under way."""
        with self._lock:
            return self._step

    def _on_screen(self, msg: RosScreen) -> None:
        try:
            screen = screen_from_msg(msg)
        except ValueError:
            return
        with self._lock:
            self._screens.pop(screen.subject, None)
            self._screens[screen.subject] = screen

    def _ask_step(self) -> None:
        client = self._triggers["step"]
        if client.service_is_ready():
            client.call_async(Trigger.Request()).add_done_callback(self._on_step)

    def _on_step(self, future: Any) -> None:
        answer = future.result()
        with self._lock:
            self._step = answer.message if answer is not None and answer.success else ""

    # ---- what is asked for ----

    def finish(self) -> None:
        """Close the screen of the person in view."""
        self._ask(self._finish, request_of(FinishScreen(), ""))

    def trigger(self, name: str) -> None:
        """Move through the screen, or say what the person says of the step; one of `TRIGGERS`."""
        self._ask(self._triggers[name], Trigger.Request(), self._on_step)

    def _ask(self, client: Any, request: Any, then: Callable[[Any], None] | None = None) -> None:
        if not client.service_is_ready():
            self._on_said(f"{client.srv_name} is not there yet", False)
            return
        client.call_async(request).add_done_callback(partial(self._on_answer, then))

    def _on_answer(self, then: Callable[[Any], None] | None, future: Any) -> None:
        if then is not None:
            then(future)
            if future.result() is None or future.result().success:
                return  # the step is before the person's eyes
        self._tell(future)

    def _tell(self, future: Any) -> None:
        answer = future.result()
        if answer is not None:
            self._on_said(answer.message, answer.success)
