"""Bodies for sensors: clips that move as one piece, and live sensors fed with a clip."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.evaluation.imu_analytic import rigid_clip
from fitmotion_models.imu import ImuSamples, LiveImu
from fitmotion_models.skeleton.motion_clip import MotionClip


@pytest.fixture
def follow() -> Callable[..., ImuSamples]:
    """What live sensors give for a clip's poses, one after the other."""

    def run(clip, imu: LiveImu) -> ImuSamples:
        parts = [imu.update(pose) for pose in clip]
        given = [name for name, value in vars(parts[0]).items() if value is not None]
        return ImuSamples(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in given})

    return run


@pytest.fixture
def still() -> Callable[..., MotionClip]:
    """A body at rest in any orientation, for some seconds."""

    def make(turn=(0.0, 0.0, 0.0, 1.0), *, seconds: float = 2.0, fps: float = 30.0) -> MotionClip:
        times = np.arange(round(seconds * fps) + 1) / fps
        place = np.broadcast_to((0.4, -0.3, 1.0), (len(times), 3))
        return rigid_clip(times, place, np.broadcast_to(turn, (len(times), 4)), fps, "anna")

    return make


@pytest.fixture
def without() -> Callable[..., MotionClip]:
    """A clip with some frames gone, or some joints unseen in them."""

    def cut(clip: MotionClip, frames: slice, joint: int | None = None) -> MotionClip:
        if joint is not None:
            arrays = {name: getattr(clip, name).copy() for name in ("positions", "rotations", "confidence")}
            arrays["positions"][frames, joint] = arrays["rotations"][frames, joint] = np.nan
            arrays["confidence"][frames, joint] = 0.0
            return replace(clip, **arrays)
        keep = np.ones(len(clip), bool)
        keep[frames] = False
        names = ("stamps", "positions", "rotations", "confidence", "feet", "feet_confidence", "view_direction")
        return replace(clip, **{name: getattr(clip, name)[keep] for name in names})

    return cut
