"""Board videos of a rig: the board found in each camera's images, at instants that all cameras share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.calibration import CameraViews
from fitmotion_models.pose.calibration_board import Board
from fitmotion_models.pose.image_source import open_source

Progress = Callable[[int, int | None], None]

# Images a second that are searched: a board that is carried slowly has hardly moved in between.
LOOKS_A_SECOND = 5.0


@dataclass(frozen=True, eq=False)
class BoardVideo:
    """One camera's video. views: where the board is. shown: the image (BGR) in which most corners were found."""

    views: CameraViews
    shown: NDArray[np.uint8] | None
    shown_stamp: float


def read_board_videos(
    specs: Sequence[str],
    names: Sequence[str],
    board: Board,
    *,
    looks_a_second: float = LOOKS_A_SECOND,
    progress: Progress | None = None,
) -> list[BoardVideo]:
    """Find the board in videos that start together.

    names: of the cameras, one a video. progress: called with (images searched, images there are or None).
    Raises ValueError (SourceError) for a video that cannot be read.
    """
    searched, found = 0, []
    for spec, name in zip(specs, names, strict=True):
        source = open_source(spec)
        try:
            if source.live:
                raise ValueError(f"{spec} is live; record the board with all cameras first, then give the videos")
            total = None if source.frame_count is None else len(specs) * round(
                source.frame_count / max(source.fps / looks_a_second, 1.0)
            )  # fmt: skip
            views, shown, shown_stamp, tick = {}, None, 0.0, 0
            while (frame := source.read()) is not None:
                if frame.stamp + 0.5 / source.fps < tick / looks_a_second:
                    continue
                # the same stamp for all cameras, whatever their rates: that of the tick
                stamp, tick = tick / looks_a_second, tick + 1
                searched += 1
                view = board.detect(frame.image_bgr)
                if view is not None:
                    if shown is None or len(view.corners) > len(views[shown_stamp].corners):
                        shown, shown_stamp = frame.image_bgr, stamp
                    views[stamp] = view
                if progress is not None:
                    progress(searched, total)
            found.append(BoardVideo(CameraViews(name, (source.width, source.height), views), shown, shown_stamp))
        finally:
            source.close()
    return found
