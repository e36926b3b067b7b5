"""Videos of clips: read back by OpenCV and by a browser's rules, whole or not there."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.viewer import clip_video
from fitmotion_models.viewer.clip_video import HEIGHT, WIDTH, write_clip_video

CLIP = squat_clip(SquatParameters(repetitions=1), fps=20.0)
H264, VP9 = 0x34363268, 0x39307076  # as FFmpeg names them when read: h264, vp09


def cut(clip, frames):
    names = ("stamps", "positions", "rotations", "confidence", "feet", "feet_confidence", "view_direction")
    return replace(clip, **{name: getattr(clip, name)[:frames] for name in names})


def read(path):
    capture = cv2.VideoCapture(str(path))
    codec, fps = int(capture.get(cv2.CAP_PROP_FOURCC)), capture.get(cv2.CAP_PROP_FPS)
    pictures = []
    while (found := capture.read())[0]:
        pictures.append(found[1])
    capture.release()
    return codec, fps, pictures


@pytest.mark.parametrize("h264", [True, False])
def test_a_video_has_every_frame_at_the_clips_rate_in_a_format_that_browsers_play(tmp_path, monkeypatch, h264):
    if h264 and shutil.which("ffmpeg") is None:
        pytest.skip("the program ffmpeg is not on the path")
    monkeypatch.setattr(clip_video, "_has_h264", lambda: h264)
    short = cut(CLIP, 9)
    path = write_clip_video(tmp_path / "squat.mp4", short, title="deep squat, FMS score 3", beside=cut(CLIP, 5))
    codec, fps, pictures = read(path)
    assert len(pictures) == len(short) and fps == pytest.approx(short.fps)
    assert pictures[0].shape[1] == 2 * WIDTH and pictures[0].shape[0] > HEIGHT
    assert codec in (H264, 0x31637661) if h264 else codec in (VP9, 0x30395056)
    scene = clip_video.scene_of(short).draw(0, WIDTH, HEIGHT)
    drawn = pictures[0][-HEIGHT:, :WIDTH].astype(int)
    assert np.abs(drawn - scene).mean() < 4.0  # what is in the file is what was drawn, but for the time's few letters
    assert [one.name for one in tmp_path.iterdir()] == ["squat.mp4"]


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    there = tmp_path / "there.mp4"
    there.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"there\.mp4"):
        write_clip_video(there, CLIP)
    with pytest.raises(ValueError, match=r"\*\.mp4"):
        write_clip_video(tmp_path / "squat.avi", CLIP)
    with pytest.raises(FileNotFoundError, match="folder"):
        write_clip_video(tmp_path / "nowhere" / "squat.mp4", CLIP)

    def interrupted(*_):
        yield np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        raise KeyboardInterrupt

    monkeypatch.setattr(clip_video, "_pictures", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_clip_video(tmp_path / "stopped.mp4", CLIP)
    assert [one.name for one in tmp_path.iterdir()] == ["there.mp4"] and there.read_bytes() == b"mine"
