"""The action server generate_motion: one goal is worked on beside the stream, one more waits."""

import threading
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.node import Node
from rclpy.task import Future

from fitmotion_models.motion.condition import MotionCondition
from fitmotion_models.motion.generate import CancelledError, Generated
from fitmotion_msgs.action import GenerateMotion
from fitmotion_nodes.conversions import clip_to_msg
from fitmotion_nodes.generation_conversions import condition_from_goal

Tell = Callable[[str, float], None]
"""Hears the part of the work under way and how much of the whole is done, 0 to 1."""
Make = Callable[[MotionCondition, Tell, Callable[[], bool]], Generated]
"""Makes a motion; asks now and then whether to stop, and then raises CancelledError."""

CANCELLED = "cancelled"


@dataclass(eq=False)
class _Goal:
    """One accepted goal. done: what became of it, set in the executor's thread."""

    handle: Any
    condition: MotionCondition
    done: Future = field(default_factory=Future)
    cancel: threading.Event = field(default_factory=threading.Event)
    progress: tuple[str, float] | None = None
    outcome: Generated | Exception | None = None


class MotionGoals:
    """Serves the action. Everything but the making itself happens in the executor's thread.

    make: makes a motion, in a thread of this class. reject: hears why a goal was not accepted.
    """

    def __init__(self, node: Node, make: Make, reject: Callable[[str], None], world_frame: str) -> None:
        self._node, self._make, self._reject, self._world_frame = node, make, reject, world_frame
        self._running: _Goal | None = None
        self._waiting: _Goal | None = None
        self.active = False  # goals are taken while the node is
        self.finished = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="goals")
        self._changed = node.create_guard_condition(self._on_change)
        self._server = ActionServer(
            node,
            GenerateMotion,
            "generate_motion",
            self._execute,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
        )

    @property
    def depth(self) -> int:
        """How many goals are worked on or wait."""
        return sum(goal is not None for goal in (self._running, self._waiting))

    def stop(self) -> None:
        """Give up what is worked on and what waits; their results say so."""
        for goal in (self._running, self._waiting):
            if goal is not None:
                goal.cancel.set()
        self._changed.trigger()

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._server.destroy()
        self._node.destroy_guard_condition(self._changed)

    # ---- goals come and go ----

    def _on_goal(self, request: GenerateMotion.Goal) -> GoalResponse:
        reason = ""
        if not self.active:
            reason = "the motion generator is not active; activate it"
        elif self._waiting is not None:
            reason = "one goal is worked on and one waits; try again when one of them is done, or cancel one"
        if reason:
            self._reject(f"goal {request.prompt[:40]!r} rejected: {reason}")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_accepted(self, handle: Any) -> None:
        try:
            goal = _Goal(handle, condition_from_goal(handle.request, self._world_frame))
        except ValueError as error:
            self._reject(f"goal {handle.request.prompt[:40]!r} aborted: {error}")
            handle.execute(partial(self._refuse, str(error)))
            return
        if self._running is None:
            self._start(goal)
        else:
            self._waiting = goal

    def _start(self, goal: _Goal) -> None:
        self._running = goal
        self._thread.submit(self._work, goal)
        goal.handle.execute(partial(self._execute, goal=goal))

    def _on_cancel(self, handle: Any) -> CancelResponse:
        for goal in (self._running, self._waiting):
            if goal is not None and goal.handle == handle:
                goal.cancel.set()
                self._changed.trigger()  # the goal's state changes after this callback
                return CancelResponse.ACCEPT
        return CancelResponse.REJECT

    # ---- in the thread of this class ----

    def _work(self, goal: _Goal) -> None:
        def tell(stage: str, share: float) -> None:
            goal.progress = stage, share
            self._changed.trigger()

        try:
            goal.outcome = self._make(goal.condition, tell, goal.cancel.is_set)
        except Exception as error:  # told in the result: one goal that fails is no reason to end the stream
            goal.outcome = error
        self._changed.trigger()

    # ---- what became of it ----

    def _on_change(self) -> None:
        waiting, running = self._waiting, self._running
        if waiting is not None and waiting.cancel.is_set():
            self._waiting = None
            waiting.outcome = CancelledError(CANCELLED)
            waiting.handle.execute(partial(self._execute, goal=waiting))
            waiting.done.set_result(None)
        if running is None:
            return
        if running.progress is not None:
            stage, share = running.progress
            running.progress = None
            running.handle.publish_feedback(GenerateMotion.Feedback(stage=stage, progress=share))
        if running.outcome is not None:
            running.done.set_result(None)
            self._running, self._waiting = None, None
            self.finished += 1
            if waiting is not None and not waiting.cancel.is_set():
                self._start(waiting)

    async def _execute(self, handle: Any, goal: _Goal) -> GenerateMotion.Result:
        await goal.done
        outcome = goal.outcome
        if isinstance(outcome, Generated):
            handle.succeed()
            return result_to_msg(outcome, self._world_frame)
        if isinstance(outcome, CancelledError) and handle.is_cancel_requested:
            handle.canceled()
            return GenerateMotion.Result(message=CANCELLED)
        if not isinstance(outcome, ValueError | CancelledError):
            self._node.get_logger().error(f"a goal failed: {outcome!r}")
        handle.abort()
        return GenerateMotion.Result(message=str(outcome) or repr(outcome))

    def _refuse(self, reason: str, handle: Any) -> GenerateMotion.Result:
        handle.abort()
        return GenerateMotion.Result(message=reason)


def result_to_msg(generated: Generated, world_frame: str) -> GenerateMotion.Result:
    """A motion as the action's result."""
    return GenerateMotion.Result(
        success=True,
        clip=clip_to_msg(generated.clip, world_frame),
        seed=generated.seed,
        timing_names=list(generated.timings),
        timings=array("f", generated.timings.values()),
    )
