"""Key frames for a report: the stick figure over the picture with the face made unrecognisable, or the figure alone."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from fitmotion_models.fms.values import Criterion
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import JOINT_SETS
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.canvas import Canvas, Image
from fitmotion_models.viewer.figure import BONES, POINTS, Array, body_points, bone_colour, measured_lines, point_index
from fitmotion_models.viewer.overlay import draw_body, image_points
from fitmotion_models.viewer.page_html import css
from fitmotion_models.viewer.palette import on_paper

LONGEST_SIDE, JPEG_QUALITY = 640, 82
_SHOWN_WIDTH = 330.0  # units across a picture: words of 14 units can be read where three pictures stand side by side
# what is shown of a picture: the person with some room around them, at least so high (pixels), so wide for its height
_ROOM, _LEAST_HEIGHT, _ASPECT = np.array([1.5, 1.3]), 160.0, 0.75
# What is left of a face: this many blocks across the covered circle, too few for features or identity.
BLOCKS = 5
# Radius of the covered circle: the landmarks' spread alone is small in profile, so that lengths of the body count too
# (a head with its hair is about half as high as a trunk is long).
_SPREADS, _TRUNKS, _SHOULDERS = 1.8, 0.5, 0.5
_FACE_WORDS = ("nose", "eye", "ear", "mouth", "head")
# stick figures, units of the drawing
_SIZE, _SCALE = 230.0, 100.0  # one metre is _SCALE units
_MARK, _BESIDE = 7.0, 16.0  # radius of a fault's number, and how far from it it stands

Crop = tuple[int, int, int, int]  # left, top, right, bottom, pixels


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame of a recording. stamp: seconds. image: (H, W, 3) uint8 BGR. keypoints: in it; None: nobody found."""

    stamp: float
    image: Image
    keypoints: Keypoints | None


def blur_face(image: Image, keypoints: Keypoints | None) -> Image:
    """A copy in which the face cannot be recognised; all of the picture where it is not known where the face is."""
    covered = image.copy()
    height, width = image.shape[:2]
    circle = None if keypoints is None else _face_circle(keypoints)
    blocks = _pixelated(image, BLOCKS * 2)
    if circle is None:
        return blocks
    (x, y), radius = circle
    left, top = max(int(x - radius), 0), max(int(y - radius), 0)
    right, bottom = min(int(x + radius) + 1, width), min(int(y + radius) + 1, height)
    if right <= left or bottom <= top:
        return covered  # the head is outside of the picture
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, (round(x), round(y)), round(radius), 255, -1)
    patch = image.copy()
    patch[top:bottom, left:right] = _pixelated(image[top:bottom, left:right], BLOCKS)
    covered[mask > 0] = patch[mask > 0]
    return covered


def _pixelated(image: Image, blocks: int) -> Image:
    """The picture as so many smooth blocks across: what is finer is gone, not hidden."""
    small = cv2.resize(image, (blocks, blocks), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _face_circle(keypoints: Keypoints) -> tuple[Array, float] | None:
    """Middle and radius of the head in the picture, pixels; also of landmarks that the model is not sure of."""
    names = JOINT_SETS[keypoints.joint_set].joints
    pixels = keypoints.pixels.astype(np.float64)
    face = pixels[[any(word in name for word in _FACE_WORDS) for name in names]]
    face = face[np.isfinite(face).all(axis=-1)]
    points, _ = image_points(keypoints)
    left, right = points[point_index("left_shoulder")], points[point_index("right_shoulder")]
    shoulders, hips = 0.5 * (left + right), points[0]
    trunk = float(np.linalg.norm(shoulders - hips))
    if len(face):
        middle, spread = face.mean(axis=0), float(np.linalg.norm(face - face.mean(axis=0), axis=-1).max())
    elif np.isfinite(trunk):
        middle, spread = shoulders + 0.45 * (shoulders - hips), 0.0
    else:
        return None
    lengths = (_SPREADS * spread, _TRUNKS * trunk, _SHOULDERS * float(np.linalg.norm(left - right)))
    seen = [length for length in lengths if np.isfinite(length)]
    return middle, max([*seen, 8.0])


def common_crop(pictures: Iterable[Picture]) -> Crop | None:
    """The part of all these pictures in which the person is: upright, with room around them; None: all of it.

    One part for all, so that the pictures can be compared.
    """
    bodies: list[Array] = []
    size = (0, 0)
    for picture in pictures:
        if picture.keypoints is None or (bodies and picture.image.shape[:2] != size):
            return None
        size = picture.image.shape[:2]
        points, _ = image_points(picture.keypoints)
        bodies.append(points[np.isfinite(points).all(axis=-1)])
    found = np.concatenate(bodies) if bodies else np.zeros((0, 2))
    if not len(found):
        return None
    height, width = size
    low, high = np.clip(found.min(axis=0), 0, (width, height)), np.clip(found.max(axis=0), 0, (width, height))
    middle, room = 0.5 * (low + high), _ROOM * (high - low)
    tall = min(max(room[1], room[0] / _ASPECT, _LEAST_HEIGHT), height)
    wide = min(_ASPECT * tall, width)
    left = int(np.clip(middle[0] - 0.5 * wide, 0, width - wide))
    top = int(np.clip(middle[1] - 0.5 * tall, 0, height - tall))
    return left, top, left + int(wide), top + int(tall)


def key_frame(picture: Picture, failing: Iterable[Criterion], *, keep_faces: bool, crop: Crop | None = None) -> str:
    """The picture as of `key_frame_jpeg`, as an `<img>` that holds its own data."""
    data = key_frame_jpeg(picture, failing, keep_faces=keep_faces, crop=crop)
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'


def key_frame_jpeg(
    picture: Picture, failing: Iterable[Criterion], *, keep_faces: bool = False, crop: Crop | None = None
) -> bytes:
    """The picture with the stick figure, failing criteria red and in words, as a JPEG file's content."""
    image = picture.image if keep_faces else blur_face(picture.image, picture.keypoints)
    left, top, right, bottom = crop or (0, 0, image.shape[1], image.shape[0])
    part = image[top:bottom, left:right]
    # a small part is enlarged, so that lines and words on it are sharp
    scale = LONGEST_SIDE / max(part.shape[:2])
    size = (max(round(scale * part.shape[1]), 1), max(round(scale * part.shape[0]), 1))
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    drawn = cv2.resize(part, size, interpolation=how).astype(np.uint8, copy=False)
    if picture.keypoints is not None:
        points, confidence = image_points(picture.keypoints)
        canvas = Canvas(drawn)
        canvas.unit = canvas.width / _SHOWN_WIDTH
        draw_body(canvas, (points - (left, top)) * scale, confidence, failing)
    _, data = cv2.imencode(".jpg", drawn, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    return bytes(data.tobytes())


def _faulty_lines(points: Array, criterion: Criterion) -> list[tuple[int, int]]:
    return [line for line in measured_lines(criterion.joints) if np.isfinite(points[list(line)]).all()]


def stick_figure(pose: BodyPose, failing: Iterable[Criterion], *, from_front: bool) -> str:
    """The body alone as SVG, from its front or its left side; the floor is a line.

    failing: criteria that are drawn in red, each with its number in this order, counted from 1.
    """
    points, _ = body_points(pose)
    across = points[point_index("left_hip")] - points[point_index("right_hip")]
    across[2] = 0.0
    length = float(np.linalg.norm(across))
    leftwards = across / length if length > 1e-6 else np.array([0.0, 1.0, 0.0])
    forwards = np.array([leftwards[1], -leftwards[0], 0.0])
    # from the front the person's left is on the right; from the left side they face to the left
    sideways = leftwards if from_front else -forwards
    middle = np.nanmean(points @ sideways)
    places = np.stack([_SIZE / 2 + _SCALE * (points @ sideways - middle), _SIZE - 12 - _SCALE * points[:, 2]], axis=-1)
    bones = [bone for bone in BONES if np.isfinite(places[list(bone)]).all()]
    if not from_front:  # the side that is nearer last, over the other
        bones.sort(key=lambda bone: POINTS[bone[1]].startswith("left"))
    drawn = [_svg_line(places, bone, css(on_paper(bone_colour(bone))), 4.0) for bone in bones]
    faults = list(failing)
    for fault in faults:
        drawn += [_svg_line(places, line, css(palette.FAULT), 6.0) for line in _faulty_lines(places, fault)]
    head = places[point_index("head")]
    if np.isfinite(head).all():
        drawn.append(f'<circle cx="{head[0]:.1f}" cy="{head[1] - 8:.1f}" r="11" fill="#8a9099"/>')
    drawn += _numbers(places, faults)
    floor = f'<line x1="8" y1="{_SIZE - 12}" x2="{_SIZE - 8}" y2="{_SIZE - 12}" stroke="#b8bec6" stroke-width="1.5"/>'
    return f'<svg viewBox="0 0 {_SIZE:.0f} {_SIZE:.0f}" class="figure">{floor}{"".join(drawn)}</svg>'


def _numbers(places: Array, faults: Iterable[Criterion]) -> list[str]:
    """A number beside each fault, on the outer side of the body, away from the numbers that are there already."""
    middle = float(np.nanmean(places[:, 0]))
    taken: list[tuple[float, float]] = []
    for fault in faults:
        joints = [joint for joint in fault.joints if joint < len(places) and np.isfinite(places[joint]).all()]
        if not joints:
            taken.append((np.nan, np.nan))
            continue
        x, y = (float(part) for part in places[joints].mean(axis=0))
        x += _BESIDE if x >= middle else -_BESIDE
        while any(np.hypot(x - left, y - top) < 2 * _MARK for left, top in taken):
            y -= 2 * _MARK
        taken.append((x, y))
    return [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_MARK:g}" fill="{css(on_paper(palette.FAULT))}"/><text x="{x:.1f}" '
        f'y="{y + 3.5:.1f}" text-anchor="middle" font-size="10" font-weight="700" fill="#fff">{number}</text>'
        for number, (x, y) in enumerate(taken, start=1)
        if np.isfinite(x)
    ]


def _svg_line(places: Array, line: tuple[int, int], colour: str, width: float) -> str:
    (x1, y1), (x2, y2) = places[list(line)]
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}" '
        'stroke-linecap="round"/>'
    )
