"""Small drawings for each step of a screen: what the camera should see, and where it stands, as SVG for dark pages.

Bodies are tables of places in the picture, metres: to the right, up from the floor. They stand as the camera sees them
from the place that `screen_texts` gives: from the person's left where it stands beside them.
"""

from fitmotion_models.fms.screen import ClearingTest
from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.screen_guide import Step
from fitmotion_models.viewer.screen_texts import TEST_TEXTS

Place = tuple[float, float]
Stroke = tuple[Place, ...]
# part -> strokes: the limbs of both sides, trunk and neck, what the person holds or stands on; head: its middle
Drawing = dict[str, tuple[Stroke, ...]]

_UNITS = 100.0  # of the SVG in a metre
_HEAD = 0.11
_LINES = {"thing": 3.0, "far": 7.0, "trunk": 9.0, "near": 8.0}
_THING, _FLOOR, _FRAME, _CAMERA = "#d9b778", "#6b7280", "#8b93a0", "#e6e9ee"

_SQUAT: Drawing = {
    "trunk": (((0.23, 0.43), (0.03, 0.89)),),
    "left": (
        ((0.23, 0.43), (-0.17, 0.46), (0.0, 0.08), (-0.18, 0.02)),
        ((0.05, 0.86), (0.02, 1.12), (-0.02, 1.38)),
    ),
    "head": (((-0.03, 1.04),),),
    "dot": (((-0.02, 1.4),),),
}
_BOARD: Stroke = ((0.02, 0.02), (0.16, 0.02))
_HURDLE: Drawing = {
    "thing": (((-0.55, 1.43), (0.55, 1.43)), ((-0.48, 0.0), (-0.48, 0.5), (0.48, 0.5), (0.48, 0.0))),
    "right": (
        ((-0.1, 0.92), (-0.1, 0.5), (-0.1, 0.08), (-0.15, 0.02)),
        ((-0.18, 1.4), (-0.42, 1.2), (-0.38, 1.43)),
    ),
    "trunk": (((0.0, 0.92), (0.0, 1.42)), ((-0.18, 1.4), (0.18, 1.4)), ((-0.1, 0.92), (0.1, 0.92))),
    "left": (((0.1, 0.92), (0.13, 0.98), (0.12, 0.66), (0.14, 0.58)), ((0.18, 1.4), (0.42, 1.2), (0.38, 1.43))),
    "head": (((0.0, 1.62),),),
}
_LUNGE: Drawing = {
    "thing": (((0.13, 0.42), (0.13, 1.36)),),
    "right": (((0.02, 0.53), (0.1, 0.12), (0.46, 0.14), (0.44, 0.02)), ((0.02, 0.98), (-0.14, 1.1), (0.12, 1.14))),
    "trunk": (((0.02, 0.53), (0.02, 1.03)),),
    "left": (((0.02, 0.53), (-0.37, 0.5), (-0.35, 0.08), (-0.53, 0.02)), ((0.02, 0.98), (-0.1, 0.78), (0.12, 0.7))),
    "head": (((0.0, 1.22),),),
}
_SHOULDER: Drawing = {
    "trunk": (((0.0, 0.92), (0.0, 1.42)), ((-0.18, 1.4), (0.18, 1.4)), ((-0.1, 0.92), (0.1, 0.92))),
    "left": (
        ((-0.1, 0.92), (-0.1, 0.5), (-0.1, 0.08), (-0.13, 0.02)),
        ((-0.18, 1.4), (-0.27, 1.66), (-0.04, 1.3)),
    ),
    "right": (((0.1, 0.92), (0.1, 0.5), (0.1, 0.08), (0.13, 0.02)), ((0.18, 1.4), (0.3, 1.14), (0.05, 1.12))),
    "head": (((0.0, 1.62),),),
    "fists": (((-0.03, 1.29),), ((0.04, 1.13),)),
}
_LEG_RAISE: Drawing = {
    "right": (((0.1, 0.1), (-0.32, 0.1), (-0.74, 0.1), (-0.76, 0.26)),),
    "trunk": (((0.1, 0.1), (0.62, 0.1)),),
    "left": (((0.1, 0.1), (-0.02, 0.5), (-0.12, 0.91), (0.02, 1.0)), ((0.56, 0.11), (0.3, 0.05), (0.05, 0.05))),
    "head": (((0.8, 0.13),),),
}
_PUSH_UP: Drawing = {
    "right": (((-0.52, 0.53), (-0.6, 0.28), (-0.56, 0.03)),),
    "trunk": (((-0.55, 0.54), (-0.05, 0.37)),),
    "left": (
        ((-0.05, 0.37), (0.36, 0.23), (0.76, 0.1), (0.8, 0.02)),
        ((-0.55, 0.53), (-0.53, 0.28), (-0.58, 0.03)),
    ),
    "head": (((-0.72, 0.62),),),
}
_ROTARY: Drawing = {
    "right": (((-0.35, 0.55), (-0.35, 0.28), (-0.35, 0.03)), ((0.25, 0.55), (0.25, 0.08), (0.64, 0.06))),
    "trunk": (((-0.38, 0.55), (0.25, 0.55)),),
    "left": (((-0.35, 0.55), (-0.62, 0.58), (-0.9, 0.61)), ((0.25, 0.55), (0.66, 0.56), (1.0, 0.55), (1.04, 0.47))),
    "head": (((-0.55, 0.68),),),
}
_DIAGONAL: Drawing = _ROTARY | {
    "right": (_ROTARY["right"][0], _ROTARY["left"][1]),
    "left": (_ROTARY["left"][0], _ROTARY["right"][1]),
}
_IMPINGEMENT: Drawing = _SHOULDER | {
    "left": (((0.1, 0.92), (0.1, 0.5), (0.1, 0.08), (0.13, 0.02)), ((0.18, 1.4), (0.06, 1.56), (-0.17, 1.42))),
    "right": (((-0.1, 0.92), (-0.1, 0.5), (-0.1, 0.08), (-0.13, 0.02)), ((-0.18, 1.4), (-0.24, 1.15), (-0.24, 0.9))),
    "fists": (),
}
_PRESS_UP: Drawing = {
    "trunk": (((0.1, 0.09), (-0.1, 0.22), (-0.3, 0.5)),),
    "left": (((0.1, 0.09), (0.52, 0.06), (0.94, 0.06), (1.0, 0.02)), ((-0.3, 0.5), (-0.27, 0.26), (-0.34, 0.03))),
    "head": (((-0.36, 0.68),),),
}
_ROCKING: Drawing = {
    "trunk": (((0.4, 0.26), (0.1, 0.27), (-0.14, 0.18)),),
    "left": (((0.4, 0.26), (0.02, 0.08), (0.44, 0.06), (0.5, 0.02)), ((-0.14, 0.18), (-0.42, 0.08), (-0.7, 0.03))),
    "head": (((-0.28, 0.14),),),
}
_TESTS: dict[Movement, Drawing] = {
    Movement.DEEP_SQUAT: _SQUAT,
    Movement.HURDLE_STEP: _HURDLE,
    Movement.INLINE_LUNGE: _LUNGE,
    Movement.SHOULDER_MOBILITY: _SHOULDER,
    Movement.ACTIVE_STRAIGHT_LEG_RAISE: _LEG_RAISE,
    Movement.TRUNK_STABILITY_PUSH_UP: _PUSH_UP,
    Movement.ROTARY_STABILITY: _ROTARY,
}
_FORMS: dict[Variation, Drawing] = {
    Variation.DEEP_SQUAT_BOARD: _SQUAT | {"thing": (_BOARD,)},
    Variation.ROTARY_STABILITY_DIAGONAL_LEFT: _DIAGONAL,
    Variation.ROTARY_STABILITY_DIAGONAL_RIGHT: _DIAGONAL,
}
_CLEARING: dict[ClearingTest, Drawing] = {
    ClearingTest.SHOULDER_IMPINGEMENT: _IMPINGEMENT,
    ClearingTest.PRESS_UP_EXTENSION: _PRESS_UP,
    ClearingTest.ROCKING_FLEXION: _ROCKING,
}
# Bodies that lie or kneel, drawn along the picture: where their heads are, 1 to the right.
_LYING = {
    Movement.ACTIVE_STRAIGHT_LEG_RAISE: 1,
    Movement.TRUNK_STABILITY_PUSH_UP: -1,
    Movement.ROTARY_STABILITY: -1,
}
_WIDE, _TALL = 2.3, 1.9  # of the picture, metres


def drawing_of(step: Step) -> Drawing:
    """The body of a step as the camera sees it; of the right side the left one mirrored, the sides changed over."""
    if step.clearing is not None:
        return _CLEARING[step.clearing]
    drawing = _FORMS.get(step.variation, _TESTS[step.movement])
    return _mirrored(drawing) if step.side is Side.RIGHT else drawing


def _mirrored(drawing: Drawing) -> Drawing:
    other = {"left": "right", "right": "left"}
    return {
        other.get(part, part): tuple(tuple((-x, z) for x, z in stroke) for stroke in strokes)
        for part, strokes in drawing.items()
    }


def view_svg(step: Step) -> str:
    """What the camera should see: the body in the frame of a viewfinder, at the test's decisive moment."""
    wide, tall = _WIDE * _UNITS, _TALL * _UNITS
    corners = (
        f'<path d="M4 24V4H24M{wide - 24:g} 4h20v20M4 {tall - 24:g}v20h20M{wide - 24:g} {tall - 4:g}h20v-20" '
        f'fill="none" stroke="{_FRAME}" stroke-width="2"/>'
        if step.clearing is None
        else ""
    )
    floor = f'<path d="M14 {_down(0.0):.0f}H{wide - 14:g}" stroke="{_FLOOR}" stroke-width="2"/>'
    near = "right" if step.side is Side.RIGHT else "left"
    return (
        f'<svg class="fm-view" viewBox="0 0 {wide:g} {tall:g}" role="img" aria-label="the body as the camera sees it" '
        f'style="width:100%;display:block">{corners}{floor}{_body(drawing_of(step), near)}</svg>'
    )


def _body(drawing: Drawing, near: str) -> str:
    """near: the side that is drawn over the trunk."""
    far = "left" if near == "right" else "right"
    colours = {"left": palette.LEFT, "right": palette.RIGHT}
    parts = [_line(stroke, _THING, _LINES["thing"]) for stroke in drawing.get("thing", ())]
    parts += [_line(stroke, _css(colours[far]), _LINES["far"]) for stroke in drawing.get(far, ())]
    parts += [_line(stroke, _css(palette.MIDDLE), _LINES["trunk"]) for stroke in drawing["trunk"]]
    parts += [_disc(stroke[0], _HEAD, _css(palette.MIDDLE)) for stroke in drawing["head"]]
    parts += [_line(stroke, _css(colours[near]), _LINES["near"]) for stroke in drawing.get(near, ())]
    parts += [_disc(stroke[0], 0.05, _css(palette.ANGLE)) for stroke in drawing.get("fists", ())]
    parts += [_disc(stroke[0], 0.035, _THING) for stroke in drawing.get("dot", ())]
    return "".join(parts)


def plan_svg(step: Step) -> str:
    """Where the camera stands, seen from above: the camera below, the person turned as they should be."""
    camera = TEST_TEXTS[step.movement].camera
    lying = _LYING.get(step.movement)
    sign, colour = (-1, palette.RIGHT) if step.side is Side.RIGHT else (1, palette.LEFT)
    if lying:
        person = _lying_from_above(sign * lying, _css(colour))
    else:
        turned = f"translate(60 44) rotate({sign * camera.bearing_deg:g})"
        person = f'<g transform="{turned}">{_standing_from_above()}</g>'
    cone = '<path d="M60 112L24 18H96Z" fill="#ffffff12"/>'
    sight = f'<path d="M60 104V70" stroke="{_FRAME}" stroke-width="1.5" stroke-dasharray="3 4"/>'
    body = f'<rect x="48" y="112" width="24" height="15" rx="3" fill="{_CAMERA}"/>'
    lens = f'<path d="M54 112l2-6h8l2 6z" fill="{_CAMERA}"/>'
    return (
        '<svg class="fm-plan" viewBox="0 0 120 134" role="img" aria-label="where the camera stands, seen from above" '
        f'style="width:100%;display:block">{cone}{sight}{person}{body}{lens}</svg>'
    )


def _standing_from_above() -> str:
    """Shoulders, head and nose; facing down, towards a camera in front. Their left is on the right."""
    left, right, middle = _css(palette.LEFT), _css(palette.RIGHT), _css(palette.MIDDLE)
    return (
        f'<path d="M0 -8H-20a8 8 0 0 0 0 16H0z" fill="{right}"/><path d="M0 -8H20a8 8 0 0 1 0 16H0z" fill="{left}"/>'
        f'<path d="M-5 8L0 19L5 8z" fill="{middle}"/><circle r="11" fill="{middle}"/>'
    )


def _lying_from_above(head: int, legs: str) -> str:
    """A body along the picture; head: 1 to the right."""
    middle = _css(palette.MIDDLE)
    return (
        f'<g transform="translate(60 48) scale({head} 1)"><rect x="-48" y="-13" width="96" height="26" rx="4" '
        f'fill="#ffffff14"/><circle cx="34" r="9" fill="{middle}"/><path d="M24 0H-6" stroke="{middle}" '
        f'stroke-width="15" stroke-linecap="round"/><path d="M-8 -5H-42M-8 5H-42" stroke="{legs}" stroke-width="6" '
        'stroke-linecap="round"/></g>'
    )


def _across(x: float) -> float:
    return _UNITS * (_WIDE / 2 + x)


def _down(z: float) -> float:
    return _UNITS * (_TALL - 0.1 - z)


def _line(stroke: Stroke, colour: str, width: float) -> str:
    points = " ".join(f"{_across(x):.1f},{_down(z):.1f}" for x, z in stroke)
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round" '
        'stroke-linejoin="round"/>'
    )


def _disc(place: Place, radius: float, colour: str) -> str:
    return f'<circle cx="{_across(place[0]):.1f}" cy="{_down(place[1]):.1f}" r="{radius * _UNITS:g}" fill="{colour}"/>'


def _css(colour: palette.Rgb) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)


def camera_words(step: Step) -> str:
    """Where the camera goes, in two short sentences."""
    camera = TEST_TEXTS[step.movement].camera
    return f"{camera.words.rstrip('.')}. Lens {camera.height}."
