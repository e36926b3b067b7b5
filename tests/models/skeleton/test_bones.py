"""Bone lengths: recovered from motion, robust against wrong frames, fair to both sides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from fitmotion_models.skeleton import REST_OFFSETS, SMPL22, estimate_bone_offsets, forward_kinematics
from fitmotion_models.skeleton.bones import weighted_median

Array = NDArray[np.float64]
seeds = st.integers(0, 2**32 - 1)
J = {name: index for index, name in enumerate(SMPL22.joints)}
MIRROR = list(SMPL22.mirror)


def person(rng: np.random.Generator) -> Array:
    """Bones of some person, left as right, every bone by its own factor."""
    factor = rng.uniform(0.8, 1.2, size=(22, 1))
    return REST_OFFSETS * (factor + factor[MIRROR]) / 2


def motion(rng: np.random.Generator, offsets: Array, frames: int = 40) -> Array:
    rotations = Rotation.random(frames * 22, rng=rng).as_quat().reshape(frames, 22, 4)
    return forward_kinematics(rng.normal(size=(frames, 3)), rotations, offsets)


@settings(max_examples=30)
@given(seeds)
def test_bones_are_recovered_whatever_the_motion(seed: int) -> None:
    rng = np.random.default_rng(seed)
    offsets = person(rng)
    estimate = estimate_bone_offsets(motion(rng, offsets), np.ones((40, 22)))
    np.testing.assert_allclose(estimate, offsets, atol=1e-9)


def test_a_third_of_wrong_frames_does_not_count() -> None:
    rng = np.random.default_rng(7)
    offsets = person(rng)
    positions = motion(rng, offsets, 60)
    positions[::3] += rng.normal(scale=0.5, size=(20, 22, 3))
    estimate = estimate_bone_offsets(positions, np.ones((60, 22)))
    # the wrong third shifts the median among exact values by nothing
    np.testing.assert_allclose(np.linalg.norm(estimate, axis=-1), np.linalg.norm(offsets, axis=-1), atol=1e-6)


def test_confidence_weighs_and_unseen_joints_do_not_count() -> None:
    rng = np.random.default_rng(8)
    offsets = person(rng)
    positions, confidence = motion(rng, offsets, 10), np.ones((10, 22))
    positions[:6, J["left_knee"]] += 5.0
    positions[:6, J["right_knee"]] += 5.0
    confidence[:6, [J["left_knee"], J["right_knee"]]] = 0.1
    positions[:8, J["left_wrist"]] = np.nan
    confidence[:8, J["right_wrist"]] = 0.0
    np.testing.assert_allclose(estimate_bone_offsets(positions, confidence), offsets, atol=1e-9)


def test_noise_averages_out_over_frames() -> None:
    rng = np.random.default_rng(9)
    offsets = person(rng)
    positions = motion(rng, offsets, 300) + rng.normal(scale=0.01, size=(300, 22, 3))
    estimate = estimate_bone_offsets(positions, np.ones((300, 22)))
    long = np.linalg.norm(offsets, axis=-1) > 0.1
    error = np.linalg.norm(estimate, axis=-1) - np.linalg.norm(offsets, axis=-1)
    assert np.abs(error[long]).max() < 0.005
    np.testing.assert_array_equal(estimate[MIRROR] * (1, -1, 1), estimate)


def test_a_bone_never_seen_is_scaled_as_the_others() -> None:
    rng = np.random.default_rng(10)
    confidence = np.ones((5, 22))
    confidence[:, [J["left_foot"], J["right_foot"], J["head"]]] = 0.0
    estimate = estimate_bone_offsets(motion(rng, 1.1 * REST_OFFSETS, 5), confidence)
    np.testing.assert_allclose(estimate, 1.1 * REST_OFFSETS, atol=1e-9)


def test_a_broad_pelvis_is_not_taken_for_a_tall_one() -> None:
    rng = np.random.default_rng(11)
    offsets = REST_OFFSETS.copy()
    offsets[[J["left_hip"], J["right_hip"]]] = (-0.005, 0.13, -0.09), (-0.005, -0.13, -0.09)
    estimate = estimate_bone_offsets(motion(rng, offsets, 5), np.ones((5, 22)))
    np.testing.assert_allclose(estimate[J["left_hip"]], offsets[J["left_hip"]], atol=1e-3)


def test_nothing_seen_is_said() -> None:
    with pytest.raises(ValueError, match="at least one frame in which both ends of a bone are seen"):
        estimate_bone_offsets(np.zeros((3, 22, 3)), np.zeros((3, 22)))
    with pytest.raises(ValueError, match=r"got \(22, 3\) and \(22,\)"):
        estimate_bone_offsets(np.zeros((22, 3)), np.zeros(22))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), min_size=1))
def test_weighted_median_is_the_median_of_repeated_values(pairs: list[tuple[int, int]]) -> None:
    values, counts = zip(*pairs, strict=True)
    repeated = np.repeat(values, counts)
    result = weighted_median(values, counts)
    if repeated.size:
        assert result == np.median(repeated)
    else:
        assert np.isnan(result)
