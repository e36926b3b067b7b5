"""The mannequin's pictures: where the geometry says, and a person to a real pose network."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.pose.backends import make_backend
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.skeleton.joint_sets import JOINT_SETS, SMPL22
from fitmotion_models.viewer.mannequin import Viewpoint, render_clip, render_pose, write_clip_video

CAMERA = CameraModel.guess(640, 480)
LIMBS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")


@pytest.mark.parametrize("azimuth", [0.0, 0.9, 1.5, -0.9])
def test_a_camera_looks_at_the_body_from_where_it_stands(azimuth):
    view = Viewpoint(azimuth=azimuth, tilt=0.0, distance=3.0, aim=1.0)
    pixels, depth = view.project(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]]), CAMERA)
    np.testing.assert_allclose(pixels[0], [CAMERA.cx, CAMERA.cy])
    np.testing.assert_allclose(pixels[1], [CAMERA.cx, CAMERA.cy - CAMERA.fy / 3.0])
    np.testing.assert_allclose(depth, 3.0)
    left, _ = view.project(np.array([0.0, 1.0, 1.0]), CAMERA)
    # the body's left is on the right of a picture from the front
    assert np.sign(left[0] - CAMERA.cx) == np.sign(np.cos(azimuth))


@pytest.mark.parametrize("azimuth", [0.0, 0.9, 1.5])
def test_a_real_pose_network_finds_the_body_where_it_was_drawn(azimuth):
    clip = squat_clip(SquatParameters(repetitions=1))
    view, find = Viewpoint(azimuth=azimuth), make_backend()
    names = JOINT_SETS["blazepose33"].joints
    joints = [f"{side}_{limb}" for side in ("left", "right") for limb in LIMBS]
    errors = []
    for index in range(0, len(clip), 15):
        pose = clip.frame(index)
        found = find(np.ascontiguousarray(render_pose(pose, CAMERA, view)[:, :, ::-1]), pose.stamp)
        assert found is not None
        drawn, _ = view.project(pose.positions[[SMPL22.index(name) for name in joints]].astype(float), CAMERA)
        errors.append(np.linalg.norm(found.pixels[[names.index(name) for name in joints]] - drawn, axis=-1))
    find.close()
    pixels_per_metre = CAMERA.fx / view.distance
    assert np.median(errors) / pixels_per_metre < 0.06


def test_the_whole_chain_from_pictures_to_score_counts_every_repetition(tmp_path):
    path = tmp_path / "squats.mp4"
    tempo = {"repetitions": 2, "stance_s": 0.5, "pause_s": 0.4}
    fallen_arms = SquatParameters(arm_drop_deg=75, trunk_lean_deg=50, depth_m=0.1, **tempo)
    write_clip_video(path, squat_clip(fallen_arms, fps=20.0), CAMERA, Viewpoint(azimuth=1.4))
    result = CliRunner().invoke(app, ["assess", str(path), "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert [one["repetition"] for one in report["assessments"]] == [1, 2]
    for one in report["assessments"]:
        verdicts = {criterion["name"]: criterion["verdict"] for criterion in one["criteria"]}
        assert one["score"] == 1
        assert verdicts["dowel_over_feet"] == "not_met"
        assert verdicts["femur_below_horizontal"] == "not_met"


def test_pictures_are_of_the_asked_size_and_differ_with_the_motion():
    images = list(render_clip(squat_clip(SquatParameters(repetitions=1), fps=10.0), CAMERA))
    assert images[0].shape == (480, 640, 3) and images[0].dtype == np.uint8
    assert np.abs(images[0].astype(int) - images[20]).mean() > 1.0


def test_a_video_is_never_overwritten(tmp_path):
    path = tmp_path / "there.mp4"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"there\.mp4"):
        write_clip_video(path, squat_clip(SquatParameters(repetitions=1)))
    assert path.read_bytes() == b"mine"
