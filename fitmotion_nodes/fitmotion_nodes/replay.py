"""The replay node: a recorded motion clip or the built-in subject as body poses."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from threading import Event

from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from fitmotion_models.mover import make_mover
from fitmotion_models.skeleton.body_pose import BodyPose, Source
from fitmotion_models.skeleton.clip_file import load_clip
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_msgs.msg import AssessmentState as RosAssessmentState
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_nodes.conversions import NANOSECONDS, body_pose_to_msg, check_body_pose, stamp_to_msg
from fitmotion_nodes.diagnostics import NodeDiagnostics
from fitmotion_nodes.flow import Pacer, Window, Worker
from fitmotion_nodes.listeners import wait_for_listeners
from fitmotion_nodes.parameters import ReplayParameters, declare, frame_qos
from fitmotion_nodes.recordings import SUFFIX, RecordedPoses, load_poses
from fitmotion_nodes.spin import CannotRunError, run_node

LINGER_S = 0.3  # after the last pose, so that it leaves the process before the process ends


class ReplayNode(Node):
    """Publishes body_pose, /diagnostics; lossless: /clock, in the clip's own time.

    Subscribes, in lossless mode, fms/state: the acknowledgement of every pose. The process ends with status 0 after the
    last pose of a clip that is not looped, and with 2 and one line when the clip cannot be used.
    """

    def __init__(self) -> None:
        super().__init__("replay")
        self._settings = declare(self, ReplayParameters, self._on_parameters)
        self._clip = self._load()
        lossless, qos = self._settings.lossless, frame_qos(self._settings)
        name = self._settings.clip or f"mover {self._settings.mover}"
        engine = f"{name}: {len(self._clip)} poses, {self._clip.fps:.4g} Hz"
        self._diagnostics = NodeDiagnostics(self, live=not lossless, engine=engine)
        self._publisher = self.create_publisher(RosBodyPose, "body_pose", qos)
        self._window = Window()
        if lossless:
            self._clock_publisher = self.create_publisher(Clock, "/clock", 10)
            self.create_subscription(RosAssessmentState, "fms/state", self._on_acknowledgement, qos)
        self.get_logger().info(engine)
        self._ended: Exception | None = None
        # the end is handled in the executor's thread: a worker cannot end a process from its own
        self._end = self.create_guard_condition(self._on_end)
        self._worker = Worker(self._play, self._when_ended)

    def destroy_node(self) -> None:
        """Stop the thread before the node goes."""
        if hasattr(self, "_worker"):
            self._worker.stop()
        super().destroy_node()

    def _load(self) -> MotionClip | RecordedPoses:
        """The clip, its poses checked as a consumer will. Raises CannotRunError with one sentence."""
        given = self._settings
        try:
            if given.clip.endswith(SUFFIX):
                return load_poses(given.clip, subject=given.subject, world_frame=given.world_frame)
            clip = load_clip(given.clip) if given.clip else make_mover(given.mover, fps=given.fps)
            if given.clip:
                clip = replace(clip, source=Source.REPLAY)
            if given.subject:
                clip = replace(clip, subject=given.subject)
            for pose in clip:
                check_body_pose(pose)
        except (ValueError, OSError) as error:
            raise CannotRunError(f"replay: {error}") from error
        return clip

    def _on_parameters(self, parameters: ReplayParameters) -> None:
        self._settings = parameters

    # ---- poses; in the worker's thread ----

    def _play(self, stop: Event) -> None:
        if not wait_for_listeners(self, [self._publisher], self._settings.wait_for, stop):
            return
        if self._settings.lossless:
            self._play_lossless(stop)
        else:
            self._play_in_real_time(stop)
        self._publisher.wait_for_all_acked(Duration(seconds=1))
        if self._settings.lossless and not stop.is_set():
            # media time has ended: who waits for later frames hears of it while this process still lingers
            self.destroy_publisher(self._clock_publisher)
        stop.wait(LINGER_S)

    def _play_lossless(self, stop: Event) -> None:
        for pose in self._clip:
            stamp = stamp_to_msg(pose.stamp)
            if not self._window.send((stamp.sec, stamp.nanosec), partial(self._emit, pose, stamp), stop):
                return
        self._window.drain(stop)

    def _on_acknowledgement(self, msg: RosAssessmentState) -> None:
        self._window.acknowledge((msg.header.stamp.sec, msg.header.stamp.nanosec))

    def _play_in_real_time(self, stop: Event) -> None:
        pacer, due = Pacer(stop), 0.0
        stamps = self._clip.stamps
        while not stop.is_set():
            for index, pose in enumerate(self._clip):
                if not pacer.wait(due):
                    return
                # to the next pose; from the last one to the first of the next round a nominal frame
                step = stamps[index + 1] - stamps[index] if index + 1 < len(stamps) else 1.0 / self._clip.fps
                step /= self._settings.speed
                # several people in one image have the same stamp
                if pacer.late(due) > max(step, 1.0 / self._clip.fps / self._settings.speed):
                    self._diagnostics.dropped += 1  # the machine was away for longer than a frame: the newest wins
                else:
                    # the time that it is meant for: how evenly this machine wakes a thread is no part of the motion
                    late = Duration(nanoseconds=max(0, round(pacer.late(due) * NANOSECONDS)))
                    self._emit(pose, (self.get_clock().now() - late).to_msg())
                due += step
            if not self._settings.loop:
                return

    def _emit(self, pose: BodyPose, stamp: Time) -> None:
        if self._settings.lossless:
            self._clock_publisher.publish(Clock(clock=stamp))
        self._diagnostics.frames_in += 1
        self._publisher.publish(body_pose_to_msg(pose, self._settings.world_frame, stamp))
        self._diagnostics.sent(stamp)

    # ---- the end ----

    def _when_ended(self, error: Exception | None) -> None:
        if self.context.ok():  # after Ctrl-C a failure to publish is no failure
            self._ended = error
            self._end.trigger()

    def _on_end(self) -> None:
        if self._ended is not None:
            raise self._ended
        self.get_logger().info(f"end of the clip: {self._diagnostics.frames_out} poses sent")
        raise SystemExit(0)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped or its clip has ended."""
    return run_node(ReplayNode, args)


if __name__ == "__main__":
    sys.exit(main())
