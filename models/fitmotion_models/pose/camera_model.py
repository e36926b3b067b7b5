"""The pinhole model of a camera: from a calibration file, or a guess that says it is one."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

# Diagonal field of view of a usual webcam or phone main camera, degrees (Logitech C920: 78; phones: 70 to 84).
GUESSED_DIAGONAL_FOV_DEG = 75.0
# Of the longer side of the image: between a full fisheye lens and a long telescope. Others are mistakes of units.
_SHORTEST_FOCAL, _LONGEST_FOCAL = 0.05, 200.0
# how many numbers OpenCV's models of a lens have (calib3d, undistortPoints and fisheye)
_COEFFICIENTS, FISHEYE, _FISHEYE_COEFFICIENTS = (0, 4, 5, 8, 12, 14), "equidistant", (0, 4)


@dataclass(frozen=True)
class CameraModel:
    """Intrinsics of one camera, in pixels, with the distortion of `sensor_msgs/CameraInfo` (plumb_bob: k1 k2 p1 p2 k3).

    is_guess: True when nobody calibrated this camera and the field of view is an assumption.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    distortion_model: str = "plumb_bob"
    is_guess: bool = False

    def __post_init__(self) -> None:
        if min(self.width, self.height) <= 0 or min(self.fx, self.fy) <= 0:
            raise ValueError(
                f"camera model needs positive sizes and focal lengths; got {self.width}x{self.height}, "
                f"fx={self.fx}, fy={self.fy}"
            )
        if not all(map(math.isfinite, (self.fx, self.fy, self.cx, self.cy, *self.distortion))):
            raise ValueError("camera model has numbers that are not finite; calibrate the camera again")
        side = max(self.width, self.height)
        if min(self.fx, self.fy) < _SHORTEST_FOCAL * side or max(self.fx, self.fy) > _LONGEST_FOCAL * side:
            raise ValueError(
                f"camera model has fx={self.fx:g} and fy={self.fy:g} for {self.width}x{self.height} pixels, which no "
                "lens has; focal lengths are in pixels"
            )
        allowed = _FISHEYE_COEFFICIENTS if self.distortion_model == FISHEYE else _COEFFICIENTS
        if len(self.distortion) not in allowed:
            raise ValueError(
                f"camera model {self.distortion_model} has {len(self.distortion)} distortion coefficients; "
                f"allowed: {', '.join(map(str, allowed))}"
            )

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The intrinsic matrix (3, 3), pixels."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    @classmethod
    def guess(cls, width: int, height: int) -> "CameraModel":
        """A pinhole in the middle of the image with the field of view of a usual camera; `is_guess` is True."""
        focal = math.hypot(width, height) / 2.0 / math.tan(math.radians(GUESSED_DIAGONAL_FOV_DEG) / 2.0)
        return cls(width, height, focal, focal, width / 2.0, height / 2.0, is_guess=True)

    @classmethod
    def from_file(cls, path: str | Path) -> "CameraModel":
        """Read the YAML that ROS `camera_calibration` writes (image_width, camera_matrix, distortion_coefficients).

        Raises ValueError naming the file and the missing key.
        """
        try:
            data = yaml.safe_load(Path(path).read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ValueError(f"cannot read the camera calibration {path}: {error}") from error
        try:
            matrix = [float(value) for value in data["camera_matrix"]["data"]]
            if len(matrix) != 9:
                raise ValueError(f"camera calibration {path}: camera_matrix.data has {len(matrix)} numbers, expected 9")
            distortion = tuple(float(value) for value in data.get("distortion_coefficients", {}).get("data", ()))
            width, height = int(data["image_width"]), int(data["image_height"])
            model = str(data.get("distortion_model", "plumb_bob"))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"camera calibration {path} lacks {error}; expected the YAML of ROS camera_calibration with "
                "image_width, image_height, camera_matrix.data and distortion_coefficients.data"
            ) from error
        return cls(width, height, matrix[0], matrix[4], matrix[2], matrix[5], distortion, model)

    def scaled_to(self, width: int, height: int) -> "CameraModel":
        """The same camera for images of another size (resized, not cropped)."""
        sx, sy = width / self.width, height / self.height
        return CameraModel(
            width, height, self.fx * sx, self.fy * sy, self.cx * sx, self.cy * sy,
            self.distortion, self.distortion_model, self.is_guess,
        )  # fmt: skip

    def rays(self, pixels: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pixels (..., 2) to normalised image coordinates (..., 2): x / z and y / z in optical axes, undistorted."""
        points = np.asarray(pixels, dtype=np.float64)
        if self.distortion and any(self.distortion):
            import cv2  # only calibrated cameras need it

            undistort = cv2.fisheye.undistortPoints if self.distortion_model == FISHEYE else cv2.undistortPoints
            flat = undistort(points.reshape(-1, 1, 2), self.matrix, np.array(self.distortion))
            return np.asarray(flat, dtype=np.float64).reshape(points.shape)
        return np.asarray((points - (self.cx, self.cy)) / (self.fx, self.fy))


def body_position(
    camera: CameraModel, landmarks: NDArray[np.float32], pixels: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float64] | None:
    """Where a body of known shape stands before the camera: the translation that best explains its pixels.

    landmarks (J, 3): metres about the body's own origin, optical axes. pixels (J, 2). weights (J,).
    Returns (3,) metres in optical axes, or None when fewer than four landmarks are seen or the body is not in front.
    """
    seen = (weights > 0) & np.isfinite(landmarks).all(-1) & np.isfinite(pixels).all(-1)
    if seen.sum() < 4:
        return None
    points, rays, weight = landmarks[seen].astype(np.float64), camera.rays(pixels[seen]), weights[seen]
    count = len(points)
    # x / z = ray: (X + tx) - ray (Z + tz) = 0, linear in the translation, two rows a landmark.
    rows = np.zeros((count, 2, 3))
    rows[:, 0, 0] = rows[:, 1, 1] = 1.0
    rows[:, :, 2] = -rays
    right = rays * points[:, 2:3] - points[:, :2]
    scale = np.sqrt(weight)[:, None]
    solution, *_ = np.linalg.lstsq((rows * scale[..., None]).reshape(-1, 3), (right * scale).reshape(-1), rcond=None)
    return np.asarray(solution, dtype=np.float64) if solution[2] > 0 else None
