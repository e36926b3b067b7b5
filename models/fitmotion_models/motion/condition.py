"""What a motion is asked for: words, a score of the Functional Movement Screen, a length, a way, keyframes."""

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.skeleton.body_pose import BodyPose

MAX_PROMPT_CHARACTERS = 512
"""The encoder reads 256 word pieces (all-MiniLM-L6-v2's `max_seq_length`), about twice as many characters as these."""

MAX_SECONDS = 600.0
"""The longest single motion; the stream has no end."""

SCORES = (0, 1, 2, 3)
"""Of one test of the screen (Cook, Burton, Hoogenboom 2006): 0 with pain, 1 cannot, 2 compensates, 3 meets it."""

GUIDANCE_RANGE = (0.0, 10.0)
"""Weights of classifier-free guidance that are taken; 1 is none, 0 leaves the condition out."""

MAX_SPEED = 12.5
"""Metres a second along a path: the fastest that a person ran (12.42, 100 m final, Berlin 2009)."""

PELVIS_HEIGHT_RANGE = (0.02, 3.0)
"""Metres over the floor that a path may ask of the pelvis: between lying and the highest jump."""

_MAX_SEED = 2**32 - 1
_FRAME = 0.05  # seconds: what is asked for by a frame later than the motion's end is still its last frame
_SHOWN = 40  # characters of a bad prompt in its error


class Conditioning(IntEnum):
    """What carries the wanted score into the model; the numbers are those of `MotionCommand.msg`.

    DEFAULT: as the weights' card says. NUMERICAL: a suffix of the prompt. TEXTUAL: words in front of it. TOKEN: an
    input of its own.
    """

    DEFAULT = 0
    NUMERICAL = 1
    TEXTUAL = 2
    TOKEN = 3


@dataclass(frozen=True, eq=False)
class RootPath:
    """The way of the pelvis.

    stamps: (N,) seconds from the start of the motion, increasing. positions: (N, 2) metres over the floor in the world
    frame, or (N, 3) with the pelvis' height over the floor. N is at least 1. Raises ValueError for anything else.
    """

    stamps: NDArray[np.float64]
    positions: NDArray[np.float64]

    def __post_init__(self) -> None:
        stamps = _numbers("path stamps", self.stamps)
        positions = _numbers("path positions", self.positions)
        if positions.ndim != 2 or positions.shape[1] not in (2, 3) or stamps.shape != positions.shape[:1]:
            raise ValueError(
                f"path has stamps {stamps.shape} and positions {positions.shape}; give (N,) and (N, 2) or (N, 3)"
            )
        if not len(stamps) or stamps[0] < 0 or (np.diff(stamps) <= 0).any():
            raise ValueError("path stamps must be one or more seconds from 0 on, each later than the one before")
        speeds = np.linalg.norm(np.diff(positions[:, :2], axis=0), axis=1) / np.diff(stamps)
        if speeds.size and speeds.max() > MAX_SPEED:
            fastest = int(np.argmax(speeds))
            raise ValueError(
                f"path asks for {speeds[fastest]:.1f} m/s after {stamps[fastest]:g} s; a person reaches {MAX_SPEED:g} "
                "at most: give its points more time"
            )
        if positions.shape[1] == 3:
            _check_heights(positions[:, 2])
        object.__setattr__(self, "stamps", stamps)
        object.__setattr__(self, "positions", positions)

    def at(self, times: ArrayLike) -> NDArray[np.float64]:
        """Positions (T, 2) or (T, 3) at times (T,), seconds, straight between the points; NaN before and after them."""
        wanted = np.asarray(times, dtype=np.float64)
        columns = [np.interp(wanted, self.stamps, column, np.nan, np.nan) for column in self.positions.T]
        return np.stack(columns, axis=-1)


@dataclass(frozen=True, eq=False)
class Keyframe:
    """A body that the motion passes through.

    stamp: seconds from the start of the motion. pose: the body in the world frame; its own stamp is not read.
    joint_mask: (22,) which of its joints bind; None: all. Unseen joints (confidence 0, NaN) never bind.
    Raises ValueError where nothing binds, and for a negative stamp.
    """

    stamp: float
    pose: BodyPose
    joint_mask: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        stamp = _number("keyframe stamp", self.stamp)
        if stamp < 0:
            raise ValueError(f"keyframe stamp {stamp:g} s lies before the motion; count from its start, 0 s")
        joints = len(self.pose.confidence)
        mask = np.ones(joints, bool) if self.joint_mask is None else np.asarray(self.joint_mask)
        if mask.shape != (joints,) or mask.dtype != np.bool_:
            raise ValueError(f"keyframe joint_mask is {mask.dtype} {mask.shape}; give ({joints},) of True and False")
        seen = (self.pose.confidence > 0) & np.isfinite(self.pose.rotations).all(axis=-1)
        if not (mask & seen).any():
            raise ValueError(f"keyframe at {stamp:g} s binds no joint that its body shows; let at least one bind")
        object.__setattr__(self, "stamp", stamp)
        object.__setattr__(self, "joint_mask", mask & seen)


@dataclass(frozen=True, eq=False)
class MotionCondition:
    """One wish for a motion; what is None is left to the model.

    prompt: the motion in English words, which is what the text encoder was trained on; other languages are taken and
    mostly misunderstood. score: 0 to 3. conditioning: what carries the score. seconds: of the whole motion.
    seed: the same one gives the same motion; None: another one each time. text_guidance, score_guidance: weights of
    classifier-free guidance, 1 is none; None: the weights' card has them. path, keyframes: what to pass through.
    Raises ValueError, one sentence, for everything that cannot be meant.
    """

    prompt: str
    score: int | None = None
    conditioning: Conditioning = Conditioning.DEFAULT
    seconds: float | None = None
    seed: int | None = None
    text_guidance: float | None = None
    score_guidance: float | None = None
    path: RootPath | None = None
    keyframes: tuple[Keyframe, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", checked_prompt(self.prompt))
        _check_whole("score", self.score, SCORES[0], SCORES[-1], "leave it out for any")
        _check_whole("seed", self.seed, 0, _MAX_SEED, "leave it out for a random one")
        if self.conditioning not in tuple(Conditioning):
            known = ", ".join(f"{one.value} {one.name.lower()}" for one in Conditioning)
            raise ValueError(f"conditioning {self.conditioning!r} unknown; known: {known}")
        object.__setattr__(self, "conditioning", Conditioning(self.conditioning))
        if self.seconds is not None:
            seconds = _number("length", self.seconds)
            if not 0 < seconds <= MAX_SECONDS:
                raise ValueError(
                    f"length {seconds:g} s: more than 0 and at most {MAX_SECONDS:g} s can be generated at once; leave "
                    "it out to let the model choose, or use the stream for endless motion"
                )
            object.__setattr__(self, "seconds", seconds)
        for name in ("text_guidance", "score_guidance"):
            self._check_guidance(name)
        object.__setattr__(self, "keyframes", tuple(self.keyframes))
        self._check_ends()

    def _check_guidance(self, name: str) -> None:
        given = getattr(self, name)
        if given is None:
            return
        weight = _number(name, given)
        low, high = GUIDANCE_RANGE
        if not low <= weight <= high:
            raise ValueError(
                f"{name} {weight:g} is outside {low:g} to {high:g}; 1 is none, leave it out for the default"
            )
        object.__setattr__(self, name, weight)

    def _check_ends(self) -> None:
        """Whatever is asked for after the end of the motion could not be met."""
        if self.seconds is None:
            return
        ends = [("keyframe", one.stamp) for one in self.keyframes]
        if self.path is not None:
            ends.append(("path", float(self.path.stamps[-1])))
        for what, end in ends:
            if end > self.seconds + _FRAME:
                raise ValueError(f"{what} goes to {end:g} s, the motion to {self.seconds:g} s; make the motion longer")


def checked_prompt(prompt: str) -> str:
    """A prompt without line breaks and needless spaces; raises ValueError where nothing is left or it is too long."""
    if not isinstance(prompt, str):
        raise ValueError(f"prompt must be words; got {type(prompt).__name__}")
    found = " ".join("".join(letter if letter.isprintable() else " " for letter in prompt).split())
    if not found:
        raise ValueError('prompt is empty; say what the person does, such as "a person performs a deep squat"')
    if len(found) > MAX_PROMPT_CHARACTERS:
        raise ValueError(
            f'prompt "{found[:_SHOWN]}..." has {len(found)} characters; at most {MAX_PROMPT_CHARACTERS} are read: '
            "say it in one or two sentences"
        )
    return found


def _check_whole(name: str, value: Any, low: int, high: int, otherwise: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ValueError(f"{name} {value!r} is none; give a whole number from {low} to {high}, or {otherwise}")


def _check_heights(heights: NDArray[np.float64]) -> None:
    low, high = PELVIS_HEIGHT_RANGE
    outside = heights[(heights < low) | (heights > high)]
    if outside.size:
        raise ValueError(
            f"path asks for a pelvis {outside[0]:g} m over the floor; give {low:g} to {high:g} m, or positions (N, 2) "
            "to leave the height free"
        )


def _number(name: str, value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number; got {value!r}") from None
    if not math.isfinite(found):
        raise ValueError(f"{name} is {found}; give a finite number")
    return found


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        found = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers") from None
    wrong = np.argwhere(~np.isfinite(found))
    if len(wrong):
        raise ValueError(f"{name} hold NaN or infinity at point {wrong[0][0]}; give finite numbers or no path")
    return found
