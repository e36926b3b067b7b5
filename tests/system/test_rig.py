"""Several cameras on real processes: the bodies of a lossless run are those of `assess`."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from fitmotion_models.pose.rig_source import RigRecording
from fitmotion_nodes.recordings import load_poses

from .conftest import MEDIA, Command

CALIBRATION = MEDIA / "pose2sim_calibration.qca.txt"
FRAMES = 15
pytestmark = [
    pytest.mark.slow,
    pytest.mark.one_distribution,
    pytest.mark.skipif(not CALIBRATION.exists(), reason="needs the pose2sim videos (FITMOTION_DATA)"),
    pytest.mark.usefixtures("nothing_left_in_shared_memory"),
]


def cut(path, source, frames):
    """The first frames of a video, half as large."""
    capture = cv2.VideoCapture(str(source))
    writer = None
    for _ in range(frames):
        image = cv2.resize(capture.read()[1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        writer = writer or cv2.VideoWriter(
            str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (image.shape[1], image.shape[0])
        )
        writer.write(image)
    writer.release()
    return str(path)


def test_a_lossless_run_of_two_cameras_gives_the_bodies_of_assess(fitmotion: Callable[..., Command], tmp_path) -> None:
    # the second video ends early: the run goes on to the first one's end
    videos = [
        cut(tmp_path / f"{name}.avi", MEDIA / f"pose2sim_{name}.mp4", frames)
        for name, frames in (("cam04", FRAMES), ("cam01", FRAMES - 2))
    ]
    sources = [word for video in videos for word in ("--source", video)]
    run = fitmotion("up", *sources, "--calibration", str(CALIBRATION), "--lossless", "--record")
    assert run.wait() == 0, run.stderr
    assert run.assessment()["frames"] == FRAMES
    recording = RigRecording(videos, CALIBRATION)
    assert recording.rig.names == ("cam04", "cam01")
    expected = [pose for pose in recording.poses().poses if pose is not None]
    recording.close()
    found = list(load_poses(next(tmp_path.rglob("recording.mcap"))))
    assert len(found) == len(expected) == FRAMES - 2
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.views, mine.stamp) == (theirs.views, theirs.stamp)
        np.testing.assert_allclose(mine.positions, theirs.positions, atol=1e-3)
