"""The curves of a report: joint angles over one repetition, as SVG that stands in the page itself."""

import io

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitmotion_models.fms.values import Assessment
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer.figure import ANGLES, Array, angle_directions, body_points
from fitmotion_models.viewer.page_html import css
from fitmotion_models.viewer.palette import LEFT, RIGHT
from fitmotion_models.viewer.report_pictures import on_paper

AROUND_S = 0.4  # shown before and after the repetition
# title -> the angles of `figure.ANGLES` in it, with how their lines are drawn
_PANELS = {
    "bending, degrees": {"knee": "-", "hip": "--"},
    "leaning forward, degrees": {"trunk": "-", "shin": "--"},
}
_COLOURS = {"left": css(on_paper(LEFT)), "right": css(on_paper(RIGHT)), "": "#3c424a"}


def angle_curves(clip: MotionClip, start: float, end: float) -> tuple[Array, dict[str, Array]]:
    """Stamps (N,) in seconds and for each of `figure.ANGLES` its size (N,) in degrees, NaN where unseen."""
    frames = np.flatnonzero((clip.stamps >= start - 1e-9) & (clip.stamps <= end + 1e-9))
    curves = {shown.name: np.full(len(frames), np.nan) for shown in ANGLES}
    for number, frame in enumerate(frames):
        points, _ = body_points(clip.frame(int(frame)))
        for shown in ANGLES:
            directions = angle_directions(shown, points)
            if directions is not None:
                curves[shown.name][number] = np.rad2deg(directions[2])
    return clip.stamps[frames], curves


def curves_svg(clip: MotionClip, assessment: Assessment, lowest: float) -> str:
    """The angles over a repetition; a line marks the lowest point. lowest: its stamp, seconds."""
    start, end = assessment.start - AROUND_S, assessment.end + AROUND_S
    stamps, curves = angle_curves(clip, start, end)
    figure = Figure(figsize=(8.2, 2.9), layout="constrained")
    for axes, (title, kinds) in zip(figure.subplots(1, 2), _PANELS.items(), strict=True):
        for name, values in curves.items():
            side, _, kind = name.rpartition("_")
            if kind in kinds and np.isfinite(values).any():
                label = name.replace("_", " ")
                axes.plot(stamps - assessment.start, values, kinds[kind], color=_COLOURS[side], lw=1.6, label=label)
        _finish(axes, title, (start - assessment.start, end - assessment.start), lowest - assessment.start)
        axes.axvspan(0.0, assessment.end - assessment.start, color="#00000009", lw=0)
    written = io.StringIO()
    # several drawings stand in one page: the salt makes the names of their parts differ, and be the same every time
    salt = f"{assessment.trial}-{assessment.repetition}-{assessment.start}"
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    return text[text.index("<svg") :]


def _finish(axes: Axes, title: str, limits: tuple[float, float], lowest: float) -> None:
    axes.axvline(lowest, color="#888", lw=1.0, ls=":")
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel("seconds from the start of the repetition", fontsize=9)
    axes.set_xlim(*limits)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.lines[:-1]:
        axes.legend(fontsize=8, frameon=False, ncols=2)
