"""How something comes to rest without a jump of place, speed or acceleration at its end."""

from typing import NamedTuple

import numpy as np

from fitmotion_models.skeleton.rotations import Float64


class Rest(NamedTuple):
    """place: (N,) from 1, at speed 0, to 0. speed: (N,) from 0, at a speed of 1 a frame, to 0."""

    place: Float64
    speed: Float64


def to_rest(frames: int, carried: int | None = None) -> Rest:
    """The two quintics over `frames` frames, at least 1, from which any place and speed is brought to 0.

    carried: frames over which the speed dies away, at most all: what is fast would swing out far. The frame before the
    first one is where both begin; they begin without acceleration, and end at rest.
    """
    u = np.arange(1, frames + 1) / frames
    place = 1.0 - u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
    length = frames if carried is None else min(carried, frames)
    u = np.minimum(np.arange(1, frames + 1) / length, 1.0)
    return Rest(place, length * (u - 6.0 * u**3 + 8.0 * u**4 - 3.0 * u**5))
