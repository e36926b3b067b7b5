"""A clip drawn for somebody who judges motion: the mannequin on a floor with a grid, from three-quarter in front.

The camera is far away with a long lens, so that nothing is foreshortened, and stands where the body faced first. It
keeps its place while the body does; a body that walks away is followed, and the grid says how far it went.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer.canvas import Image
from fitmotion_models.viewer.mannequin import Viewpoint, render_pose

Array = NDArray[np.float64]

AZIMUTH, TILT, DISTANCE = 0.75, 0.1, 9.0  # radians to the body's left, radians downward, metres
STAYS_M = 0.9  # a pelvis that goes no farther than this from where it is mostly is not followed
FOLLOW_SECONDS = 0.5  # how slowly the camera follows
# around the landmarks, metres: hands, head and shoes are drawn beyond them
_HEADROOM, _MARGIN = 0.26, 0.22
_FLOOR_STEP, _FLOOR_HALF = 0.5, 4.0  # of the grid, metres
_BACKGROUND, _FLOOR_LINE, _GRID = (250, 248, 246), (150, 146, 142), (222, 219, 216)  # BGR
_LEFT_HIP, _RIGHT_HIP = SMPL22.index("left_hip"), SMPL22.index("right_hip")


@dataclass(frozen=True, eq=False)
class ClipScene:
    """How a clip is seen. centres: (T, 2) metres, the place on the floor that is in the middle of each picture.

    half_width: metres from the middle to the side of the picture; low, high: metres over the floor.
    """

    clip: MotionClip
    view: Viewpoint
    centres: Array
    half_width: float
    low: float
    high: float

    @property
    def aspect(self) -> float:
        """Width over height that shows all of the body in all frames."""
        return 2.0 * self.half_width / (self.high - self.low)

    def camera(self, width: int, height: int) -> CameraModel:
        """The long lens that shows the scene in a picture of this size, as large as it goes."""
        scale = min(width / (2.0 * self.half_width), height / (self.high - self.low))
        focal = scale * DISTANCE
        return CameraModel(width, height, focal, focal, 0.5 * width, 0.5 * height)

    def draw(self, index: int, width: int, height: int) -> Image:
        """One frame as a picture (height, width, 3) uint8 BGR."""
        camera = self.camera(width, height)
        offset = np.array([*self.centres[index], 0.0])
        pose = self.clip.frame(index)
        shifted = replace(pose, positions=pose.positions - offset, feet=pose.feet - offset)
        return render_pose(shifted, camera, self.view, self._floor(camera, offset), sides=True)

    def _floor(self, camera: CameraModel, offset: Array) -> Image:
        """White, with the grid of the world's floor and a stronger line through the middle of the picture."""
        image = np.empty((camera.height, camera.width, 3), np.uint8)
        image[:] = _BACKGROUND
        for axis in (0, 1):
            first = -_FLOOR_HALF - (offset[axis] % _FLOOR_STEP)
            for place in np.arange(first, _FLOOR_HALF + _FLOOR_STEP, _FLOOR_STEP):
                ends = np.zeros((2, 3))
                ends[:, axis], ends[:, 1 - axis] = place, (-_FLOOR_HALF, _FLOOR_HALF)
                _line(image, self.view.project(ends, camera)[0], _GRID)
        across = np.array([-math.sin(self.view.azimuth), math.cos(self.view.azimuth), 0.0])
        _line(image, self.view.project(np.outer((-_FLOOR_HALF, _FLOOR_HALF), across), camera)[0], _FLOOR_LINE)
        return image


def scene_of(clip: MotionClip) -> ClipScene:
    """Where the camera stands for a clip. Raises ValueError for a clip without a frame or with a joint never seen."""
    if not len(clip):
        raise ValueError(f"the clip of {clip.subject} has no frame; nothing can be drawn")
    clip = _seen(clip)
    points = np.concatenate([clip.positions, clip.feet], axis=1).astype(np.float64)
    view = Viewpoint(azimuth=_heading(points[0]) + AZIMUTH, tilt=TILT, distance=DISTANCE)
    centres = _centres(points[:, 0, :2], clip.fps)
    around = points - np.concatenate([centres, np.zeros((len(centres), 1))], axis=1)[:, None]
    across = around @ view.rotation[0]
    half = float(np.abs(across).max()) + _MARGIN
    low, high = min(float(points[..., 2].min()), 0.0) - _MARGIN, float(points[..., 2].max()) + _HEADROOM
    return ClipScene(clip, replace(view, aim=0.5 * (low + high)), centres, half, low, high)


def same_scale(scenes: Sequence[ClipScene]) -> list[ClipScene]:
    """The scenes with one scale and one height of the camera for all, so that bodies side by side can be compared."""
    low, high = min(scene.low for scene in scenes), max(scene.high for scene in scenes)
    half = max(scene.half_width for scene in scenes)
    aim = 0.5 * (low + high)
    return [replace(scene, view=replace(scene.view, aim=aim), half_width=half, low=low, high=high) for scene in scenes]


def _heading(points: Array) -> float:
    """Which way the hips face, radians from x."""
    left, right = points[_LEFT_HIP], points[_RIGHT_HIP]
    across = left - right
    return math.atan2(-across[0], across[1])


def _centres(places: Array, fps: float) -> Array:
    """(T, 2): one place for all where the pelvis stays near it, else the pelvis' own way, smoothed."""
    middle = 0.5 * (places.min(axis=0) + places.max(axis=0))
    if np.linalg.norm(places - middle, axis=1).max() <= STAYS_M:
        return np.tile(middle, (len(places), 1))
    size = max(round(FOLLOW_SECONDS * fps), 1) | 1
    padded = np.pad(places, ((size // 2, size // 2), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, np.full(size, 1.0 / size), "valid") for column in padded.T], axis=1)


def _seen(clip: MotionClip) -> MotionClip:
    """The clip with unseen joints where they were last or next seen, so that every part can be drawn."""
    arrays = {}
    for name in ("positions", "feet"):
        array = getattr(clip, name).copy()
        if not np.isfinite(array).all():
            for column in array.reshape(len(array), -1).T:
                known = np.flatnonzero(np.isfinite(column))
                if not len(known):
                    raise ValueError(f"the clip of {clip.subject} has a joint that is never seen; it can't be drawn")
                column[:] = np.interp(np.arange(len(column)), known, column[known])
        arrays[name] = array
    return replace(clip, **arrays)


def _line(image: Image, ends: Array, colour: tuple[int, int, int]) -> None:
    first, last = (tuple(int(round(16 * float(part))) for part in end) for end in ends)
    cv2.line(image, first, last, colour, 1, cv2.LINE_AA, 4)
