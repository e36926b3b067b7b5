"""How far along a motion is, as the network is told."""

import re

import numpy as np

from fitmotion_models.motion.features import FPS
from fitmotion_models.skeleton.body_pose import Float32

# seconds that the network's second number counts in
_UNIT_S = 10.0
# what has no end of its own, and was learned without progress: see `training.motion_windows`
_ENDLESS = re.compile(r"\b(walk|run|runn|jog|jogg)(s|ing)?\b", re.IGNORECASE)


def is_endless(prompt: str) -> bool:
    """Whether the motion goes on until something else begins (walking, running)."""
    return _ENDLESS.search(prompt) is not None


def progress_of(elapsed: int, total: int | None) -> Float32:
    """(3,): share of the motion that has passed at a chunk's first frame, its length, whether they are known.

    elapsed, total: frames; total None: not known.
    """
    if total is None:
        return np.zeros(3, np.float32)
    return np.array([elapsed / total, total / (FPS * _UNIT_S), 1.0], np.float32)
