"""Camera models against closed-form projections and OpenCV."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitmotion_models.pose.camera_model import GUESSED_DIAGONAL_FOV_DEG, CameraModel, body_position

CALIBRATION = """
image_width: 640
image_height: 480
camera_name: lab
camera_matrix: {rows: 3, cols: 3, data: [600.0, 0.0, 320.0, 0.0, 610.0, 240.0, 0.0, 0.0, 1.0]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0.1, -0.05, 0.001, 0.002, 0.0]}
"""


def test_guess_has_the_stated_field_of_view_and_says_it_is_one():
    camera = CameraModel.guess(1080, 1920)
    half_diagonal = math.hypot(1080, 1920) / 2
    assert math.degrees(2 * math.atan(half_diagonal / camera.fx)) == pytest.approx(GUESSED_DIAGONAL_FOV_DEG)
    assert camera.is_guess


def test_calibration_file_is_read_and_undistorts_as_opencv_projects(tmp_path):
    path = tmp_path / "camera.yaml"
    path.write_text(CALIBRATION)
    camera = CameraModel.from_file(path)
    assert (camera.fx, camera.fy, camera.is_guess) == (600.0, 610.0, False)
    points = np.array([[0.3, -0.2, 2.0], [-0.5, 0.4, 3.0]])
    matrix = np.array([[600.0, 0, 320], [0, 610.0, 240], [0, 0, 1]])
    pixels, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, np.array(camera.distortion))
    np.testing.assert_allclose(camera.rays(pixels[:, 0]), points[:, :2] / points[:, 2:], atol=1e-5)


@pytest.mark.parametrize(
    ("text", "named"),
    [("image_width: 3", "camera_matrix"), ("[1, 2]", "camera.yaml"), (CALIBRATION.replace(", 1.0]}", "]}"), "9")],
)
def test_damaged_calibration_is_named(tmp_path, text, named):
    path = tmp_path / "camera.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=named):
        CameraModel.from_file(path)


def test_scaled_camera_sees_the_same_rays():
    camera = CameraModel(640, 480, 600, 610, 310, 250)
    half = camera.scaled_to(320, 240)
    pixel = np.array([[100.0, 60.0]], np.float32)
    np.testing.assert_allclose(camera.rays(pixel), half.rays(pixel / 2))


@given(
    st.floats(-1, 1), st.floats(-1, 1), st.floats(1.5, 8), st.integers(0, 2**32 - 1)
)  # a body somewhere in front of the camera
def test_body_position_inverts_the_projection(x, y, z, seed):
    camera = CameraModel.guess(640, 480)
    body = np.random.default_rng(seed).uniform(-0.9, 0.9, (12, 3)) * (0.4, 1.0, 0.4)
    where = np.array([x, y, z])
    points = body + where
    pixels = points[:, :2] / points[:, 2:] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
    found = body_position(camera, body.astype(np.float32), pixels.astype(np.float32), np.ones(12, np.float32))
    np.testing.assert_allclose(found, where, atol=2e-3)


def test_body_position_needs_four_landmarks():
    camera = CameraModel.guess(640, 480)
    nothing = np.full((12, 3), np.nan, np.float32)
    assert body_position(camera, nothing, nothing[:, :2], np.ones(12, np.float32)) is None
