"""Calibration files of others, read as their own programs read them, and ours written and read back."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.models.pose.rigs import ring

from fitmotion_models.pose.rig_files import read_rig, write_rig

QUALISYS = (
    Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data"))
    / "media/pose2sim_calibration.qca.txt"
)
# Pose2Sim's own Calib_qualisys.toml (BSD-3), converted by its authors from the Qualisys file of the same four cameras
POSE2SIM = """
[cam_1]
name = "cam01"
size = [ 1088.0, 1920.0]
matrix = [ [ 1681.244873046875, 0.0, 532.97369384375], [ 0.0, 1681.075439453125, 948.137390140625], [ 0.0, 0.0, 1.0]]
distortions = [ -0.000721609375, 0.002187234375, 9.5e-06, 1.078125e-05]
rotation = [ 1.6882754799999993, 1.0483220499999997, -0.41955852000000016]
translation = [ 0.3211048899999996, 0.9563320600000009, 2.8907130499999996]
fisheye = false

[cam_4]
name = "cam04"
size = [ 1088.0, 1920.0]
matrix = [ [ 1675.234985359375, 0.0, 540.106201171875], [ 0.0, 1675.204223640625, 964.0302734375], [ 0.0, 0.0, 1.0]]
distortions = [ -0.000744265625, 0.002104171875, 4.328125e-06, 3.109375e-06]
rotation = [ 1.4045571699999995, -1.3887412699999993, 0.42535743000000026]
translation = [ 0.5030217200000006, 0.04894934000000085, 4.406564460000002]
fisheye = false

[metadata]
adjusted = false
error = 0.0
"""


@pytest.fixture
def pose2sim(tmp_path):
    path = tmp_path / "Calib.toml"
    path.write_text(POSE2SIM)
    return path


def test_pose2sims_calibration_is_opencvs_rotation_and_translation(pose2sim):
    first, last = read_rig(pose2sim).cameras
    assert (first.name, last.name) == ("cam01", "cam04")
    np.testing.assert_allclose(
        cv2.Rodrigues(first.rotation)[0].ravel(), (1.68827548, 1.04832205, -0.41955852), atol=1e-7
    )
    np.testing.assert_allclose(first.translation, (0.32110489, 0.95633206, 2.89071305), atol=1e-8)
    assert (first.model.width, first.model.height, first.model.fx) == (1088, 1920, 1681.244873046875)


@pytest.mark.skipif(not QUALISYS.exists(), reason="needs pose2sim_calibration.qca.txt (FITMOTION_DATA)")
def test_qualisys_cameras_are_those_that_pose2sims_authors_made_of_them(pose2sim):
    ours, theirs = read_rig(QUALISYS), read_rig(pose2sim)
    assert ours.names == ("cam01", "cam02", "cam03", "cam04")
    for name in theirs.names:
        mine, known = ours.camera(name), theirs.camera(name)
        # intrinsics and orientation are the same; the file at hand has its world moved and turned about the vertical
        np.testing.assert_allclose(mine.model.matrix, known.model.matrix, atol=1e-3)
        assert abs(mine.rotation[1, 2] - known.rotation[1, 2]) < 0.15
        assert mine.position[2] > 1.5  # cameras stand above the floor: z is up
    # a chequerboard calibration of the same cameras by the same authors gives k1 = -0.053, k2 = 0.151
    assert ours.cameras[0].model.distortion[:2] == (-0.046183, 0.139983)
    spans = [np.linalg.norm(rig.camera("cam01").position - rig.camera("cam04").position) for rig in (ours, theirs)]
    assert abs(spans[0] - spans[1]) < 0.02


@pytest.mark.parametrize("place", ["rig.toml", "rig"])
def test_a_rig_that_is_written_is_read_back(tmp_path, place):
    rig = ring(3)
    write_rig(tmp_path / place, rig)
    again = read_rig(tmp_path / place)
    assert again.names == rig.names
    points = np.random.default_rng(0).uniform(-1, 1, (10, 3))
    for one, other in zip(rig.cameras, again.cameras, strict=True):
        np.testing.assert_allclose(one.project(points), other.project(points), atol=1e-6)
    with pytest.raises(FileExistsError):
        write_rig(tmp_path / place, rig)


def test_images_that_a_codec_cut_or_somebody_resized_are_the_cameras_those_of_another_shape_are_not():
    camera = ring(2, model=None).cameras[0]  # 1080 x 1920
    point = np.array([[0.1, 0.2, 1.2]])
    np.testing.assert_allclose(camera.fitting(1088, 1920).project(point), camera.project(point))
    np.testing.assert_allclose(camera.fitting(540, 960).project(point), camera.project(point) / 2, atol=0.5)
    with pytest.raises(ValueError, match="another shape"):
        camera.fitting(1920, 1080)


def test_videos_belong_to_the_cameras_whose_names_they_hold_or_come_in_the_calibrations_order():
    rig = ring(4)
    assert rig.of_sources(["x/squat_cam03.mp4", "y/squat_cam01.mp4"]).names == ("cam03", "cam01")
    assert rig.of_sources(["0", "1", "2", "3"]).names == rig.names
    for specs in (["0", "1"], ["a_cam01.mp4", "b_cam01.mp4"]):
        with pytest.raises(ValueError, match="2 videos, and calibration ring has 4 cameras"):
            rig.of_sources(specs)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "[cam\n", "cannot be read"),
        ("a.toml", "[cam]\nname='a'\n", "no camera in it"),
        ("a.toml", POSE2SIM.replace("rotation = [ 1.68", "rot = [ 1.68"), "lacks 'rotation'"),
        ("a.toml", POSE2SIM.replace("cam04", "cam01"), "two cameras are called cam01"),
        ("a.qca.txt", "<calibration><cameras/></calibration>", "no camera in it"),
        ("a.qca.txt", "hello", "cannot be read"),
        ("a.json", "{}", "unknown format"),
        ("a.yaml", "image_width: 3", "lacks 'camera_matrix'"),
    ],
)
def test_what_is_no_calibration_is_named(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_rig(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
