"""Points from several views: exact where the views are, robust where one lies, honest where too few see."""

import cv2
import numpy as np
import pytest
from tests.models.pose.rigs import blazepose_points, looking_at, ring, see

from fitmotion_models.mover import make_mover
from fitmotion_models.pose.rig import Rig
from fitmotion_models.pose.triangulation import triangulate
from fitmotion_models.pose.view_sides import exchange, mend_sides, mirror_of

POINTS = np.random.default_rng(5).uniform((-0.5, -0.5, 0.0), (0.5, 0.5, 1.8), (40, 3))


def test_pixels_through_a_distorting_lens_come_back_as_the_points_they_are_of():
    rig = ring(4)
    found = triangulate(rig.cameras, see(rig, POINTS), np.ones((4, 40)))
    assert np.abs(found.points - POINTS).max() < 1e-4  # OpenCV's undistortion stops at about a thousandth of a pixel
    assert found.used.all() and (found.confidence > 0.99).all() and np.nanmax(found.errors) < 0.1


def test_projection_is_opencvs_and_its_linear_triangulation_agrees():
    rig = Rig((looking_at("a", 0.3), looking_at("b", 1.6)))
    pixels = see(rig, POINTS)
    for camera, image in zip(rig.cameras, pixels, strict=True):
        vector = cv2.Rodrigues(camera.rotation)[0]
        lens = np.array(camera.model.distortion)
        expected = cv2.projectPoints(POINTS, vector, camera.translation, camera.model.matrix, lens)[0][:, 0]
        np.testing.assert_allclose(image, expected, atol=1e-9)
    noisy = pixels + np.random.default_rng(0).normal(0.0, 2.0, pixels.shape)
    rays = [camera.model.rays(image).T for camera, image in zip(rig.cameras, noisy, strict=True)]
    places = [np.column_stack([camera.rotation, camera.translation]) for camera in rig.cameras]
    homogeneous = cv2.triangulatePoints(*places, *rays)
    found = triangulate(rig.cameras, noisy, np.ones((2, 40)))
    # both are least squares, of slightly different errors: they differ by much less than either errs
    difference = np.linalg.norm(found.points - (homogeneous[:3] / homogeneous[3]).T, axis=-1)
    assert np.median(difference) < 0.1 * np.median(np.linalg.norm(found.points - POINTS, axis=-1))


def test_the_error_is_that_of_the_noise_and_falls_with_more_cameras():
    errors = {}
    for count in (2, 4, 8):
        rig = ring(count) if count > 2 else Rig((looking_at("a", 0.0), looking_at("b", 1.57)))
        noise = np.random.default_rng(1).normal(0.0, 5.0, (count, 40, 2))
        found = triangulate(rig.cameras, see(rig, POINTS) + noise, np.ones((count, 40)))
        errors[count] = np.sqrt(np.mean((found.points - POINTS) ** 2))
    # 5 pixels are 5 / 1500 * 3.5 m = 12 mm beside each ray; n rays round a point: variance about 1.5 / n of that
    assert 0.4 * 0.012 < errors[4] < 1.2 * 0.012
    assert errors[2] > 1.2 * errors[4] > 1.2 * 1.2 * errors[8]


@pytest.mark.parametrize("liar", range(4))
def test_a_camera_that_sees_something_else_is_left_out(liar):
    rig, pixels = ring(4), see(ring(4), POINTS)
    pixels[liar, ::2] += (180.0, -90.0)
    found = triangulate(rig.cameras, pixels, np.ones((4, 40)))
    assert not found.used[liar, ::2].any() and found.used[:, 1::2].all()
    assert np.abs(found.points - POINTS).max() < 1e-4
    assert (found.errors[liar, ::2] > 100.0).all()


def test_confidence_weighs_cameras():
    rig, pixels = ring(3), see(ring(3), POINTS)
    pixels[2] += 15.0
    sure, unsure = (
        triangulate(rig.cameras, pixels, np.array([[1.0], [1.0], [w]]) * np.ones((3, 40))) for w in (1, 0.4)
    )
    assert (
        np.linalg.norm(unsure.points - POINTS, axis=-1).mean()
        < 0.5 * np.linalg.norm(sure.points - POINTS, axis=-1).mean()
    )
    assert (unsure.confidence <= sure.confidence + 1e-9).all()


def test_what_fewer_than_two_cameras_see_or_what_they_do_not_agree_on_is_unseen():
    rig, pixels, confidence = ring(4), see(ring(4), POINTS), np.ones((4, 40))
    confidence[1:, 0] = 0.1
    pixels[:, 1] = np.nan
    pixels[2:, 2], pixels[1, 2] = np.nan, pixels[1, 2] + (0.0, 400.0)
    found = triangulate(rig.cameras, pixels, confidence)
    assert np.isnan(found.points[:3]).all() and (found.confidence[:3] == 0.0).all() and not found.used[:, :3].any()
    assert np.isfinite(found.points[3:]).all()


def test_rays_that_are_nearly_parallel_tell_no_depth():
    rig = Rig((looking_at("a", 0.30), looking_at("b", 0.32)))
    found = triangulate(rig.cameras, see(rig, POINTS), np.ones((2, 40)))
    assert np.isnan(found.points).all()


@pytest.mark.parametrize("wrong", [(), (2,), (0, 3), (1, 2, 3), (0, 1, 2, 3)])
def test_views_whose_sides_are_exchanged_are_put_right_whichever_they_are(wrong):
    rig, mirror = ring(5), mirror_of("blazepose33")
    rng = np.random.default_rng(3)
    for pose in [make_mover("squat").frame(index) for index in (0, 40, 75)]:
        points = blazepose_points(pose)
        pixels = see(rig, points) + rng.normal(0.0, 6.0, (5, 33, 2))
        pixels[list(wrong)] = pixels[list(wrong)][:, mirror]
        mended = mend_sides(rig.cameras, "blazepose33", pixels, np.ones((5, 33)))
        hips = mended[:, 23:25].all(-1)
        assert set(np.flatnonzero(hips)) == set(wrong)
        found = triangulate(rig.cameras, *exchange("blazepose33", mended, pixels, np.ones((5, 33))))
        assert np.nanmedian(np.linalg.norm(found.points - points, axis=-1)) < 0.02


def test_legs_alone_that_are_exchanged_in_one_view_are_put_right():
    rig, mirror = ring(4), mirror_of("blazepose33")
    points = blazepose_points(make_mover("squat").frame(70))
    pixels = see(rig, points)
    pixels[1, 25:33] = pixels[1][mirror[25:33]]
    mended = mend_sides(rig.cameras, "blazepose33", pixels, np.ones((4, 33)))
    assert mended[1, 25:29].all() and not mended[1, 11:17].any() and not mended[[0, 2, 3]].any()


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="triangulation of 4 cameras needs"):
        triangulate(ring(4).cameras, np.zeros((3, 5, 2)), np.ones((3, 5)))
