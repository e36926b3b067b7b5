"""When a squat does what: repetitions in time and the way between stance and bottom."""

from dataclasses import dataclass

import numpy as np

from fitmotion_models.mover.body import Float64
from fitmotion_models.mover.squat_parameters import SquatParameters

# a jittered descent or ascent keeps at least this share of its time
_SHORTEST_SHARE = 0.4


@dataclass(frozen=True)
class RepetitionTimes:
    """Seconds from the clip's start: leaving the stance, reaching the bottom, leaving it, back in stance."""

    start: float
    bottom_start: float
    bottom_end: float
    end: float


def minimum_jerk(share: Float64) -> Float64:
    """Way covered, 0 to 1, at a share of the time, 0 to 1 (clipped): Flash & Hogan 1985, a rest-to-rest movement."""
    t = np.clip(share, 0.0, 1.0)
    result: Float64 = t**3 * (10.0 - 15.0 * t + 6.0 * t**2)
    return result


def repetition_times(sequence: tuple[SquatParameters, ...]) -> tuple[tuple[RepetitionTimes, ...], float]:
    """Times of all repetitions of a sequence of squats, and its whole length in seconds.

    Each squat's own `pause_s` stands before each of its repetitions but the sequence's first; the first squat's
    `stance_s` opens, the last one's closes.
    """
    now = sequence[0].stance_s
    times: list[RepetitionTimes] = []
    for squat in sequence:
        draw = np.random.default_rng(squat.seed)
        for _ in range(squat.repetitions):
            if times:
                now += squat.pause_s
            slower = np.maximum(1.0 + squat.tempo_jitter * draw.standard_normal(2), _SHORTEST_SHARE)
            bottom_start = now + squat.descent_s * float(slower[0])
            bottom_end = bottom_start + squat.hold_s
            end = bottom_end + squat.ascent_s * float(slower[1])
            times.append(RepetitionTimes(now, bottom_start, bottom_end, end))
            now = end
    return tuple(times), now + sequence[-1].stance_s


def depth_share(repetition: RepetitionTimes, stamps: Float64) -> Float64:
    """How much of the way down the body is at each stamp (...), 0 in stance, 1 at the bottom."""
    down = minimum_jerk((stamps - repetition.start) / (repetition.bottom_start - repetition.start))
    up = minimum_jerk((stamps - repetition.bottom_end) / (repetition.end - repetition.bottom_end))
    return down - up
