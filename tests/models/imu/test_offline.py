"""Virtual sensors on recorded motion against closed forms, rigid-body mechanics and symmetries."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitmotion_models.evaluation.imu_analytic import accuracy, known_motions, rigid_clip
from fitmotion_models.imu import (
    Cutoffs,
    Site,
    SiteMotion,
    cutoffs_for,
    cutoffs_from_noise,
    imu_from_motion,
    select_sites,
    virtual_imu,
)
from fitmotion_models.imu.site_motion import check_bones
from fitmotion_models.imu.specific_force import angular_velocity, specific_force
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.rotations import conjugate, from_axis_angle, from_rotvec, multiply, normalize, rotate

EXACT = cutoffs_for(0)


def tumbling(seed: int = 0, *, fps: float = 100.0, seconds: float = 3.0) -> SiteMotion:
    """A sensor that flies and tumbles smoothly: waves below 1.5 Hz in every coordinate."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * fps) + 1) / fps
    waves = np.sin(2.0 * np.pi * rng.uniform(0.2, 1.5, 6) * times[:, None] + rng.uniform(0.0, 6.0, 6))
    return SiteMotion(times, (0.3 * waves[:, None, :3]), from_rotvec(waves[:, None, 3:]))


@pytest.mark.parametrize("fps", [100.0, 30.0])
@pytest.mark.parametrize("motion", known_motions(), ids=lambda motion: motion.name)
def test_readings_of_known_motion_are_within_one_percent_of_range(motion, fps) -> None:
    """Free pendulum (Jacobi's elliptic functions), swinging wheel, squat, rest; the whole clip, its ends included."""
    clip = motion.clip(fps)
    found = accuracy(virtual_imu(clip, motion.sites), motion, clip)
    print(f"{motion.name} at {fps:g} Hz: force {found.force_rms:.4f} m/s2 = {found.force_percent:.3f} % of range, ")
    print(f"angular velocity {found.rate_rms:.5f} rad/s = {found.rate_percent:.3f} %")
    assert found.lost == 0
    assert found.force_percent < 1.0 and found.rate_percent < 1.0


@pytest.mark.parametrize(
    ("axis", "angle", "expected"),
    [
        ((0.0, 0.0, 1.0), 1.0, (0.0, 0.0, 9.81)),
        ((1.0, 0.0, 0.0), np.pi, (0.0, 0.0, -9.81)),
        ((0.0, 1.0, 0.0), np.pi / 2, (-9.81, 0.0, 0.0)),  # z to x: the sensor's x points down
        ((1.0, 0.0, 0.0), np.pi / 2, (0.0, 9.81, 0.0)),  # y to z: the sensor's y points up
    ],
)
def test_at_rest_the_axis_that_points_up_reads_plus_g(still, axis, angle, expected) -> None:
    readings = virtual_imu(still(from_axis_angle(axis, angle)), select_sites(["pelvis"]))
    np.testing.assert_allclose(readings.specific_force[:, 0], np.broadcast_to(expected, (201, 3)), atol=2e-3)
    np.testing.assert_allclose(readings.angular_velocity, 0.0, atol=1e-5)


def test_in_free_fall_nothing_is_felt() -> None:
    times = np.arange(101) / 100.0
    fall = np.stack([0.5 * times, 0.0 * times, 3.0 + 2.0 * times - 0.5 * 9.81 * times**2], axis=-1)
    turns = from_axis_angle(np.array([0.0, 0.6, 0.8]), 2.0 * times)
    readings = imu_from_motion(SiteMotion(times, fall[:, None], turns[:, None]), ("stone",), cutoffs=EXACT)
    np.testing.assert_allclose(readings.specific_force, 0.0, atol=0.01)
    np.testing.assert_allclose(readings.angular_velocity[:, 0], np.broadcast_to((0.0, 1.2, 1.6), (101, 3)), atol=1e-3)


def test_a_constant_turn_on_a_lever_feels_the_centripetal_force() -> None:
    """About the vertical at 3 rad/s, 0.4 m ahead of the axis: 3.6 m/s2 towards it, whole turns and more."""
    times = np.arange(501) / 100.0
    clip = rigid_clip(times, np.zeros((501, 3)), from_axis_angle((0.0, 0.0, 1.0), 3.0 * times), 100.0, "dancer")
    readings = virtual_imu(clip, [Site("rod", "pelvis", lever_arm=(0.4, 0.0, 0.0))])
    expected = np.broadcast_to((-3.6, 0.0, 9.81), (501, 3))
    assert np.sqrt(np.mean((readings.specific_force[:, 0] - expected) ** 2)) < 0.02
    np.testing.assert_allclose(readings.angular_velocity[:, 0], np.broadcast_to((0, 0, 3), (501, 3)), atol=0.005)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_a_lever_arm_adds_what_rigid_bodies_add(seed) -> None:
    """Euler's and the centripetal term: f(l) = f(0) + alpha x l + omega x (omega x l), in the sensor's frame."""
    motion, lever = tumbling(seed), np.random.default_rng(seed).normal(scale=0.1, size=3)
    away = SiteMotion(motion.stamps, motion.positions + rotate(motion.rotations, lever), motion.rotations)
    near = imu_from_motion(motion, ("near",), cutoffs=EXACT)
    far = imu_from_motion(away, ("far",), cutoffs=EXACT)
    omega = near.angular_velocity
    alpha = np.gradient(omega, near.stamps, axis=0)
    expected = near.specific_force + np.cross(alpha, lever) + np.cross(omega, np.cross(omega, lever))
    middle = slice(30, -30)
    error = (far.specific_force - expected)[middle]
    assert np.sqrt(np.mean(error**2)) < 0.01 * max(1.0, np.ptp(expected))


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.floats(-np.pi, np.pi), st.floats(-3.0, 3.0), st.floats(-50.0, 50.0))
def test_where_one_stands_looks_and_drives_and_when_makes_no_difference(seed, heading, speed, later) -> None:
    motion = tumbling(seed, seconds=1.0)
    turn = from_axis_angle((0.0, 0.0, 1.0), heading)
    drive = np.array([speed, -speed, 0.5 * speed]) * motion.stamps[:, None, None]
    elsewhere = SiteMotion(
        motion.stamps + round(later, 2),
        rotate(turn, motion.positions) + drive + (1.0, 2.0, 3.0),
        multiply(turn, motion.rotations),
    )
    one, other = (imu_from_motion(each, ("x",), cutoffs=EXACT) for each in (motion, elsewhere))
    np.testing.assert_allclose(other.specific_force, one.specific_force, atol=1e-3)
    np.testing.assert_allclose(other.angular_velocity, one.angular_velocity, atol=1e-4)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_a_mount_only_turns_the_axes(seed) -> None:
    motion = tumbling(seed, seconds=1.0)
    mount = normalize(np.random.default_rng(seed).normal(size=4))
    turned = SiteMotion(motion.stamps, motion.positions, multiply(motion.rotations, mount))
    one, other = (imu_from_motion(each, ("x",), cutoffs=EXACT) for each in (motion, turned))
    for name in ("specific_force", "angular_velocity"):
        np.testing.assert_allclose(getattr(other, name), rotate(conjugate(mount), getattr(one, name)), atol=2e-2)


def test_the_sign_of_a_quaternion_means_nothing() -> None:
    motion = tumbling(4)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (len(motion.stamps), 1, 1))
    flipped = replace(motion, rotations=signs * motion.rotations)
    one, other = (imu_from_motion(each, ("x",), cutoffs=EXACT) for each in (motion, flipped))
    np.testing.assert_allclose(other.angular_velocity, one.angular_velocity, atol=1e-9)


def test_uneven_stamps_read_as_even_ones() -> None:
    """A camera whose frames come when they like, each fifth not at all."""
    rng = np.random.default_rng(5)
    even = tumbling(7, fps=1000.0)
    rows = np.sort(rng.choice(np.arange(10, 2990), 240, replace=False))
    uneven = SiteMotion(even.stamps[rows], even.positions[rows], even.rotations[rows])
    truth = imu_from_motion(even, ("x",), cutoffs=Cutoffs(50.0, 50.0))
    readings = imu_from_motion(uneven, ("x",), cutoffs=EXACT)
    truth_rows = np.rint(readings.stamps * 100).astype(int)
    error = (readings.specific_force - truth.specific_force[truth_rows])[30:-30]
    assert np.isfinite(readings.specific_force).all()
    assert np.sqrt(np.mean(error**2)) < 0.02 * np.ptp(truth.specific_force)


def test_short_holes_are_bridged_and_long_ones_are_holes(without) -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=30.0)
    whole = virtual_imu(clip, select_sites(["pelvis", "left_wrist"]))
    short = virtual_imu(without(clip, slice(60, 64)), select_sites(["pelvis", "left_wrist"]))
    assert np.isfinite(short.specific_force).all()
    np.testing.assert_allclose(short.specific_force, whole.specific_force, atol=0.3)
    elbow = SMPL22.index("left_elbow")
    holed = virtual_imu(without(clip, slice(60, 90), elbow), select_sites(["pelvis", "left_wrist"]))
    np.testing.assert_allclose(holed.specific_force[:, 0], whole.specific_force[:, 0], atol=1e-9)
    gone = ~np.isfinite(holed.specific_force[:, 1]).all(axis=-1)
    first, last = holed.stamps[gone][[0, -1]]
    assert clip.stamps[59] < first < clip.stamps[60] and clip.stamps[89] < last < clip.stamps[90]
    assert gone.sum() == np.sum((holed.stamps >= first) & (holed.stamps <= last))


def test_a_clip_too_short_for_an_acceleration_has_none() -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=30.0)
    for frames in (0, 1, 3):
        names = ("stamps", "positions", "rotations", "confidence", "feet", "feet_confidence", "view_direction")
        cut = replace(clip, **{name: getattr(clip, name)[:frames] for name in names})
        assert np.isnan(virtual_imu(cut, select_sites(["head"])).specific_force).all()
    cut = replace(clip, **{name: getattr(clip, name)[:5] for name in names})
    assert np.isfinite(virtual_imu(cut, select_sites(["head"])).specific_force).all()


def test_bones_of_no_length_do_no_harm() -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=30.0)
    readings = virtual_imu(replace(clip, bone_offsets=np.zeros((22, 3), np.float32)), select_sites(["all"]))
    assert np.isfinite(readings.specific_force).all()
    offsets = clip.bone_offsets.copy()
    offsets[SMPL22.index("left_knee")] = np.nan
    for bones, length in ((np.zeros((22, 3)), "0"), (offsets, "nan")):
        flat = replace(clip, bone_offsets=bones)
        sentence = f"flat.npz: the bone from left_hip to left_knee is {length} m long, so that site left_thigh has no"
        with pytest.raises(ValueError, match=sentence):
            check_bones(flat, select_sites(["pelvis", "left_thigh"]), "flat.npz")
        check_bones(flat, select_sites(["pelvis", "head"]), "flat.npz")


def test_samples_are_at_whole_multiples_of_the_period() -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=30.0)
    later = replace(clip, stamps=clip.stamps + 1.7e9 + 0.0123)
    readings = virtual_imu(later, select_sites(["head"]), rate_hz=200.0)
    np.testing.assert_allclose(readings.stamps * 200.0, np.rint(readings.stamps * 200.0), atol=1e-4)
    assert readings.stamps[0] >= later.stamps[0] and readings.stamps[-1] <= later.stamps[-1]
    np.testing.assert_allclose(np.diff(readings.stamps), 0.005, atol=1e-6)


def test_cutoffs_follow_the_cameras() -> None:
    assert cutoffs_for(0).position_hz > cutoffs_for(4).position_hz > cutoffs_for(1).position_hz


@pytest.mark.parametrize("crossing", [4.0, 8.0])
def test_noise_sets_the_cutoff_to_where_the_motion_sinks_into_it(crossing) -> None:
    """A spectrum that falls as f^-6 over white noise: Wiener's filter halves the amplitude where the two are equal."""
    rng, fps = np.random.default_rng(0), 50.0
    times = np.arange(8000) / fps
    frequencies = np.fft.rfftfreq(8000, 1.0 / fps)
    shape = np.maximum(frequencies, 0.2) ** -3 * crossing**3 * 0.02  # as strong as the noise at the crossing
    spectrum = np.fft.rfft(rng.normal(size=(8000, 3)), axis=0) * shape[:, None]
    noisy = np.fft.irfft(spectrum, n=8000, axis=0) + 0.02 * rng.normal(size=(8000, 3))
    still = np.tile((0.0, 0.0, 0.0, 1.0), (8000, 1, 1))
    found = cutoffs_from_noise(SiteMotion(times, noisy[:, None], still), EXACT)
    assert found.position_hz == pytest.approx(crossing, rel=0.25)
    assert found.rotation_hz == EXACT.rotation_hz  # what does not move has no noise to find
    least = cutoffs_from_noise(SiteMotion(times, noisy[:, None], still), EXACT, highest=Cutoffs(2.0, 3.0))
    assert (least.position_hz, least.rotation_hz) == (2.0, 3.0)
    assert cutoffs_from_noise(SiteMotion(times[:90], noisy[:90, None], still[:90]), EXACT) == EXACT


def test_the_cutoff_found_is_about_the_best_of_all() -> None:
    """Tumbling with noise, readings beside those without: no cut-off is much better than the one that is found."""
    rng = np.random.default_rng(3)
    exact = tumbling(5, fps=60.0, seconds=20.0)
    noisy = SiteMotion(
        exact.stamps,
        exact.positions + 0.002 * rng.normal(size=exact.positions.shape),
        multiply(exact.rotations, from_rotvec(0.01 * rng.normal(size=exact.positions.shape))),
    )
    truth = imu_from_motion(exact, ("x",), cutoffs=Cutoffs(25.0, 25.0))

    def errors(cutoffs: Cutoffs) -> np.ndarray:
        found = imu_from_motion(noisy, ("x",), cutoffs=cutoffs)
        pairs = ((found.specific_force, truth.specific_force), (found.angular_velocity, truth.angular_velocity))
        return np.array([np.sqrt(np.mean((one - other)[100:-100] ** 2)) for one, other in pairs])

    found = errors(cutoffs_from_noise(noisy, EXACT))
    every = np.array([errors(Cutoffs(hz, hz)) for hz in np.geomspace(1.0, 20.0, 15)])
    print("found", found, "best", every.min(axis=0), "usual", errors(EXACT))
    assert (found < 1.5 * every.min(axis=0)).all()
    assert (found < 0.5 * errors(EXACT)).all()


@pytest.mark.parametrize("order", [2, 3, 4])
def test_the_response_is_that_of_the_order(order) -> None:
    """A wave keeps 1 / (1 + (f / fc)^(2 order)) of its acceleration."""
    times = np.arange(2001) / 100.0
    wave = np.zeros((2001, 1, 3))
    wave[:, 0, 0] = 0.01 * np.cos(2.0 * np.pi * 6.0 * times)
    still = np.tile((0.0, 0.0, 0.0, 1.0), (2001, 1, 1))
    readings = imu_from_motion(SiteMotion(times, wave, still), ("x",), cutoffs=Cutoffs(5.0, 5.0, position_order=order))
    share = np.ptp(readings.specific_force[800:1200, 0, 0]) / np.ptp(
        0.01 * (2.0 * np.pi * 6.0) ** 2 * np.array([-1, 1])
    )
    assert share == pytest.approx(1.0 / (1.0 + 1.2 ** (2 * order)), rel=0.03)


def test_the_kinematics_are_those_of_textbooks() -> None:
    # a rotation by a known rate: q(t) = (0, 0, sin(wt/2), cos(wt/2)), whatever the quaternion's length
    half = 0.7
    q = 3.0 * np.array([0.0, 0.0, np.sin(half), np.cos(half)])
    rate = 3.0 * 0.5 * 4.0 * np.array([0.0, 0.0, np.cos(half), -np.sin(half)])
    np.testing.assert_allclose(angular_velocity(q, rate), (0.0, 0.0, 4.0), atol=1e-12)
    # a car that brakes at 3 m/s2 while it heads for +y: felt backwards along its own x
    heading = from_axis_angle((0.0, 0.0, 1.0), np.pi / 2)
    np.testing.assert_allclose(specific_force(heading, (0.0, -3.0, 0.0)), (-3.0, 0.0, 9.81), atol=1e-12)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: virtual_imu(squat_clip(SquatParameters(repetitions=1)), []), "no site is given"),
        (lambda: imu_from_motion(tumbling(), ("x",), rate_hz=0.0, cutoffs=EXACT), "rate_hz=0.0 must be a positive"),
        (lambda: Cutoffs(0.0, 3.0), "position_hz=0.0 is no cut-off"),
        (lambda: Cutoffs(3.0, float("nan")), "rotation_hz=nan is no cut-off"),
        (lambda: Cutoffs(3.0, 3.0, rotation_order=1), "rotation_order=1 is unknown; allowed: 2, 3, 4"),
        (
            lambda: SiteMotion(np.array([0.0, 1.0, 1.0]), np.zeros((3, 1, 3)), np.zeros((3, 1, 4))),
            "number 2 is 1.0 s after 1.0 s; sort the frames and drop repeated ones",
        ),
        (lambda: SiteMotion(np.arange(3.0), np.zeros((3, 1, 2)), np.zeros((3, 1, 4))), r"expected \(3, sites, 3\)"),
        (lambda: SiteMotion(np.arange(3.0), np.zeros((3, 1, 3)), np.zeros((3, 2, 4))), "1 sites in positions, 2 in"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(make, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()
