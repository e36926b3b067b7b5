"""The report on the stream: what is put into a played motion is found in its figures."""

import numpy as np
import pytest

from fitmotion_models.evaluation.stream_report import Played, as_text, effects, figures, play
from fitmotion_models.motion.features import body_of
from fitmotion_models.motion.sampler import SamplerCard
from fitmotion_models.motion.standing import standing_features
from fitmotion_models.motion.streamer import MotionStreamer

MINUTE = 1200


class Words:
    name, size = "minilm", 384

    def encode(self, texts):
        return np.array([[float(len(text))] * self.size for text in texts], np.float32)


class Lengths:
    def sample(self, embedding, score, rng):
        return 3.0


class Standing:
    """Stands, as high as the prompt is long (0.1 mm a letter), and glides the faster for it."""

    engine, engine_name, card = "standing", "known", SamplerCard("standing", "minilm", 384)

    def __call__(self, inputs):
        frames = standing_features(20)
        frames[:, 2] += 1e-4 * inputs.plain_text[0]
        frames[:, 0] += 0.02 * np.arange(1, 21) * (inputs.plain_text[0] - 20.0) / 10.0
        return frames


def streamer(seed=0, latency_s=0.1):
    return MotionStreamer(Standing(), Words(), Lengths(), play_frames=10, latency_s=latency_s, seed=seed, tidy=False)


@pytest.fixture(scope="module")
def still():
    """Two minutes of standing, which nothing is wrong with."""
    body = body_of(standing_features(1))
    frames = 2 * MINUTE
    return lambda: Played(
        np.repeat(body.positions, frames, axis=0).astype(np.float32),
        np.repeat(body.feet, frames, axis=0).astype(np.float32),
        np.arange(frames) / 20.0,
        list(range(0, frames, 10)),
        [0, 600],
        {"total": np.array([0.001, 0.002, 0.003])},
        0,
        0,
    )


def test_standing_still_has_nothing_to_find(still):
    report = figures(still())
    assert report["last_over_first"]["height_m"] == pytest.approx(1.0)
    assert report["bones_off_percent"] < 1e-4
    assert (report["not_finite"], report["underruns"]) == (0, 0)
    assert report["stamp_error_ms"] < 1e-6
    assert report["played_second_ms"]["total"] == pytest.approx({"p50": 2.0, "p95": 2.9})


def test_sinking_a_stretched_bone_a_gap_and_a_jump_are_found(still):
    played = still()
    sunk = np.linspace(0.0, 0.2, len(played.stamps))
    played.positions[..., 2] -= sunk[:, None]
    played.positions[100, 20, 1] += 0.05
    played.stamps[500:] += 0.01
    played.positions[1000:, :, 0] += 0.04
    played.positions[7] = np.nan
    report = figures(played)
    heights = [0.93 - sunk[part].mean() for part in (slice(0, MINUTE), slice(MINUTE, None))]
    assert report["not_finite"] == 1
    assert report["stamp_error_ms"] == pytest.approx(10.0, abs=1e-6)
    clean = still()
    clean.positions[..., 2] -= sunk[:, None]
    clean.positions[1000:, :, 0] += 0.04
    found = figures(clean)
    assert found["last_over_first"]["height_m"] == pytest.approx(heights[1] / heights[0], abs=2e-3)
    # 4 cm in one frame at a seam, over the two differences that see it, of 240 seams
    assert found["acceleration_m_s2"]["at_seams"] == pytest.approx(0.04 * 400.0 * 2.0 / (2.0 * 239.0), rel=0.02)
    assert found["acceleration_m_s2"]["within_chunks"] == pytest.approx(0.0, abs=1e-3)
    stretched = still()
    stretched.positions[100, 20, 1] += 0.05
    assert figures(stretched)["bones_off_percent"] > 5.0


@pytest.mark.slow
def test_a_stream_is_played_as_told_and_a_new_prompt_shows_when_it_can():
    played = play(streamer(), 0.5)
    assert len(played.stamps) == 600
    # a command every 15 s, two frames ahead for 0.1 s of latency
    assert played.changes == [2, 302]
    assert np.diff(played.seams).max() <= 10
    assert set(played.costs) == {"text", "sample", "decode", "clean_up", "queue", "total"}
    found = effects(lambda seed, latency_s: streamer(seed, latency_s), 0.1, trials=2)
    assert found["not_within_3_s"] == 0
    # two frames of latency and the two that a display looks ahead, then the way to 2 cm
    assert 0.2 <= found["median_s"] <= found["longest_s"] < 0.5


def test_the_text_has_all_that_was_measured(still):
    report = {"minutes": 2.0, "frames": 2400, "effect": {"median_s": 0.3, "longest_s": None}} | figures(still())
    text = as_text(report)
    for words in ("height_m", "bones off by", "a new prompt shows      after 0.30 s, never at most", "p95"):
        assert words in text
