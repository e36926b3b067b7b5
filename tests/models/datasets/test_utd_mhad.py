"""UTD-MHAD: files of the set's form that SciPy writes of a known body, and what the real ones must look like."""

import tarfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from tests.models.datasets.utd_files import skeleton, write

from fitmotion_models.datasets import KinectCleaning
from fitmotion_models.datasets.utd_mhad import ACTIONS, read_utd_mhad
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import global_matrices
from fitmotion_models.skeleton.motion_clip import MotionClip

HIP, KNEE = SMPL22.index("right_hip"), SMPL22.index("right_knee")


@pytest.fixture(scope="module")
def squat() -> MotionClip:
    return squat_clip(SquatParameters(), fps=19.0)


def test_a_known_body_comes_back(tmp_path: Path, squat: MotionClip) -> None:
    readings = np.random.default_rng(0).normal(size=(251, 6))
    write(tmp_path, "a27_s3_t2", skeleton(squat), readings)
    (trial,) = read_utd_mhad(tmp_path)
    assert (trial.person, trial.action, trial.action_name, trial.repetition) == ("utd:s3", 27, "squat", 2)
    assert (trial.name, trial.site, trial.clip.subject) == ("a27_s3_t2", "right_thigh", "utd:s3")
    # both span one interval, the sensor's, of which a sample is 20 ms
    assert trial.stamps[-1] == pytest.approx(5.0) and trial.clip.stamps[-1] == pytest.approx(5.0)
    np.testing.assert_allclose(np.diff(trial.clip.stamps), 5.0 / (len(squat) - 1))
    np.testing.assert_allclose(trial.specific_force, readings[:, :3] * 9.81)
    np.testing.assert_allclose(trial.angular_velocity, readings[:, 3:] * np.pi / 180.0)
    bones = np.linalg.norm(np.diff(trial.clip.positions[:, [HIP, KNEE]], axis=1), axis=-1)
    np.testing.assert_allclose(bones, np.median(bones), atol=1e-5)
    thigh, truth = (global_matrices(clip.rotations.astype(float))[:, HIP] for clip in (trial.clip, squat))
    pointing = np.einsum("tij,tij->t", thigh[..., 2:], truth[..., 2:])  # the axes along the bone
    assert np.degrees(np.arccos(np.clip(pointing, -1.0, 1.0))).max() < 3.0


def test_wrist_or_thigh_by_action_and_choices(tmp_path: Path, squat: MotionClip) -> None:
    for action, person in ((21, 1), (22, 1), (22, 8)):
        write(tmp_path, f"a{action}_s{person}_t1", skeleton(squat), np.zeros((250, 6)))
    savemat(tmp_path / "a1_s1_t1_skeleton.mat", {"d_skel": skeleton(squat)})  # its readings are not there
    assert [(trial.name, trial.site) for trial in read_utd_mhad(tmp_path)] == [
        ("a21_s1_t1", "right_wrist"),
        ("a22_s1_t1", "right_thigh"),
        ("a22_s8_t1", "right_thigh"),
    ]
    assert [t.name for t in read_utd_mhad(tmp_path, actions=[22], persons=["utd:s1"])] == ["a22_s1_t1"]
    assert [t.name for t in read_utd_mhad(tmp_path, persons=["s8"])] == ["a22_s8_t1"]
    with tarfile.open(tmp_path / "set.tar.xz", "w:xz") as tar:
        for file in sorted(tmp_path.glob("*.mat"), reverse=True):
            tar.add(file, f"utd_mhad/{file.name}")
    packed, loose = read_utd_mhad(tmp_path / "set.tar.xz"), read_utd_mhad(tmp_path)
    assert [trial.name for trial in packed] == [trial.name for trial in loose]
    np.testing.assert_array_equal(packed[0].clip.positions, loose[0].clip.positions)


def test_bad_files_are_named(tmp_path: Path, squat: MotionClip) -> None:
    with pytest.raises(ValueError, match="holds no recording of UTD-MHAD; expected names like a27_s1_t1_skeleton"):
        read_utd_mhad(tmp_path)
    with pytest.raises(ValueError, match="nowhere can't be read"):
        read_utd_mhad(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"has no action 28; it has 1 \(swipe_left\) to 27"):
        read_utd_mhad(tmp_path, actions=[27, 28])
    points, readings = skeleton(squat), np.zeros((250, 6))
    holed = readings.copy()
    holed[7, 2] = np.nan
    for skel, iner, message in (
        (points[:19], readings, "a27_s1_t1_skeleton.mat: d_skel is 19 x 3 x .*; expected 20 x 3 x 4 or more"),
        (points[..., :3], readings, "d_skel is 20 x 3 x 3; expected"),
        (points, readings[:, :3], "a27_s1_t1_inertial.mat: d_iner is 250 x 3; expected 4 or more x 6"),
        (points, holed, "a27_s1_t1_inertial.mat: d_iner holds numbers that are not finite"),
    ):
        write(tmp_path, "a27_s1_t1", skel, iner)
        with pytest.raises(ValueError, match=message):
            read_utd_mhad(tmp_path)
    savemat(tmp_path / "a27_s1_t1_skeleton.mat", {"skeleton": points})
    with pytest.raises(ValueError, match="a27_s1_t1_skeleton.mat has no variable d_skel"):
        read_utd_mhad(tmp_path)
    for damage in (b"", b"no MATLAB file at all, but long enough to hold a header" * 9):
        (tmp_path / "a27_s1_t1_skeleton.mat").write_bytes(damage)
        with pytest.raises(ValueError, match="a27_s1_t1_skeleton.mat is no MATLAB file"):
            read_utd_mhad(tmp_path)


@pytest.mark.slow
def test_real_squats_and_waves(utd_archive: Path) -> None:
    squats = read_utd_mhad(utd_archive, actions=[27], persons=["s1", "s2"], cleaning=KinectCleaning(planted_feet=None))
    assert [trial.name for trial in squats] == [f"a27_s{s}_t{t}" for s in (1, 2) for t in (1, 2, 3, 4)]
    for trial in squats:
        assert 14.0 < trial.clip.fps < 21.0
        # a body that stands upright at first, goes down and comes up again
        height = trial.clip.positions[:, 0, 2] / trial.clip.positions[0, 0, 2]
        assert height.min() < 0.85 and abs(height[-1] - 1.0) < 0.06
        # at rest the sensor reads gravity and nothing turns it
        assert np.linalg.norm(trial.specific_force[:10].mean(axis=0)) == pytest.approx(9.81, abs=0.8)
        assert np.abs(trial.angular_velocity[:10]).mean(axis=0).max() < 0.3
    (wave,) = read_utd_mhad(utd_archive, actions=[3], persons=["s1"])[:1]
    lifted = wave.clip.positions[:, [SMPL22.index("left_wrist"), SMPL22.index("right_wrist")], 2].max(axis=0)
    assert ACTIONS[3] == wave.action_name == "wave"
    assert lifted[1] > lifted[0] + 0.4  # it is the right hand that waves
