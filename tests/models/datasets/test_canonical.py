"""Motion on the canonical bones: against the recording it comes from, and a body whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.datasets.asf_amc import read_asf_amc
from fitmotion_models.datasets.canonical import placed, to_canonical
from fitmotion_models.datasets.uiprmd import read_uiprmd
from fitmotion_models.motion.features import contacts_of, features_of
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import (
    PARENTS,
    REST_OFFSETS,
    feet_from_pose,
    forward_kinematics,
    rest_height,
)
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import angle_between, from_axis_angle, multiply


def make_clip(root, rotations, bones=REST_OFFSETS, fps=30.0):
    positions = forward_kinematics(root, rotations, bones)
    frames = len(root)
    return MotionClip(
        fps=fps,
        stamps=5.0 + np.arange(frames) / fps,
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


def standing(frames=31, scale=1.0):
    """A body at rest that turns about z and walks off, knees slightly bent so that no leg is at its limit."""
    bones = scale * REST_OFFSETS
    rotations = np.tile((0.0, 0.0, 0.0, 1.0), (frames, 22, 1))
    for joint, angle in (("hip", -0.3), ("knee", 0.6), ("ankle", -0.3)):
        for side in ("left", "right"):
            rotations[:, SMPL22.index(f"{side}_{joint}")] = from_axis_angle((0.0, 1.0, 0.0), angle)
    root = np.zeros((frames, 3))
    root[:, 0] = np.linspace(2.0, 3.0, frames)
    clip = make_clip(root, rotations, bones)
    root[:, 2] -= clip.feet[0, :, 2].min()
    return make_clip(root, rotations, bones)


class TestToCanonical:
    def test_leaves_a_canonical_body_as_it_is(self):
        clip = standing()
        canonical = to_canonical(clip, fps=30.0)
        expected = clip.positions - np.array([clip.positions[0, 0, 0], 0.0, 0.0])
        np.testing.assert_allclose(canonical.positions, expected, atol=2e-4)
        assert np.degrees(angle_between(canonical.rotations, clip.rotations)).max() < 0.1

    def test_scales_a_larger_body_by_its_legs(self):
        big = standing(scale=1.25)
        canonical = to_canonical(big)
        assert canonical.fps == 20.0
        assert canonical.stamps[0] == 0.0
        way = canonical.positions[-1, 0, 0] - canonical.positions[0, 0, 0]
        assert way == pytest.approx(1.0 / 1.25, abs=2e-3)
        np.testing.assert_allclose(canonical.positions[0], standing().positions[0] - (2.0, 0.0, 0.0), atol=2e-3)
        np.testing.assert_array_equal(canonical.bone_offsets, REST_OFFSETS.astype(np.float32))

    def test_starts_at_the_origin_and_faces_x(self):
        clip = standing()
        turn = from_axis_angle((0.0, 0.0, 1.0), 2.0)
        rotations = clip.rotations.copy()
        rotations[:, 0] = multiply(turn, rotations[:, 0])
        canonical = to_canonical(make_clip(clip.positions[:, 0], rotations))
        features = features_of(canonical)
        np.testing.assert_allclose(features[0, 3:5], (1.0, 0.0), atol=1e-5)
        np.testing.assert_allclose(canonical.positions[0, 0, :2], 0.0, atol=1e-6)

    def test_holds_standing_feet_when_proportions_change(self):
        # short thighs, long shanks, broad hips: the same local rotations would drag the feet about
        bones = REST_OFFSETS.copy()
        bones[[SMPL22.index("left_knee"), SMPL22.index("right_knee")]] *= 0.9
        bones[[SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]] *= 1.15
        bones[[SMPL22.index("left_hip"), SMPL22.index("right_hip")], 1] *= 1.2
        squat = squatting(bones)
        assert np.ptp(squat.feet, axis=0).max() < 1e-4
        canonical = to_canonical(squat)
        assert np.ptp(canonical.feet, axis=0).max() < 0.005
        assert abs(canonical.feet[..., 2]).max() < 0.005
        naive = forward_kinematics(squat.positions[:, 0], squat.rotations, REST_OFFSETS)
        ankles = naive[:, SMPL22.index("left_ankle")]
        assert np.ptp(ankles, axis=0).max() > 0.02

    def test_says_what_it_can_not_use(self):
        clip = standing()
        with pytest.raises(ValueError, match="at least two"):
            to_canonical(placed(clip, 0, 1))
        unseen = clip.rotations.copy()
        unseen[3, 4] = np.nan
        with pytest.raises(ValueError, match="unseen joints"):
            to_canonical(replace(clip, rotations=unseen))


def squatting(bones, frames=40):
    """A squat on these bones whose feet do not move at all: hips and ankles follow from the knees."""
    bend = 1.2 * np.sin(np.linspace(0.1, np.pi - 0.1, frames)) + 0.1
    rotations = np.tile((0.0, 0.0, 0.0, 1.0), (frames, 22, 1))
    for side in ("left", "right"):
        for joint, share in (("hip", -0.5), ("knee", 1.0), ("ankle", -0.5)):
            rotations[:, SMPL22.index(f"{side}_{joint}")] = from_axis_angle((0.0, 1.0, 0.0), share * bend)
    root = np.zeros((frames, 3))
    feet = make_clip(root, rotations, bones).feet
    return make_clip(-feet[:, 0].astype(float), rotations, bones)


class TestRecordings:
    @pytest.mark.slow
    def test_a_squat_of_a_kinect_keeps_its_angles_and_its_feet(self, uiprmd_archive):
        (_, clip), *_ = read_uiprmd(uiprmd_archive, movements=["m01"], persons=["s02"], correct=True)
        canonical = to_canonical(clip)
        assert np.ptp(canonical.feet, axis=0).max() < 0.01
        times = canonical.stamps + clip.stamps[0]
        for joint in ("left_elbow", "spine1", "neck"):
            index = SMPL22.index(joint)
            nearest = np.abs(clip.stamps[:, None] - times).argmin(axis=0)
            between = np.degrees(angle_between(canonical.rotations[:, index], clip.rotations[nearest, index]))
            assert np.median(between) < 2.0
        assert np.abs(knee_flexion(canonical) - np.interp(times, clip.stamps, knee_flexion(clip))).mean() < 3.0

    def test_a_walk_keeps_its_steps(self, cmu):
        clip = read_asf_amc(cmu / "02.asf", cmu / "02_01.amc", target_fps=20.0)
        canonical = to_canonical(clip)
        scale = leg(REST_OFFSETS) / leg(clip.bone_offsets)
        way, expected = (np.linalg.norm(np.ptp(one.positions[:, 0, :2], axis=0)) for one in (canonical, clip))
        assert way == pytest.approx(scale * expected, rel=0.01)
        # what a foot slides while it stands is what it slid in the recording, within a centimetre
        slid, before = (longest_slide(one) for one in (canonical, clip))
        assert slid < scale * before + 0.01
        assert canonical.feet[..., 2].min() > -0.02
        assert canonical.positions[:, 0, 2].mean() == pytest.approx(rest_height(), abs=0.05)


def leg(bones):
    return sum(np.linalg.norm(bones[SMPL22.index(joint)]) for joint in ("left_knee", "left_ankle"))


def knee_flexion(clip):
    hip, knee, ankle = (clip.positions[:, SMPL22.index(f"left_{joint}")] for joint in ("hip", "knee", "ankle"))
    thigh, shank = knee - hip, ankle - knee
    cosine = (thigh * shank).sum(axis=-1) / np.linalg.norm(thigh, axis=-1) / np.linalg.norm(shank, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def longest_slide(clip):
    stands = contacts_of(clip.feet, clip.fps) > 0.0
    longest = 0.0
    for point in range(4):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], stands[:, point], [False]]).astype(int)))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            places = clip.feet[start:end, point, :2]
            longest = max(longest, np.linalg.norm(places - np.median(places, axis=0), axis=-1).max())
    return longest


def test_bones_are_constant(cmu):
    clip = to_canonical(read_asf_amc(cmu / "02.asf", cmu / "02_03.amc", target_fps=20.0))
    lengths = np.linalg.norm(clip.positions[:, 1:] - clip.positions[:, list(PARENTS[1:])], axis=-1)
    np.testing.assert_allclose(
        lengths, np.broadcast_to(np.linalg.norm(REST_OFFSETS[1:], axis=-1), lengths.shape), atol=1e-5
    )
