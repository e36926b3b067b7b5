"""Virtual recordings of varied motion against other ways to the same readings, and what is learned from them.

People made here move the right arm in five ways; what they wear is a plain virtual sensor, strapped on in its own
direction. UTD-MHAD's real recordings are read where they are there.
"""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fitmotion_models.datasets.utd_mhad import ACTIONS, UtdTrial, read_utd_mhad
from fitmotion_models.imu import Cutoffs, select_sites, virtual_imu
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, feet_from_pose, forward_kinematics
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import conjugate, from_rotvec, rotate

pytest.importorskip("torch", reason="needs what training needs")

from fitmotion_models.evaluation.activity_metrics import macro_f1
from fitmotion_models.evaluation.activity_report import BOTH, REAL, SHUFFLED, VIRTUAL, ActivitySizes, activity_figures
from fitmotion_models.training.activity_learner import ActivityLearnerOfOurs
from fitmotion_models.training.activity_network import RandomConvolutions, train_readouts
from fitmotion_models.training.activity_variations import Variations, varied_imu
from fitmotion_models.training.activity_virtual import VirtualRecipe, calibration_of, virtual_windows
from fitmotion_models.training.activity_windows import Augmentation, augmented, labels_of, real_windows, warps

DATA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data")) / "utd-mhad-s1-s7.tar.xz"
WRIST = select_sites(["right_wrist"])[0]
SMOOTHING = Cutoffs(4.0, 5.0)
STILL = Variations().times(0.0)
SHOULDER, ELBOW = SMPL22.index("right_shoulder"), SMPL22.index("right_elbow")
# action -> how the shoulder and the elbow turn: axis by axis, rad
MOVES = {3: (0.2, 0.9, 0.0), 5: (0.9, 0.1, 0.3), 8: (0.1, 0.2, 0.9), 16: (0.0, 0.5, -0.5), 19: (-0.5, 0.0, 0.6)}


def arm_clip(action: int, person: int, repetition: int, fps: float = 20.0) -> MotionClip:
    """An arm that swings in an action's way, as large and as fast as a person does it."""
    random = np.random.default_rng([action, person, repetition])
    own = np.random.default_rng(person)
    size, pace, hanging = np.exp(0.1 * own.standard_normal(2)).tolist() + [own.normal(1.0, 0.05)]
    stamps = np.arange(60) / fps
    swing = np.sin(2.0 * np.pi * 0.6 * pace * stamps + random.normal(0.0, 0.2)) * size * np.exp(0.05 * random.normal())
    rotations = np.zeros((len(stamps), 22, 4))
    rotations[..., 3] = 1.0
    moves = np.array(MOVES[action])
    rotations[:, SHOULDER] = from_rotvec(np.array([hanging, 0.0, 0.0]) + swing[:, None] * moves)
    rotations[:, ELBOW] = from_rotvec((0.6 + 0.5 * np.abs(swing))[:, None] * np.array([0.0, 0.0, 1.0]))
    root = np.tile((0.0, 0.0, 0.95), (len(stamps), 1))
    positions = forward_kinematics(root, rotations, REST_OFFSETS)
    return MotionClip(
        fps=fps,
        stamps=stamps,
        positions=positions,
        rotations=rotations,
        confidence=np.ones((len(stamps), 22)),
        feet=feet_from_pose(positions, rotations, REST_OFFSETS),
        feet_confidence=np.ones((len(stamps), 4)),
        bone_offsets=REST_OFFSETS,
        view_direction=np.full((len(stamps), 3), np.nan),
        views=1,
        subject=f"utd:s{person}",
        source=Source.REPLAY,
    )


def made_trial(action: int, person: int, repetition: int) -> UtdTrial:
    clip = arm_clip(action, person, repetition)
    truth = virtual_imu(clip, [WRIST], rate_hz=50.0, cutoffs=SMOOTHING)
    worn = conjugate(from_rotvec(np.random.default_rng(person).normal(0.0, 0.1, 3) + (0.0, 1.0, 0.0)))
    return UtdTrial(
        person=f"utd:s{person}",
        action=action,
        action_name=ACTIONS[action],
        repetition=repetition,
        site="right_wrist",
        clip=clip,
        stamps=truth.stamps,
        specific_force=rotate(worn, truth.specific_force[:, 0]),
        angular_velocity=rotate(worn, truth.angular_velocity[:, 0]),
    )


@cache
def made_trials(persons: tuple[int, ...] = (1, 2, 3)) -> list[UtdTrial]:
    return [made_trial(action, person, number) for person in persons for action in MOVES for number in range(1, 5)]


def of(*persons: int) -> list[UtdTrial]:
    return [trial for trial in made_trials() if trial.person in {f"utd:s{person}" for person in persons}]


def test_no_variation_is_the_plain_sensor():
    clip = arm_clip(3, 1, 1)
    varied = varied_imu(clip, WRIST, 3, STILL, SMOOTHING, np.random.default_rng(0))
    plain = virtual_imu(clip, [WRIST], rate_hz=50.0, cutoffs=SMOOTHING)
    for name in ("specific_force", "angular_velocity"):
        np.testing.assert_allclose(getattr(varied.recording, name), getattr(plain, name).repeat(3, axis=1), atol=1e-4)
    np.testing.assert_allclose(varied.mounts, np.tile((0.0, 0.0, 0.0, 1.0), (3, 1)))


def test_pace_is_that_of_the_motion_played_faster():
    clip = arm_clip(5, 1, 1)
    only = Variations(**{**vars(STILL), "pace": 0.3})
    varied = varied_imu(clip, WRIST, 1, only, SMOOTHING, np.random.default_rng(3)).recording
    plain = virtual_imu(clip, [WRIST], rate_hz=50.0, cutoffs=SMOOTHING)
    pace = float(np.linalg.norm(varied.angular_velocity) / np.linalg.norm(plain.angular_velocity))
    assert abs(np.log(pace)) > 0.05
    faster = MotionClip(**{**vars(clip), "stamps": clip.stamps / pace})
    cutoffs = Cutoffs(SMOOTHING.position_hz * pace, SMOOTHING.rotation_hz * pace)
    played = virtual_imu(faster, [WRIST], rate_hz=50.0 * pace, cutoffs=cutoffs)
    np.testing.assert_allclose(varied.specific_force, played.specific_force, atol=1e-3)
    np.testing.assert_allclose(varied.angular_velocity, played.angular_velocity, atol=1e-3)


def test_every_variation_changes_what_is_read():
    clip = arm_clip(8, 1, 1)
    plain = varied_imu(clip, WRIST, 1, STILL, SMOOTHING, np.random.default_rng(0))
    for name, value in vars(Variations()).items():
        only = Variations(**{**vars(STILL), name: value})
        varied = varied_imu(clip, WRIST, 1, only, SMOOTHING, np.random.default_rng(0))
        changed = np.abs(varied.recording.specific_force - plain.recording.specific_force).max()
        turned = np.abs(varied.mounts - plain.mounts).max()
        assert max(changed, turned) > 0.01, f"{name} changes nothing"
        assert np.isfinite(varied.recording.specific_force).all(), name


@pytest.mark.slow
def test_calibration_finds_how_the_sensor_is_worn():
    trials = of(2)
    recipe = VirtualRecipe(cutoffs=SMOOTHING, sensor="ideal", mirrored=False)
    made = np.concatenate(
        [virtual_windows(trial, 1, STILL, calibration_of(trials, recipe), recipe, [0]) for trial in trials[:5]]
    )
    np.testing.assert_allclose(made, real_windows(trials[:5]), atol=0.02)


def test_other_persons_calibration_is_refused():
    recipe = VirtualRecipe()
    with pytest.raises(ValueError, match="calibrations come from utd:s2, but the training persons are utd:s1"):
        virtual_windows(of(1)[0], 1, STILL, calibration_of(of(2), recipe), recipe, [0])


def test_virtual_recordings_of_other_persons_are_refused():
    with pytest.raises(ValueError, match="virtual recordings come from utd:s3"):
        ActivityLearnerOfOurs().learn(BOTH, of(1, 2), 0, virtual_of=of(2, 3))


@pytest.mark.slow
def test_learned_again_it_is_the_same():
    tested = of(3)
    for arm in (REAL, BOTH):
        first, second = (ActivityLearnerOfOurs().learn(arm, of(1), 5) for _ in range(2))
        assert first.settings == second.settings
        np.testing.assert_array_equal(first(tested), second(tested))
        np.testing.assert_array_equal(first.readout._weights, second.readout._weights)
        other = ActivityLearnerOfOurs().learn(arm, of(1), 6)
        assert np.abs(first.readout._weights - other.readout._weights).max() > 0.0


@pytest.mark.slow
def test_nothing_is_known_of_who_is_not_learned_from():
    learner = ActivityLearnerOfOurs()
    # it has seen the third person before, in another training
    learner.learn(BOTH, of(1, 2, 3), 0)
    again = learner.learn(BOTH, of(1, 2), 0)
    fresh = ActivityLearnerOfOurs().learn(BOTH, of(1, 2), 0)
    np.testing.assert_array_equal(again.readout._weights, fresh.readout._weights)
    assert again.persons == {"utd:s1", "utd:s2"}


@pytest.mark.slow
def test_figures_of_people_made_here():
    found = activity_figures(made_trials(), ActivityLearnerOfOurs(), sizes=ActivitySizes(persons=(1,), seeds=1))
    arms = {arm: rows["macro_f1"]["value"] for arm, rows in found["training_persons"]["1"]["arms"].items()}
    assert arms[REAL] > 0.5, "five arm swings are told apart"
    assert arms[VIRTUAL] > 0.5
    assert arms[BOTH] > arms[SHUFFLED], "wrong labels must not do as well as right ones"
    assert set(found["windows"]) == {"psd_distance_db", "discriminative_accuracy", "discriminative_score"}


def test_shuffled_virtual_recordings_teach_nothing():
    # with virtual recordings alone there is nothing else to learn from
    learner, tested = ActivityLearnerOfOurs(), of(2, 3)
    rows = learner._rows(learner._choice(VIRTUAL, of(1), of(1))[0], of(1), of(1), of(1), 0, shuffled=True)
    (blind,) = train_readouts(*rows, (1.0,))
    found = blind(RandomConvolutions(0)(real_windows(tested)))
    seeing = learner.learn(VIRTUAL, of(1), 0)(tested)
    assert macro_f1(labels_of(tested), found) < 0.4 < macro_f1(labels_of(tested), seeing)


def test_readout_is_scikit_learns_ridge():
    linear = pytest.importorskip("sklearn.linear_model")
    random = np.random.default_rng(0)
    for count in (60, 400):  # fewer and more windows than features
        features = random.standard_normal((count, 100)).astype(np.float32)
        labels, weights = random.integers(1, 5, count), random.uniform(0.1, 1.0, count)
        shares = weights / weights.sum()
        centre = shares @ features
        scale = np.sqrt(shares @ (features - centre) ** 2) + 0.02
        targets = np.where(labels[:, None] == np.unique(labels), 1.0, -1.0)
        for decay, readout in zip((0.3, 3.0), train_readouts(features, labels, weights, (0.3, 3.0)), strict=True):
            ridge = linear.Ridge(alpha=decay).fit((features - centre) / scale, targets, sample_weight=shares)
            np.testing.assert_allclose(readout._weights, ridge.coef_.T, atol=1e-5)
            asked = random.standard_normal((50, 100)).astype(np.float32)
            expected = np.unique(labels)[ridge.predict((asked - centre) / scale).argmax(axis=1)]
            np.testing.assert_array_equal(readout(asked), expected)


def test_convolutions_are_those_of_torch():
    import torch

    windows = np.random.default_rng(1).standard_normal((3, 6, 96)).astype(np.float32)
    network = RandomConvolutions(2, kernels=8)
    found = network(windows).reshape(3, 4, 8)  # four dilations; of two kernels shares of 1, of 2 parts, and maxima
    for place, (dilation, weights, thresholds) in enumerate(network._banks):
        kernels = weights.T.reshape(-1, 6, 7)
        padded = torch.nn.functional.pad(torch.from_numpy(windows), (3 * dilation,) * 2, mode="replicate")
        outputs = torch.nn.functional.conv1d(padded, kernels, dilation=dilation)
        above = (outputs > thresholds[:, None]).float()
        np.testing.assert_allclose(found[:, place, :2], above.mean(dim=2), atol=0.011)
        np.testing.assert_allclose(found[:, place, 6:], outputs.amax(dim=2), atol=1e-5)


def test_augmentations():
    random = np.random.default_rng(0)
    windows = random.standard_normal((4, 6, 96)).astype(np.float32)
    np.testing.assert_allclose(augmented(windows, Augmentation(), random), windows, atol=1e-6)
    turned = augmented(windows, Augmentation(mount_deg=40.0), random)
    for channels in (slice(0, 3), slice(3, 6)):
        lengths = [np.linalg.norm(one[:, channels], axis=1) for one in (turned, windows)]
        np.testing.assert_allclose(*lengths, atol=1e-5)
    assert np.abs(turned - windows).max() > 0.1
    places = warps(50, 96, 0.3, random)
    assert (np.diff(places, axis=1) >= 0.0).all() and places.min() >= 0.0 and places.max() <= 1.0
    with pytest.raises(ValueError, match="noise=-1"):
        Augmentation(noise=-1.0)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not DATA.exists(), reason="needs UTD-MHAD (FITMOTION_DATA)")
def test_virtual_recordings_help_and_shuffled_ones_do_not():
    trials = read_utd_mhad(DATA, persons=("s1", "s2", "s3"))
    found = activity_figures(trials, ActivityLearnerOfOurs(), sizes=ActivitySizes(persons=(1,), seeds=1))
    arms = {arm: rows["macro_f1"]["value"] for arm, rows in found["training_persons"]["1"]["arms"].items()}
    assert arms[REAL] > 0.65, "27 actions after one person's recordings"
    assert arms[VIRTUAL] > 0.4, "chance is .04"
    assert arms[BOTH] > max(arms[REAL], arms[SHUFFLED]) + 0.02
