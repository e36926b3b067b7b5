"""Sensors on motion in pieces: the readings of the whole, in memory that does not grow."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.imu import Cutoffs, select_sites, virtual_imu
from fitmotion_models.imu.streamed import PIECE_S, clip_rows, pieces, virtual_imu_in_pieces
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.joint_sets import SMPL22

SITES = select_sites(["pelvis", "left_wrist", "right_foot"])
NAMES = ("stamps", "specific_force", "angular_velocity", "rotations")


def together(recordings) -> dict[str, np.ndarray]:
    parts = list(recordings)
    assert len(parts) > 1
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in NAMES}


@pytest.mark.parametrize("seconds", [0.3, 7.0, PIECE_S])
@pytest.mark.parametrize("cutoffs", [None, Cutoffs(3.0, 3.0)])
def test_pieces_read_what_the_whole_reads(seconds, cutoffs) -> None:
    clip = squat_clip(SquatParameters(repetitions=20), fps=30.0)
    clip = replace(clip, stamps=clip.stamps + 0.0123)
    rotations, confidence = clip.rotations.copy(), clip.confidence.copy()
    elbow = SMPL22.index("left_elbow")
    rotations[900:990, elbow], confidence[900:990, elbow] = np.nan, 0.0  # an arm out of sight where pieces meet
    clip = replace(clip, rotations=rotations, confidence=confidence)
    whole = virtual_imu(clip, SITES, cutoffs=cutoffs)
    found = together(virtual_imu_in_pieces(pieces(clip, seconds), SITES, cutoffs=cutoffs))
    np.testing.assert_allclose(found["stamps"], whole.stamps, atol=1e-9)
    for name in NAMES[1:]:
        one, other = found[name], getattr(whole, name)
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
        if name == "rotations":
            one, other = np.abs(one), np.abs(other)  # q and -q are one
        np.testing.assert_allclose(one, other, atol=1e-4 * max(1.0, np.nanmax(np.abs(other))))


def test_a_hole_between_the_pieces_is_a_hole() -> None:
    clip = squat_clip(SquatParameters(repetitions=10), fps=30.0)
    half = len(clip) // 2
    apart = [clip_rows(clip, slice(0, half)), clip_rows(clip, slice(half + 30, None))]
    parts = list(virtual_imu_in_pieces(apart, SITES))
    force = np.concatenate([part.specific_force for part in parts])
    stamps = np.concatenate([part.stamps for part in parts])
    gone = stamps[np.isnan(force[:, 0, 0])]
    assert clip.stamps[half - 1] < gone[0] < clip.stamps[half]
    assert clip.stamps[half + 29] < gone[-1] < clip.stamps[half + 30]
    np.testing.assert_allclose(np.diff(stamps), 0.01, atol=1e-9)


def test_memory_does_not_grow_with_the_length() -> None:
    """Peak of what Python and NumPy hold while 2 and 10 minutes go through."""
    clip = squat_clip(SquatParameters(repetitions=5), fps=30.0)
    length = len(clip) / 30.0

    def peak(repeats: int) -> int:
        parts = (replace(clip, stamps=clip.stamps + number * length) for number in range(repeats))
        tracemalloc.start()
        samples = sum(len(part) for part in virtual_imu_in_pieces(parts, SITES))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert samples == pytest.approx(repeats * length * 100.0, abs=5)
        return most

    peak(1)
    short, long = peak(round(120.0 / length)), peak(round(600.0 / length))
    print(f"peak {short / 1e6:.1f} MB of 2 min, {long / 1e6:.1f} MB of 10 min")
    assert long < 1.1 * short


def test_what_cannot_be_done_is_refused_with_a_sentence() -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=30.0)
    with pytest.raises(ValueError, match="no site is given"):
        list(virtual_imu_in_pieces([clip], []))
    with pytest.raises(ValueError, match="rate_hz=-1.0 must be a positive"):
        list(virtual_imu_in_pieces([clip], SITES, rate_hz=-1.0))
    with pytest.raises(ValueError, match="a clip begins at 0.0 s, before the one before it has ended"):
        list(virtual_imu_in_pieces([clip, clip], SITES))
    with pytest.raises(ValueError, match="seconds=0.0 is no length"):
        list(pieces(clip, 0.0))
    assert list(virtual_imu_in_pieces([], SITES)) == []
