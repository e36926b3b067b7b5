"""Bodies and marks as the messages that RViz reads: TF frames, joint states, markers. Only `visualizer.py` needs it."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, TransformStamped
from numpy.typing import NDArray
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import ColorRGBA, Header
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker

from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import fill_unseen, global_rotations
from fitmotion_models.viewer.human_urdf import FRAMES_BETWEEN, frames_between, joint_state
from fitmotion_models.viewer.markers import Key, Mark, Rgba, Shape
from fitmotion_nodes.message_bytes import ENCAPSULATION, after_text, aligned, stamps_of

# the joint of each frame of FRAMES_BETWEEN: two frames a joint, the pelvis has none
_JOINT_OF_BETWEEN = np.array([1 + number // 2 for number in range(len(FRAMES_BETWEEN))])
_NUMBERS = 7  # of a transform: a place and a quaternion
FORMS_KEPT = 32  # sets of frames: which joints are seen changes now and then

ALL_MARKS: Key = ("", 0)  # no mark has an empty namespace; RViz clears all of a display for it


class BodyFrames:
    """The TF frames of one body, as the bytes of one message.

    Filling some thirty nested messages in Python and having them serialised took a third of the visualizer's time. Of
    a body only numbers change, so the bytes are made once for every set of frames and the numbers written into a copy.
    frame_prefix: `<prefix><subject>/`, before the name of every joint.
    """

    def __init__(self, frame_prefix: str) -> None:
        self._joints = [frame_prefix + name for name in SMPL22.joints]
        self._between = [frame_prefix + name for name in FRAMES_BETWEEN]
        self._forms: OrderedDict[tuple[str, tuple[str, ...]], _Form] = OrderedDict()

    def message(self, pose: BodyPose, header: Header, *, between: bool) -> bytes:
        """A serialised tf2_msgs/TFMessage of the joints that are seen, children of the header's frame; empty for none.

        between: also the description's frames between its joints, which RViz asks of TF to show a robot model.
        """
        seen = np.flatnonzero((pose.confidence > 0.0) & np.isfinite(pose.positions).all(axis=-1))
        names = [self._joints[joint] for joint in seen]
        places, turns = pose.positions[seen], global_rotations(fill_unseen(pose.rotations))[seen]
        if between:
            visible = np.flatnonzero(np.isin(_JOINT_OF_BETWEEN, seen))
            names += [self._between[number] for number in visible]
            places = np.concatenate([places, pose.positions[_JOINT_OF_BETWEEN[visible]]])
            turns = np.concatenate([turns, frames_between(pose.rotations)[visible]])
        if not names:
            return b""
        return self._form(header.frame_id, tuple(names)).filled(header.stamp, np.hstack([places, turns]))

    def _form(self, frame_id: str, names: tuple[str, ...]) -> "_Form":
        key = (frame_id, names)
        if key not in self._forms:
            self._forms[key] = _Form(frame_id, names)
        self._forms.move_to_end(key)
        if len(self._forms) > FORMS_KEPT:
            self._forms.popitem(last=False)
        return self._forms[key]


class _Form:
    """A serialised TFMessage with room for the numbers: OMG CDR, as every ROS 2 middleware sends it."""

    def __init__(self, frame_id: str, names: Sequence[str]) -> None:
        header = Header(frame_id=frame_id)
        message = TFMessage(transforms=[TransformStamped(header=header, child_frame_id=name) for name in names])
        self._bytes = np.frombuffer(serialize_message(message), np.uint8)
        stamps, numbers = [], []
        at = 4  # after the number of transforms; alignment counts from behind the four bytes of encapsulation
        for name in names:
            stamps.append(aligned(at, 4))
            at = after_text(stamps[-1] + 8, frame_id)
            numbers.append(aligned(after_text(at, name), 8))
            at = numbers[-1] + _NUMBERS * 8
        self._stamps = ENCAPSULATION + np.array(stamps)[:, None] + np.arange(8)
        self._numbers = ENCAPSULATION + np.array(numbers)[:, None] + np.arange(_NUMBERS * 8)

    def filled(self, stamp: Time, numbers: NDArray[np.float64]) -> bytes:
        """The bytes with this stamp and these numbers (N, 7): x, y, z of the place, x, y, z, w of the turn."""
        data = self._bytes.copy()
        data[self._stamps] = stamps_of([stamp]).view(np.uint8)
        data[self._numbers] = np.ascontiguousarray(numbers, np.float64).view(np.uint8).reshape(len(numbers), -1)
        return data.tobytes()


def joint_state_to_msg(pose: BodyPose, header: Header) -> JointState:
    """The joint angles of the person's description; joints that nothing is known of are left out."""
    joints = joint_state(pose.rotations, (pose.confidence > 0.0) & np.isfinite(pose.positions).all(axis=-1))
    return JointState(header=header, name=joints.names, position=joints.angles)


def mark_to_msg(mark: Mark, header: Header) -> Marker:
    """A mark as a marker that stays until it is replaced or deleted."""
    marker = Marker(header=header, ns=mark.namespace, id=mark.number, type=mark.shape.value, action=Marker.ADD)
    marker.color = _colour(mark.colour)
    if mark.shape is Shape.TEXT:
        marker.text, marker.scale.z = mark.text, mark.size
        position = marker.pose.position
        position.x, position.y, position.z = mark.points[0].tolist()
        return marker
    marker.scale.x = mark.size
    if mark.shape is Shape.SPHERES:
        marker.scale.y = marker.scale.z = mark.size
    marker.points = [Point(x=x, y=y, z=z) for x, y, z in mark.points.tolist()]
    marker.colors = [_colour(colour) for colour in mark.colours]
    return marker


def deletion_to_msg(key: Key, header: Header) -> Marker:
    """The marker that takes a mark away, or everything where the key says `ALL_MARKS`."""
    action = Marker.DELETEALL if key == ALL_MARKS else Marker.DELETE
    return Marker(header=header, ns=key[0], id=key[1], action=action)


@lru_cache(maxsize=256)
def _colour(colour: Rgba) -> ColorRGBA:
    """Few colours, many points: one message each, never written to again."""
    red, green, blue, alpha = colour
    return ColorRGBA(r=red, g=green, b=blue, a=alpha)
