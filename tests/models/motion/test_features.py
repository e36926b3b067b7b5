"""Features of a frame against kinematics, and the way there and back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitmotion_models.motion.features import (
    FPS,
    LAYOUT,
    Anchor,
    anchor_of,
    anchored,
    clip_of,
    features_of,
    heading_of,
    mirrored_features,
    placed,
    rotation_6d,
    rotation_from_6d,
)
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, feet_from_pose, forward_kinematics
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import angle_between, from_rotvec, to_matrix


def made_clip(seed: int, frames: int = 12) -> MotionClip:
    random = np.random.default_rng(seed)
    rotations = from_rotvec(random.normal(0.0, 0.6, (frames, 22, 3)))
    root = np.cumsum(random.normal(0.0, 0.05, (frames, 3)), axis=0) + (0.0, 0.0, 0.9)
    positions = forward_kinematics(root, rotations, REST_OFFSETS)
    clip = clip_of(np.zeros((frames, LAYOUT.size)) + np.eye(1, LAYOUT.size, LAYOUT["heading"].start)[0] + 1e-3)
    return replace(
        clip,
        positions=positions,
        rotations=rotations,
        feet=feet_from_pose(positions, rotations, REST_OFFSETS),
        bone_offsets=REST_OFFSETS,
    )


def test_the_slices_cover_every_number_once() -> None:
    covered = np.zeros(LAYOUT.size, int)
    for name in LAYOUT.shapes:
        covered[LAYOUT[name]] += 1
    assert (covered == 1).all()
    assert LAYOUT.size == 204


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_a_clip_comes_back_as_it_was(seed: int) -> None:
    clip = made_clip(seed)
    back = clip_of(features_of(clip))
    np.testing.assert_allclose(back.positions, clip.positions, atol=2e-6)
    np.testing.assert_allclose(back.feet, clip.feet, atol=2e-6)
    assert angle_between(back.rotations, clip.rotations).max() < 1e-3


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_positions_are_what_rotations_give(seed: int) -> None:
    features = features_of(made_clip(seed))
    here = features.copy()
    here[:, LAYOUT["root_position"]] = 0.0
    here[:, LAYOUT["heading"]] = (1.0, 0.0)
    np.testing.assert_allclose(
        clip_of(here).positions[:, 1:].reshape(len(here), -1), features[:, LAYOUT["positions"]], atol=2e-6
    )


@given(st.integers(0, 2**31), st.floats(-np.pi, np.pi), st.floats(-50.0, 50.0), st.floats(-50.0, 50.0))
@settings(max_examples=25, deadline=None)
def test_where_and_whither_is_only_in_the_root(seed: int, turn: float, x: float, y: float) -> None:
    clip = made_clip(seed)
    yaw = from_rotvec((0.0, 0.0, turn))
    moved = replace(
        clip,
        positions=clip.positions @ to_matrix(yaw).T + (x, y, 0.0),
        feet=clip.feet @ to_matrix(yaw).T + (x, y, 0.0),
        rotations=np.concatenate([(from_matrix_product(yaw, clip.rotations[:, :1])), clip.rotations[:, 1:]], axis=1),
    )
    one, other = features_of(clip), features_of(moved)
    body = slice(LAYOUT["rotations"].start, LAYOUT["positions"].stop)
    np.testing.assert_allclose(other[:, body], one[:, body], atol=2e-4)
    np.testing.assert_allclose(
        anchored(other, anchor_of(other[3]))[:, :5], anchored(one, anchor_of(one[3]))[:, :5], atol=2e-4
    )


def from_matrix_product(left, right):
    from fitmotion_models.skeleton.rotations import multiply

    return multiply(np.broadcast_to(left, right.shape), right)


def test_anchoring_and_placing_undo_each_other() -> None:
    features = features_of(made_clip(3))
    anchor = Anchor(4.0, -2.0, np.cos(1.2), np.sin(1.2))
    np.testing.assert_allclose(placed(anchored(features, anchor), anchor), features, atol=1e-6)
    first = anchored(features, anchor_of(features[5]))[5]
    np.testing.assert_allclose(first[LAYOUT["root_position"]][:2], 0.0, atol=1e-6)
    np.testing.assert_allclose(first[LAYOUT["heading"]], (1.0, 0.0), atol=1e-6)


def test_the_heading_stays_when_the_pelvis_bends_forward() -> None:
    bent = to_matrix(from_rotvec(np.array([(0.0, angle, 0.0) for angle in np.radians([0, 45, 90, 135])])))
    np.testing.assert_allclose(heading_of(bent), np.tile((1.0, 0.0), (4, 1)), atol=1e-12)
    turned = to_matrix(from_rotvec((0.0, 0.0, 0.7)))
    np.testing.assert_allclose(heading_of(turned), (np.cos(0.7), np.sin(0.7)), atol=1e-12)


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_rotations_6d_need_not_be_exact(seed: int) -> None:
    matrices = to_matrix(from_rotvec(np.random.default_rng(seed).normal(0.0, 1.0, (5, 3))))
    np.testing.assert_allclose(rotation_from_6d(3.0 * rotation_6d(matrices)), matrices, atol=1e-9)


def test_a_clip_that_is_not_canonical_is_refused() -> None:
    clip = made_clip(0)
    with pytest.raises(ValueError, match="30 frames a second"):
        features_of(replace(clip, fps=30.0))
    with pytest.raises(ValueError, match="canonical"):
        features_of(replace(clip, bone_offsets=clip.bone_offsets * 1.1))
    positions = clip.positions.copy()
    positions[2, 4] = np.nan
    with pytest.raises(ValueError, match="unseen"):
        features_of(replace(clip, positions=positions))


def test_a_standing_foot_is_in_contact_and_a_swinging_one_is_not() -> None:
    clip = made_clip(1, frames=20)
    feet = np.zeros((20, 4, 3), np.float32)
    feet[:, 2:, 0] = np.arange(20)[:, None] / FPS * 1.5  # slides along the floor at 1.5 m/s
    feet[:, 1, 2] = 0.2
    contacts = features_of(replace(clip, feet=feet))[:, LAYOUT["contacts"]]
    assert (contacts == (1.0, 0.0, 0.0, 0.0)).all()


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_the_mirror_image_of_features_is_that_of_the_clip(seed: int) -> None:
    clip = made_clip(seed)
    features = features_of(clip)
    np.testing.assert_allclose(mirrored_features(features), features_of(mirror_clip(clip)), atol=1e-6)
    np.testing.assert_array_equal(mirrored_features(mirrored_features(features)), features)
    anchor = anchor_of(features[5])
    across = Anchor(anchor.x, -anchor.y, anchor.cosine, -anchor.sine)
    np.testing.assert_allclose(
        anchored(mirrored_features(features), across), mirrored_features(anchored(features, anchor)), atol=1e-6
    )
