"""The curves of a report: joint angles over one repetition, as SVG that stands in the page itself."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fitmotion_models.fms.values import Assessment
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer.figure import ANGLES, Array, angle_directions, body_points
from fitmotion_models.viewer.page_html import css
from fitmotion_models.viewer.palette import LEFT, RIGHT, on_paper

AROUND_S = 0.4  # shown before and after the repetition
# title -> the angles of `figure.ANGLES` in it, with how their lines are drawn
_PANELS = {
    "bending, degrees": {"knee": "", "hip": "6 3"},
    "leaning forward, degrees": {"trunk": "", "shin": "6 3"},
}
_COLOURS = {"left": css(on_paper(LEFT)), "right": css(on_paper(RIGHT)), "": "#3c424a"}
# the drawing, in units of its view box: a panel, its margins, and how far apart the marks of the axes are at least
_WIDTH, _HEIGHT, _GAP = 420.0, 236.0, 20.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 34.0, 44.0, 8.0, 36.0
_MARKS_ACROSS, _MARKS_UP = 7, 5
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 45.0, 90.0)  # between two marks
_TEXT = 'font-family="system-ui,sans-serif" font-size="11"'


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
    seconds = stamps - assessment.start
    panels = []
    for number, (title, kinds) in enumerate(_PANELS.items()):
        shown = {
            name: values
            for name, values in curves.items()
            if name.rpartition("_")[2] in kinds and np.isfinite(values).any()
        }
        panel = _Panel(
            left=number * (_WIDTH + _GAP),
            first=start - assessment.start,
            last=end - assessment.start,
            highest=max((float(np.nanmax(values)) for values in shown.values()), default=0.0),
        )
        panels.append(
            _frame(panel, title, assessment.end - assessment.start, lowest - assessment.start)
            + _lines(panel, seconds, shown, kinds)
        )
    return f'<svg viewBox="0 0 {2 * _WIDTH + _GAP:g} {_HEIGHT:g}" class="curves" {_TEXT}>{"".join(panels)}</svg>'


@dataclass(frozen=True)
class _Panel:
    """One drawing and its axes. left: in the view box. first, last: seconds. highest: value, degrees."""

    left: float
    first: float
    last: float
    highest: float

    @property
    def up(self) -> tuple[float, float]:
        """The lowest and the highest mark, degrees: full steps around what is drawn."""
        step = _step(max(self.highest, 1.0) / _MARKS_UP)
        return step, step * np.ceil(max(self.highest, 1.0) / step)

    def x(self, seconds: float) -> float:
        """Where a time is."""
        wide = _WIDTH - _LEFT - _RIGHT
        return self.left + _LEFT + wide * (seconds - self.first) / (self.last - self.first)

    def y(self, degrees: float) -> float:
        """Where a value is."""
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * degrees / self.up[1]


def _step(least: float) -> float:
    return next((step for step in _STEPS if step >= least), _STEPS[-1])


def _frame(panel: _Panel, title: str, end: float, lowest: float) -> str:
    """Title, axes with their marks, the repetition as a band and its lowest point as a line."""
    left, right, bottom = panel.x(panel.first), panel.x(panel.last), _HEIGHT - _BOTTOM
    step, highest = panel.up
    drawn = [
        f'<rect x="{panel.x(0.0):.1f}" y="{_TOP:g}" width="{panel.x(end) - panel.x(0.0):.1f}" '
        f'height="{bottom - _TOP:g}" fill="#f1f4f7"/>',
        f'<text x="{left:.1f}" y="13" font-size="13" font-weight="600" fill="#22262b">{title}</text>',
    ]
    for value in np.arange(0.0, highest + step / 2, step):
        drawn.append(
            f'<line x1="{left:.1f}" y1="{panel.y(value):.1f}" x2="{right:.1f}" y2="{panel.y(value):.1f}" '
            f'stroke="#d9dde2" stroke-width="{1.4 if value == 0.0 else 0.7}"/><text x="{left - 5:.1f}" '
            f'y="{panel.y(value) + 4:.1f}" text-anchor="end" fill="#6a717a">{value:g}</text>'
        )
    across = _step((panel.last - panel.first) / _MARKS_ACROSS)
    for number in range(int(np.ceil(panel.first / across)), int(np.floor(panel.last / across)) + 1):
        drawn.append(
            f'<text x="{panel.x(number * across):.1f}" y="{bottom + 14:g}" text-anchor="middle" fill="#6a717a">'
            f"{number * across:g}</text>"
        )
    drawn.append(
        f'<text x="{0.5 * (left + right):.1f}" y="{_HEIGHT - 6:g}" text-anchor="middle" fill="#6a717a">'
        f'seconds from the start of the repetition</text><line x1="{panel.x(lowest):.1f}" y1="{_TOP:g}" '
        f'x2="{panel.x(lowest):.1f}" y2="{bottom:g}" stroke="#8a9099" stroke-width="1" stroke-dasharray="2 3"/>'
        f'<text x="{panel.x(lowest):.1f}" y="{_TOP - 3:g}" text-anchor="middle" fill="#6a717a">lowest point</text>'
    )
    return "".join(drawn)


def _lines(panel: _Panel, seconds: Array, shown: Mapping[str, Array], kinds: Mapping[str, str]) -> str:
    """The curves, broken where something was not seen, and what each of them is."""
    drawn, place = [], panel.x(panel.first)
    for name, values in shown.items():
        side, _, kind = name.rpartition("_")
        style = f'fill="none" stroke="{_COLOURS[side]}" stroke-width="1.8" stroke-dasharray="{kinds[kind] or "none"}"'
        seen = np.flatnonzero(np.isfinite(values))
        for run in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1):
            points = " ".join(f"{panel.x(seconds[at]):.1f},{panel.y(values[at]):.1f}" for at in run)
            drawn.append(f'<polyline points="{points}" {style} stroke-linejoin="round"/>')
        words = name.replace("_", " ")
        drawn.append(
            f'<polyline points="{place:.1f},25 {place + 18:.1f},25" {style}/>'
            f'<text x="{place + 22:.1f}" y="29" fill="#22262b">{words}</text>'
        )
        place += 34 + 6.2 * len(words)
    return "".join(drawn)
