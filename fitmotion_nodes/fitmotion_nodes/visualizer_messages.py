"""Bodies and marks as the messages that RViz reads: TF frames, joint states, markers. Only `visualizer.py` needs it."""

from functools import lru_cache

import numpy as np
from geometry_msgs.msg import Point, TransformStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import fill_unseen, global_rotations
from fitmotion_models.viewer.human_urdf import FRAMES_BETWEEN, frames_between, joint_state
from fitmotion_models.viewer.markers import Key, Mark, Rgba, Shape

# the joint of each frame of FRAMES_BETWEEN: two frames a joint, the pelvis has none
_JOINT_OF_BETWEEN = [1 + number // 2 for number in range(len(FRAMES_BETWEEN))]

ALL_MARKS: Key = ("", 0)  # no mark has an empty namespace; RViz clears all of a display for it


class BodyFrames:
    """The TF frames of one body; the messages are made once and filled anew for every pose.

    frame_prefix: `<prefix><subject>/`, before the name of every joint.
    """

    def __init__(self, frame_prefix: str) -> None:
        self._joints = [TransformStamped(child_frame_id=frame_prefix + name) for name in SMPL22.joints]
        self._between = [TransformStamped(child_frame_id=frame_prefix + name) for name in FRAMES_BETWEEN]

    def transforms(self, pose: BodyPose, header: Header, *, between: bool) -> list[TransformStamped]:
        """The frames of the joints that are seen, children of the header's frame.

        between: also the description's frames between its joints, which RViz asks of TF to show a robot model.
        Valid until the next call.
        """
        seen = np.flatnonzero((pose.confidence > 0.0) & np.isfinite(pose.positions).all(axis=-1)).tolist()
        places = pose.positions.tolist()
        turns = global_rotations(fill_unseen(pose.rotations)).tolist()
        result = [_filled(self._joints[joint], header, places[joint], turns[joint]) for joint in seen]
        if between:
            visible = set(seen)
            turns = frames_between(pose.rotations).tolist()
            result += [
                _filled(message, header, places[joint], turn)
                for message, joint, turn in zip(self._between, _JOINT_OF_BETWEEN, turns, strict=True)
                if joint in visible
            ]
        return result


def _filled(message: TransformStamped, header: Header, place: list[float], turn: list[float]) -> TransformStamped:
    message.header = header
    translation, rotation = message.transform.translation, message.transform.rotation
    translation.x, translation.y, translation.z = place
    rotation.x, rotation.y, rotation.z, rotation.w = turn
    return message


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
