"""Samplers that know what they play, so that a stream can be compared with it frame by frame."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from fitmotion_models.motion.condition import Conditioning
from fitmotion_models.motion.features import anchor_of, anchored, features_of
from fitmotion_models.motion.sampler import ChunkInputs, SamplerCard
from fitmotion_models.mover.movers import make_mover

FRAMES_PER_UNIT = 200.0  # the second number of progress counts tens of seconds


class Words:
    """A text encoder that tells prompts apart and nothing else."""

    name, size = "minilm", 384

    def encode(self, texts):
        return np.array([[float(len(text))] * self.size for text in texts], np.float32)


class Lengths:
    """Every motion is so long, seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def sample(self, embedding, score, rng):
        return self.seconds


CARD = SamplerCard("known", "minilm", Words.size, Conditioning.TOKEN, 2.0, 3.0)


class KnownSampler:
    """A sampler made of a function."""

    engine, engine_name, card = "known motion", "known", CARD

    def __init__(self, future) -> None:
        self.future = future

    def __call__(self, inputs: ChunkInputs) -> np.ndarray:
        return self.future(inputs)


@dataclass
class ClipSampler:
    """Plays features (T, 204): the chunk that progress asks for, repeated from the start where it ends."""

    features: np.ndarray
    engine: str = "a known clip"
    engine_name: str = "known"
    card: SamplerCard = CARD
    asked: list[ChunkInputs] = field(default_factory=list)

    def __call__(self, inputs: ChunkInputs) -> np.ndarray:
        self.asked.append(inputs)
        share, tens, known = inputs.progress
        assert known == 1.0
        first = round(float(share) * float(tens) * FRAMES_PER_UNIT)
        frames = (first + np.arange(20)) % len(self.features)
        before = self.features[(first - 1) % len(self.features)] if inputs.has_history[0] else self.features[first]
        return anchored(self.features[frames], anchor_of(before))


@pytest.fixture(scope="session")
def squats():
    """Features (T, 204) of squats that begin and end standing."""
    return features_of(make_mover("squat", fps=20.0))


@pytest.fixture
def squatting(squats):
    """A sampler that plays them."""
    return ClipSampler(squats)


@pytest.fixture(scope="session")
def known_sampler():
    """Makes a sampler of a function: known_sampler(inputs -> future)."""
    return KnownSampler


@pytest.fixture(scope="session")
def words():
    """A text encoder without a network."""
    return Words()


@pytest.fixture(scope="session")
def lengths():
    """Makes a length model that always says the same: lengths(seconds)."""
    return Lengths
