"""Features of repetitions: the mover's truth, and what must not change them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitmotion_models.fms.features import FeatureCurves, clip_curves, repetition_curves, summarise
from fitmotion_models.fms.moment import body_from_pose
from fitmotion_models.fms.repetitions import SquatRepetitions
from fitmotion_models.fms.values import Side
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.motion_clip import MotionClip

CROOKED = SquatParameters(
    repetitions=1, pelvis_shift_m=0.04, depth_difference_m=0.02, knee_valgus_m=(0.05, -0.01), arm_drop_deg=20.0
)


@pytest.fixture(scope="module")
def squat() -> MotionClip:
    return squat_clip(CROOKED)


def moved(clip: MotionClip, scale: float, heading: float, place: tuple[float, float]) -> MotionClip:
    """The clip of a body of another size, turned and put elsewhere."""
    cosine, sine = np.cos(heading), np.sin(heading)
    turn = np.array([(cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0)]) * scale
    shift = np.array([*place, 0.0])
    return replace(clip, positions=clip.positions @ turn + shift, feet=clip.feet @ turn + shift)


def at_lowest(found: FeatureCurves) -> dict[str, float]:
    return dict(zip(found.names, found.values[found.lowest].tolist(), strict=True))


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.5, 2.0), st.floats(-np.pi, np.pi), st.tuples(st.floats(-5, 5), st.floats(-5, 5)), st.sampled_from(Side)
)
def test_size_heading_and_place_do_not_matter(squat, scale, heading, place, first) -> None:
    here, there = clip_curves(squat, first), clip_curves(moved(squat, scale, heading, place), first)
    np.testing.assert_allclose(there.values, here.values, atol=2e-4)
    assert there.names == here.names and there.lowest == here.lowest


@pytest.mark.parametrize(("first", "other"), [(Side.BOTH, Side.BOTH), (Side.LEFT, Side.RIGHT), (Side.RIGHT, Side.LEFT)])
def test_the_mirror_image_has_the_same_features(squat, first, other) -> None:
    here, there = summarise(clip_curves(squat, first)), summarise(clip_curves(mirror_clip(squat), other))
    assert here.names == there.names and len(set(here.names)) == len(here.names)
    np.testing.assert_allclose(there.values, here.values, rtol=1e-3, atol=2e-3)


def test_a_crooked_squat_has_sides(squat) -> None:
    left, right = clip_curves(squat, Side.LEFT), clip_curves(squat, Side.RIGHT)
    assert np.abs(left.values - right.values).max() > 0.05


def test_values_at_the_lowest_point_are_the_movers() -> None:
    parameters = replace(CROOKED, trunk_lean_deg=35.0, shin_lean_deg=28.0, depth_m=-0.05)
    clip = squat_clip(parameters)
    values = at_lowest(clip_curves(clip, Side.LEFT))
    leg = sum(np.linalg.norm(clip.bone_offsets[joint]) for joint in (4, 7))
    depth = 0.5 * (values["first_hip_above_knee"] + values["second_hip_above_knee"])
    assert depth * leg == pytest.approx(-0.05, abs=5e-3)
    assert values["first_knee_inward"] * leg == pytest.approx(0.05, abs=5e-3)
    assert values["second_knee_inward"] * leg == pytest.approx(-0.01, abs=5e-3)
    assert np.degrees(values["trunk_lean"]) == pytest.approx(35.0, abs=1.0)
    shins = np.degrees([values["first_shin_lean"], values["second_shin_lean"]])
    assert shins.mean() == pytest.approx(28.0, abs=2.0)
    assert values["pelvis_aside"] * leg == pytest.approx(0.04, abs=0.01)
    assert values["first_knee_flexion"] > 1.6 and values["first_ankle_height"] == pytest.approx(0.0, abs=0.01)


def test_a_repetition_in_a_stream_has_the_features_of_its_own_clip(squat) -> None:
    """What came before the stance does not count: the second of two squats alone is the second of two squats."""
    both = squat_clip(replace(CROOKED, repetitions=2, pause_s=1.5))
    finder = SquatRepetitions()
    found = [progress.finished for pose in both if (progress := finder.update(body_from_pose(pose))).finished]
    assert len(found) == 2
    one, two = (summarise(repetition_curves(repetition)) for repetition in found if repetition)
    lowest = [index for index, name in enumerate(one.names) if name.endswith((":lowest", ":log_range"))]
    np.testing.assert_allclose(one.values[lowest], two.values[lowest], atol=0.02)


def test_unseen_joints_are_nan_where_they_are_needed_and_nowhere_else(squat) -> None:
    positions, confidence = squat.positions.copy(), squat.confidence.copy()
    positions[:, 20], confidence[:, 20] = np.nan, 0.0
    found = summarise(clip_curves(replace(squat, positions=positions, confidence=confidence)))
    unseen = {name.split(":")[0] for name, value in zip(found.names, found.values, strict=True) if np.isnan(value)}
    arms = ("elevation", "wrist_ahead", "elbow_flexion")
    assert unseen == {"wrists_apart", *(f"{pair}_{name}" for pair in ("mean", "difference") for name in arms)}


def test_a_stance_without_legs_is_refused(squat) -> None:
    positions, confidence = squat.positions.copy(), squat.confidence.copy()
    positions[:, 7], confidence[:, 7] = np.nan, 0.0
    with pytest.raises(ValueError, match="need a stance in which hips, knees and ankles are seen"):
        clip_curves(replace(squat, positions=positions, confidence=confidence))
