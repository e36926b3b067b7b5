"""The motion generator's part of the dashboard: its bodies, what it says of itself, and what is asked of it."""

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from fitmotion_models.viewer.page_motion import Generate, StopGenerating
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_msgs.msg import MotionCommand
from fitmotion_nodes.generation_conversions import motion_command_to_msg
from fitmotion_nodes.parameters import result_qos
from fitmotion_nodes.unspun import Mailbox

GENERATOR = "motion_generator"  # its name in the graph


class DashboardMotion:
    """Publishes motion/command and calls motion/stop; hears generated/body_pose while somebody looks.

    say: tells the person at the page.
    """

    def __init__(self, node: Node, world_frame: str, say: Callable[..., None]) -> None:
        self._node, self._world_frame, self._say = node, world_frame, say
        self._commands = node.create_publisher(MotionCommand, "motion/command", result_qos(depth=10))
        self._stop = node.create_client(Trigger, "motion/stop")

    def poses(self, qos: QoSProfile) -> Mailbox:
        """The generated bodies that come from now on."""
        return Mailbox(self._node, RosBodyPose, "generated/body_pose", qos)

    def obey(self, command: Generate | StopGenerating) -> None:
        """Ask the motion generator; it answers in what it does."""
        if isinstance(command, Generate):
            header = Header(stamp=self._node.get_clock().now().to_msg(), frame_id=self._world_frame)
            self._commands.publish(motion_command_to_msg(command.condition, header))
            if not self._commands.get_subscription_count():
                self._say("nobody hears motion/command: the motion generator does not run", good=False)
        elif self._stop.service_is_ready():
            self._stop.call_async(Trigger.Request()).add_done_callback(self._on_stopped)
        else:
            self._say("motion/stop is not there: the motion generator does not run", good=False)

    def _on_stopped(self, future: Any) -> None:
        answer = future.result()
        self._say(answer.message, good=answer.success)
