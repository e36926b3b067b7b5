"""The stream against a known clip: what a sampler plays is what comes out, at 20 frames a second and in between."""

import threading

import numpy as np
import pytest

from fitmotion_models.motion.condition import MotionCondition, RootPath
from fitmotion_models.motion.features import LAYOUT, body_of
from fitmotion_models.motion.rollout import GenerationError
from fitmotion_models.motion.standing import standing_features
from fitmotion_models.motion.streamer import MotionStreamer, Place
from fitmotion_models.skeleton.kinematics import PARENTS, REST_OFFSETS

SQUAT = MotionCondition("a person squats", seed=1)
BONES = np.linalg.norm(REST_OFFSETS[1:], axis=-1)


def play(streamer, frames, commands=None):
    """Play so many frames; commands: frame -> what is called then. Returns poses."""
    poses = []
    for frame in range(frames):
        if commands and frame in commands:
            commands[frame]()
        while streamer.advance():
            pass
        poses.append(streamer.next_frame())
    return poses


def positions(poses):
    return np.array([pose.positions for pose in poses], np.float64)


def accelerations(poses):
    """(T - 2) largest of the joints', m/s2."""
    return np.linalg.norm(np.diff(positions(poses), 2, axis=0), axis=-1).max(axis=1) * 400.0


def bones_off(poses):
    joints = positions(poses)
    lengths = np.linalg.norm(joints[:, 1:] - joints[:, list(PARENTS[1:])], axis=-1)
    return np.abs(lengths / BONES - 1.0).max()


@pytest.fixture
def streamer(squatting, squats, words, lengths):
    return MotionStreamer(squatting, words, lengths(len(squats) / 20.0), play_frames=10, latency_s=0.1, tidy=False)


def test_a_body_stands_still_where_it_is_put_until_it_is_told_something(streamer, squatting, words):
    poses = play(streamer, 60)
    assert np.ptp(positions(poses), axis=0).max() == 0.0
    assert min(pose.feet[:, 2].min() for pose in poses) == pytest.approx(0.0, abs=1e-6)
    placed = MotionStreamer(squatting, words, None, place=Place(1.0, -2.0, np.pi / 2.0))
    left_hip, right_hip = play(placed, 1)[0].positions[[1, 2]]
    np.testing.assert_allclose(0.5 * (left_hip + right_hip)[:2], (1.0, -2.0), atol=0.01)
    # who faces y has the left hip on the side of -x
    assert left_hip[0] < 1.0 - 0.05 < 1.0 + 0.05 < right_hip[0]


def test_what_the_sampler_plays_is_what_is_seen(streamer, squats):
    poses = play(streamer, 200, {20: lambda: streamer.command(SQUAT)})
    truth = body_of(squats).positions
    first = 20 + 2  # two frames wait while a chunk is made
    # by now what lay between standing and the clip's first frame is gone; the clip is placed where the body stood
    seen, expected = positions(poses)[first + 60 :], truth[60 : 200 - first]
    around = [frames - frames[:, :1] for frames in (seen, expected)]
    np.testing.assert_allclose(around[0], around[1], atol=1e-5)
    np.testing.assert_allclose(seen[:, 0] - seen[0, 0], expected[:, 0] - expected[0, 0], atol=1e-5)


def test_stamps_have_no_gap_and_bones_keep_their_lengths(streamer):
    commands = {7: lambda: streamer.command(SQUAT), 83: lambda: streamer.command(SQUAT), 140: streamer.stop}
    streamer.start(1000.0)
    poses = play(streamer, 220, commands)
    np.testing.assert_allclose([pose.stamp for pose in poses], 1000.0 + np.arange(220) / 20.0, rtol=0, atol=1e-9)
    assert bones_off(poses) < 1e-5
    assert streamer.underruns == 0


@pytest.mark.slow
def test_nothing_jumps_when_a_command_comes_in_the_middle(streamer, squats):
    truth = np.linalg.norm(np.diff(body_of(squats).positions, 2, axis=0), axis=-1).max() * 400.0
    for frame in (45, 60, 75):
        poses = play(streamer, 120, {0: lambda: streamer.command(SQUAT), frame: lambda: streamer.command(SQUAT)})
        # the arms alone have a metre and a half to go; a jump of 10 cm within a frame would be 40 m/s2
        assert accelerations(poses).max() < truth + 30.0


def test_a_repeated_command_takes_its_length_anew_each_time(squatting, words):
    asked = []

    class Lengths:
        def sample(self, embedding, score, rng):
            asked.append(rng.random())
            return 2.0 + len(asked)

    streamer = MotionStreamer(squatting, words, Lengths(), latency_s=0.0)
    play(streamer, 20 * 12, {0: lambda: streamer.command(SQUAT)})
    totals = [inputs.progress[1] * 10.0 for inputs in squatting.asked]
    assert sorted(set(np.round(totals, 3))) == [3.0, 4.0, 5.0]
    assert len(set(asked)) == len(asked)
    # each repetition begins at its beginning
    starts = [inputs.progress[0] for inputs in squatting.asked]
    assert starts.count(0.0) == 3


def test_walking_is_told_no_progress(squats, known_sampler, words, lengths):
    asked = []

    def sampler(inputs):
        asked.append(inputs.progress)
        return np.repeat(squats[:1], 20, axis=0)

    streamer = MotionStreamer(known_sampler(sampler), words, lengths(3.0))
    play(streamer, 60, {0: lambda: streamer.command(MotionCondition("a person walks forward"))})
    assert len(asked) > 3 and not np.any(asked)


def test_a_command_with_a_length_ends_in_standing(streamer):
    poses = play(streamer, 120, {0: lambda: streamer.command(MotionCondition("a person squats", seconds=2.0))})
    assert streamer.condition is None
    still = np.abs(np.diff(positions(poses), axis=0)).max(axis=(1, 2))
    # 2 frames of latency, 2 s of squat, at most 2 s of fading
    assert still[:40].max() > 0.01 and still[84:].max() == 0.0
    assert poses[-1].positions[0, 2] == pytest.approx(0.93, abs=0.02)


def test_stop_stands_still_within_a_second_and_a_half_and_without_a_jump(streamer):
    poses = play(streamer, 120, {0: lambda: streamer.command(SQUAT), 50: streamer.stop})
    still = np.abs(np.diff(positions(poses), axis=0)).max(axis=(1, 2))
    assert still[49] > 0.005 and still[80:].max() == 0.0
    assert accelerations(poses)[40:].max() < 30.0


def test_a_command_that_nothing_follows_times_out(squatting, squats, words, lengths):
    streamer = MotionStreamer(squatting, words, lengths(len(squats) / 20.0), command_timeout_s=2.0)
    play(streamer, 30, {0: lambda: streamer.command(SQUAT)})
    assert streamer.condition is SQUAT
    play(streamer, 20)
    assert streamer.condition is None


@pytest.mark.slow
def test_poses_between_frames_are_smooth_and_keep_their_bones(streamer, squats):
    streamer.command(SQUAT)
    poses = []
    for k in range(500):
        while streamer.advance():
            pass
        poses.append(streamer.pose_at(50.0 + k / 100.0))
    assert [pose.stamp for pose in poses] == [50.0 + k / 100.0 for k in range(500)]
    assert bones_off(poses) < 1e-5
    # at 100 Hz the second difference of a smooth motion is 25 times smaller than at 20
    steps = np.linalg.norm(np.diff(positions(poses), 2, axis=0), axis=-1)[120:]
    truth = np.linalg.norm(np.diff(body_of(squats).positions, 2, axis=0), axis=-1)
    assert steps.max() < truth.max() / 10.0
    # every fifth pose is a frame of the clip
    around = positions(poses[120::5])
    around -= around[:, :1]
    clip = body_of(squats).positions
    clip = clip - clip[:, :1]
    distance = np.abs(around[:, None] - clip[None]).max(axis=(2, 3)).min(axis=1)
    assert distance.max() < 1e-5


def test_a_clock_that_leaps_goes_on_from_where_the_body_is(streamer):
    streamer.command(SQUAT)
    for k in range(40):
        while streamer.advance():
            pass
        before = streamer.pose_at(k / 30.0)
    for now in (500.0, 3.0):
        while streamer.advance():
            pass
        after = streamer.pose_at(now)
        assert after.stamp == now
        assert np.abs(after.positions - before.positions).max() < 0.15
        before = after
    assert streamer.underruns == 0


def test_a_worker_that_is_late_holds_the_body_and_leaves_no_gap(streamer):
    poses = play(streamer, 30, {0: lambda: streamer.command(SQUAT)})
    poses += [streamer.next_frame() for _ in range(40)]  # nobody works
    assert streamer.underruns > 0
    poses += play(streamer, 40)
    assert np.abs(np.diff(positions(poses), axis=0)).max() < 0.2
    np.testing.assert_allclose(np.diff([pose.stamp for pose in poses]), 0.05)


def test_values_that_are_not_finite_end_in_standing(squatting, squats, words, lengths):
    streamer = MotionStreamer(squatting, words, lengths(len(squats) / 20.0), latency_s=0.0)
    play(streamer, 40, {0: lambda: streamer.command(SQUAT)})
    squatting.features = squatting.features * np.nan
    with pytest.raises(GenerationError, match="not finite"):
        play(streamer, 20)
    squatting.features = squats
    poses = play(streamer, 60)
    assert streamer.condition is None
    assert np.isfinite(positions(poses)).all()
    assert np.abs(np.diff(positions(poses), axis=0))[-5:].max() == 0.0


@pytest.mark.slow
def test_turning_for_a_minute_does_not_wear_the_anchor_out(known_sampler, words, lengths):
    # 0.1 rad a frame to the left and 5 cm ahead
    turn, step = 0.1, 0.05
    frames = np.arange(0, 21)
    heading = turn * frames
    way = np.cumsum(step * np.exp(1j * heading))
    features = np.repeat(standing_features(1), 21, axis=0)
    features[:, LAYOUT["root_position"].start] = (way - way[0]).real
    features[:, LAYOUT["root_position"].start + 1] = (way - way[0]).imag
    features[:, LAYOUT["heading"]] = np.stack([np.cos(heading), np.sin(heading)], axis=1)

    sampler = known_sampler(lambda inputs: features[1:])
    streamer = MotionStreamer(sampler, words, lengths(3.0), latency_s=0.0, play_frames=20, tidy=False)
    poses = play(streamer, 1200, {0: lambda: streamer.command(MotionCondition("a person walks in a circle"))})
    place = np.array([pose.positions[0] for pose in poses], np.float64)
    k = np.arange(len(place))
    # the sum of the steps in closed form, from where the join with standing has died away
    exact = step * np.exp(1j * turn * k)
    moved = np.diff(place[:, 0] + 1j * place[:, 1])[40:]
    lag = np.angle(moved[0] / exact[40])
    assert np.abs(moved - exact[40 : 40 + len(moved)] * np.exp(1j * lag)).max() < 2e-6
    # and of all of them: the chord of the circle
    steps = 1100
    chord = step * abs(np.sin(0.5 * steps * turn) / np.sin(0.5 * turn))
    assert np.linalg.norm(place[60 + steps, :2] - place[60, :2]) == pytest.approx(chord, abs=1e-5)


def test_a_path_is_taken_from_where_the_body_is(squatting, squats, words, lengths):
    streamer = MotionStreamer(squatting, words, lengths(5.0), latency_s=0.0, place=Place(x=0.3))
    path = RootPath(np.array([0.0, 4.0]), np.array([[0.0, 0.0], [2.0, 0.0]]))
    play(streamer, 60, {0: lambda: streamer.command(MotionCondition("a person squats", path=path))})
    masks = [inputs.target_mask[:, :2] for inputs in squatting.asked]
    assert all(mask.all() for mask in masks)
    # the first frame asked for is hardly away from where the body stands, and the body is asked to go ahead
    first = squatting.asked[0].target
    assert abs(first[0, 0]) < 0.01 and first[:, 0].max() > 0.1


@pytest.mark.slow
def test_a_worker_thread_and_a_player_do_not_get_into_each_others_way(streamer):
    stop = threading.Event()
    failures = []

    def work():
        try:
            while not stop.is_set():
                if not streamer.advance():
                    streamer.wait(0.002)
        except Exception as error:
            failures.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    poses = []
    for k in range(400):
        if k % 60 == 0:
            streamer.command(SQUAT)
        poses.append(streamer.pose_at(k / 400.0))  # far faster than the clock: a stress, not a measurement
        stop.wait(0.0005)
    stop.set()
    worker.join()
    assert not failures
    assert np.isfinite(positions(poses)).all()


def test_settings_that_cannot_be_meant_are_refused(squatting, words, lengths):
    with pytest.raises(ValueError, match="play 4 to 20 frames"):
        MotionStreamer(squatting, words, lengths(3.0), play_frames=40)
