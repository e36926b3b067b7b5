"""Tables of generated against real motion, with an evaluator whose answers are known by construction."""

import json

import numpy as np
import pytest

from fitmotion_models.evaluation.motion_samples import GeneratedSample, RealSample, embed
from fitmotion_models.evaluation.motion_tables import motion_metrics, retrieval_of
from fitmotion_models.motion.features import LAYOUT, clip_of

ACTIONS = 8


def gliding(number, seed, frames=24):
    """A stiff body that glides at a speed of its own: action 0 slowest."""
    rng = np.random.default_rng(seed)
    features = np.zeros((frames, LAYOUT.size))
    features[:, 0] = np.arange(frames) * (0.05 * number + 0.002 * rng.normal())
    features[:, 2] = 0.9351
    features[:, LAYOUT["heading"]] = (1.0, 0.0)
    features[:, LAYOUT["rotations"]] = np.tile((1.0, 0, 0, 0, 1.0, 0), 22)
    return clip_of(features)


class SpeedEvaluator:
    """Reads the speed of a motion (feature 2 of HumanML3D: steps ahead) and of a sentence's last word."""

    name, comparable = "speeds", False

    def motions(self, features):
        return np.array([[one[:, 2].mean() * 20, 0.0, 1.0] for one in features])

    def texts(self, texts):
        return np.array([[float(text.split()[-1]), 0.0, 1.0] for text in texts])


def text(number, words="glides at"):
    return f"a person {words} {number}"


def generated(wrong=False, runs=1):
    # every action is asked for by two texts
    return [
        GeneratedSample(
            gliding((index + wrong) % ACTIONS, 1000 * run + index), text(index % ACTIONS), str(index % ACTIONS), run
        )
        for run in range(runs)
        for index in range(3 * ACTIONS)
    ]


def real(persons, seed):
    return [
        RealSample(
            gliding(number, seed + 10 * person + number), (text(number), text(number, "moves")), str(number), name
        )
        for person, name in enumerate(persons)
        for number in range(ACTIONS)
    ]


@pytest.fixture(scope="module")
def figures():
    sets = real("abcde", 100), real("vwxyz", 500)
    rng = np.random.default_rng(0)
    return {
        "right": motion_metrics(generated(), sets[0], SpeedEvaluator(), rng=rng, training=sets[1], bootstraps=50),
        "wrong": motion_metrics(generated(wrong=True), sets[0], SpeedEvaluator(), rng=rng, bootstraps=50),
    }


def test_motion_that_does_what_was_asked_is_always_found(figures):
    found = figures["right"]["r_precision_distinct"]
    assert found["batch"] == found["real_batch"] == ACTIONS
    for k in range(1, 4):
        one = found[f"top_{k}"]
        assert one["value"] == 1.0 and one["ci95"] == [1.0, 1.0] and one["real"]["value"] == 1.0
        assert one["training"]["value"] == 1.0 and one["chance"] == pytest.approx(k / ACTIONS)
    # batches drawn without regard to the action hold a motion several times, so that the first is often another's
    assert figures["right"]["r_precision"]["top_1"]["value"] < 0.7


def test_motion_that_does_something_else_is_found_less(figures):
    wrong = figures["wrong"]["r_precision_distinct"]
    # the wanted speed is the neighbour's: seven of eight are second
    assert wrong["top_1"]["value"] == 0.0
    assert figures["wrong"]["mm_distance"]["value"] > 5 * figures["right"]["mm_distance"]["value"]
    chance = figures["right"]["mm_distance"]["chance"]
    # of speeds 0 to 7, the mean difference of two that differ is 3
    assert chance == pytest.approx(3.0, rel=0.05)


def test_distances_are_small_for_the_same_motions_and_large_for_still_ones(figures):
    for name in ("fid", "kid"):
        found = figures["right"][name]
        assert found["chance"] > 10 * abs(found["value"])
        low, high = found["ci95_bootstrap"]
        assert low <= found["value"] <= high
        assert found["real_is"] == "training persons against held-out persons"
        assert "half" in figures["wrong"][name]["real_is"]
    assert figures["right"]["fid"]["dimensions"] == 3
    assert figures["right"]["fid"]["ratio"]["value"] == pytest.approx(
        figures["right"]["fid"]["value"] / figures["right"]["fid"]["real"]["value"]
    )


def test_sizes_are_stated_and_everything_is_json(figures):
    right = figures["right"]
    assert right["diversity"]["pairs"] == 3 * ACTIONS - 1 and right["diversity"]["published_pairs"] == 300
    assert (right["multimodality"]["texts"], right["multimodality"]["motions_a_text"]) == (ACTIONS, 3)
    assert (right["clips"], right["real_clips"], right["real_persons"], right["runs"]) == (24, 40, 5, 1)
    # of one text's motions nothing but their speeds differ a little; those of any text differ by some
    assert right["multimodality"]["value"] < 0.1 * right["multimodality"]["chance"]
    assert json.loads(json.dumps(right, allow_nan=False)) == right


def test_a_body_that_glides_skates(figures):
    skating = figures["right"]["physical"]["skating_ratio"]
    # of speeds 0 to 7 m/s all but the first are above .5 m/s
    assert skating["value"] == pytest.approx(7 / 8) == skating["real"]["value"]
    assert skating["chance"] == 0.0 and skating["clips"] == 24


def test_runs_are_gone_through():
    samples = generated(runs=2)
    figures = motion_metrics(samples, real("ab", 0), SpeedEvaluator(), 4, np.random.default_rng(0), bootstraps=5)
    assert figures["runs"] == 2 and figures["clips"] == 48
    assert figures["r_precision_distinct"]["top_1"]["value"] == 1.0
    low, high = figures["fid"]["ci95"]
    assert low < high


def test_an_evaluators_ceiling():
    found = retrieval_of(embed(real("abc", 0), SpeedEvaluator()), 3, bootstraps=5)
    assert found["distinct_actions"]["top_1"]["value"] == 1.0 and found["persons"] == 3


def test_nothing_to_measure_is_refused():
    with pytest.raises(ValueError, match="no clips to measure"):
        motion_metrics([], real("ab", 0), SpeedEvaluator())
    with pytest.raises(ValueError, match="'7' has no text"):
        motion_metrics(generated(), [RealSample(gliding(7, 0), (), "7", "a")], SpeedEvaluator())
