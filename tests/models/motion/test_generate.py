"""Whole motions: lengths, seeds, the way they are put together, and how they are given up."""

import numpy as np
import pytest

from fitmotion_models.motion.condition import Conditioning, MotionCondition, RootPath
from fitmotion_models.motion.features import body_of
from fitmotion_models.motion.generate import CancelledError, Generator, generate
from fitmotion_models.skeleton.frames import mirror_clip

SQUAT = MotionCondition("a person squats", seconds=4.0, seed=5)


@pytest.fixture
def generator(squatting, words, lengths):
    return Generator(squatting, words, lengths(3.3), clean_up=False)


@pytest.fixture
def noisy(known_sampler, squats, words, lengths):
    """A motion that is its noise, a little."""

    def future(inputs):
        return squats[20:40] + 0.01 * inputs.noise

    return Generator(known_sampler(future), words, lengths(3.0))


def test_a_motion_is_put_together_of_its_chunks(generator, squats, squatting):
    made = generator(SQUAT)
    assert len(made.clip) == 80
    np.testing.assert_allclose(made.clip.stamps, np.arange(80) / 20.0)
    truth = body_of(squats[:80]).positions
    np.testing.assert_allclose(made.clip.positions - made.clip.positions[:, :1], truth - truth[:, :1], atol=1e-5)
    # the first chunk has nothing before it, and begins over the origin
    assert [float(inputs.has_history[0]) for inputs in squatting.asked] == [0.0, 1.0, 1.0, 1.0]
    np.testing.assert_allclose(made.clip.positions[0, 0, :2], 0.0, atol=1e-6)
    np.testing.assert_allclose([inputs.progress for inputs in squatting.asked], [(k / 4.0, 0.4, 1.0) for k in range(4)])
    assert made.clip.labels == ("a person squats",)


def test_the_same_seed_gives_the_same_motion_and_another_one_another(noisy):
    first, again = noisy(SQUAT), noisy(SQUAT)
    assert first.seed == 5
    np.testing.assert_array_equal(first.clip.positions, again.clip.positions)
    others = noisy.several(MotionCondition("a person squats", seconds=4.0, seed=4), 2)
    assert [one.seed for one in others] == [4, 5]
    np.testing.assert_array_equal(others[1].clip.positions, first.clip.positions)
    assert np.abs(others[0].clip.positions - first.clip.positions).max() > 1e-3


def test_what_is_asked_for_on_the_right_is_the_mirror_image_of_the_left(known_sampler, squats, lengths):
    """Of motion that differs between the sides, and that depends on history, noise, words and the way given."""

    class Letters:
        name, size = "minilm", 384

        def encode(self, texts):
            return np.array([np.resize([ord(letter) for letter in text], 384) for text in texts], np.float32)

    def future(inputs):
        made = squats[20:40] + 0.01 * inputs.noise + 0.1 * inputs.history + 1e-5 * inputs.text[:204]
        return np.where(inputs.target_mask > 0, inputs.target, made)

    generator = Generator(known_sampler(future), Letters(), lengths(3.0), clean_up=False)
    way = RootPath(np.array([0.0, 2.0, 4.0]), np.array([[0.0, 0.0], [1.0, 0.3], [2.0, 1.0]]))
    across = RootPath(way.stamps, way.positions * (1.0, -1.0))
    left = generator(MotionCondition("a person lunges, left foot before the right", seconds=4.0, seed=5, path=way))
    right = generator(MotionCondition("a person lunges, right foot before the left", seconds=4.0, seed=5, path=across))
    assert np.abs(left.clip.positions - mirror_clip(left.clip).positions).max() > 0.01
    np.testing.assert_allclose(right.clip.positions, mirror_clip(left.clip).positions, atol=1e-5)
    np.testing.assert_allclose(right.clip.positions[-1, 0, :2], (2.0, -1.0), atol=0.1)


def test_a_seed_that_was_drawn_is_told_and_repeats_the_motion(noisy):
    free = noisy(MotionCondition("a person squats", seconds=2.0))
    again = noisy(MotionCondition("a person squats", seconds=2.0, seed=free.seed))
    np.testing.assert_array_equal(free.clip.positions, again.clip.positions)


@pytest.mark.parametrize(("seconds", "frames"), [(0.01, 1), (0.05, 1), (1.0, 20), (1.26, 25), (None, 66)])
def test_lengths_are_met_to_the_frame_and_else_drawn(generator, seconds, frames):
    assert len(generator(MotionCondition("a person squats", seconds=seconds)).clip) == frames


def test_a_path_gives_the_length_and_the_place_where_it_begins(squatting, words):
    path = RootPath(np.array([0.0, 2.5]), np.array([[3.0, 1.0], [3.0, 2.0]]))
    made = Generator(squatting, words)(MotionCondition("a person squats", path=path))
    assert len(made.clip) == 50
    np.testing.assert_allclose(made.clip.positions[0, 0, :2], (3.0, 1.0), atol=1e-5)
    # facing along it: the left hip is on the side of -x of one who faces y
    left, right = made.clip.positions[0, 1], made.clip.positions[0, 2]
    assert right[0] - left[0] > 0.1
    # what is asked for is the path, seen from the frame before
    target, mask = squatting.asked[0].target, squatting.asked[0].target_mask
    assert mask[:, :2].all() and not mask[:, 2:].any()
    np.testing.assert_allclose(target[:, 1], 0.0, atol=1e-6)
    np.testing.assert_allclose(np.diff(target[:, 0]), 0.02, atol=1e-6)


def test_the_score_and_its_weights_reach_the_network(squatting, words, lengths):
    generator = Generator(squatting, words, lengths(1.0))
    generator(MotionCondition("a person squats", score=2))
    generator(MotionCondition("a person squats", score=2, conditioning=Conditioning.NUMERICAL, text_guidance=1.5))
    token, numerical = squatting.asked
    np.testing.assert_array_equal(token.score, [0, 0, 0, 1, 0])
    np.testing.assert_array_equal(token.text, token.plain_text)
    np.testing.assert_array_equal(token.guidance, [2.0, 3.0])  # as the card says
    np.testing.assert_array_equal(numerical.score, [1, 0, 0, 0, 0])
    assert numerical.text[0] == len("a person squats, FMS score 2")
    np.testing.assert_array_equal(numerical.guidance, [1.5, 3.0])


def test_progress_counts_frames_and_cancelling_stops_at_once(generator, squatting):
    told = []
    generator(SQUAT, progress=lambda done, total: told.append((done, total)))
    assert told == [(20, 80), (40, 80), (60, 80), (80, 80)]
    squatting.asked.clear()
    with pytest.raises(CancelledError, match="after 2 of 4 s"):
        generator(SQUAT, cancelled=lambda: len(squatting.asked) == 2)


def test_timings_name_the_parts_and_sum_up_to_no_more_than_the_whole(squatting, words):
    timings = generate(SQUAT, sampler=squatting, encoder=words).timings
    assert {"text", "sample", "decode", "clean_up", "total"} == set(timings)
    assert 0.0 < sum(timings.values()) - timings["total"] <= timings["total"]


def test_an_encoder_that_the_network_does_not_know_is_refused(squatting):
    class Other:
        name, size = "clip", 512

    with pytest.raises(ValueError, match="trained with the text encoder 'minilm'"):
        Generator(squatting, Other())
