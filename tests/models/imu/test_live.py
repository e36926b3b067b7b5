"""Live virtual sensors: the offline readings a lag later, honest covariances, and no pose that upsets them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitmotion_models.evaluation.imu_analytic import (
    accuracy,
    known_motions,
    live_accuracy,
    play_live,
    rigid_clip,
    time_shift,
)
from fitmotion_models.imu import Cutoffs, LiveImu, select_sites, site_motion, virtual_imu
from fitmotion_models.imu.specific_force import specific_force
from fitmotion_models.mover import FOUR_CAMERAS_SD_DEG, ONE_CAMERA_SD_DEG, SquatParameters, add_camera_noise, squat_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.rotations import conjugate, from_axis_angle, from_rotvec, multiply, to_matrix, to_rotvec

SITES = ["pelvis", "left_wrist", "right_thigh"]
SQUAT = SquatParameters(repetitions=1)


@pytest.mark.parametrize("fps", [pytest.param(100.0, marks=pytest.mark.slow), 30.0])
@pytest.mark.parametrize("motion", known_motions(), ids=lambda motion: motion.name)
def test_readings_of_known_motion_are_within_one_percent_of_range(motion, fps) -> None:
    clip = motion.clip(fps)
    for lag in (0.05, 0.1):
        found = accuracy(play_live(clip, LiveImu(motion.sites, lag_s=lag)), motion, clip)
        print(f"{motion.name} at {fps:g} Hz, {1e3 * lag:g} ms behind: force {found.force_rms:.4f} m/s2 = ")
        print(f"{found.force_percent:.3f} % of range, rate {found.rate_rms:.5f} rad/s = {found.rate_percent:.3f} %")
        assert found.force_percent < 1.0 and found.rate_percent < 1.0
        # all there but a lag at the start, which has no past
        assert found.lost <= lag * 100.0 + 1


@pytest.mark.parametrize(("views", "lag"), [(0, 0.1), (1, 0.3)])
def test_the_readings_are_those_of_the_recording_a_lag_later(follow, views, lag) -> None:
    """The same response to frequency: what differs is the future that the smoother does not wait for."""
    clip = replace(squat_clip(SquatParameters(repetitions=2), fps=30.0), views=views)
    sites = select_sites(SITES)
    recorded, live = virtual_imu(clip, sites), follow(clip, LiveImu(sites, lag_s=lag))
    rows = live.numbers - round(recorded.stamps[0] * 100.0)
    np.testing.assert_allclose(live.stamps, recorded.stamps[rows], atol=1e-9)
    for name in ("specific_force", "angular_velocity"):
        offline = getattr(recorded, name)[rows]
        error = np.sqrt(np.mean((getattr(live, name) - offline) ** 2))
        assert error < 0.01 * np.ptp(offline, axis=0).max()
    assert len(live) >= len(recorded) - round(2.0 * lag * 100.0) - 1


def test_a_sample_waits_for_the_lag_and_no_longer() -> None:
    imu = LiveImu(select_sites(SITES), lag_s=0.12)
    due = -1
    for pose in squat_clip(SQUAT, fps=30.0):
        samples = imu.update(pose)
        if len(samples):
            assert samples.stamps[-1] <= pose.stamp - 0.12 + 1e-9
            assert samples.stamps[-1] > pose.stamp - 0.12 - 0.01 - 1e-9  # the newest that is due is out
            assert due in (-1, samples.numbers[0])  # none is left out, none comes twice
            due = samples.numbers[-1] + 1
    assert due > 400


def test_at_the_end_the_waiting_samples_are_let_go_and_later_ones_go_on(follow) -> None:
    clip, imu = squat_clip(SQUAT, fps=30.0), LiveImu(select_sites(SITES), lag_s=0.12)
    assert not len(imu.flush())
    live = follow(clip, imu)
    rest = imu.flush()
    assert rest.numbers[0] == live.numbers[-1] + 1
    assert rest.stamps[-1] == pytest.approx(clip.stamps[-1], abs=0.01)
    assert not len(imu.flush())
    recorded = virtual_imu(clip, select_sites(SITES))
    np.testing.assert_allclose(rest.specific_force, recorded.specific_force[rest.numbers], atol=0.3)
    # nearer to the end less is known of them
    sizes = np.trace(rest.force_covariance, axis1=-2, axis2=-1)
    assert (sizes[-1] > 3.0 * sizes[0]).all()
    later = imu.update(replace(clip.frame(len(clip) - 1), stamp=clip.stamps[-1] + 0.15))
    assert later.numbers[0] == rest.numbers[-1] + 1


def test_who_begins_to_read_later_reads_the_same() -> None:
    """While nobody reads, poses go into the window and samples are counted; the noise is measured anew."""
    clip = add_camera_noise(squat_clip(SQUAT, fps=30.0), ONE_CAMERA_SD_DEG, (1.0, 0.0, 0.0), seed=3)
    read, skipped = (LiveImu(select_sites(SITES), rate_hz=200.0) for _ in range(2))
    for index, pose in enumerate(clip):
        samples = read.update(pose)
        if index % 50 < 30:
            np.testing.assert_array_equal(skipped.skip(pose), samples.numbers)
            continue
        late = skipped.update(pose)
        np.testing.assert_array_equal(late.numbers, samples.numbers)
        np.testing.assert_allclose(late.specific_force, samples.specific_force, rtol=0.0, atol=1e-9)
        np.testing.assert_allclose(late.angular_velocity, samples.angular_velocity, rtol=0.0, atol=1e-9)
        for name in ("force_covariance", "rate_covariance"):
            first, other = (np.trace(getattr(one, name), axis1=-2, axis2=-1) for one in (samples, late))
            assert (first / 4.0 < other).all() and (other < first * 4.0).all()


def test_the_stamps_are_not_late(follow) -> None:
    """All of the lag is waiting: in their own time the readings are where those of the recording are."""
    motion = next(motion for motion in known_motions() if motion.name == "wheel")
    clip = motion.clip(30.0)
    recorded = virtual_imu(clip, motion.sites)
    found = live_accuracy(motion, clip, recorded, 0.1)
    assert abs(found.shift_s) < 1e-4
    assert 0.1 - 1e-6 <= found.waited_s[0] <= found.waited_s[1] < 0.1 + 1.0 / 30.0 + 1e-6
    late = replace(recorded, angular_velocity=np.roll(recorded.angular_velocity, 1, axis=0))
    middle = slice(50, -50)
    cut = [
        replace(each, stamps=each.stamps[middle], angular_velocity=each.angular_velocity[middle])
        for each in (late, recorded)
    ]
    assert time_shift(*cut) == pytest.approx(0.01, rel=0.1)


def test_a_longer_lag_is_truer(follow) -> None:
    motion = next(motion for motion in known_motions() if motion.name == "wheel")
    clip = motion.clip(30.0)
    errors = [accuracy(play_live(clip, LiveImu(motion.sites, lag_s=lag)), motion, clip) for lag in (0.0, 0.05, 0.1)]
    assert errors[0].force_rms > 2.0 * errors[1].force_rms > 2.6 * errors[2].force_rms


def test_at_rest_the_noise_is_what_the_covariance_says(follow, still) -> None:
    """White noise on a still body: normalised squared errors have the mean of a chi-square."""
    rng = np.random.default_rng(3)
    turn = from_axis_angle((0.3, -0.5, 0.8), 1.1)
    clip = still(turn, seconds=20.0)
    places = clip.positions + rng.normal(size=(len(clip), 1, 3)) * (0.01, 0.004, 0.004)
    turns = clip.rotations.astype(np.float64)
    turns[:, 0] = multiply(turns[:, 0], from_rotvec(0.01 * rng.normal(size=(len(clip), 3))))
    noisy = replace(clip, positions=places, rotations=turns)
    live = follow(noisy, LiveImu(select_sites(["pelvis"]), cutoffs=Cutoffs(3.0, 4.0)))
    truth = to_matrix(turn).T @ (0.0, 0.0, 9.81)
    settled = slice(300, None)  # the noise is known after some seconds
    for error, covariance in (
        (live.specific_force[:, 0] - truth, live.force_covariance[:, 0]),
        (live.angular_velocity[:, 0], live.rate_covariance[:, 0]),
    ):
        squares = np.einsum("ni,nij,nj->n", error, np.linalg.inv(covariance), error)[settled]
        assert 0.6 < squares.mean() / 3.0 < 1.5
        # along each of the world's axes as well: depth is twice as noisy
        to_world = to_matrix(turn)
        spread = np.std((error @ to_world.T)[settled], axis=0)
        claimed = np.sqrt(np.diagonal(to_world @ covariance[settled].mean(axis=0) @ to_world.T))
        assert (spread < 1.4 * claimed).all() and (claimed < 1.4 * spread).all()


@pytest.mark.parametrize(
    ("sd", "seen"), [(ONE_CAMERA_SD_DEG, {"view_direction": (1.0, 0.0, 0.0)}), (FOUR_CAMERAS_SD_DEG, {"views": 4})]
)
def test_on_a_squat_seen_by_cameras_the_covariance_is_of_the_errors_size(follow, sd, seen) -> None:
    """Mean normalised squared errors near 1, of acceleration and angular velocity, at every sensor."""
    parameters = SquatParameters(repetitions=3)
    exact = squat_clip(parameters, fps=30.0)
    sites = select_sites([*SITES, "chest", "left_shank"])
    fine, step = site_motion(squat_clip(parameters, fps=1000.0), sites), 10
    places, turns = fine.positions, fine.rotations
    squares = []
    for seed in range(3):
        live = follow(add_camera_noise(exact, sd, seed=seed, **seen), LiveImu(sites))
        rows = np.rint(live.stamps * 1000.0).astype(int)
        acceleration = (places[rows + step] - 2.0 * places[rows] + places[rows - step]) / (step / 1000.0) ** 2
        rate = to_rotvec(multiply(conjugate(turns[rows - step]), turns[rows + step])) / (2.0 * step / 1000.0)
        force = live.specific_force - specific_force(turns[rows], acceleration)
        for error, covariance in (
            (force, live.force_covariance),
            (live.angular_velocity - rate, live.rate_covariance),
        ):
            squares.append(np.einsum("nsi,nsij,nsj->ns", error, np.linalg.inv(covariance), error).mean(axis=0) / 3.0)
    means = np.reshape(squares, (3, 2, len(sites))).mean(axis=0)
    print("mean normalised squared errors by sensor:", "force", means[0].round(2), "rate", means[1].round(2))
    assert (means > 0.6).all() and (means < 1.6).all()


@settings(max_examples=4)
@given(st.integers(0, 10**6))
def test_covariances_are_symmetric_and_positive(seed) -> None:
    rng = np.random.default_rng(seed)
    clip = squat_clip(SQUAT, fps=30.0)
    positions = clip.positions + rng.normal(scale=0.005, size=clip.positions.shape)
    imu = LiveImu(select_sites(SITES), lag_s=0.2)
    for pose in replace(clip, positions=positions):
        samples = imu.update(pose)
        for covariance in (samples.force_covariance, samples.rate_covariance):
            np.testing.assert_allclose(covariance, np.swapaxes(covariance, -1, -2), rtol=1e-9, atol=1e-12)
            assert (np.linalg.eigvalsh(covariance) > 0.0).all()


def test_an_unseen_arm_has_no_reading_and_the_others_stay_as_they_are(follow, without) -> None:
    clip, elbow = squat_clip(SQUAT, fps=30.0), SMPL22.index("left_elbow")
    sites = select_sites(SITES)
    whole = follow(clip, LiveImu(sites))
    live = follow(without(clip, slice(60, 90), elbow), LiveImu(sites))
    np.testing.assert_array_equal(live.numbers, whole.numbers)
    np.testing.assert_allclose(live.specific_force[:, [0, 2]], whole.specific_force[:, [0, 2]], atol=1e-6)
    lost = live.stamps[~live.seen()[:, 1]]
    assert clip.stamps[59] < lost[0] < clip.stamps[60]  # up to the last pose that saw it
    assert lost[-1] == pytest.approx(clip.stamps[90] + 0.1, abs=0.011)  # and again a lag after the first
    # towards the loss the smoother knows less and less
    before = np.flatnonzero(live.stamps < lost[0])[-1]
    sizes = np.trace(live.force_covariance[:, 1], axis1=-2, axis2=-1)
    assert sizes[before] > 3.0 * sizes[before - 15]


def test_a_few_lost_poses_are_bridged_and_a_long_loss_is_a_new_start(follow, without) -> None:
    clip, sites = squat_clip(SQUAT, fps=30.0), select_sites(SITES)
    whole = follow(clip, LiveImu(sites))
    bridged = follow(without(clip, slice(60, 64)), LiveImu(sites))
    np.testing.assert_array_equal(bridged.numbers, whole.numbers)
    np.testing.assert_allclose(bridged.specific_force, whole.specific_force, atol=0.3)
    imu = LiveImu(sites)
    broken = follow(without(clip, slice(60, 75)), imu)
    assert imu.restarts == 1
    missing = np.setdiff1d(whole.numbers, broken.numbers) / 100.0
    assert missing[0] == pytest.approx(clip.stamps[59] - 0.1, abs=0.011)
    assert missing[-1] == pytest.approx(clip.stamps[75] + 0.1, abs=0.011)
    assert len(missing) == round((missing[-1] - missing[0]) * 100.0) + 1


def test_repeated_and_late_poses_change_nothing(follow) -> None:
    clip, sites = squat_clip(SQUAT, fps=30.0), select_sites(SITES)
    whole, imu, poses = follow(clip, LiveImu(sites)), LiveImu(sites), list(clip)
    disturbed = [pose for index in range(2, len(poses)) for pose in (poses[index], poses[index], poses[index - 2])]
    live = follow(disturbed, imu)
    assert imu.out_of_order == 2 * len(poses[2:]) and imu.restarts == 0
    rows = np.isin(whole.numbers, live.numbers)
    np.testing.assert_allclose(live.specific_force[50:], whole.specific_force[rows][50:], atol=1e-6)


def test_time_that_jumps_back_begins_anew(follow) -> None:
    """A looped file in media time."""
    clip, sites = squat_clip(SQUAT, fps=30.0), select_sites(SITES)
    imu = LiveImu(sites)
    first, second = follow(clip, imu), follow(clip, imu)
    assert imu.restarts == 1
    np.testing.assert_array_equal(second.numbers, first.numbers)
    np.testing.assert_array_equal(second.specific_force, first.specific_force)


def test_stamps_of_today_are_resolved(follow) -> None:
    clip, sites = squat_clip(SQUAT, fps=30.0), select_sites(SITES)
    epoch = 1_790_000_000
    then, now = (follow(each, LiveImu(sites)) for each in (clip, replace(clip, stamps=clip.stamps + epoch)))
    np.testing.assert_array_equal(now.numbers - 100 * epoch, then.numbers)
    np.testing.assert_allclose(now.specific_force, then.specific_force, atol=2e-3)


def test_a_spinning_body_is_followed_round_and_round(follow) -> None:
    times = np.arange(181) / 30.0
    spin = from_axis_angle((0.0, 0.0, 1.0), 8.0 * times)  # eight whole turns; the quaternion changes its sign
    clip = rigid_clip(times, np.zeros((181, 3)), spin, 30.0, "dancer")
    live = follow(clip, LiveImu(select_sites(["pelvis"])))
    np.testing.assert_allclose(live.angular_velocity[:, 0], np.broadcast_to((0, 0, 8), (len(live), 3)), atol=0.02)


def test_fast_poses_are_thinned_and_read_the_same(follow) -> None:
    sites, cutoffs = select_sites(["pelvis"]), Cutoffs(3.0, 3.0)
    slow, fast = (
        follow(squat_clip(SQUAT, fps=fps), LiveImu(sites, cutoffs=cutoffs, lag_s=0.2)) for fps in (100.0, 300.0)
    )
    count = min(len(slow), len(fast))
    np.testing.assert_allclose(fast.specific_force[-count:], slow.specific_force[-count:], atol=0.05)


def test_cameras_that_come_and_go_change_the_cutoffs() -> None:
    clip, imu = squat_clip(SQUAT, fps=30.0), LiveImu(select_sites(["pelvis"]))
    for pose in clip:
        imu.update(replace(pose, views=1))
    low = imu.cutoffs
    imu.update(replace(pose, stamp=pose.stamp + 0.03, views=4))
    assert imu.cutoffs.position_hz > low.position_hz and imu.restarts == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"lag_s": -0.1}, "lag_s=-0.1 is out of range; allowed: 0 to 2"),
        ({"lag_s": float("nan")}, "lag_s=nan is out of range"),
        ({"cutoffs": Cutoffs(3.0, 3.0, position_order=2)}, "live sensors smooth with order 3 only"),
        ({"rate_hz": 0.0}, "rate_hz=0.0 must be a positive number"),
        ({"sites": []}, "no site is given"),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(arguments, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        LiveImu(**{"sites": select_sites(["pelvis"]), **arguments})
