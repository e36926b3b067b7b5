"""The drawings of a screen's report: curves left against right on the normal band, and bodies without a picture."""

import base64
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from fitmotion_models.fms.normal_bands import normal_band, over_repetition
from fitmotion_models.fms.shown_curves import SHOWN, ShownCurve, clip_points
from fitmotion_models.fms.values import Criterion, Movement
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer.figure import BONES, POINTS, body_points, bone_colour, measured_lines, point_index
from fitmotion_models.viewer.palette import FAULT, LEFT, RIGHT, on_paper
from fitmotion_models.viewer.report_curves import panel_title, shown_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE_COLOURS = {"left": on_paper(LEFT), "right": on_paper(RIGHT), "": (0.24, 0.26, 0.29)}
CURVES_SIZE = (7.2, 2.35)  # inches: the width of a page with its margins
BODY_SIZE, LYING_SIZE = (1.5, 1.8), (1.5, 0.75)
PRINT_DPI = 200
_BAND = "#dfe8df"
_QUIET = "#6a717a"
_DASHES = ("-", (0, (5, 2)))  # of the first and the second curve of a panel
_PERCENT = np.linspace(0.0, 100.0, 101)
_ROOM = 0.12  # around a drawn body, metres
_LEAST_SPAN = 10.0  # of an axis, degrees or cm: less is no movement, and would be drawn as if it were

Shown = Mapping[str, tuple[MotionClip, float, float]]
"""What is drawn: "left", "right" or "" (no side) to the clip of a repetition, its start and its end, seconds."""


def as_png(figure: "Figure") -> bytes:
    """A figure as a picture that is sharp on paper."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=PRINT_DPI)
    return file.getvalue()


def data_address(picture: bytes) -> str:
    """A PNG or JPEG as an address that stands in the page itself."""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def curves_figure(movement: Movement, shown: Shown) -> "Figure | None":
    """Both panels of a test over the share of the repetition's time; None for a test without curves.

    The band is that of correct repetitions, where there is data for the test: of the first curve of each panel alone,
    as two bands in one drawing cannot be told apart.
    """
    from matplotlib.figure import Figure

    if movement not in SHOWN or not shown:
        return None
    figure = Figure(figsize=CURVES_SIZE, layout="constrained")
    for axes, curves in zip(figure.subplots(1, 2), SHOWN[movement].panels, strict=True):
        _band(axes, movement, curves[0])
        for number, curve in enumerate(curves):
            _lines(axes, curve, shown, _DASHES[number])
        low, high = axes.get_ylim()
        short = max(_LEAST_SPAN - (high - low), 0.0)
        axes.set_ylim(low - short / 2, high + short / 2)
        axes.set_title(panel_title(curves), fontsize=8, loc="left", fontweight="bold")
        axes.set_xlim(0, 100)
        axes.set_xlabel("share of the repetition, %", fontsize=7, color=_QUIET)
        axes.tick_params(labelsize=7, colors=_QUIET, length=2)
        axes.grid(axis="y", color="#e3e6ea", linewidth=0.6)
        for edge in ("top", "right"):
            axes.spines[edge].set_visible(False)
        for edge in ("left", "bottom"):
            axes.spines[edge].set_color("#b8bec6")
        if axes.get_legend_handles_labels()[1]:
            axes.legend(fontsize=6, frameon=False, loc="best", handlelength=2.2, borderaxespad=0.1)
    return figure


def _band(axes: "Axes", movement: Movement, curve: ShownCurve) -> None:
    band = normal_band(movement, curve.name)
    if band is None:
        return
    size = shown_size(curve)
    axes.fill_between(_PERCENT, size * band.low, size * band.high, color=_BAND, linewidth=0, label="normal band")


def _lines(axes: "Axes", curve: ShownCurve, shown: Shown, style: object) -> None:
    """A curve of every repetition that is shown: of its side, or of both sides where the test has none."""
    for side, (clip, start, end) in shown.items():
        inside = np.flatnonzero((clip.stamps >= start - 1e-9) & (clip.stamps <= end + 1e-9))
        if len(inside) < 2:
            continue
        points, stamps = clip_points(clip)[inside], clip.stamps[inside]
        for number, name in enumerate(("left", "right") if not side and curve.sided else (side,)):
            index = 1 if name == "right" else number
            values = shown_size(curve) * over_repetition(stamps, curve.measure(points, index))
            label = f"{name} {'side, ' if side and not curve.sided else ''}{curve.title}".strip()
            axes.plot(_PERCENT, values, color=SIDE_COLOURS[name], linestyle=style, linewidth=1.3, label=label)


def body_figure(pose: BodyPose, failing: Iterable[Criterion], *, from_front: bool) -> "Figure":
    """A body from its front or its left side on its floor; what failed in red with its number, from 1."""
    from matplotlib.figure import Figure

    points, _ = body_points(pose)
    places = np.stack([points @ _sideways(points, from_front=from_front), points[:, 2]], axis=-1)
    extent = np.nanmax(places, axis=0) - np.nanmin(places, axis=0) if np.isfinite(places).any() else np.ones(2)
    size = LYING_SIZE if extent[0] > extent[1] else BODY_SIZE
    figure = Figure(figsize=size)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    bones = [bone for bone in BONES if np.isfinite(places[list(bone)]).all()]
    if not from_front:  # the side that is nearer last, over the other
        bones.sort(key=lambda bone: POINTS[bone[1]].startswith("left"))
    for bone in bones:
        axes.plot(*places[list(bone)].T, color=on_paper(bone_colour(bone)), linewidth=2.2, solid_capstyle="round")
    for fault in failing:
        for line in measured_lines(fault.joints):
            if np.isfinite(places[list(line)]).all():
                axes.plot(*places[list(line)].T, color=FAULT, linewidth=3.2, solid_capstyle="round")
    head = places[point_index("head")]
    if np.isfinite(head).all():
        axes.plot(*head, "o", color="#8a9099", markersize=9)
    axes.axhline(0.0, color="#b8bec6", linewidth=0.8)
    _fit(axes, places, np.array(size))
    axes.set_axis_off()
    return figure


def _sideways(points: np.ndarray, *, from_front: bool) -> np.ndarray:
    """The horizontal direction (3,) to the right of the drawing: from the left side a person faces to the left."""
    across = points[point_index("left_hip")] - points[point_index("right_hip")]
    across[2] = 0.0
    length = float(np.linalg.norm(across))
    leftwards = across / length if length > 1e-6 else np.array([0.0, 1.0, 0.0])
    return leftwards if from_front else np.array([-leftwards[1], leftwards[0], 0.0])


def _fit(axes: "Axes", places: np.ndarray, size: np.ndarray) -> None:
    """Show the whole body at one scale in both directions, with room around it."""
    seen = places[np.isfinite(places).all(axis=-1)]
    low, high = (seen.min(axis=0), seen.max(axis=0)) if len(seen) else (np.zeros(2), np.ones(2))
    low[1] = min(low[1], 0.0)
    middle, wanted = (low + high) / 2, high - low + 2 * _ROOM
    half = size * max(wanted / size) / 2
    axes.set_xlim(middle[0] - half[0], middle[0] + half[0])
    axes.set_ylim(low[1] - _ROOM, low[1] - _ROOM + 2 * half[1])
