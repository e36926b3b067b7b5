"""Which arm or leg does a movement of UI-PRMD, seen from the recording: its names do not say."""

import numpy as np

from fitmotion_models.fms.values import Side
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip

_ANKLES, _WRISTS = ([SMPL22.index("left_" + joint), SMPL22.index("right_" + joint)] for joint in ("ankle", "wrist"))


def tested_side(movement: str, clip: MotionClip) -> Side:
    """The leg that did it: the lifted one, the one in front, the one that steps aside; the arm that moved.

    movement: "m01" to "m10". BOTH without a side.
    """
    ankles = clip.positions[:, _ANKLES].astype(np.float64)
    apart = ankles[:, 0] - ankles[:, 1]
    if movement in ("m02", "m06"):
        measure = float((apart[:, 2] - np.median(apart[:5, 2])).mean())
    elif movement == "m03":
        measure = float(np.median(apart[:, 0]))
    elif movement == "m04":
        moved = np.abs(ankles[..., 1] - ankles[:5, :, 1].mean(axis=0)).mean(axis=0)
        measure = float(moved[0] - moved[1])
    elif movement in ("m07", "m08", "m09", "m10"):
        hands = (clip.positions[:, _WRISTS] - clip.positions[:, :1]).astype(np.float64)
        way = np.linalg.norm(np.diff(hands, axis=0), axis=-1).sum(axis=0)
        measure = float(way[0] - way[1])
    else:
        return Side.BOTH
    return Side.LEFT if measure > 0.0 else Side.RIGHT
