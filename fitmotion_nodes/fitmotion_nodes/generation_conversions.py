"""Conversions of what is asked of the motion generator: part of the border between messages and FitMotion's values.

As in `conversions`, what cannot be taken raises ValueError with one sentence.
"""

import math
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, PoseStamped
from nav_msgs.msg import Path
from numpy.typing import NDArray
from std_msgs.msg import Header

from fitmotion_models.motion.condition import Conditioning, Keyframe, MotionCondition, RootPath
from fitmotion_msgs.action import GenerateMotion
from fitmotion_msgs.msg import MotionCommand, MotionConstraint
from fitmotion_nodes.conversions import (
    NANOSECONDS,
    WORLD_FRAME,
    body_pose_from_msg,
    body_pose_to_msg,
    enum_from_msg,
    header_to_msg,
    stamp_from_msg,
    stamp_to_msg,
)

DEFAULT_GUIDANCE = 0.0  # as in the messages: the model's own
LET_THE_MODEL_CHOOSE_S = 0.0


def nanoseconds_of(stamp: Time) -> int:
    """A stamp as whole nanoseconds, exactly."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


# ---- commands --------------------------------------------------------------------------------------------------------


def motion_command_from_msg(msg: MotionCommand, start: float, world_frame: str = WORLD_FRAME) -> MotionCondition:
    """What a command asks for. start: when it takes effect, seconds on the clock of the poses' stamps.

    Raises ValueError for another frame and for everything that `MotionCondition` refuses.
    """
    _check_frame("motion command", msg.header.frame_id, world_frame)
    return MotionCondition(path=path_from_msg(msg.path, start, world_frame), **_wish(msg))


def motion_command_to_msg(
    condition: MotionCondition, header: Header | None = None, start: float = 0.0
) -> MotionCommand:
    """A condition as a command; keyframes have no place in it and are left out. start: as in the other direction."""
    return _asked(MotionCommand(header=header or Header()), condition, path_to_msg(condition.path, start))


# ---- goals and results -----------------------------------------------------------------------------------------------


def condition_from_goal(goal: GenerateMotion.Goal, world_frame: str = WORLD_FRAME) -> MotionCondition:
    """What a goal asks for; times count from the start of the motion. Raises ValueError as the other direction."""
    constraint = goal.constraint
    mask = np.array([bool(item) for item in constraint.joint_mask])
    keyframes = tuple(
        Keyframe(stamp_from_msg(body.header.stamp), body_pose_from_msg(body, world_frame), mask if mask.any() else None)
        for body in constraint.keyframes
    )
    return MotionCondition(path=path_from_msg(constraint.path, 0.0, world_frame), keyframes=keyframes, **_wish(goal))


def condition_to_goal(condition: MotionCondition) -> GenerateMotion.Goal:
    """A condition as a goal; the joints of the first keyframe stand for those of all."""
    constraint = MotionConstraint(keyframes=[_keyframe_to_msg(keyframe) for keyframe in condition.keyframes])
    if condition.keyframes and condition.keyframes[0].joint_mask is not None:
        constraint.joint_mask = [bool(item) for item in condition.keyframes[0].joint_mask]
    goal = GenerateMotion.Goal(constraint=constraint)
    constraint.path = path_to_msg(condition.path, 0.0)
    return _asked(goal, condition)


def _keyframe_to_msg(keyframe: Keyframe) -> Any:
    return body_pose_to_msg(keyframe.pose, stamp=stamp_to_msg(keyframe.stamp))


# ---- what both have --------------------------------------------------------------------------------------------------


def _wish(msg: Any) -> dict[str, Any]:
    """The fields that commands and goals share."""
    return {
        "prompt": msg.prompt,
        "score": None if msg.fms_score == MotionCommand.ANY_SCORE else int(msg.fms_score),
        "conditioning": enum_from_msg(Conditioning, msg.conditioning, "conditioning"),
        "seconds": None if msg.duration == LET_THE_MODEL_CHOOSE_S else float(msg.duration),
        "seed": None if msg.random_seed else int(msg.seed),
        "text_guidance": _weight(msg.guidance),
        "score_guidance": _weight(msg.score_guidance),
    }


def _asked(msg: Any, condition: MotionCondition, path: Path | None = None) -> Any:
    """The other way."""
    msg.prompt = condition.prompt
    msg.fms_score = MotionCommand.ANY_SCORE if condition.score is None else condition.score
    msg.conditioning = int(condition.conditioning)
    msg.duration = condition.seconds or LET_THE_MODEL_CHOOSE_S
    msg.seed, msg.random_seed = condition.seed or 0, condition.seed is None
    msg.guidance = condition.text_guidance or DEFAULT_GUIDANCE
    msg.score_guidance = condition.score_guidance or DEFAULT_GUIDANCE
    if path is not None:
        msg.path = path
    return msg


def _weight(value: float) -> float | None:
    return None if value == DEFAULT_GUIDANCE or math.isnan(value) else float(value)


def path_from_msg(msg: Path, start: float, world_frame: str = WORLD_FRAME) -> RootPath | None:
    """The way that a path asks for, its times counted from `start`, seconds; None for an empty one.

    Points on the floor (z = 0) leave the pelvis' height free. What lies before the start is left out. Raises ValueError
    for another frame, times that do not rise, or that are all over at the start, and whatever `RootPath` refuses.
    """
    if not msg.poses:
        return None
    _check_frame("path", msg.header.frame_id, world_frame)
    places = [(one.pose.position.x, one.pose.position.y, one.pose.position.z) for one in msg.poses]
    times = np.array([nanoseconds_of(one.header.stamp) / NANOSECONDS for one in msg.poses])
    if len(times) > 1 and not (np.diff(times) > 0).all():
        raise ValueError(f"path has {len(times)} points whose stamps do not rise; give each the time to be there")
    if times[-1] < start:
        raise ValueError(
            f"path ends {start - times[-1]:.2f} s before the motion begins; its stamps are on the clock of the poses' "
            "stamps"
        )
    return _from_start(times - start, np.array(places))


def _from_start(times: NDArray[np.float64], places: NDArray[np.float64]) -> RootPath:
    """The part from 0 on; where the path is on its way then, it begins with that point."""
    positions = places if np.any(places[:, 2]) else places[:, :2]
    ahead = times >= 0.0
    if not ahead.all() and times[ahead][0] > 0.0:
        now = [np.interp(0.0, times, column) for column in positions.T]
        return RootPath(np.r_[0.0, times[ahead]], np.vstack([now, positions[ahead]]))
    return RootPath(times[ahead], positions[ahead])


def path_to_msg(path: RootPath | None, start: float, frame_id: str = WORLD_FRAME) -> Path:
    """A way as a path with times; None as an empty one."""
    if path is None:
        return Path()
    poses = []
    for time, place in zip(path.stamps.tolist(), path.positions.tolist(), strict=True):
        x, y, z = (*place, 0.0)[:3]
        header = header_to_msg(start + time, frame_id)
        poses.append(PoseStamped(header=header, pose=Pose(position=Point(x=x, y=y, z=z))))
    return Path(header=header_to_msg(start, frame_id), poses=poses)


def _check_frame(what: str, frame_id: str, world_frame: str) -> None:
    if frame_id not in ("", world_frame):
        raise ValueError(f"{what} is in frame {frame_id!r}, expected {world_frame!r}; transform it, or leave it empty")
