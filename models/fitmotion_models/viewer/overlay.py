"""The camera's picture with skeletons over it, what fails in red where it fails, the score and the repetitions."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fitmotion_models.fms.criteria import MIN_JOINT_CONFIDENCE
from fitmotion_models.fms.values import NOT_SCORABLE, Criterion, Phase, Verdict
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.convert import to_smpl22
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.canvas import BOLD, SEMIBOLD, Box, Canvas, Image
from fitmotion_models.viewer.figure import BONES, POINTS, bone_colour, measured_lines
from fitmotion_models.viewer.live_test import LiveTest, fault_text

Array = NDArray[np.float64]

# sizes in units, see canvas.py
MARGIN, PADDING = 10.0, 9.0
BONE, OUTLINE, JOINT = 3.0, 1.6, 3.4
FAULT_LINE, FAULT_JOINT = 5.5, 6.0
HEADER_WIDTH, HEADER_HEIGHT, BADGE = 262.0, 72.0, 25.0
TITLE_TEXT, STATUS_TEXT, FAULT_TEXT, ADVICE_TEXT, SCORE_TEXT = 18.0, 13.5, 14.0, 14.0, 34.0
PIP, PIP_STEP, LABEL_HEIGHT = 4.2, 13.0, 43.0
GUIDANCE_TEXT = 12.5
LONGEST_LEADER = 45.0
MOST_LABELS = 3  # more at once nobody reads; all that fail are red nevertheless
# joints with a dot: not those along the spine and within the foot, which are interpolated
_NO_DOTS = ("spine1", "spine2", "spine3", "collar", "_foot")
_DOTS = tuple(index for index, name in enumerate(POINTS) if not name.endswith(_NO_DOTS))
_HALO = (0.05, 0.05, 0.07)


def fitted(image: Image, longest_side: int) -> tuple[Image, float]:
    """An image of one's own to draw on, scaled down to a longest side in pixels, and the scale (at most 1)."""
    height, width = image.shape[:2]
    scale = min(1.0, longest_side / max(height, width))
    if scale == 1.0:
        return image.copy(), 1.0
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), scale


def draw_overlay(
    image: Image,
    keypoints: Keypoints | None,
    test: LiveTest,
    *,
    scale: float = 1.0,
    others: Sequence[tuple[Keypoints, LiveTest]] = (),
    guidance: Sequence[str] = (),
) -> None:
    """Draw everything onto a picture, in place.

    image: (H, W, 3) uint8 BGR. keypoints: of this picture before it was scaled by `scale`; None when nobody was found.
    others: further people in it; whoever is not assessed is grey. guidance: what is wrong with the camera's view.
    """
    canvas = Canvas(image)
    # the words first: where body and words meet, the body stays to be seen
    taken = [_draw_header(canvas, test)]
    if guidance:
        taken.append(_draw_guidance(canvas, guidance[0], taken[0]))
    _draw_advice(canvas, test, seen=keypoints is not None)
    for other, its_test in others:
        points, confidence = image_points(other)
        _draw_skeleton(canvas, points * scale, confidence, grey=not its_test.is_assessed)
    if keypoints is None:
        return
    points, confidence = image_points(keypoints)
    points *= scale
    if test.is_assessed:
        draw_body(canvas, points, confidence, test.faults, *taken)
    else:
        _draw_skeleton(canvas, points, confidence, grey=True)


def draw_body(canvas: Canvas, points: Array, confidence: Array, faults: Iterable[Criterion], *taken: Box) -> None:
    """Draw the skeleton, and what fails in red where it fails, with words.

    points, confidence: see `image_points`, in the canvas's pixels. taken: where no words may stand.
    """
    _draw_skeleton(canvas, points, confidence)
    placed = [(fault, _seen_joints(fault, points, confidence)) for fault in faults]
    for _, joints in placed:
        _draw_fault(canvas, joints, points)
    body, boxes = _body_box(points, confidence), list(taken)
    for fault, joints in placed[:MOST_LABELS]:
        if joints:
            boxes.append(_draw_label(canvas, fault, points[list(joints)], body, boxes))


def image_points(keypoints: Keypoints) -> tuple[Array, Array]:
    """The points of `figure.POINTS` in a picture: (26, 2) pixels, NaN where unseen, and confidence (26,).

    A joint that the set has not, such as the pelvis, is where its neighbours say. Outside of the picture is unseen too
    where the set says nothing: landmarks without confidence.
    """
    flat = np.concatenate([keypoints.pixels, np.zeros((len(keypoints.pixels), 1), np.float32)], axis=-1)
    body = to_smpl22(flat, keypoints.confidence, keypoints.joint_set)
    points = np.concatenate([body.positions, body.feet])[:, :2]
    return points, np.concatenate([body.confidence, body.feet_confidence])


# ---- the body --------------------------------------------------------------------------------------------------------


def _draw_skeleton(canvas: Canvas, points: Array, confidence: Array, *, grey: bool = False) -> None:
    """Bones over a dark outline, so that they show on light and dark clothes; guessed ones thin and grey.

    grey: all of them, and no dots: somebody who is in view and not assessed.
    """
    seen = np.asarray(np.isfinite(points).all(axis=-1))
    bones = [bone for bone in BONES if seen[list(bone)].all()]
    sure = {bone: bool(confidence[list(bone)].min() >= MIN_JOINT_CONFIDENCE) for bone in bones}
    for start, end in bones:
        canvas.line(points[start], points[end], _HALO, (BONE if sure[start, end] else 1.0) + 2 * OUTLINE)
    for start, end in bones:
        colour = bone_colour((start, end)) if sure[start, end] and not grey else palette.UNKNOWN
        canvas.line(points[start], points[end], colour, BONE if sure[start, end] else 1.0)
    for point in () if grey else _DOTS:
        if seen[point] and confidence[point] >= MIN_JOINT_CONFIDENCE:
            canvas.disc(points[point], JOINT + OUTLINE, _HALO)
            canvas.disc(points[point], JOINT, palette.JOINT)


def _seen_joints(fault: Criterion, points: Array, confidence: Array) -> tuple[int, ...]:
    return tuple(
        joint
        for joint in fault.joints
        if joint < len(points) and np.isfinite(points[joint]).all() and confidence[joint] >= MIN_JOINT_CONFIDENCE
    )


def _draw_fault(canvas: Canvas, joints: tuple[int, ...], points: Array) -> None:
    for start, end in measured_lines(joints):
        canvas.line(points[start], points[end], palette.TEXT, FAULT_LINE + 2 * OUTLINE)
        canvas.line(points[start], points[end], palette.FAULT, FAULT_LINE)
    for joint in joints:
        canvas.disc(points[joint], FAULT_JOINT + OUTLINE, palette.TEXT)
        canvas.disc(points[joint], FAULT_JOINT, palette.FAULT)


# ---- the header ------------------------------------------------------------------------------------------------------


def _draw_header(canvas: Canvas, test: LiveTest) -> Box:
    """The score in a disc; beside it the movement, how many repetitions, the phase, and a dot for every criterion."""
    unit = canvas.unit
    left = top = MARGIN * unit
    right, bottom = min(left + HEADER_WIDTH * unit, canvas.width - left), top + HEADER_HEIGHT * unit
    canvas.panel((left, top, right, bottom))
    centre = np.array([left + (PADDING + BADGE) * unit, 0.5 * (top + bottom)])
    canvas.disc(centre, BADGE, palette.score_colour(test.score))
    score = "–" if test.score is None else "?" if test.score == NOT_SCORABLE else str(test.score)
    canvas.centred(score, (float(centre[0]), float(centre[1])), SCORE_TEXT, palette.TEXT)
    start = left + (2 * PADDING + 2 * BADGE + 2) * unit
    width = right - start - PADDING * unit
    title = canvas.wrapped(test.title, width, TITLE_TEXT, 1, BOLD)[0]
    canvas.text(title, start, top + 24 * unit, TITLE_TEXT, palette.TEXT, BOLD)
    status = canvas.wrapped(test.status, width, STATUS_TEXT, 1)[0]
    canvas.text(status, start, top + 43 * unit, STATUS_TEXT, palette.QUIET_TEXT)
    for number, criterion in enumerate(test.verdicts):
        place = np.array([start + (PIP + number * PIP_STEP) * unit, top + 58 * unit])
        if criterion.verdict is Verdict.NOT_SEEN:
            canvas.ring(place, PIP - 0.7, palette.UNKNOWN, 1.4)
        else:
            canvas.disc(place, PIP, palette.VERDICTS[criterion.verdict])
    return left, top, right, bottom


def _draw_guidance(canvas: Canvas, sentence: str, header: Box) -> Box:
    """What is wrong with the camera's view, small, under the header; returns its box."""
    unit = canvas.unit
    left, top = header[0], header[3] + 0.5 * MARGIN * unit
    start = left + (PADDING + 4) * unit
    rows = canvas.wrapped(sentence, header[2] - start - 0.5 * PADDING * unit, GUIDANCE_TEXT, 3)
    line = 1.3 * GUIDANCE_TEXT * unit
    box = left, top, header[2], top + len(rows) * line + 0.9 * PADDING * unit
    canvas.panel(box)
    canvas.panel((left, top, left + 4 * unit, box[3]), palette.FAIR, opacity=1.0, radius=2.0)
    for number, row in enumerate(rows):
        canvas.text(row, start, top + 0.4 * PADDING * unit + (number + 0.78) * line, GUIDANCE_TEXT, palette.TEXT)
    return box


# ---- words on what fails ---------------------------------------------------------------------------------------------


def _draw_label(canvas: Canvas, fault: Criterion, places: Array, body: Box, taken: list[Box]) -> Box:
    """What fails in words, beside the body, joined by a line to where it fails; returns the label's box.

    places: (N, 2) pixels of the criterion's joints, what it is about first.
    """
    name, _, numbers = fault_text(fault).partition(": ")
    unit = canvas.unit
    wide = max(canvas.text_width(name, FAULT_TEXT, SEMIBOLD), canvas.text_width(numbers, FAULT_TEXT - 1))
    box = _free_box(canvas, wide + 2 * PADDING * unit, places[:2].mean(axis=0), body, taken)
    left, top, right, bottom = box
    middle = 0.5 * (left + right), 0.5 * (top + bottom)
    ends = np.array([[left, middle[1]], [right, middle[1]], [middle[0], top], [middle[0], bottom]])
    gaps = np.linalg.norm(ends[:, None] - places[None, :2], axis=-1)
    end, joint = np.unravel_index(int(gaps.argmin()), gaps.shape)
    # from over or under the body a long line would cross what is well; what fails is red anyway
    if left >= body[2] or right <= body[0] or gaps.min() < LONGEST_LEADER * unit:
        canvas.line(places[joint], ends[end], palette.TEXT, 3.4)
        canvas.line(places[joint], ends[end], palette.FAULT, 1.6)
    canvas.panel(box, palette.FAULT, opacity=0.92, radius=6.0)
    start = left + PADDING * unit
    canvas.text(name, start, top + 18 * unit, FAULT_TEXT, palette.TEXT, SEMIBOLD)
    canvas.text(numbers, start, top + 35 * unit, FAULT_TEXT - 1, palette.TEXT)
    return box


def _body_box(points: Array, confidence: Array) -> Box:
    seen = points[np.isfinite(points).all(axis=-1) & (confidence >= MIN_JOINT_CONFIDENCE)]
    if not len(seen):
        return 0.0, 0.0, 0.0, 0.0
    low, high = seen.min(axis=0), seen.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _free_box(canvas: Canvas, wide: float, place: Array, body: Box, taken: list[Box]) -> Box:
    """Room for a label: beside the body on the side of the place, or the other one; as high as the place, or near.

    Where neither side has room, over the body or under it.
    """
    unit = canvas.unit
    margin, high = MARGIN * unit, LABEL_HEIGHT * unit
    sides = [body[2] + 2 * margin, body[0] - 2 * margin - wide]
    # clearly on the left, so that a label for the middle of the body does not jump from side to side
    if place[0] < 0.5 * (body[0] + body[2]) - 0.12 * (body[2] - body[0]):
        sides.reverse()
    inside = [left for left in sides if margin <= left <= canvas.width - margin - wide]
    lowest = canvas.height - margin - high
    if inside:
        left, height = inside[0], float(place[1]) - 0.5 * high
    else:  # the body fills the picture's width: over it or under it, whichever is nearer and in the picture
        left = min(max(float(place[0]) - 0.5 * wide, margin), canvas.width - margin - wide)
        over, under = body[1] - 2 * margin - high, body[3] + 2 * margin
        near_over = float(place[1]) - body[1] < body[3] - float(place[1])
        height = over if over >= margin and (near_over or under > lowest) else under
    wanted = min(max(height, margin), lowest)
    step = high + 5 * unit
    for top in (wanted, *(wanted + sign * number * step for number in range(1, 9) for sign in (1, -1))):
        box = (left, top, left + wide, top + high)
        if margin <= top <= lowest and not any(_overlap(box, other) for other in taken):
            return box
    return left, wanted, left + wide, wanted + high


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _draw_advice(canvas: Canvas, test: LiveTest, *, seen: bool) -> None:
    """What to do, in a bar at the bottom: for the first fault, for a score that could not be given, or to be seen."""
    text, colour = _advice(test, seen)
    if not text:
        return
    unit = canvas.unit
    left, right = MARGIN * unit, canvas.width - MARGIN * unit
    start = left + (PADDING + 8) * unit
    rows = canvas.wrapped(text, right - start - PADDING * unit, ADVICE_TEXT, 2)
    line = 1.35 * ADVICE_TEXT * unit
    bottom = canvas.height - MARGIN * unit
    top = bottom - len(rows) * line - 2 * PADDING * unit + 4 * unit
    canvas.panel((left, top, right, bottom))
    canvas.panel((left, top, left + 6 * unit, bottom), colour, opacity=1.0, radius=3.0)
    for number, row in enumerate(rows):
        baseline = top + (PADDING - 2) * unit + (number + 0.76) * line
        canvas.text(row, start, baseline, ADVICE_TEXT, palette.TEXT)


def _advice(test: LiveTest, seen: bool) -> tuple[str, palette.Rgb]:
    if not seen:
        return "Nobody is seen: step into the picture, from head to feet.", palette.UNKNOWN
    if test.faults:
        return test.faults[0].advice, palette.FAULT
    if test.phase is Phase.STANDING and test.assessment is not None and test.score == NOT_SCORABLE:
        return f"Not scorable. {test.assessment.reason}", palette.FAIR
    return "", palette.GOOD
