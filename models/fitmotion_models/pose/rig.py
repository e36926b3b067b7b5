"""A rig: cameras that are calibrated together and look at one person from several sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.pose.camera_model import FISHEYE, CameraModel

Array = NDArray[np.float64]

# A rotation matrix that is off by more than this was mistyped or rounded to a few digits.
_ROTATION_TOLERANCE = 1e-3
# Codecs store whole blocks of 16 pixels: 1080 rows are kept as 1088, and the rest is cut away at the right and below.
CODEC_BLOCK = 16
# Images whose ratio of sides differs by less are taken as resized.
_SAME_RATIO = 0.01


@dataclass(frozen=True, eq=False)
class RigCamera:
    """One camera of a rig.

    rotation: (3, 3) from the world to the camera's optical axes (REP-103: x right, y down, z forward). translation:
    (3,) metres; a point X of the world is rotation @ X + translation in optical axes, as OpenCV has it.
    """

    name: str
    model: CameraModel
    rotation: Array
    translation: Array

    def __post_init__(self) -> None:
        rotation = np.asarray(self.rotation, dtype=np.float64)
        translation = np.asarray(self.translation, dtype=np.float64).reshape(-1)
        if rotation.shape != (3, 3) or translation.shape != (3,):
            raise ValueError(
                f"camera {self.name!r}: rotation is {rotation.shape} and translation {translation.shape}; expected "
                "(3, 3) and (3,)"
            )
        off = np.abs(rotation @ rotation.T - np.eye(3)).max() if np.isfinite(rotation).all() else np.inf
        if not off < _ROTATION_TOLERANCE or np.linalg.det(rotation) < 0.0 or not np.isfinite(translation).all():
            raise ValueError(
                f"camera {self.name!r}: its place is no rotation and translation (orthonormal to {off:.1g}); calibrate "
                "the rig again"
            )
        u, _, vt = np.linalg.svd(rotation)  # files round their digits
        object.__setattr__(self, "rotation", u @ vt)
        object.__setattr__(self, "translation", translation)

    @property
    def position(self) -> Array:
        """Where the camera stands, (3,) metres in the world."""
        return np.asarray(-self.rotation.T @ self.translation)

    def project(self, points: ArrayLike) -> Array:
        """World points (..., 3), metres, to pixels (..., 2) with the lens's distortion; NaN for points behind it."""
        import cv2

        given = np.asarray(points, dtype=np.float64)
        flat = given.reshape(-1, 3) @ self.rotation.T + self.translation
        with np.errstate(invalid="ignore"):
            ahead = flat[:, 2] > 1e-6
        pixels = np.full((len(flat), 2), np.nan)
        if ahead.any():
            project = cv2.fisheye.projectPoints if self.model.distortion_model == FISHEYE else cv2.projectPoints
            lens = np.array(self.model.distortion or (0.0,) * 4)
            image = project(flat[ahead].reshape(-1, 1, 3), np.zeros(3), np.zeros(3), self.model.matrix, lens)[0]
            pixels[ahead] = np.asarray(image).reshape(-1, 2)
        return pixels.reshape(*given.shape[:-1], 2)

    def directions(self, pixels: ArrayLike) -> Array:
        """Unit vectors (..., 3) in the world from the camera through pixels (..., 2), undistorted; NaN stays NaN."""
        given = np.asarray(pixels, dtype=np.float64)
        known = np.isfinite(given).all(-1)
        rays = np.full((*given.shape[:-1], 3), np.nan)
        if known.any():
            flat = self.model.rays(given[known])
            optical = np.concatenate([flat, np.ones((len(flat), 1))], axis=-1)
            rays[known] = (optical / np.linalg.norm(optical, axis=-1, keepdims=True)) @ self.rotation
        return rays

    def fitting(self, width: int, height: int) -> "RigCamera":
        """The camera for images of another size: resized in proportion, or cut at the right and below by a codec.

        Raises ValueError for images of another shape: those are not this camera's.
        """
        model = self.model
        if (width, height) == (model.width, model.height):
            return self
        if max(abs(width - model.width), abs(height - model.height)) < CODEC_BLOCK:
            fitted = CameraModel(
                width, height, model.fx, model.fy, model.cx, model.cy, model.distortion, model.distortion_model
            )
        elif abs(width * model.height / (height * model.width) - 1.0) < _SAME_RATIO:
            fitted = model.scaled_to(width, height)
        else:
            raise ValueError(
                f"camera {self.name!r} is calibrated for {model.width}x{model.height} pixels, its images are "
                f"{width}x{height}: another shape; give the videos in the calibration's order, neither turned nor cut"
            )
        return RigCamera(self.name, fitted, self.rotation, self.translation)


@dataclass(frozen=True, eq=False)
class Rig:
    """Cameras in one world frame: that of the calibration, metres, z up (REP-103).

    cameras: in the calibration's order, each with a name of its own. source: where the calibration comes from.
    """

    cameras: tuple[RigCamera, ...]
    source: str = ""

    def __post_init__(self) -> None:
        names = [camera.name for camera in self.cameras]
        where = f"calibration {self.source}: " if self.source else ""
        if not names:
            raise ValueError(f"{where}no camera in it")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{where}two cameras are called {', '.join(twice)}; each needs a name of its own")

    def __len__(self) -> int:
        return len(self.cameras)

    @property
    def names(self) -> tuple[str, ...]:
        """The cameras' names."""
        return tuple(camera.name for camera in self.cameras)

    def camera(self, name: str) -> RigCamera:
        """The camera of that name. Raises ValueError that lists the known ones."""
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise ValueError(f"calibration {self.source} has no camera {name!r}; it has: {', '.join(self.names)}")

    def fitting(self, sizes: Sequence[tuple[int, int]]) -> "Rig":
        """The rig for images of these sizes (width, height), one a camera. Raises ValueError for another number."""
        if len(sizes) != len(self):
            raise ValueError(f"{len(sizes)} image sizes for the {len(self)} cameras of calibration {self.source}")
        fitted = (camera.fitting(*size) for camera, size in zip(self.cameras, sizes, strict=True))
        return Rig(tuple(fitted), self.source)

    def of_sources(self, specs: Sequence[str]) -> "Rig":
        """The cameras behind some videos or addresses, in their order.

        Sources whose names hold each the name of one camera (`squat_cam02.mp4`) are those cameras', whatever their
        number and order; otherwise there has to be one a camera, in the calibration's order. Raises ValueError.
        """
        named = [[camera for camera in self.cameras if camera.name in Path(spec).name] for spec in specs]
        chosen = tuple(cameras[0] for cameras in named if len(cameras) == 1)
        if len({camera.name for camera in chosen}) == len(specs) > 1:
            return Rig(chosen, self.source)
        if len(specs) != len(self):
            raise ValueError(
                f"{len(specs)} videos, and calibration {self.source} has {len(self)} cameras "
                f"({', '.join(self.names)}); give one video a camera in this order, or files named after their cameras"
            )
        return self
