"""The FMS set of Xing et al.: files of its form made from movers' bodies, seen by two tilted sensors, and read back."""

import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.datasets import KinectCleaning
from fitmotion_models.datasets.xing_files import XingName, read_recordings, read_scores
from fitmotion_models.datasets.xing_fms import joined, read_xing_fms, xing_clip
from fitmotion_models.fms.values import Variation
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip
from fitmotion_models.mover.leg_raise import leg_raise_clip
from fitmotion_models.mover.leg_raise_parameters import LegRaiseParameters
from fitmotion_models.skeleton.joint_sets import JOINT_SETS, SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS
from fitmotion_models.skeleton.motion_clip import MotionClip

KINECT = JOINT_SETS["azure_kinect32"]
SAME = {
    f"{joint}_{side}": f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("hip", "knee", "ankle", "foot", "shoulder", "elbow", "wrist")
} | {"pelvis": "pelvis", "head": "head", "neck": "neck"}
ENDS = [SMPL22.index(name) for name in SAME.values() if name not in ("pelvis", "neck")]
# where the sensors stand, metres, and which way the body sees them, degrees about the vertical
SENSORS = {"front": ((2.6, 0.1, 0.96), 0.0), "side": ((0.2, 2.9, 0.96), 83.0)}
HURDLE = "s07_m03_20210601101112_e2"


def kinect_joints(clip: MotionClip) -> np.ndarray:
    """(T, 32, 3): our joints under the Kinect's names, navel and chest on the line from hips to shoulders."""
    ours = {name: clip.positions[:, index].astype(float) for index, name in enumerate(SMPL22.joints)}
    low, high = (0.5 * (ours[f"left_{joint}"] + ours[f"right_{joint}"]) for joint in ("hip", "shoulder"))
    points = np.zeros((len(clip), len(KINECT), 3))
    for index, name in enumerate(KINECT.joints):
        share = {"spine_navel": 0.36, "spine_chest": 0.66}.get(name)
        points[:, index] = ours[SAME.get(name, "head")] if share is None else low + share * (high - low)
    return points


def seen(points: np.ndarray, place: tuple[float, float, float], yaw_deg: float) -> np.ndarray:
    """World points in a depth camera's axes (x right, y down, z ahead), millimetres; it looks down by 6 degrees."""
    level = Rotation.from_euler("z", yaw_deg, degrees=True) * Rotation.from_matrix([(0, 0, -1), (1, 0, 0), (0, -1, 0)])
    camera = level * Rotation.from_euler("x", -6.0, degrees=True)
    return camera.inv().apply((points - place).reshape(-1, 3)).reshape(points.shape) * 1000.0


def record(
    clip: MotionClip, sensor: str, unseen: dict[str, slice] | None = None, empty: slice = slice(0, 0)
) -> dict[str, object]:
    """What the SDK's offline processor writes. unseen: joint to frames without it; empty: frames without a body."""
    points = seen(kinect_joints(clip), *SENSORS[sensor])
    confidence = np.full(points.shape[:2], 2)
    for joint, frames in (unseen or {}).items():
        confidence[frames, KINECT.index(joint)] = 0
        points[frames, KINECT.index(joint)] = 0.0
    gone = set(range(*empty.indices(len(clip))))
    frames = []
    for index, (joints, levels) in enumerate(zip(points, confidence, strict=True)):
        body = {
            "body_id": 1,
            "joint_positions": np.round(joints, 3).tolist(),
            "joint_orientations": [[1.0, 0.0, 0.0, 0.0]] * len(KINECT),
            "confidence_level": levels.tolist(),
        }
        # somebody who watches from behind
        watcher = body | {"body_id": 2, "joint_positions": (joints + (900.0, 0.0, 2500.0)).tolist()}
        bodies = [] if index in gone else [watcher, body] if index % 10 > 7 else [body]
        frame = {"frame_id": index, "timestamp_usec": 5_000_000 + round(index * 1e6 / 30), "num_bodies": len(bodies)}
        frames.append(frame | {"bodies": bodies})
    return {"total_frames": len(frames), "frames": frames}


@pytest.fixture(scope="module")
def squat() -> MotionClip:
    return squat_clip(SquatParameters(repetitions=1), fps=30.0)


@pytest.fixture(scope="module")
def hurdle() -> MotionClip:
    return hurdle_step_clip(HurdleStepParameters(side="left"), fps=30.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, squat: MotionClip, hurdle: MotionClip) -> Path:
    """A squat on the board, a hurdle step of the left leg of which the front sensor loses the right arm, grades."""
    root = tmp_path_factory.mktemp("xing")
    lost = {f"{joint}_right": slice(20, None) for joint in ("elbow", "wrist")}
    for sensor in ("front", "side"):
        place = root / "Skeleton data" / sensor.capitalize()
        place.mkdir(parents=True)
        (place / f"{sensor}_s03_m02_e1.json").write_text(json.dumps(record(squat, sensor)))
        table = record(hurdle, sensor, lost if sensor == "front" else None)
        (place / f"{sensor}_{HURDLE}.json").write_text(json.dumps(table))
    scores = {"s03": {"m02": {"e1": [2, 2, 3]}}, "s07": {"m03": {"e2": [1, 2, 3]}}}
    (root / "experts_score.json").write_text(json.dumps(scores))
    return root


@pytest.fixture(scope="module")
def clips(folder: Path) -> dict[str, MotionClip]:
    return {str(name): clip for name, clip in read_xing_fms(folder)}


def relative(clip: MotionClip, frames: int) -> np.ndarray:
    """Joints at the ends of limbs against the pelvis, (frames, J, 3)."""
    return (clip.positions[:frames, ENDS] - clip.positions[:frames, :1]).astype(float)


def test_names_grades_and_labels(folder: Path) -> None:
    named = dict(read_xing_fms(folder))
    board, step = sorted(named)
    assert (board, step) == (XingName("s03", "m02", "e1", (2, 2, 3)), XingName("s07", "m03", "e2", (1, 2, 3)))
    assert board.variation is Variation.DEEP_SQUAT_BOARD and step.variation is Variation.HURDLE_STEP_LEFT
    assert (board.test, board.side, board.score) == ("deep_squat", None, 2)
    assert named[step].labels == ("s07_m03_e2", "hurdle_step", "hurdle_step_left", "s07", "e2", "left", "score 2")
    assert XingName("s01", "m15", "e1").test == "rotary_stability"
    assert [str(name) for name, _ in read_xing_fms(folder, persons=("s07",))] == ["s07_m03_e2"]
    assert [str(name) for name, _ in read_xing_fms(folder, movements=("m02",), sensor="side")] == ["s03_m02_e1"]


def test_a_squat_is_where_it_was_made(clips, squat: MotionClip) -> None:
    clip = clips["s03_m02_e1"]
    assert (clip.fps, clip.subject, clip.views) == (30.0, "s03", 0)
    assert len(clip) == len(squat)
    error = np.linalg.norm(relative(clip, len(squat)) - relative(squat, len(squat)), axis=-1)
    print(f"squat: median {1000 * np.median(error):.1f}, worst {1000 * error.max():.1f} mm")
    assert np.median(error) < 0.01 and error.max() < 0.04
    # not in the frame of the sensor: the tilt of 6 degrees would move the head of 1.5 m by 0.16 m
    np.testing.assert_allclose(clip.positions[:, 0], squat.positions[:, 0], atol=0.02)
    assert np.abs(clip.feet[..., 2]).max() < 0.02
    bones = np.linalg.norm(clip.positions[:, 1:] - clip.positions[:, list(PARENTS[1:])], axis=-1)
    assert (np.ptp(bones, axis=0) < 0.005 * bones.mean(axis=0)).all()


@pytest.mark.slow
def test_without_the_tilt_taken_out_the_body_leans(squat: MotionClip, monkeypatch: pytest.MonkeyPatch) -> None:
    import fitmotion_models.datasets.xing_files as files

    name = XingName("s01", "m01", "e1")
    content = json.dumps(record(squat, "front")).encode()
    level = xing_clip(files._recording("front_s01_m01_e1.json", content, name, "front"))
    monkeypatch.setattr(files, "_LEVEL", np.array([(0.0, 0.0, -1.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0)]))
    tilted = xing_clip(files._recording("front_s01_m01_e1.json", content, name, "front"))
    head = [clip.positions[0, SMPL22.index("head")] - clip.positions[0, 0] for clip in (level, tilted, squat)]
    lean = [np.degrees(np.arctan2(vector[0], vector[2])) for vector in head]
    assert lean[0] == pytest.approx(lean[2], abs=1.0)
    assert abs(lean[1] - lean[2]) == pytest.approx(6.0, abs=1.0)


@pytest.mark.slow
def test_both_sensors_see_what_one_has_lost(folder: Path, clips, hurdle: MotionClip) -> None:
    ((name, both),) = read_xing_fms(folder, movements=("m03",), sensor="both")
    wrist = SMPL22.index("right_wrist")
    truth = (hurdle.positions[:, wrist] - hurdle.positions[:, SMPL22.index("right_shoulder")]).astype(float)
    error = {}
    for kind, clip in (("front", clips[str(name)]), ("both", both)):
        seen_at = clip.positions[:, wrist] - clip.positions[:, SMPL22.index("right_shoulder")]
        error[kind] = np.linalg.norm(seen_at - truth[: len(clip)], axis=-1).max()
    print({kind: f"{value:.3f} m" for kind, value in error.items()})
    assert error["both"] < 0.04 < error["front"]
    assert both.labels == clips[str(name)].labels
    # the foot that steps is in the air, the other one stays
    rise = np.ptp(both.feet[..., 2], axis=0)
    assert rise[:2].min() > 0.12 and rise[2:].max() < 0.03


@pytest.mark.slow
def test_the_side_sensor_is_laid_on_the_front_one(folder: Path) -> None:
    found = {
        recording.sensor: recording
        for recording in read_recordings(folder, lambda name, _: name.movement == "m02", read_scores(folder))
    }
    together = joined(found["front"], found["side"])
    np.testing.assert_allclose(together.points, found["front"].points, atol=1e-5)
    alone = np.full_like(found["side"].confidence, 0.0)
    with pytest.raises(ValueError, match="s03_m02_e1: front and side sensor share no two moments"):
        joined(
            found["front"], type(found["side"])(found["side"].name, "side", found["side"].times, together.points, alone)
        )


@pytest.mark.slow
def test_frames_without_a_body(tmp_path: Path, squat: MotionClip) -> None:
    (tmp_path / "front_s01_m01_e1.json").write_text(json.dumps(record(squat, "front", empty=slice(60, 66))))
    (tmp_path / "front_s01_m01_e2.json").write_text(json.dumps(record(squat, "front", empty=slice(30, 90))))
    ((name, clip),) = read_xing_fms(tmp_path)
    assert name.episode == "e1" and name.scores == () and name.score is None
    error = np.linalg.norm(relative(clip, len(squat)) - relative(squat, len(squat)), axis=-1)
    assert error.max() < 0.06
    assert len(list(read_xing_fms(tmp_path, least_seen=0.5))) == 2


@pytest.mark.slow
def test_a_body_that_lies_rests_on_the_floor(tmp_path: Path) -> None:
    made = leg_raise_clip(LegRaiseParameters(side="left"), fps=30.0)
    (tmp_path / "front_s02_m09_e1.json").write_text(json.dumps(record(made, "front")))
    ((name, clip),) = read_xing_fms(tmp_path, cleaning=KinectCleaning(median_frames=1, smoothing_s=0.0))
    assert name.test == "active_straight_leg_raise" and name.side == "left"
    lowest = clip.positions[..., 2].min(axis=1)
    assert 0.0 < np.median(lowest) < 0.08
    ankle = SMPL22.index("left_ankle")
    rise, truth = (np.ptp(one.positions[:, ankle, 2]) for one in (clip, made))
    assert rise == pytest.approx(truth, abs=0.02)


@pytest.mark.slow
def test_archives(folder: Path, tmp_path: Path, clips) -> None:
    with tarfile.open(tmp_path / "set.tar.xz", "w:xz") as tar, zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        # grades last: they are still found first
        for file in sorted(folder.rglob("*_s03_*.json")) + [folder / "experts_score.json"]:
            tar.add(file, file.relative_to(folder))
            packed.write(file, file.relative_to(folder))
    for archive in ("set.tar.xz", "set.zip"):
        ((name, clip),) = read_xing_fms(tmp_path / archive)
        assert name.score == 2
        np.testing.assert_array_equal(clip.positions, clips[str(name)].positions)


def test_damaged_files_are_named(tmp_path: Path, squat: MotionClip) -> None:
    with pytest.raises(ValueError, match="holds no recording of the FMS set .* like front_s01"):
        list(read_xing_fms(tmp_path))
    with pytest.raises(ValueError, match="none.tar can't be read"):
        list(read_xing_fms(tmp_path / "none.tar"))
    with pytest.raises(ValueError, match="sensor is 'top'; allowed: front, side, both"):
        list(read_xing_fms(tmp_path, sensor="top"))
    file = tmp_path / "front_s01_m01_e1.json"
    for content, message in (
        ("{", "front_s01_m01_e1.json is no JSON"),
        ('{"frames": []}', "has no frames"),
        ('{"frames": [{"bodies": []}]}', "frame 1: KeyError.*timestamp_usec"),
        ('{"frames": [{"timestamp_usec": 1, "bodies": [{"joint_positions": [[1, 2, 3]]}]}]}', "a body of 1 joints"),
    ):
        file.write_text(content)
        with pytest.raises(ValueError, match=message):
            list(read_xing_fms(tmp_path))
    file.write_text(json.dumps(record(squat, "front", {"knee_left": slice(None)})))
    with pytest.raises(ValueError, match="s01_m01_e1: the sensor never saw knee_left; take the other sensor or both"):
        list(read_xing_fms(tmp_path))
    file.rename(tmp_path / "front_s01_m16_e1.json")
    with pytest.raises(ValueError, match="m16 is no movement of the set"):
        list(read_xing_fms(tmp_path))
    (tmp_path / "front_s01_m16_e1.json").unlink()
    (tmp_path / "experts_score.json").write_text("[1, 2]")
    with pytest.raises(ValueError, match="expected grades as"):
        read_scores(tmp_path)
