"""The comparison of live readings with a recording: differences, delays and losses that were put in."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.evaluation.imu_live import live_difference, recorded_from
from fitmotion_models.imu import ImuRecording, select_sites, virtual_imu
from fitmotion_models.mover import SquatParameters, squat_clip

SITES = ["pelvis", "left_wrist", "right_thigh"]


@pytest.fixture(scope="module")
def recorded() -> ImuRecording:
    return virtual_imu(squat_clip(SquatParameters(repetitions=1), fps=100.0), select_sites(SITES))


def moved(recording: ImuRecording, seconds: float) -> ImuRecording:
    """Readings that say what was the case so much earlier."""
    steps = round(seconds * recording.rate_hz)
    return replace(
        recording,
        stamps=recording.stamps[steps:],
        specific_force=recording.specific_force[: len(recording) - steps],
        angular_velocity=recording.angular_velocity[: len(recording) - steps],
        rotations=recording.rotations[: len(recording) - steps],
    )


def test_poses_give_what_their_clip_gives(recorded) -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=100.0)
    again = recorded_from(list(clip), select_sites(SITES), 100.0)
    np.testing.assert_allclose(again.specific_force, recorded.specific_force, atol=1e-3)


def test_the_difference_is_what_was_added(recorded) -> None:
    random = np.random.default_rng(2)
    noise = random.normal(scale=0.2, size=recorded.specific_force.shape)
    found = live_difference(recorded, replace(recorded, specific_force=recorded.specific_force + noise))
    assert found["force"]["rms"] == pytest.approx(0.2 * np.sqrt(3.0) / np.sqrt(3.0), rel=0.03)
    spans = np.ptp(recorded.specific_force, axis=0).max(axis=1)
    assert found["force"]["percent_of_range"] == pytest.approx(np.median(20.0 / spans), rel=0.05)
    assert found["rate"] == {"rms": 0.0, "percent_of_range": 0.0, "percent_of_range_worst": 0.0, "r": pytest.approx(1)}
    assert found["missing"] == 0 and found["samples"] == len(recorded) and found["shift_ms"] == pytest.approx(0.0)


def test_a_delay_against_the_stamps_is_found(recorded) -> None:
    late = moved(recorded, 0.02)
    assert live_difference(recorded, late)["shift_ms"] == pytest.approx(20.0, abs=1.0)


def test_what_is_missing_is_counted_and_left_out(recorded) -> None:
    force = recorded.specific_force.copy()
    force[10:15, 1] = np.nan
    found = live_difference(recorded, replace(recorded, specific_force=force))
    assert found["missing"] == 5
    assert found["force"]["rms"] == 0.0 and found["shift_ms"] == pytest.approx(0.0, abs=1e-6)


def test_readings_of_another_time_are_refused(recorded) -> None:
    with pytest.raises(ValueError, match="share no sample"):
        live_difference(recorded, replace(recorded, stamps=recorded.stamps + 1000.0))
