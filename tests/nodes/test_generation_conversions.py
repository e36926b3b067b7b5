"""Commands, goals and results of the motion generator across the wire, and what is refused on the way in."""

from dataclasses import replace

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from rclpy.serialization import deserialize_message, serialize_message

from fitmotion_models.motion.condition import Conditioning, Keyframe, MotionCondition, RootPath
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_msgs.action import GenerateMotion
from fitmotion_msgs.msg import MotionCommand
from fitmotion_nodes.conversions import header_to_msg, stamp_to_msg
from fitmotion_nodes.frame_clock import FrameClock
from fitmotion_nodes.generation_conversions import (
    condition_from_goal,
    condition_to_goal,
    motion_command_from_msg,
    motion_command_to_msg,
    path_from_msg,
)

NOW = 1_780_000_000.25
FULL = MotionCondition(
    prompt="walks with a limp on the right leg",
    score=1,
    conditioning=Conditioning.TEXTUAL,
    seconds=6.5,
    seed=4_000_000_000,
    text_guidance=2.5,
    score_guidance=1.25,
    path=RootPath(np.array([0.0, 1.5, 4.0]), np.array([[0.0, 0.0], [1.0, 0.5], [3.0, -0.5]])),
)


def over_the_wire(msg):
    return deserialize_message(serialize_message(msg), type(msg))


def path(points, stamps, frame_id: str = "world") -> Path:
    made = Path()
    made.header.frame_id = frame_id
    for (x, y, z), stamp in zip(points, stamps, strict=True):
        one = PoseStamped()
        one.header.stamp = stamp_to_msg(stamp)
        one.pose.position.x, one.pose.position.y, one.pose.position.z = float(x), float(y), float(z)
        made.poses.append(one)
    return made


def assert_same(one: MotionCondition, other: MotionCondition) -> None:
    for name in ("prompt", "score", "conditioning", "seconds", "seed", "text_guidance", "score_guidance"):
        assert getattr(one, name) == getattr(other, name), name
    assert (one.path is None) == (other.path is None)
    if one.path is not None and other.path is not None:
        np.testing.assert_allclose(one.path.stamps, other.path.stamps, atol=1e-6)
        np.testing.assert_allclose(one.path.positions, other.path.positions, atol=1e-9)


@pytest.mark.parametrize("condition", [FULL, MotionCondition("raises the left hand")])
def test_a_condition_survives_as_a_command_and_as_a_goal(condition: MotionCondition) -> None:
    command = over_the_wire(motion_command_to_msg(condition, header_to_msg(NOW, "world"), NOW))
    assert_same(motion_command_from_msg(command, NOW), condition)
    assert_same(condition_from_goal(over_the_wire(condition_to_goal(condition))), condition)


def test_what_a_person_types_at_ros2_means_what_it_says() -> None:
    """The fields of `ros2 topic pub motion/command ... "{prompt: 'raises the left hand', fms_score: 3}"`."""
    read = motion_command_from_msg(over_the_wire(MotionCommand(prompt="raises the left hand", fms_score=3)), NOW)
    assert (read.prompt, read.score, read.conditioning) == ("raises the left hand", 3, Conditioning.DEFAULT)
    assert (read.seconds, read.seed, read.text_guidance, read.path) == (None, 0, None, None)
    # a score that is not named is any, not the 0 of pain
    assert motion_command_from_msg(over_the_wire(MotionCommand(prompt="walks")), NOW).score is None
    goal = GenerateMotion.Goal(prompt="walks with a limp on the right leg", fms_score=1, guidance=float("nan"))
    read = condition_from_goal(over_the_wire(goal))
    assert (read.score, read.text_guidance, read.keyframes) == (1, None, ())


def test_the_constants_are_those_of_the_library() -> None:
    for kind in (MotionCommand, GenerateMotion.Goal):
        for member in Conditioning:
            assert getattr(kind, f"CONDITIONING_{member.name}") == member
        assert kind.ANY_SCORE == kind().fms_score == -1


def test_keyframes_count_from_the_start_and_bind_the_joints_that_are_named() -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=20.0)
    hand = np.zeros(22, bool)
    hand[SMPL22.index("left_wrist")] = True
    condition = MotionCondition(
        "squats", seconds=3.0, keyframes=tuple(Keyframe(t, clip.frame(9), hand) for t in (1.0, 2.5))
    )
    read = condition_from_goal(over_the_wire(condition_to_goal(condition))).keyframes
    assert [keyframe.stamp for keyframe in read] == [1.0, 2.5]
    for keyframe in read:
        assert np.array_equal(keyframe.joint_mask, hand)
        assert np.array_equal(keyframe.pose.rotations, clip.frame(9).rotations)
    every = replace(condition, keyframes=(Keyframe(1.0, clip.frame(9)),))
    goal = condition_to_goal(every)
    goal.constraint.joint_mask = [False] * 22
    assert condition_from_goal(over_the_wire(goal)).keyframes[0].joint_mask.all()


def test_a_path_is_read_on_the_poses_clock_from_where_it_is_now() -> None:
    way = path([(0, 0, 0), (2, 0, 0), (2, 4, 0)], [NOW - 1.0, NOW + 1.0, NOW + 3.0])
    read = path_from_msg(way, NOW)
    # straight between the points: after one of two seconds half of the first two metres are done
    np.testing.assert_allclose(read.stamps, [0.0, 1.0, 3.0], atol=1e-6)
    np.testing.assert_allclose(read.positions, [[1, 0], [2, 0], [2, 4]], atol=1e-6)
    raised = path([(0, 0, 0.9), (1, 0, 0.5)], [NOW, NOW + 1])
    np.testing.assert_allclose(path_from_msg(raised, NOW).positions[:, 2], [0.9, 0.5])
    assert path_from_msg(Path(), NOW) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompt": ""}, ["prompt is empty"]),
        ({"prompt": "x" * 10_000}, ["10000 characters"]),
        ({"fms_score": 7}, ["score 7", "0 to 3"]),
        ({"fms_score": -2}, ["score -2"]),
        ({"conditioning": 9}, ["conditioning is 9", "NUMERICAL"]),
        ({"duration": 3600.0}, ["length 3600 s", "600 s"]),
        ({"duration": -1.0}, ["length -1 s"]),
        ({"duration": float("nan")}, ["length is nan"]),
        ({"guidance": 99.0}, ["text_guidance 99"]),
        ({"path": path([(0, 0, 0), (float("nan"), 0, 0)], [NOW, NOW + 1])}, ["path positions hold NaN"]),
        ({"path": path([(0, 0, 0), (900, 0, 0)], [NOW, NOW + 1])}, ["900.0 m/s"]),
        ({"path": path([(0, 0, 0), (1, 0, 0)], [0.0, 0.0])}, ["stamps do not rise"]),
        ({"path": path([(0, 0, 0), (1, 0, 0)], [1.0, 2.0])}, ["path ends", "before the motion begins"]),
        ({"path": path([(0, 0, 0)], [NOW], "map")}, ["path is in frame 'map'", "'world'"]),
        ({"header": header_to_msg(NOW, "map")}, ["motion command is in frame 'map'"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_cannot_be_meant_is_one_sentence(change: dict[str, object], words: list[str]) -> None:
    msg = over_the_wire(MotionCommand(**{"prompt": "walks", **change}))
    with pytest.raises(ValueError, match=".") as caught:
        motion_command_from_msg(msg, NOW)
    said = str(caught.value)
    assert "\n" not in said and len(said) < 300
    for word in words:
        assert word in said


def test_stamps_keep_their_rate_whenever_they_are_asked_for() -> None:
    clock, start = FrameClock(30.0), 1_780_000_000_000_000_000
    jitter = np.random.default_rng(0).uniform(0.0, 0.09, 200).cumsum()
    stamps = [stamp for late in jitter for stamp in clock.due(start + int(late * 1e9))]
    first = start + int(jitter[0] * 1e9)
    assert stamps == [first + round(k * 1e9 / 30.0) for k in range(len(stamps))]
    assert abs(stamps[-1] - start - jitter[-1] * 1e9) < 1e9 / 30.0


def test_what_nobody_could_have_looked_at_is_left_out_and_a_clock_set_back_begins_anew() -> None:
    clock = FrameClock(10.0)
    assert clock.due(0) == [0]
    after = clock.due(3_600_000_000_000)
    assert len(after) == 21 and after[-1] == 3_600_000_000_000 and clock.skipped == 36_000 - 20 - 1
    assert clock.due(3_600_040_000_000) == []
    assert clock.due(500_000_000) == [500_000_000]
