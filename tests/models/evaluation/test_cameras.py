"""The worth of cameras, measured on a rig and a body whose truth is known, and on four videos of an athlete."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from tests.models.pose.rigs import blazepose_points, ring, see
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.evaluation.cameras import Recording, measure
from fitmotion_models.evaluation.cameras_report import as_dict, as_text
from fitmotion_models.mover import make_mover
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.offsets import Track

pytestmark = pytest.mark.slow
MEDIA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data")) / "media"


@pytest.fixture(scope="module")
def report():
    """Four cameras whose landmarks err by 5 pixels see a squat."""
    rig, clip, rng = ring(4), make_mover("squat"), np.random.default_rng(0)
    tracks = []
    frames = range(0, 80, 8)
    points = np.stack([blazepose_points(clip.frame(index)) for index in frames])
    pixels = see(rig, points) + rng.normal(0.0, 5.0, (4, len(points), 33, 2))
    for camera, images in zip(rig.cameras, pixels, strict=True):
        world = (points - points[:, 23:25].mean(1, keepdims=True)) @ camera.rotation.T
        tracks.append(
            Track(
                tuple(index / 30 for index in frames),
                tuple(
                    Keypoints("blazepose33", image.astype(np.float32), np.full(33, 0.9, np.float32), body)
                    for image, body in zip(images, world.astype(np.float32), strict=True)
                ),
            )
        )
    return measure(Recording.of_tracks(rig, tracks))


def test_the_reprojection_error_is_the_detectors(report):
    for joints in report.reprojection_px.values():
        # a point fitted to 8 numbers takes up 3 of them, 5 / 8 of the variance is left; a Rayleigh's median is 1.18 SD
        assert joints["all"].median == pytest.approx(1.18 * 5.0 * np.sqrt(5 / 8), rel=0.12)


def test_a_camera_that_is_left_out_is_hit_worse_than_one_that_counts(report):
    for camera, left in report.left_out.items():
        assert left.reprojection_px.median > 1.2 * report.reprojection_px[camera]["all"].median
        assert 2.0 < left.moved_mm.median < 20.0


def test_bones_keep_their_lengths_after_the_fit_alone(report):
    assert max(report.bones_fitted.values()) < 1.0
    assert np.median(list(report.bones_raw.values())) > 1.0


def test_one_camera_that_knows_its_depths_is_near_all(report):
    assert all(angles["all"].median < 8.0 for angles in report.one_camera.values())
    assert all(count == 10 for count in report.one_camera_poses.values())


def test_figures_are_told_as_numbers_and_as_text(report):
    content = json.loads(json.dumps(as_dict(report), allow_nan=False))
    assert content["poses"] == 10 and set(content["reprojection_px"]) == {"cam01", "cam02", "cam03", "cam04"}
    assert "one camera left out" in as_text(report) and "bar: 1 %" in as_text(report)


@pytest.mark.skipif(
    not (MEDIA / "pose2sim_calibration.qca.txt").exists(), reason="needs the pose2sim videos (FITMOTION_DATA)"
)
def test_four_cameras_before_an_athlete_and_the_errors_that_rules_assume(tmp_path):
    plot = tmp_path / "cameras.png"
    result = CliRunner().invoke(
        app, ["evaluate", "cameras", "--data", str(MEDIA.parent), "--json", "--plot", str(plot)]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["poses"] == 100 and plot.stat().st_size > 10_000
    assert all(joints["all"]["median"] < 25.0 for joints in found["reprojection_px"].values())
    assert found["sides_exchanged_share"]["cam02"] > 0.2  # the frontal view with the blurred face
    assert all(left["moved_mm"]["median"] < 40.0 for left in found["leave_one_camera_out"].values())
    assert all(bone["fitted"] < 1.0 for bone in found["bone_length_sd_percent"].values())
    assert not any(noise["too_optimistic"] for noise in found["joint_angle_noise"])
    wrong = [row["criterion"] + " " + row["seen_by"] for row in found["criteria"] if row["too_optimistic"]]
    assert not wrong
    assert len(found["criteria"]) > 30
