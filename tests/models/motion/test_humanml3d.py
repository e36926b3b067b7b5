"""HumanML3D's features against closed forms and against numbers that the set's own published code gave."""

import numpy as np
import pytest

from fitmotion_models.motion.humanml3d import (
    CANONICAL_BONE_LENGTHS,
    HUMANML3D,
    HUMANML3D_BONE_LENGTHS,
    from_humanml3d,
    joints_from_humanml3d,
    to_humanml3d,
)
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.frames import y_up_to_z_up, z_up_to_y_up
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import (
    PARENTS,
    REST_OFFSETS,
    feet_from_pose,
    forward_kinematics,
    rest_height,
)
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import from_rotvec, to_matrix


def clip_of(root, rotations, *, bones=REST_OFFSETS, fps=20.0):
    """A clip of a body with these roots (T, 3) and local rotations (T, 22, 4)."""
    positions = forward_kinematics(root, rotations, bones)
    frames = len(root)
    return MotionClip(
        fps=fps,
        stamps=np.arange(frames) / fps,
        positions=positions,
        rotations=rotations,
        confidence=np.ones((frames, 22)),
        feet=feet_from_pose(positions, rotations, bones),
        feet_confidence=np.ones((frames, 4)),
        bone_offsets=bones,
        view_direction=np.full((frames, 3), np.nan),
        views=0,
        subject="test",
        source=Source.REPLAY,
    )


def rigid(frames, *, speed=(0.0, 0.0), turn=0.0, start=0.0, bones=REST_OFFSETS):
    """A body in the rest pose: metres a frame along the world's x and y, radians a frame about z."""
    time = np.arange(frames)
    root = np.stack([speed[0] * time, speed[1] * time, np.full(frames, rest_height())], axis=-1)
    rotations = np.tile((0.0, 0.0, 0.0, 1.0), (frames, 22, 1))
    rotations[:, 0] = from_rotvec(np.stack([0.0 * time, 0.0 * time, start + turn * time], axis=-1))
    return clip_of(root, rotations, bones=bones)


def made_clip():
    """Every joint swings by .3 rad at a phase of its own, the body turns by .05 rad a frame and walks a curve."""
    time, joints = np.arange(30.0)[:, None], np.arange(22.0)
    vectors = np.stack(
        [np.sin(0.2 * time + joints), np.sin(0.3 * time + 2.0 * joints), np.cos(0.1 * time + joints)], -1
    )
    vectors *= 0.3
    vectors[:, 0] = np.stack([0.0 * time[:, 0], 0.0 * time[:, 0], 0.4 + 0.05 * time[:, 0]], axis=-1)
    root = np.concatenate([0.06 * time, 0.03 * np.sin(0.3 * time), 0.95 + 0.02 * np.cos(0.5 * time)], axis=-1)
    return clip_of(root, from_rotvec(vectors))


# Frames 0, 7 and 28 of made_clip, columns across all slices, by github.com/EricGuo5513/HumanML3D (commit 9176e8f),
# motion_representation.ipynb's process_file run on the clip's joints in y-up axes, its target skeleton the rest pose.
GOLDEN_ROWS = (0, 7, 28)
GOLDEN_COLUMNS = (0, 1, 2, 3, 4, 20, 40, 66, 67, 75, 100, 130, 160, 192, 193, 200, 230, 258, 259, 260, 261, 262)
GOLDEN = np.array(
    [
        (
            -0.093933,
            -0.020859,
            0.056952,
            0.956457,
            0.067822,
            1.200149,
            0.076507,
            -0.169306,
            0.594644,
            -0.00565,
            -0.01732,
        )
        + (0.020772, -0.896404, -0.324619, -0.009855, -0.002448, 0.022389, 0.095528, 0.0, 0.0, 0.0, 0.0),
        (
            -0.015186,
            -0.042363,
            0.042861,
            0.917728,
            0.067771,
            1.150641,
            0.141253,
            0.088547,
            0.390718,
            -0.391061,
            0.440065,
        )
        + (0.005575, -0.939193, -0.135196, -0.041042, 0.005656, 0.01131, 0.082677, 0.0, 0.0, 0.0, 0.0),
        (
            -0.014292,
            -0.060092,
            0.004687,
            0.939192,
            0.060003,
            1.174311,
            0.089973,
            0.393417,
            -0.526098,
            -0.376271,
            0.513475,
        )
        + (0.132718, -0.657186, -0.292995, -0.059934, -0.009833, 0.000713, 0.030957, 1.0, 0.0, 0.0, 0.0),
    ]
)


def test_the_published_code_gives_the_same_numbers():
    features = to_humanml3d(made_clip())
    assert features.shape == (29, 263) and features.dtype == np.float32
    assert features[np.ix_(GOLDEN_ROWS, GOLDEN_COLUMNS)] == pytest.approx(GOLDEN, abs=2e-5)


def test_the_layout_is_the_published_one():
    """The slices of the set's documentation: 1, 2, 1, 63, 126, 66, 4."""
    starts = [HUMANML3D[name].start for name in HUMANML3D.shapes]
    assert starts == [0, 1, 3, 4, 67, 193, 259] and HUMANML3D.size == 263


@pytest.mark.parametrize("start", [0.0, 2.2])
def test_walking_straight_ahead(start):
    """Wherever a walk of .05 m a frame leads to, it goes ahead, at z, in the features' frame."""
    clip = rigid(12, speed=(0.05 * np.cos(start), 0.05 * np.sin(start)), start=start)
    features = to_humanml3d(clip)
    assert features[:, 0] == pytest.approx(0.0, abs=1e-6)
    assert features[:, 1:3] == pytest.approx(np.tile((0.0, 0.05), (11, 1)), abs=1e-6)
    steps = features[:, HUMANML3D["velocities"]].reshape(11, 22, 3)
    assert steps == pytest.approx(np.broadcast_to((0.0, 0.0, 0.05), steps.shape), abs=1e-6)
    # .05 squared is .0025: above the threshold of .002
    assert not features[:, HUMANML3D["contacts"]].any()
    joints = joints_from_humanml3d(features)
    assert joints[-1, 0, [0, 2]] == pytest.approx((0.0, 0.5), abs=1e-6)


def test_standing():
    features = to_humanml3d(rigid(5, start=-1.0))
    assert not np.abs(features[:, [0, 1, 2]]).max() > 1e-6
    assert features[:, HUMANML3D["contacts"]].all()
    # at rest the joints are the rest pose's, over the set's floor: the lowest joint
    rest = z_up_to_y_up(forward_kinematics(np.zeros(3), np.tile((0.0, 0.0, 0.0, 1.0), (22, 1)), REST_OFFSETS))
    rest[:, 1] -= rest[:, 1].min()
    assert joints_from_humanml3d(features) == pytest.approx(np.broadcast_to(rest, (4, 22, 3)), abs=1e-6)
    assert features[:, 3] == pytest.approx(rest[0, 1], abs=1e-6)


def test_turning_in_place_at_a_known_rate():
    """Half the angle a frame, the turn to the left positive in the world and negative in the features; two turns."""
    turn = 4.0 * np.pi / 150.0
    features = to_humanml3d(rigid(151, turn=turn))
    # smoothing changes the facing direction at the ends only: its rate is even from 80 frames off them
    assert features[80:-80, 0] == pytest.approx(-0.5 * turn, abs=2e-4)
    # also where the body faces straight back
    assert (features[:, 0] < 0.0).all()
    joints = joints_from_humanml3d(features)
    across = joints[:, 16] - joints[:, 17]
    faced = np.unwrap(np.arctan2(across[:, 2], across[:, 0]))
    assert faced == pytest.approx(-turn * np.arange(150), abs=1e-5)
    assert features[:, 1:3] == pytest.approx(0.0, abs=1e-6)


def test_joints_come_back():
    """Up to where it started and faced, which the features do not hold."""
    clip = made_clip()
    back = joints_from_humanml3d(to_humanml3d(clip))
    joints = z_up_to_y_up(clip.positions[:-1])
    joints = joints - joints[0, 0]
    back = back - back[0, 0]
    across = [points[0, 2] - points[0, 1] + points[0, 17] - points[0, 16] for points in (joints, back)]
    angle = np.subtract(*[np.arctan2(vector[2], vector[0]) for vector in across])
    turn = to_matrix(from_rotvec(np.array([0.0, angle, 0.0])))
    assert joints @ turn.T == pytest.approx(back, abs=2e-5)


def test_a_clip_comes_back_on_its_bones_and_floor():
    clip = made_clip()
    back = from_humanml3d(to_humanml3d(clip), labels=("walk",))
    assert np.array_equal(back.bone_offsets, clip.bone_offsets) and back.labels == ("walk",)
    joints = y_up_to_z_up(joints_from_humanml3d(to_humanml3d(clip)))
    lift = back.positions - joints
    assert lift == pytest.approx(np.broadcast_to((0.0, 0.0, lift[0, 0, 2]), lift.shape), abs=1e-5)
    standing = from_humanml3d(to_humanml3d(rigid(5)))
    assert standing.feet[..., 2] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("lengths", [CANONICAL_BONE_LENGTHS, HUMANML3D_BONE_LENGTHS])
def test_everybody_is_put_on_one_body(lengths):
    """A body 20 % larger gives the same features: bones by the table, the way scaled with the legs."""
    small, large = (rigid(8, speed=(0.05 * scale, 0.0), bones=scale * REST_OFFSETS) for scale in (1.0, 1.2))
    features = to_humanml3d(small, bone_lengths=lengths)
    assert to_humanml3d(large, bone_lengths=lengths) == pytest.approx(features, abs=1e-5)
    joints = joints_from_humanml3d(features)
    measured = np.linalg.norm(joints - joints[:, list(PARENTS)], axis=-1)[:, 1:]
    assert measured == pytest.approx(np.broadcast_to(lengths[1:], measured.shape), abs=1e-5)


def test_bones_opposite_to_their_rest_direction_have_a_rotation():
    """An arm straight up is half a turn from the set's rest pose, in which arms hang."""
    clip = rigid(4)
    positions = np.array(clip.positions, np.float64)
    for side in ("left", "right"):
        chain = [SMPL22.index(f"{side}_{joint}") for joint in ("shoulder", "elbow", "wrist")]
        positions[:, chain[1:]] = positions[:, chain[:1]] + [(0.0, 0.0, 0.25), (0.0, 0.0, 0.5)]
    raised = MotionClip(**{**clip.__dict__, "positions": positions})
    assert np.isfinite(to_humanml3d(raised)).all()


def test_what_cannot_be_converted_says_why():
    clip = rigid(4)
    with pytest.raises(ValueError, match="30 frames a second, HumanML3D 20"):
        to_humanml3d(MotionClip(**{**clip.__dict__, "fps": 30.0}))
    with pytest.raises(ValueError, match="2 frames or more; the clip has 1"):
        to_humanml3d(rigid(1))
    unseen = np.array(clip.positions)
    unseen[1, 3] = np.nan
    with pytest.raises(ValueError, match="unseen joints"):
        to_humanml3d(MotionClip(**{**clip.__dict__, "positions": unseen}))
    with pytest.raises(ValueError, match=r"\(T, 263\), T >= 1; got \(3, 251\)"):
        joints_from_humanml3d(np.zeros((3, 251)))
    with pytest.raises(ValueError, match="not finite"):
        from_humanml3d(np.full((3, 263), np.nan))
