"""The numbers that a learned scorer takes of a repetition: the same in training, on a clip and on a stream."""

from fitmotion_models.fms.features import Features, clip_curves, repetition_curves, summarise
from fitmotion_models.fms.repetitions import Repetition
from fitmotion_models.fms.values import Side
from fitmotion_models.skeleton.motion_clip import MotionClip


def repetition_features(repetition: Repetition, side: Side) -> Features:
    """Of a repetition as it was found in a stream. side: that it was done on, BOTH where the test has none."""
    return summarise(repetition_curves(repetition, side))


def clip_features(clip: MotionClip, side: Side) -> Features:
    """Of a clip that is one repetition and starts with its stance."""
    return summarise(clip_curves(clip, side))
