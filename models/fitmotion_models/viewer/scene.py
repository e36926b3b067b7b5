"""The room of a page: bodies on the floor, what fails in red, the score over the head, drawn by viser.

Every body has a fixed set of shapes that are moved, never made anew: a moving body is a few hundred numbers a picture,
and a browser that was away for a while gets the newest of them only.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.rotations import between_vectors
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.figure import (
    BONES,
    MEASURED_LINES,
    POINTS,
    Array,
    body_points,
    bone_colour,
    measured_lines,
    point_index,
)
from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.markers import Mark, ScoreBoard, Shape, fault_marks

# sizes, metres
HEAD_RADIUS, FAULT_MARGIN, THIN_FAULT = 0.105, 0.008, 0.022
# how thick a bone is drawn, by the joint at its end: about half of a slim body, so that lines stay lines
BONE_RADII = {
    **dict.fromkeys(("spine1", "spine2", "spine3"), 0.062),
    **dict.fromkeys(("neck", "left_hip", "right_hip", "left_shoulder", "right_shoulder", "head"), 0.042),
    **dict.fromkeys(("left_knee", "right_knee"), 0.045),
    **dict.fromkeys(("left_ankle", "right_ankle"), 0.034),
}
THIN_BONE = 0.027  # arms and feet
HEAD_OVER_JOINT = 0.09  # SMPL's head joint is at the base of the skull, its middle about this much further up
PALER = 1.8
UNSURE = np.array([0.30, 0.32, 0.36])  # what the colour of a guessed limb goes towards
FLOOR_SIZE, FLOOR_CELL = 12.0, 0.5
FAULT_TEXTS = 7  # labels kept ready; more faults than a movement has criteria cannot be
EYE_LINE = 0.85  # height that the camera looks at, metres
# name -> azimuth of the camera from the way the person faces, to their left, degrees; distance and height, metres
VIEWS = {
    "corner": (34.0, 3.75, 0.7),
    "front": (0.0, 3.7, 0.25),
    "left": (90.0, 3.7, 0.25),
    "right": (-90.0, 3.7, 0.25),
}

_HEAD, _NECK = SMPL22.index("head"), SMPL22.index("neck")
_AXIS = np.array([0.0, 0.0, 1.0])
_LINE_NUMBERS = {line: number for number, line in enumerate(MEASURED_LINES)}


class Scene(Protocol):
    """The part of `viser.SceneApi` that is used here."""

    def add_batched_meshes_simple(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Many copies of one mesh."""

    def add_label(self, name: str, text: str, **kwargs: Any) -> Any:
        """A text that faces the viewer."""


def add_floor(scene: Any) -> None:
    """A floor with a grid of half metres, lights, and the world's axes at its origin."""
    scene.set_up_direction("+z")
    scene.add_grid(
        "/floor",
        width=FLOOR_SIZE,
        height=FLOOR_SIZE,
        cell_size=FLOOR_CELL,
        section_size=2 * FLOOR_CELL,
        cell_color=(58, 64, 72),
        section_color=(86, 94, 104),
        plane_color=(30, 33, 38),
        plane_opacity=1.0,
        shadow_opacity=0.45,
        fade_distance=FLOOR_SIZE,
    )
    # less than viser's own light, under which our colours fade to white
    scene.configure_default_lights(enabled=True, cast_shadow=True)
    scene.configure_environment_map("warehouse", environment_intensity=0.35)
    scene.add_frame("/origin", axes_length=0.25, axes_radius=0.006, origin_radius=0.012)


class BodyFigure:
    """One person in a scene, under the node `/people/<subject>`."""

    def __init__(self, scene: Any, subject: str) -> None:
        self._node = scene.add_frame(f"/people/{subject}", show_axes=False)
        root = f"/people/{subject}"
        colours = np.array([bone_colour(bone) for bone in BONES])
        bone_radii, joint_radii = _radii()
        self._bones = _Cylinders(scene, f"{root}/bones", colours, bone_radii)
        self._joints = _Spheres(scene, f"{root}/joints", _joint_colours(), joint_radii)
        self._head = _Spheres(scene, f"{root}/head", np.array([palette.MIDDLE]), np.array([HEAD_RADIUS]))
        # red covers what it marks, so it is a little thicker
        thickness = dict(zip(BONES, bone_radii, strict=True))
        fault_radii = np.array([thickness.get(line, THIN_FAULT) for line in MEASURED_LINES]) + FAULT_MARGIN
        self._faulty_lines = _Cylinders(scene, f"{root}/faults", _reds(len(MEASURED_LINES)), fault_radii)
        fault_joints = np.maximum(joint_radii, THIN_BONE) + 1.5 * FAULT_MARGIN
        self._faulty_joints = _Spheres(scene, f"{root}/fault_joints", _reds(len(POINTS)), fault_joints)
        self._score = _Text(scene, f"{root}/score", 1.6, "bottom-center")
        self._texts = [_Text(scene, f"{root}/fault_{number}", 1.15, "center-left") for number in range(FAULT_TEXTS)]
        self._board = ScoreBoard()
        self._is_red = False

    def show(self, pose: BodyPose, test: LiveTest) -> None:
        """Move the body to a pose; what fails is red, the score stands over the head. Who is not assessed is grey."""
        points, confidence = body_points(pose)
        self._place(points, np.clip(confidence, 0.0, 1.0) * test.is_assessed)
        self._show_faults(points, test)
        marks = [mark for mark in fault_marks(pose, test) if mark.shape is Shape.TEXT]
        for number, text in enumerate(self._texts):
            text.place(marks[number] if number < len(marks) else None)
        self._score.place(next((mark for mark in self._board.marks(pose, test) if mark.number == 0), None))
        self._node.visible = True

    def show_generated(self, pose: BodyPose, text: str, score: int | None) -> None:
        """Move the body to a pose that nobody scores, with words over its head in the colour of a score."""
        points, confidence = body_points(pose)
        self._place(points, confidence.astype(np.float64))
        self._score.place(next(iter(self._board.words(pose, text, score)), None))
        self._node.visible = True

    def _place(self, points: Array, sure: Array) -> None:
        bones = np.array(BONES)
        self._bones.place(points[bones], np.minimum(sure[bones[:, 0]], sure[bones[:, 1]]))
        self._joints.place(points, sure)
        self._head.place(_head_centre(points)[None], sure[[_HEAD]])

    def _show_faults(self, points: Array, test: LiveTest) -> None:
        if not test.faults and not self._is_red:
            return
        self._is_red = bool(test.faults)
        lines = np.full((len(MEASURED_LINES), 2, 3), np.nan)
        joints = np.full((len(POINTS), 3), np.nan)
        for criterion in test.faults:
            for line in measured_lines(criterion.joints):
                lines[_LINE_NUMBERS[line]] = points[list(line)]
            named = [joint for joint in criterion.joints if joint < len(POINTS)]
            joints[named] = points[named]
        self._faulty_lines.place(lines)
        self._faulty_joints.place(joints)

    def hide(self) -> None:
        """The person is out of view."""
        self._node.visible = False

    def remove(self) -> None:
        """The person will not come back."""
        self._node.remove()


def view_from(pose: BodyPose | None, view: str, *, back: float = 1.0) -> tuple[Array, Array]:
    """Where a camera stands and what it looks at for one of `VIEWS` of a person, metres; of the origin for None.

    back: how many times as far away, so that others beside the person are in view too.
    """
    azimuth, distance, height = VIEWS[view]
    distance *= back
    middle, facing = np.zeros(2), 0.0
    if pose is not None:
        points, _ = body_points(pose)
        across = points[point_index("left_hip")] - points[point_index("right_hip")]
        if np.isfinite(points[0]).all() and np.isfinite(across).all():
            middle, facing = points[0, :2], float(np.arctan2(-across[0], across[1]))
    angle = facing + np.deg2rad(azimuth)
    look_at = np.array([*middle, EYE_LINE])
    return look_at + np.array([distance * np.cos(angle), distance * np.sin(angle), height]), look_at


def _radii() -> tuple[Array, Array]:
    """The radius of every bone and of every joint: that of its thickest bone, 0 for a joint that no bone ends at."""
    bones = np.array([BONE_RADII.get(POINTS[end], THIN_BONE) for _, end in BONES])
    joints = np.zeros(len(POINTS))
    for (start, end), radius in zip(BONES, bones, strict=True):
        joints[[start, end]] = np.maximum(joints[[start, end]], radius)
    return bones, joints


def _joint_colours() -> Array:
    """A joint looks like the bone that ends at it."""
    colours = np.tile(palette.MIDDLE, (len(POINTS), 1))
    for bone in BONES:
        colours[bone[1]] = bone_colour(bone)
    return colours


def _reds(count: int) -> Array:
    return np.tile(palette.FAULT, (count, 1))


def _head_centre(points: Array) -> Array:
    direction = points[_HEAD] - points[_NECK]
    length = float(np.linalg.norm(direction))
    return points[_HEAD] + HEAD_OVER_JOINT * direction / length if length > 1e-6 else points[_HEAD]


class _Cylinders:
    """Rods between pairs of points; those with an unseen end shrink to nothing."""

    def __init__(self, scene: Scene, name: str, colours: Array, radii: Array) -> None:
        self._radii, self._colours, count = radii, colours, len(colours)
        self._handle = scene.add_batched_meshes_simple(
            name,
            *_cylinder(),
            np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
            np.zeros((count, 3)),
            batched_scales=np.zeros((count, 3)),
            batched_colors=_paint(colours),
            lod="off",
        )

    def place(self, ends: Array, sure: Array | None = None) -> None:
        """Set both ends (N, 2, 3) of every rod, metres, NaN where unseen; how sure they are (N,), 0 to 1."""
        along = ends[:, 1] - ends[:, 0]
        length: Array = np.sqrt(np.square(along).sum(axis=-1))
        seen: NDArray[np.bool_] = np.isfinite(length) & (length > 1e-6)
        direction = np.where(seen[:, None], along / np.where(seen, length, 1.0)[:, None], _AXIS)
        turn = between_vectors(np.broadcast_to(_AXIS, direction.shape), direction)
        self._handle.batched_wxyzs = np.roll(turn, 1, axis=-1).astype(np.float32)  # viser's quaternions are w first
        self._handle.batched_positions = _tidy(ends.mean(axis=1), seen)
        scales = np.stack([self._radii, self._radii, length], axis=-1)
        self._handle.batched_scales = _tidy(scales, seen)
        if sure is not None:
            self._handle.batched_colors = _paint(_faded(self._colours, sure))


class _Spheres:
    """Balls at points; unseen ones shrink to nothing."""

    def __init__(self, scene: Scene, name: str, colours: Array, radii: Array) -> None:
        self._radii, self._colours, count = radii, colours, len(colours)
        self._handle = scene.add_batched_meshes_simple(
            name,
            *_sphere(),
            np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
            np.zeros((count, 3)),
            batched_scales=np.zeros((count, 3)),
            batched_colors=_paint(colours),
            lod="off",
        )

    def place(self, points: Array, sure: Array | None = None) -> None:
        """Set the middles (N, 3), metres, NaN where unseen; how sure they are (N,), 0 to 1."""
        seen = np.atleast_1d(np.isfinite(points).all(axis=-1))
        self._handle.batched_positions = _tidy(points, seen)
        self._handle.batched_scales = _tidy(np.tile(self._radii[:, None], 3), seen)
        if sure is not None:
            self._handle.batched_colors = _paint(_faded(self._colours, sure))


class _Text:
    """A label that is there or not."""

    def __init__(self, scene: Scene, name: str, size: float, anchor: str) -> None:
        self._handle = scene.add_label(name, "", visible=False, font_screen_scale=size, anchor=anchor)

    def place(self, mark: Mark | None) -> None:
        """Show a text mark, or nothing."""
        if mark is not None:
            self._handle.text = mark.text.replace(": ", "\n", 1)  # the room between the panels is narrow
            self._handle.position = tuple(float(part) for part in mark.points[0])
        self._handle.visible = mark is not None


def _faded(colours: Array, sure: Array) -> Array:
    """Colours (N, 3) as grey as somebody is unsure; in steps, so that little has to be sent.

    Not by opacity: of many copies of one mesh browsers draw none when one of them is translucent.
    """
    share = 0.3 + 0.7 * np.round(sure, 1)[:, None]
    return share * colours + (1.0 - share) * UNSURE


def _paint(colours: Array) -> NDArray[np.uint8]:
    """Colours (N, 3) in 0 to 1 as 0 to 255, deeper than they shall look: light from all sides makes them paler."""
    return np.round(255 * colours**PALER).astype(np.uint8)


def _tidy(values: Array, seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Zero where unseen: a browser's graphics library has no use for NaN."""
    return np.where(seen[:, None], values, 0.0).astype(np.float32)


def _cylinder(sides: int = 14) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    """Vertices (V, 3) and faces (F, 3) of a tube of radius 1 and length 1 along z; balls close its ends."""
    angles = np.linspace(0.0, 2.0 * np.pi, sides, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    vertices = np.concatenate([np.c_[ring, np.full(sides, height)] for height in (-0.5, 0.5)])
    low = np.arange(sides)
    following = (low + 1) % sides
    faces = np.concatenate(
        [np.stack([low, following, low + sides], -1), np.stack([following, following + sides, low + sides], -1)]
    )
    return vertices.astype(np.float32), faces.astype(np.uint32)


def _sphere(rings: int = 10, sides: int = 16) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    """Vertices (V, 3) and faces (F, 3) of a ball of radius 1."""
    latitude = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    longitude = np.linspace(0.0, 2.0 * np.pi, sides, endpoint=False)
    up, around = np.meshgrid(latitude, longitude, indexing="ij")
    vertices = np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)], -1).reshape(-1, 3)
    first = np.arange(rings * sides)
    following = first - first % sides + (first + 1) % sides
    faces = np.concatenate(
        [np.stack([first, following, first + sides], -1), np.stack([following, following + sides, first + sides], -1)]
    )
    return vertices.astype(np.float32), faces.astype(np.uint32)
