"""A clip as a video that browsers play: the mannequin on its floor, alone or beside another clip.

H.264 where the program ffmpeg with libx264 is on the path, which every player knows; else VP9 by OpenCV, in the same
kind of file, which browsers play as well but which takes some six times as long to write.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer.canvas import SEMIBOLD, Canvas, Image
from fitmotion_models.viewer.clip_scene import ClipScene, same_scale, scene_of
from fitmotion_models.viewer.palette import Rgb

WIDTH, HEIGHT = 480, 480  # of one body's picture, pixels
_TITLE = 32  # band above, pixels
_INK: Rgb = (0.16, 0.17, 0.19)
_QUIET: Rgb = (0.45, 0.47, 0.50)
_PAPER = (250, 248, 246)  # BGR
_H264_QUALITY = "20"  # libx264's constant rate factor


def write_clip_video(
    path: str | Path, clip: MotionClip, *, title: str = "", beside: MotionClip | None = None, overwrite: bool = False
) -> Path:
    """Write a clip as a video (.mp4) at its own rate, from three-quarter in front; returns the path.

    title: a line above. beside: a second clip at its right, at the same instants; the shorter one stands still at its
    end. The file appears when it is whole. Raises ValueError for another suffix or a clip that can't be drawn,
    FileExistsError when the file is there and overwrite is False, OSError when it can't be written.
    """
    target = Path(path)
    check_video_path(target, overwrite=overwrite)
    clips = (clip,) if beside is None else (clip, beside)
    pictures = _pictures(clips, title)
    size = (WIDTH * len(clips), HEIGHT + (_TITLE if title else 0))
    partial = target.with_name(f".{target.stem}.{os.getpid()}.part.mp4")
    try:
        if _has_h264():
            _write_h264(partial, pictures, size, clip.fps)
        else:
            _write_vp9(partial, pictures, size, clip.fps)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def check_video_path(path: Path, *, overwrite: bool = False) -> None:
    """Say before the work whether a video can be written there. Raises as `write_clip_video`."""
    if path.suffix.lower() != ".mp4":
        raise ValueError(f"the video {path} must be named *.mp4")
    if path.exists() and not overwrite:
        raise FileExistsError(f"the video {path} exists; choose another name or ask to overwrite it")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"the folder of the video {path} does not exist; make it first")


def _pictures(clips: tuple[MotionClip, ...], title: str) -> Iterator[Image]:
    scenes = same_scale([scene_of(clip) for clip in clips])
    starts = [clip.stamps[0] for clip in clips]
    longest = max(float(clip.stamps[-1] - clip.stamps[0]) for clip in clips)
    instants = np.arange(round(longest * clips[0].fps) + 1) / clips[0].fps
    return (_picture(scenes, starts, instant, title) for instant in instants)


def _picture(scenes: list[ClipScene], starts: list[float], instant: float, title: str) -> Image:
    parts = []
    for scene, start in zip(scenes, starts, strict=True):
        later = int(np.searchsorted(scene.clip.stamps, start + instant - 1e-6))
        parts.append(scene.draw(min(later, len(scene.clip) - 1), WIDTH, HEIGHT))
    body = np.concatenate(parts, axis=1)
    band = np.empty((_TITLE if title else 0, body.shape[1], 3), np.uint8)
    band[:] = _PAPER
    image = np.ascontiguousarray(np.concatenate([band, body], axis=0))
    canvas = Canvas(image)
    canvas.unit = 1.0
    if title:
        canvas.text(canvas.wrapped(title, image.shape[1] - 16, 16.0, 1, SEMIBOLD)[0], 8, 22, 16.0, _INK, SEMIBOLD)
    canvas.text(f"{instant:.1f} s", 8, image.shape[0] - 10, 14.0, _QUIET, SEMIBOLD)
    return image


@cache
def _has_h264() -> bool:
    """Whether ffmpeg is on the path and was built with libx264."""
    program = shutil.which("ffmpeg")
    if program is None:
        return False
    listed = subprocess.run([program, "-hide_banner", "-encoders"], capture_output=True, text=True, check=False)
    return " libx264 " in listed.stdout


def _write_h264(path: Path, pictures: Iterator[Image], size: tuple[int, int], fps: float) -> None:
    command = [
        "ffmpeg", "-hide_banner", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}", "-r", f"{fps:g}", "-i", "-",
        "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", _H264_QUALITY, "-movflags", "+faststart", str(path),
    ]  # fmt: skip
    # in a session of its own, so that Ctrl-C reaches us and not it: it ends when its input does
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as writer:
        assert writer.stdin is not None and writer.stderr is not None
        try:
            for picture in pictures:
                writer.stdin.write(picture.tobytes())
        except BrokenPipeError:
            pass  # it says below why it ended
        except BaseException:
            writer.kill()
            raise
        writer.stdin.close()
        complaint = writer.stderr.read().decode(errors="replace").strip()
    if writer.returncode != 0:
        reason = complaint.splitlines()[-1] if complaint else f"ffmpeg ended with {writer.returncode}"
        raise OSError(f"cannot write a video into {path.parent}: {reason}")


def _write_vp9(path: Path, pictures: Iterator[Image], size: tuple[int, int], fps: float) -> None:
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"vp09"), fps, size)
    if not writer.isOpened():
        raise OSError(f"cannot write a video into {path.parent}; is the folder writable?")
    try:
        for picture in pictures:
            writer.write(picture)
    finally:
        writer.release()
