"""The numbers that a learned scorer takes of a repetition: the same in training, on a clip and on a stream.

Curves of the two body sides come twice: without regard to the side that was tested (mean and difference), which every
test has, and, for a test with sides, by side. A test without sides is also looked at as if it had them, both ways.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.fms.features import FeatureCurves, clip_curves, repetition_curves, summarise
from fitmotion_models.fms.repetitions import Repetition
from fitmotion_models.fms.values import Side
from fitmotion_models.skeleton.motion_clip import MotionClip

Vector = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RepetitionFeatures:
    """names, values (N,): by mean and difference. sided_names, sided (K, M): by side; K is 1, or 2 without a side.

    NaN where unseen.
    """

    names: tuple[str, ...]
    values: Vector
    sided_names: tuple[str, ...]
    sided: Vector


def repetition_features(repetition: Repetition, side: Side) -> RepetitionFeatures:
    """Of a repetition as it was found in a stream. side: that it was done on, BOTH where the test has none."""
    return _features(lambda first: repetition_curves(repetition, first), side)


def clip_features(clip: MotionClip, side: Side) -> RepetitionFeatures:
    """Of a clip that is one repetition and starts with its stance."""
    return _features(lambda first: clip_curves(clip, first), side)


def _features(curves: Callable[[Side], FeatureCurves], side: Side) -> RepetitionFeatures:
    whole = summarise(curves(Side.BOTH))
    sided = [summarise(curves(one)) for one in ((side,) if side is not Side.BOTH else (Side.LEFT, Side.RIGHT))]
    return RepetitionFeatures(whole.names, whole.values, sided[0].names, np.stack([one.values for one in sided]))
