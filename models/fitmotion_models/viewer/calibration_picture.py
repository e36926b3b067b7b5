"""A picture of a calibration: the board as each camera saw it, where all corners were, and the cameras from above."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.pose.calibration import Calibrated
from fitmotion_models.pose.calibration_videos import BoardVideo
from fitmotion_models.pose.rig import Rig
from fitmotion_models.viewer.agreement_picture import check_picture_path
from fitmotion_models.viewer.palette import GOOD, LEFT, on_paper

_SIGHT_M = 0.6  # length of the line of sight that is drawn from a camera


def save_calibration_picture(path: Path, found: Calibrated, videos: Sequence[BoardVideo]) -> None:
    """Write the picture, a panel a camera and one for all. Raises ValueError as `check_picture_path`, OSError."""
    from matplotlib.figure import Figure

    check_picture_path(path)
    columns = 2 if len(videos) < 4 else 3
    rows = -(-(len(videos) + 1) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.9 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, video in zip(panels, videos, strict=False):
        _camera(panel, video, found)
    _from_above(panels[len(videos)], found.rig)
    for panel in panels[len(videos) + 1 :]:
        panel.set_visible(False)
    figure.savefig(path, dpi=110)


def _camera(axes: Any, video: BoardVideo, found: Calibrated) -> None:
    width, height = video.views.size
    if video.shown is not None:
        grey = video.shown.mean(-1) if video.shown.ndim == 3 else video.shown
        axes.imshow(grey, cmap="gray", vmin=0, vmax=255, alpha=0.55)
        shown = video.views.views[video.shown_stamp].pixels
        axes.plot(*shown.T, "+", color=on_paper(GOOD), markersize=7, label=f"corners at {video.shown_stamp:.1f} s")
    every = np.concatenate([view.pixels for view in video.views.views.values()])
    axes.plot(*every.T, ".", color=on_paper(LEFT), markersize=1.5, alpha=0.7, label="in all images")
    error = found.errors[video.views.name]
    axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[], aspect="equal")
    axes.set_title(
        f"{video.views.name}: {error.rms:.2f} px (worst {error.worst:.1f}), {error.views} views, "
        f"{100 * error.covered:.0f} % of the image",
        fontsize=9,
    )
    axes.legend(fontsize=7, loc="lower right")


def _from_above(axes: Any, rig: Rig) -> None:
    for camera in rig.cameras:
        x, y, z = camera.position
        sight = camera.rotation[2] * _SIGHT_M
        axes.annotate("", (x + sight[0], y + sight[1]), (x, y), arrowprops={"arrowstyle": "->", "color": "#777"})
        axes.plot(x, y, "o", color=on_paper(LEFT))
        axes.annotate(f"{camera.name}\n{z:.2f} m high", (x, y), xytext=(6, 4), textcoords="offset points", fontsize=8)
    axes.plot(0, 0, "s", color=on_paper(GOOD), label="origin: the board on the floor")
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.25)
    axes.set(xlabel="x, metres", ylabel="y, metres", title="From above")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)


# name -> width and height of the sheet in landscape, millimetres (ISO 216)
SHEETS_MM = {"A4": (297, 210), "A3": (420, 297), "A2": (594, 420), "A1": (841, 594), "A0": (1189, 841)}
_MARGIN_MM = 8.0
_MILLIMETRES_PER_INCH = 25.4


def save_board(path: Path, picture: Any, size_m: tuple[float, float], words: str) -> str:
    """Write a board in its true size on the smallest sheet that holds it; returns that sheet's name.

    picture: the board (grey). size_m: its width and height. words: printed under it. Raises ValueError where no sheet
    is large enough, and as `check_picture_path`.
    """
    from matplotlib.figure import Figure

    check_picture_path(path)
    width, height = (side * 1000.0 for side in size_m)
    fitting = [
        name
        for name, (across, down) in SHEETS_MM.items()
        if width + 2 * _MARGIN_MM <= across and height + 2 * _MARGIN_MM <= down
    ]
    if not fitting:
        raise ValueError(
            f"a board of {width:.0f} x {height:.0f} mm fits on no sheet up to A0; take fewer or smaller squares"
        )
    across, down = SHEETS_MM[fitting[0]]
    figure = Figure(figsize=(across / _MILLIMETRES_PER_INCH, down / _MILLIMETRES_PER_INCH))
    left, bottom = (across - width) / 2 / across, (down - height) / 2 / down
    axes = figure.add_axes((left, bottom, width / across, height / down))
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    axes.axis("off")
    figure.text(0.5, min(bottom / 2, 0.03), words, ha="center", va="center", fontsize=7, color="#444")
    figure.savefig(path, dpi=300)
    return fitting[0]
