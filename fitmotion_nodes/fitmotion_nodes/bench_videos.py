"""The video that `./fitmotion bench live` plays: people and a mannequin squatting, as a webcam would show them."""

import os
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEIGHT, FPS = 640, 480, 30.0
MAX_FRAMES = 90  # of each video: what is played is looped, and preparing it should not take long


class VideoError(RuntimeError):
    """No video can be made; the text is one sentence."""


def default_videos() -> list[Path]:
    """The real squats of the test data, seen from the side and the front; empty where they are not."""
    root = Path(__file__).resolve().parents[3] / "shared" / "data"
    return sorted((Path(os.environ.get("FITMOTION_DATA", root)) / "media").glob("overhead_squat_*.mov"))


def draw_mannequin(path: Path) -> Path:
    """A video of a squatting mannequin, for machines without one of a person."""
    from fitmotion_models.mover import make_mover
    from fitmotion_models.viewer.mannequin import write_clip_video

    write_clip_video(path, make_mover("squat", fps=FPS))
    return path


def prepare_video(videos: list[Path], path: Path) -> Path:
    """Join videos into one of 640x480 at 30 Hz, light to decode: whole pictures, black beside them.

    Raises VideoError when there is no frame or it cannot be written, SourceError for a video that cannot be read.
    """
    import cv2

    from fitmotion_models.pose.image_source import open_source

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise VideoError(f"cannot write {path}; is the disk full?")
    count = 0
    try:
        for video in videos:
            source = open_source(str(video))
            for _ in range(MAX_FRAMES):
                frame = source.read()
                if frame is None:
                    break
                writer.write(letterbox(frame.image_bgr))
                count += 1
            source.close()
    finally:
        writer.release()
    if not count:
        raise VideoError("the videos have no frame")
    return path


def letterbox(image: Any) -> Any:
    """The whole image (H, W, 3) in 480x640, centred, black beside it; uint8."""
    import cv2

    scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    framed = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    framed[top : top + size[1], left : left + size[0]] = small
    return framed
