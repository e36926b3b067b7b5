"""The curves of a report: angles and distances over one repetition, as SVG that stands in the page itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fitmotion_models.fms.shown_curves import SHOWN, ShownCurve, clip_points
from fitmotion_models.fms.values import Assessment, Movement, Side
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer.figure import Array
from fitmotion_models.viewer.page_html import css
from fitmotion_models.viewer.palette import LEFT, RIGHT, on_paper

AROUND_S = 0.4  # shown before and after the repetition
SIDES = ("left", "right")
_UNITS = {"deg": ("degrees", 1.0), "m": ("cm", 100.0)}  # unit -> its name for people, and its size in them
_DASHES = ("", "6 3")  # of the first and the second curve of a panel
_COLOURS = {"left": css(on_paper(LEFT)), "right": css(on_paper(RIGHT)), "": "#3c424a"}
# the drawing, in units of its view box: a panel, its margins, and how far apart the marks of the axes are at least
_WIDTH, _HEIGHT, _GAP = 420.0, 236.0, 20.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 34.0, 44.0, 8.0, 36.0
_MARKS_ACROSS, _MARKS_UP = 7, 5
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 45.0, 90.0)  # between two marks
_TEXT = 'font-family="system-ui,sans-serif" font-size="11"'


@dataclass(frozen=True, eq=False)
class Line:
    """A curve of one side. side: "left", "right" or "" for both. values: (N,) in the unit that is shown, NaN unseen."""

    curve: ShownCurve
    side: str
    values: Array

    @property
    def name(self) -> str:
        """What it is, for people: `left knee bend`."""
        return f"{self.side} {self.curve.title}".strip()


def panel_title(curves: Sequence[ShownCurve]) -> str:
    """What a drawing shows, with its unit: `knee bend and hip bend, degrees`."""
    return f"{' and '.join(curve.title for curve in curves)}, {_UNITS[curves[0].unit][0]}"


def shown_size(curve: ShownCurve) -> float:
    """What a value of the curve is multiplied by for people: centimetres instead of metres."""
    return _UNITS[curve.unit][1]


def shown_lines(clip: MotionClip, movement: Movement, start: float, end: float) -> tuple[Array, list[list[Line]]]:
    """The stamps (N,) between two, seconds, and the lines of each panel of a test, left and right."""
    frames = np.flatnonzero((clip.stamps >= start - 1e-9) & (clip.stamps <= end + 1e-9))
    points = clip_points(clip)[frames]
    panels = []
    for curves in SHOWN[movement].panels:
        lines = []
        for curve in curves:
            for number, side in enumerate(SIDES if curve.sided else ("",)):
                values = shown_size(curve) * curve.measure(points, number)
                if np.isfinite(values).any():
                    lines.append(Line(curve, side, values))
        panels.append(lines)
    return clip.stamps[frames], panels


def curves_svg(clip: MotionClip, assessment: Assessment, moment: float) -> str:
    """The curves over a repetition; a line marks the moment that it is judged by. moment: its stamp, seconds.

    Nothing for a test that has no curves.
    """
    if assessment.movement not in SHOWN:
        return ""
    shown = SHOWN[assessment.movement]
    start, end = assessment.start - AROUND_S, assessment.end + AROUND_S
    stamps, lines = shown_lines(clip, assessment.movement, start, end)
    drawn = []
    for number, (curves, inside) in enumerate(zip(shown.panels, lines, strict=True)):
        panel = _Panel(
            left=number * (_WIDTH + _GAP),
            first=start - assessment.start,
            last=end - assessment.start,
            highest=max((float(np.nanmax(line.values)) for line in inside), default=0.0),
        )
        mark = (moment - assessment.start, shown.moment)
        drawn.append(
            _frame(panel, panel_title(curves), assessment.end - assessment.start, mark)
            + _lines(panel, stamps - assessment.start, curves, _first_the_side(inside, assessment.side))
        )
    return f'<svg viewBox="0 0 {2 * _WIDTH + _GAP:g} {_HEIGHT:g}" class="curves" {_TEXT}>{"".join(drawn)}</svg>'


def _first_the_side(lines: Sequence[Line], side: Side) -> list[Line]:
    """Only the side that was tested of a test that has sides, both of another."""
    wanted = {Side.LEFT: ("left", ""), Side.RIGHT: ("right", "")}.get(side, ("left", "right", ""))
    return [line for line in lines if line.side in wanted]


@dataclass(frozen=True)
class _Panel:
    """One drawing and its axes. left: in the view box. first, last: seconds. highest: value, in the unit shown."""

    left: float
    first: float
    last: float
    highest: float

    @property
    def up(self) -> tuple[float, float]:
        """The distance of two marks and the highest one: full steps around what is drawn."""
        step = _step(max(self.highest, 1.0) / _MARKS_UP)
        return step, step * np.ceil(max(self.highest, 1.0) / step)

    def x(self, seconds: float) -> float:
        """Where a time is."""
        wide = _WIDTH - _LEFT - _RIGHT
        return self.left + _LEFT + wide * (seconds - self.first) / (self.last - self.first)

    def y(self, value: float) -> float:
        """Where a value is."""
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / self.up[1]


def _step(least: float) -> float:
    return next((step for step in _STEPS if step >= least), _STEPS[-1])


def _frame(panel: _Panel, title: str, end: float, mark: tuple[float, str]) -> str:
    """Title, axes with their marks, the repetition as a band and a moment (seconds, name) as a line."""
    moment, name = mark
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
        f'seconds from the start of the repetition</text><line x1="{panel.x(moment):.1f}" y1="{_TOP:g}" '
        f'x2="{panel.x(moment):.1f}" y2="{bottom:g}" stroke="#8a9099" stroke-width="1" stroke-dasharray="2 3"/>'
        f'<text x="{panel.x(moment):.1f}" y="{_TOP - 3:g}" text-anchor="middle" fill="#6a717a">{name}</text>'
    )
    return "".join(drawn)


def _lines(panel: _Panel, seconds: Array, curves: Sequence[ShownCurve], lines: Sequence[Line]) -> str:
    """The curves, broken where something was not seen, and what each of them is."""
    drawn, place = [], panel.x(panel.first)
    for line in lines:
        dash = _DASHES[curves.index(line.curve)] or "none"
        style = f'fill="none" stroke="{_COLOURS[line.side]}" stroke-width="1.8" stroke-dasharray="{dash}"'
        seen = np.flatnonzero(np.isfinite(line.values))
        for run in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1):
            points = " ".join(f"{panel.x(seconds[at]):.1f},{panel.y(line.values[at]):.1f}" for at in run)
            drawn.append(f'<polyline points="{points}" {style} stroke-linejoin="round"/>')
        drawn.append(
            f'<polyline points="{place:.1f},25 {place + 18:.1f},25" {style}/>'
            f'<text x="{place + 22:.1f}" y="29" fill="#22262b">{line.name}</text>'
        )
        place += 34 + 6.0 * len(line.name)
    return "".join(drawn)
