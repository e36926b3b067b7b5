"""Pictures of a body: a shaded mannequin in a plain room, as a camera that we know would see it.

Not for beauty: real enough that a pose network finds the person, so that the whole chain from image to score can be
run, timed and tested where no video is at hand, with the truth known.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer.palette import LEFT, RIGHT

Array = NDArray[np.float64]
Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

# colours, BGR
SKIN, SHIRT, TROUSERS, SHOE, HAIR = (142, 170, 224), (168, 130, 70), (70, 52, 44), (225, 225, 228), (38, 44, 56)
NOSE, MOUTH = (110, 140, 200), (90, 90, 170)
WALL, FLOOR, SKIRTING = (214, 222, 226), (96, 104, 110), (60, 60, 66)
ROOM_DEPTH = 2.0  # the wall behind the body, metres

_NAMES = {name: index for index, name in enumerate((*SMPL22.joints, *FEET))}
# limbs as tapered capsules: ends, radii in metres (about those of SMPL's mean body), colour
_LIMBS: tuple[tuple[str, str, float, float, Colour], ...] = tuple(
    (start.replace("*", side), end.replace("*", side), first, last, colour)
    for side in ("left", "right")
    for start, end, first, last, colour in (
        ("*_hip", "*_knee", 0.092, 0.062, TROUSERS),
        ("*_knee", "*_ankle", 0.060, 0.042, TROUSERS),
        ("*_ankle", "*_heel", 0.044, 0.036, SHOE),
        ("*_heel", "*_toe", 0.038, 0.036, SHOE),
        ("*_shoulder", "*_elbow", 0.058, 0.044, SHIRT),
        ("*_elbow", "*_wrist", 0.042, 0.032, SKIN),
    )
)
_SIDES: dict[str, Colour] = {
    side: (round(230 * colour[2]), round(230 * colour[1]), round(230 * colour[0]))
    for side, colour in (("left", LEFT), ("right", RIGHT))
}
_MIDDLE: Colour = (168, 164, 160)
# the trunk as elliptic rings round the spine, from below: joint, half width, half depth in metres, colour above it
_TRUNK: tuple[tuple[str, float, float, Colour], ...] = (
    ("pelvis", 0.155, 0.120, TROUSERS),
    ("spine1", 0.140, 0.105, SHIRT),
    ("spine2", 0.150, 0.112, SHIRT),
    ("spine3", 0.175, 0.118, SHIRT),
    ("left_collar", 0.150, 0.085, SHIRT),
    ("right_collar", 0.150, 0.085, SHIRT),
    ("neck", 0.065, 0.060, SHIRT),
)


@dataclass(frozen=True)
class Viewpoint:
    """Where the camera of a mannequin's picture stands.

    azimuth: 0 in front, positive to the body's left, radians. tilt: positive looking down, radians. distance: metres.
    aim: height of the point it looks at, metres.
    """

    azimuth: float = 0.9
    tilt: float = 0.12
    distance: float = 3.0
    aim: float = 1.0

    @property
    def rotation(self) -> Array:
        """(3, 3) world to optical axes."""
        toward = np.array([math.cos(self.azimuth), math.sin(self.azimuth), 0.0])
        forward = -toward * math.cos(self.tilt) - np.array([0.0, 0.0, math.sin(self.tilt)])
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(forward, right), forward])

    def project(self, points: Array, camera: CameraModel) -> tuple[Array, Array]:
        """World points (..., 3) to pixels (..., 2) and depths (...), metres."""
        optical = (points - [0.0, 0.0, self.aim]) @ self.rotation.T + [0.0, 0.0, self.distance]
        depth = np.maximum(optical[..., 2], 0.1)
        pixels = optical[..., :2] / depth[..., None] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
        return pixels, depth


def render_clip(clip: MotionClip, camera: CameraModel, view: Viewpoint | None = None) -> Iterator[Image]:
    """Pictures (H, W, 3) uint8 BGR of every frame of a clip."""
    view = view or Viewpoint()
    room = _room(camera, view)
    return (render_pose(pose, camera, view, room) for pose in clip)


def render_pose(
    pose: BodyPose, camera: CameraModel, view: Viewpoint, room: Image | None = None, *, sides: bool = False
) -> Image:
    """One picture (H, W, 3) uint8 BGR of a body that is fully seen.

    room: what is behind it. sides: arms and legs in the palette's colours of left and right instead of clothes.
    """
    image = (_room(camera, view) if room is None else room).copy()
    points = np.concatenate([pose.positions, pose.feet]).astype(np.float64)
    pixels, depth = view.project(points, camera)
    _shadow(image, points, camera, view)
    parts: list[tuple[float, int]] = []
    for number, (start, end, *_rest) in enumerate(_LIMBS):
        parts.append((depth[[_NAMES[start], _NAMES[end]]].mean(), number))
    parts.append((depth[[_NAMES["pelvis"], _NAMES["spine3"]]].mean(), len(_LIMBS)))
    parts.append((depth[_NAMES["head"]], len(_LIMBS) + 1))
    for _, number in sorted(parts, reverse=True):
        if number < len(_LIMBS):
            _limb(image, number, pixels, camera.fx / depth, sides=sides)
        elif number == len(_LIMBS):
            _trunk(image, points, camera, view, sides=sides)
        else:
            _head(image, points, camera, view)
    return cv2.GaussianBlur(image, (3, 3), 0.7)  # type: ignore[return-value]


def write_clip_video(
    path: str | Path, clip: MotionClip, camera: CameraModel | None = None, view: Viewpoint | None = None
) -> None:
    """Write a clip as an MPEG-4 video of the mannequin, 640x480 unless a camera is given.

    Raises FileExistsError when there is such a file already and OSError when it can't be written.
    """
    if Path(path).exists():
        raise FileExistsError(f"{path} exists already; choose another name or remove it")
    camera = camera or CameraModel.guess(640, 480)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), clip.fps, (camera.width, camera.height))
    if not writer.isOpened():
        raise OSError(f"cannot write the video {path}; is its folder there and writable, does it end in .mp4?")
    try:
        for image in render_clip(clip, camera, view):
            writer.write(image)
    finally:
        writer.release()


def _limb(image: Image, number: int, pixels: Array, scale: Array, *, sides: bool) -> None:
    start, end, first, last, colour = _LIMBS[number]
    if sides:
        colour = _SIDES[end.partition("_")[0]]
    a, b = _NAMES[start], _NAMES[end]
    _capsule(image, pixels[a], pixels[b], first * scale[a], last * scale[b], colour)
    if end.endswith("wrist"):  # a hand in line with the forearm
        hand = pixels[b] + 0.55 * (pixels[b] - pixels[a])
        _capsule(image, pixels[b], hand, 0.036 * scale[b], 0.034 * scale[b], colour)


def _capsule(image: Image, start: Array, end: Array, first: float, last: float, colour: Colour) -> None:
    """A tapered limb, lit from the upper left: darker layers first, lighter and narrower ones on top."""
    for share, light in ((1.0, 0.72), (0.78, 0.88), (0.5, 1.0)):
        shade = tuple(min(255, int(channel * light)) for channel in colour)
        shift = np.array([-0.12, -0.12]) * (1.0 - share) * (first + last)
        p, q = start + shift, end + shift
        along = q - p
        length = float(np.linalg.norm(along))
        across = np.array([-along[1], along[0]]) / length if length > 1e-6 else np.array([1.0, 0.0])
        outline = np.array([p + across * first * share, q + across * last * share,
                            q - across * last * share, p - across * first * share])  # fmt: skip
        cv2.fillConvexPoly(image, np.round(outline).astype(np.int32), shade, cv2.LINE_AA)
        for centre, radius in ((p, first), (q, last)):
            cv2.circle(image, _pixel(centre), max(1, round(radius * share)), shade, -1, cv2.LINE_AA)


def _trunk(image: Image, points: Array, camera: CameraModel, view: Viewpoint, *, sides: bool) -> None:
    """Pelvis and chest as the hull of ellipses round the spine, trousers below the shirt."""
    hips = points[_NAMES["left_hip"]] - points[_NAMES["right_hip"]]
    side = hips / np.linalg.norm(hips)
    up = points[_NAMES["neck"]] - points[_NAMES["pelvis"]]
    up /= np.linalg.norm(up)
    front = np.cross(side, up)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circles = []
    for name, wide, deep, _ in _TRUNK:
        ring = points[_NAMES[name]] + np.outer(np.cos(angles) * wide, side) + np.outer(np.sin(angles) * deep, front)
        circles.append(view.project(ring, camera)[0])
    for light, shrink in ((0.75, 1.0), (0.92, 0.8), (1.0, 0.55)):
        for lower, upper, (*_, colour) in zip(circles, circles[1:], _TRUNK, strict=False):
            both = np.concatenate([lower, upper])
            middle = both.mean(0) + (-6 * (1 - shrink), 0)
            hull = cv2.convexHull(np.round(middle + shrink * (both - middle)).astype(np.int32))
            shade = tuple(int(channel * light) for channel in (_MIDDLE if sides else colour))
            cv2.fillConvexPoly(image, hull, shade, cv2.LINE_AA)


def _head(image: Image, points: Array, camera: CameraModel, view: Viewpoint) -> None:
    """Neck, skull, hair and a face on the side that the body faces."""
    neck, head = points[_NAMES["neck"]], points[_NAMES["head"]]
    side = points[_NAMES["left_shoulder"]] - points[_NAMES["right_shoulder"]]
    side = side / np.linalg.norm(side)
    up = np.array([0.0, 0.0, 1.0])
    front = np.cross(side, up)
    front /= np.linalg.norm(front)
    centre = head + 0.09 * up + 0.02 * front
    marks = {"centre": centre, "hair": centre + 0.045 * up - 0.035 * front, "neck": neck, "top": centre - 0.08 * up}
    face = {"nose": centre + 0.105 * front - 0.01 * up, "mouth": centre + 0.095 * front - 0.055 * up}
    for sign, name in ((1, "left"), (-1, "right")):
        face[name] = centre + 0.088 * front + sign * 0.034 * side + 0.022 * up
    places = marks | face
    pixels, depths = view.project(np.stack(list(places.values())), camera)
    at = dict(zip(places, pixels, strict=True))
    depth = dict(zip(places, depths.tolist(), strict=True))
    scale = camera.fx / depth["centre"]
    _capsule(image, at["neck"], at["top"], 0.055 * scale, 0.055 * scale, SKIN)
    _ellipse(image, at["hair"], 0.098 * scale, 0.105 * scale, HAIR)
    _ellipse(image, at["centre"] + _face_shift(front, view, scale), 0.082 * scale, 0.108 * scale, SKIN)
    if float(front @ (-view.rotation[2])) > -0.2:
        features = (("left", 0.013, 0.013, HAIR), ("right", 0.013, 0.013, HAIR), ("nose", 0.016, 0.016, NOSE),
                    ("mouth", 0.026, 0.008, MOUTH))  # fmt: skip
        for name, wide, high, colour in features:
            if depth[name] < depth["centre"] + 0.02:
                _ellipse(image, at[name], wide * scale, high * scale, colour)


def _ellipse(image: Image, centre: Array, wide: float, high: float, colour: Colour) -> None:
    axes = (max(1, round(wide)), max(1, round(high)))
    cv2.ellipse(image, _pixel(centre), axes, 0, 0, 360, colour, -1, cv2.LINE_AA)


def _face_shift(front: Array, view: Viewpoint, scale: float) -> Array:
    """The face lies a little in front of the skull: its shift in pixels (2,)."""
    return np.asarray(view.rotation[:2] @ front * 0.02 * scale)


def _shadow(image: Image, points: Array, camera: CameraModel, view: Viewpoint) -> None:
    """A soft dark patch on the floor under the feet."""
    feet = points[[_NAMES[name] for name in FEET]].copy()
    feet[:, 2] = 0.0
    middle = feet.mean(0)
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    round_feet = middle + 0.34 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], -1)
    outline = np.round(view.project(round_feet, camera)[0]).astype(np.int32)
    left, top = np.maximum(outline.min(0) - 16, 0)
    right, bottom = outline.max(0) + 16
    floor = image[top:bottom, left:right]
    if floor.size == 0:
        return
    patch = floor.copy()
    cv2.fillConvexPoly(patch, outline - (left, top), tuple(int(0.6 * channel) for channel in FLOOR), cv2.LINE_AA)
    cv2.addWeighted(cv2.GaussianBlur(patch, (0, 0), 5), 0.6, floor, 0.4, 0, dst=floor)


def _room(camera: CameraModel, view: Viewpoint) -> Image:
    """Wall and floor, with a skirting board where they meet behind the body and a little grain."""
    image = np.empty((camera.height, camera.width, 3), np.uint8)
    image[:] = WALL
    away = -np.array([math.cos(view.azimuth), math.sin(view.azimuth), 0.0])
    foot = view.project(away * ROOM_DEPTH, camera)[0][1]
    top = view.project(away * ROOM_DEPTH + [0.0, 0.0, 0.1], camera)[0][1]
    edge = int(np.clip(foot, 0, camera.height))
    image[edge:] = FLOOR
    image[int(np.clip(top, 0, camera.height)) : edge] = SKIRTING
    grain = np.random.default_rng(0).normal(0, 4, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def _pixel(point: Array) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
