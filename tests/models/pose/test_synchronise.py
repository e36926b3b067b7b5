"""Views put together by stamp: all of a recording, the newest live; and recordings whose starts differ."""

import numpy as np
import pytest
from tests.models.pose.rigs import blazepose_points, ring, see

from fitmotion_models.mover import make_mover
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.offsets import Track, find_offsets
from fitmotion_models.pose.synchronise import LiveInstants, RecordedInstants


def test_a_recording_gives_every_frame_of_the_first_camera_with_the_nearest_of_the_others():
    together = RecordedInstants(3, tolerance=0.02)
    found = []
    for index in range(6):  # the second camera at half the rate, the third one ends early
        found += together.add(0, index / 30, f"a{index}")
        if index % 2 == 0:
            found += together.add(1, index / 30 + 0.004, f"b{index}")
        found += together.add(2, index / 30 - 0.01, f"c{index}") if index < 3 else []
    assert [instant.views for instant in found] == [("a0", "b0", "c0"), ("a1", None, "c1")]
    assert together.waits_for == (2,)
    found += together.end(2)
    assert [instant.stamp for instant in found] == pytest.approx([index / 30 for index in range(5)])
    assert found[2].views == ("a2", "b2", "c2") and found[4].views == ("a4", "b4", None)
    assert together.end(1)[0].views == ("a5", None, None)


def test_offsets_shift_the_frames_that_belong_together():
    together = RecordedInstants(2, tolerance=0.01, offsets=(0.0, 0.1))
    for index in range(6):
        together.add(1, index / 20, index)
    assert [instant.views for instant in together.add(0, 0.05, "a")] == [("a", 3)]


def test_live_an_instant_comes_when_all_have_reached_it_or_when_one_is_late():
    together = LiveInstants(3, tolerance=0.02, patience=0.1)
    assert together.add(0, 1.000, "a") is None and together.add(1, 1.010, "b") is None
    whole = together.add(2, 1.005, "c")
    assert whole.views == ("a", "b", "c") and whole.stamp == 1.000
    assert together.add(0, 1.1, "a") is None and together.add(1, 1.1, "b") is None
    late = together.add(0, 1.15, "a2")
    assert late.views == ("a", "b", None) and late.stamp == 1.1
    assert together.add(2, 1.115, "c") is None
    again = together.add(0, 1.2, "a3") or together.add(1, 1.2, "b3") or together.add(2, 1.2, "c3")
    assert again.views == ("a3", "b3", "c3") and together.dropped == [1, 0, 1]


def test_live_the_newest_wins_and_what_is_older_is_counted():
    together = LiveInstants(2, tolerance=0.02)
    for index in range(3):
        together.add(0, index / 30, index)
    newest = together.add(1, 2 / 30, "x")
    assert newest.views == (2, "x")
    together.add(0, 3 / 30, 3)
    together.add(1, 3 / 30, "y")
    assert together.dropped == [2, 0]


def test_live_cameras_that_pick_different_frames_meet_between_them():
    def between(one, two, share):
        return round((1 - share) * one + share * two, 3)

    together = LiveInstants(2, tolerance=0.005, patience=0.2, between=between)
    found = []
    for index in range(1, 9):  # each sees every third frame of 30 Hz, one frame apart; the view is the time
        camera, stamp = index % 2, (3 * (index // 2) + index % 2) / 30
        found.append(together.add(camera, stamp, stamp))
    met = [instant for instant in found if instant is not None]
    assert len(met) >= 3 and together.dropped == [0, 0]
    for instant in met:
        assert instant.views == pytest.approx((instant.stamp, instant.stamp), abs=1e-3)


def _track(camera: int, pixels: np.ndarray, first: int, last: int, rate: float = 30.0) -> Track:
    views = [Keypoints("blazepose33", frame.astype(np.float32), np.ones(33, np.float32), None) for frame in pixels]
    return Track(tuple(np.arange(last - first) / rate), tuple(views[first:last]))


def test_the_offset_of_a_video_is_found_from_a_squat():
    rig = ring(3)
    clip = make_mover("squat", fps=30.0)
    points = np.stack([blazepose_points(clip.frame(index)) for index in range(min(len(clip), 200))])
    rng = np.random.default_rng(0)
    pixels = see(rig, points) + rng.normal(0.0, 4.0, (3, len(points), 33, 2))
    cuts = (10, 25, 4)
    tracks = [_track(view, pixels[view], cut, len(points) - 5) for view, cut in enumerate(cuts)]
    found = find_offsets(tracks, rig)
    np.testing.assert_allclose(found.seconds, [(10 - cut) / 30 for cut in cuts], atol=0.012)
    assert str(found).startswith("starts against video 1: video 2 -0.")


def test_nobody_who_moves_tells_no_offset():
    rig = ring(2)
    points = np.stack([blazepose_points(make_mover("squat").frame(0))] * 90)
    pixels = see(rig, points) + np.random.default_rng(0).normal(0.0, 3.0, (2, 90, 33, 2))
    with pytest.raises(ValueError, match="video 2 cannot be set beside video 1"):
        find_offsets([_track(view, pixels[view], 0, 90) for view in (0, 1)], rig)
