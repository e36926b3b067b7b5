"""UI-PRMD's Kinect recordings: against SciPy's rotations, and what the real ones must look like."""

import os
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.datasets import SPLITS, UIPRMD_MOVEMENTS, KinectCleaning, mirror_uiprmd, read_uiprmd
from fitmotion_models.datasets.uiprmd import uiprmd_clip
from fitmotion_models.datasets.uiprmd_files import UiprmdName, UiprmdRecording, read_recordings
from fitmotion_models.fms.any_test import AnyTestScorer
from fitmotion_models.fms.scorer import score_clip
from fitmotion_models.fms.values import Assessment, Movement, Verdict
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS
from fitmotion_models.skeleton.motion_clip import MotionClip

UIPRMD_PARENTS = (-1, 0, 1, 2, 3, 4, 2, 6, 7, 8, 2, 10, 11, 12, 0, 14, 15, 16, 0, 18, 19, 20)
LEFT_FOOT, RIGHT_FOOT, LEFT_HAND, RIGHT_HAND = 16, 20, 9, 13
ANKLES = [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]
STAY = ("m01", "m05", "m07", "m08", "m09", "m10")
AT_LENGTH = bool(os.environ.get("FITMOTION_TEST_LONG"))
PERSONS = ("s02", "s04", "s06", "s08")
NOT_SQUATS = ("m04", "m07", "m08", "m09", "m10")

Sample = dict[UiprmdName, UiprmdRecording]


def scipy_positions(recording: UiprmdRecording, order: str) -> np.ndarray:
    """Joints (T, 22, 3), metres, z up; SciPy turns about the axes of `order` in turn, which stand still."""
    columns = ["xyz".index(axis) for axis in order]
    world = np.zeros_like(recording.offsets)
    turned: list[Rotation] = []
    for joint, parent in enumerate(UIPRMD_PARENTS):
        own = Rotation.from_euler(order, recording.angles[:, joint][:, columns], degrees=True)
        turned.append(own if parent < 0 else turned[parent] * own)
        offset = recording.offsets[:, joint]
        world[:, joint] = offset if parent < 0 else world[:, parent] + turned[parent].apply(offset)
    return world[..., [2, 0, 1]] / 100.0


def travel(points: np.ndarray) -> float:
    """How far apart the ends of the box are in which a point (T, 3) moves."""
    return float(np.linalg.norm(np.ptp(points, axis=0)))


def any_test_in(clip: MotionClip) -> list[Assessment]:
    """Every repetition of a clip, whichever test it is."""
    scorer = AnyTestScorer(learned=False)
    found = [scorer.update(pose).assessment for pose in clip]
    return [one for one in (*found, scorer.finish()) if one is not None]


def in_sample(name: UiprmdName) -> bool:
    """Two deep squats of each person, one of them incorrect; of the other movements one of every fourth person."""
    if name.movement == "m01":
        return name.repetition == "e03"
    return name.repetition == "e05" and name.correct and name.person in ("s03", "s07")


@pytest.fixture(scope="session")
def names() -> list[UiprmdName]:
    return []


@pytest.fixture(scope="session")
def sample(uiprmd_archive: Path, names: list[UiprmdName]) -> Sample:
    """Some recordings; every name that the archive has is put into `names` on the way."""

    def wanted(name: UiprmdName) -> bool:
        names.append(name)
        return in_sample(name)

    return {recording.name: recording for recording in read_recordings(uiprmd_archive, wanted)}


@pytest.fixture(scope="session")
def clips(sample: Sample):
    return {name: uiprmd_clip(recording) for name, recording in sample.items()}


def test_counts(sample: Sample, names: list[UiprmdName]) -> None:
    # every name twice: positions and angles
    assert len(names) == 3200 and len(set(names)) == 1600
    assert {name.movement for name in names} == set(UIPRMD_MOVEMENTS)
    assert {name.person for name in names} == {f"s0{number}" for number in range(1, 9)}
    assert sum(name.correct for name in set(names)) == 800
    assert len(sample) == 2 * 8 + 9 * 2


def test_angles_are_read_as_the_feet_say(sample: Sample) -> None:
    drift = {order: [] for order in ("yxz", "xyz")}
    for name, recording in sample.items():
        np.testing.assert_allclose(recording.positions(), scipy_positions(recording, "yxz"), atol=1e-9)
        # the middle one of three Euler angles is the one that stays within a quarter turn
        assert np.abs(recording.angles[..., 0]).max() <= 90.0
        if name.movement in ("m01", "m05"):
            for order, values in drift.items():
                points = scipy_positions(recording, order)
                values.extend(travel(points[:, foot]) for foot in (LEFT_FOOT, RIGHT_FOOT))
    print({order: f"{np.median(values):.2f} m" for order, values in drift.items()})
    assert np.abs([recording.angles[..., 1:].max() for recording in sample.values()]).max() > 170.0
    assert np.median(drift["yxz"]) < 0.25 * np.median(drift["xyz"])


def test_hands_do_what_the_movements_are_called(sample: Sample) -> None:
    for name, recording in sample.items():
        points = recording.positions()
        hands = points[:, [LEFT_HAND, RIGHT_HAND], 2] - points[:, 3, None, 2]
        if name.movement == "m07":  # abduction: one arm from the thigh to over the head, the other one hangs
            assert sorted(hands.max(axis=0) > 0.1) == [False, True]
            assert (hands.min(axis=0) < -0.3).all()
        if name.movement == "m01":  # arms overhead throughout
            assert (np.median(hands, axis=0) > 0.1).all()


def test_bones_keep_their_lengths(clips) -> None:
    for clip in clips.values():
        bones = np.linalg.norm(clip.positions[:, 1:] - clip.positions[:, list(PARENTS[1:])], axis=-1)
        assert (np.ptp(bones, axis=0) < 0.005 * bones.mean(axis=0)).all()
        assert np.isfinite(clip.positions).all() and np.isfinite(clip.rotations).all()


def test_standing_feet_are_on_the_floor_and_stay(clips) -> None:
    for name, clip in clips.items():
        feet, ankles = clip.feet[..., 2], clip.positions[:, ANKLES]
        if name.movement in STAY:
            assert np.abs(feet).max() < 0.02, str(name)
            assert max(travel(ankles[:, side]) for side in (0, 1)) < 0.02, str(name)
        elif clip.labels[-1] in ("left", "right"):
            other = 1 if clip.labels[-1] == "left" else 0
            assert np.abs(feet[:, 2 * other : 2 * other + 2]).max() < 0.02, str(name)
            assert ankles[:, 1 - other, 2].max() > ankles[:, other, 2].max() + 0.12, str(name)
        # nobody flies or sinks
        assert feet.min(axis=1).max() < 0.02 and feet.min() > -0.08, str(name)


def test_starts_at_the_origin_facing_x(clips) -> None:
    for name, clip in clips.items():
        ankles = clip.positions[0, ANKLES]
        hips = clip.positions[0, SMPL22.index("left_hip")] - clip.positions[0, SMPL22.index("right_hip")]
        # feet that stay are held at their place over the whole recording, not over its start
        assert np.abs(ankles[:, :2].mean(axis=0)).max() < 0.12, str(name)
        assert abs(np.degrees(np.arctan2(hips[0], hips[1]))) < 8.0
        assert clip.positions[0, 15, 2] > 1.2


def test_labels_and_mirror_images(clips) -> None:
    clip = clips[UiprmdName("m02", "s03", "e05", True)]
    assert clip.labels == ("m02_s03_e05", "hurdle_step", "correct", "s03", "e05", "right")
    mirrored = mirror_uiprmd(clip)
    assert mirrored.labels == ("m02_s03_e05", "hurdle_step", "correct", "s03", "e05", "left", "mirrored")
    np.testing.assert_array_equal(mirrored.positions[:, ANKLES[0], 2], clip.positions[:, ANKLES[1], 2])
    back = mirror_uiprmd(mirrored)
    assert back.labels == clip.labels
    np.testing.assert_array_equal(back.rotations, clip.rotations)


def test_one_side_a_person(clips) -> None:
    sides = {(str(name)[:7], clip.labels[-1]) for name, clip in clips.items() if name.movement in ("m02", "m06")}
    assert sides == {("m02_s03", "right"), ("m02_s07", "left"), ("m06_s03", "right"), ("m06_s07", "left")}


@pytest.mark.slow
def test_deep_squats_are_found_and_other_movements_are_not(clips) -> None:
    found = {name: len(score_clip(clip)) for name, clip in clips.items()}
    squats = [count for name, count in found.items() if name.movement == "m01"]
    print(f"deep squats found in {sum(count == 1 for count in squats)} of {len(squats)} recordings")
    assert sum(count == 1 for count in squats) >= 0.95 * len(squats)
    assert not [name for name, count in found.items() if name.movement in NOT_SQUATS and count]


def test_feet_slide_without_the_constraint(sample: Sample) -> None:
    recording = sample[UiprmdName("m01", "s03", "e03", True)]
    loose = uiprmd_clip(recording, KinectCleaning(planted_feet=None))
    held = uiprmd_clip(recording)
    assert max(travel(loose.positions[:, ankle]) for ankle in ANKLES) > 0.08
    assert max(travel(held.positions[:, ankle]) for ankle in ANKLES) < 0.01
    # posture is kept: the trunk leans alike
    for joint in ("neck", "left_shoulder", "right_wrist"):
        index = SMPL22.index(joint)
        np.testing.assert_allclose(
            held.positions[:, index] - held.positions[:, 0],
            loose.positions[:, index] - loose.positions[:, 0],
            atol=5e-3,
        )


def _write(folder: Path, stem: str, offsets: np.ndarray, angles: np.ndarray, suffix: str = "") -> None:
    np.savetxt(folder / f"{stem}_positions{suffix}.txt", offsets.reshape(len(offsets), -1), "%.6f", delimiter=",")
    np.savetxt(folder / f"{stem}_angles{suffix}.txt", angles.reshape(len(angles), -1), "%.6f", delimiter=",")


@pytest.fixture
def random_tables() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    angles = rng.uniform(-170.0, 170.0, (7, 22, 3))
    angles[..., 0] /= 2.0
    return rng.normal(0.0, 20.0, (7, 22, 3)), angles


def test_reads_what_scipy_makes_of_random_rotations(tmp_path: Path, random_tables) -> None:
    _write(tmp_path, "m03_s04_e02", *random_tables, suffix="_inc")
    (tmp_path / "notes.txt").write_text("not a table")
    (recording,) = read_recordings(tmp_path)
    assert recording.name == UiprmdName("m03", "s04", "e02", False)
    np.testing.assert_allclose(recording.positions(), scipy_positions(recording, "yxz"), atol=1e-9)
    np.testing.assert_allclose(recording.offsets, random_tables[0], atol=1e-6)


def test_damaged_files_are_named(tmp_path: Path, random_tables) -> None:
    with pytest.raises(ValueError, match="holds no UI-PRMD file"):
        read_recordings(tmp_path)
    with pytest.raises(ValueError, match="can't be read"):
        read_recordings(tmp_path / "none.tar")
    offsets, angles = random_tables
    _write(tmp_path, "m01_s01_e01", offsets, angles[:5])
    with pytest.raises(ValueError, match="7 frames of positions but 5 of angles"):
        read_recordings(tmp_path)
    (tmp_path / "m01_s01_e01_angles.txt").unlink()
    with pytest.raises(ValueError, match="m01_s01_e01 lacks its angles"):
        read_recordings(tmp_path)
    (tmp_path / "m01_s01_e01_angles.txt").write_text("1,2,3\n")
    with pytest.raises(ValueError, match="m01_s01_e01_angles.txt: 3 numbers in 1 rows; expected 66"):
        read_recordings(tmp_path)
    (tmp_path / "m01_s01_e01_angles.txt").write_text(",".join(["1"] * 65 + ["nan"]) + "\n")
    with pytest.raises(ValueError, match="not finite"):
        read_recordings(tmp_path)
    (tmp_path / "m01_s01_e01_angles.txt").write_text(",".join(["1"] * 65 + ["one"]) + "\n")
    with pytest.raises(ValueError, match="m01_s01_e01_angles.txt: .*one"):
        read_recordings(tmp_path)
    with pytest.raises(ValueError, match="no movement 'plank'; it has: m01"):
        next(read_uiprmd(tmp_path, movements=["plank"]))


def test_cleaning_parameters_are_checked() -> None:
    with pytest.raises(ValueError, match="median_frames is 4"):
        KinectCleaning(median_frames=4)
    with pytest.raises(ValueError, match="smoothing_s is -1"):
        KinectCleaning(smoothing_s=-1)


def test_the_split_shares_no_person() -> None:
    first, swapped = SPLITS["first"], SPLITS["swapped"]
    assert first.generator == ("s01", "s02", "s03", "s04", "s05") and first.judge == ("s06", "s07", "s08")
    assert (swapped.generator, swapped.judge) == (first.judge, first.generator)
    assert not set(first.generator) & set(first.judge)


@pytest.mark.slow
def test_all_deep_squats_and_all_others(uiprmd_archive: Path) -> None:
    """Prints what is found where, and the rules' values of correct and incorrect squats.

    Sitting down on a chair and getting up (m05) is printed only: with its feet held it is a squat to these rules.
    """
    values: dict[tuple[str, bool], list[float]] = {}
    found: dict[tuple[str, bool], list[int]] = {}
    recognised: dict[tuple[str, bool], list[int]] = {}
    others_of = PERSONS if AT_LENGTH else PERSONS[2:]
    clips = chain(
        read_uiprmd(uiprmd_archive, movements=("m01",), persons=None if AT_LENGTH else PERSONS),
        read_uiprmd(uiprmd_archive, movements=("m05", *NOT_SQUATS), persons=others_of, correct=True),
        read_uiprmd(uiprmd_archive, movements=("m04", "m05"), persons=others_of, correct=False),
    )
    for name, clip in clips:
        assessments = score_clip(clip)
        found.setdefault((name.movement, name.correct), []).append(len(assessments))
        squats = [one for one in any_test_in(clip) if one.movement is Movement.DEEP_SQUAT] if assessments else []
        recognised.setdefault((name.movement, name.correct), []).append(len(squats))
        for criterion in assessments[0].criteria if assessments and name.movement == "m01" else ():
            assert criterion.verdict is not Verdict.NOT_SEEN
            values.setdefault((criterion.name, name.correct), []).append(criterion.value)
    for (movement, correct), counts in sorted(found.items()):
        kind = "correct" if correct else "incorrect"
        print(f"{movement} {kind:9} a squat in {sum(count > 0 for count in counts)} of {len(counts)} recordings")
    for (criterion, correct), measured in sorted(values.items()):
        low, middle, high = np.percentile(measured, (25, 50, 75))
        print(f"{criterion:26} {'correct' if correct else 'incorrect':9} {middle:7.3f} ({low:.3f} to {high:.3f})")
    assert all(len(counts) in ((40, 80) if AT_LENGTH else (20, 40)) for counts in found.values())
    assert set(found["m01", True]) == {1}
    # the others are too shallow to be a repetition, or end before the person has come up again
    assert np.mean([count == 1 for count in found["m01", False]]) >= 0.93
    # told that it is a squat, the rules take one person's careless side lunges for one; asked which test it was, not
    others = [count for (movement, _), counts in recognised.items() if movement in NOT_SQUATS for count in counts]
    assert sum(count > 0 for count in others) <= 0.02 * len(others)
    # incorrect squats are less deep
    assert np.median(values["femur_below_horizontal", False]) > np.median(values["femur_below_horizontal", True])
