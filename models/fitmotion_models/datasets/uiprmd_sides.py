"""Which arm or leg does a movement of UI-PRMD, seen from the recording: its names do not say."""

import numpy as np

from fitmotion_models.fms.values import Side
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip

_ANKLES, _WRISTS = ([SMPL22.index("left_" + joint), SMPL22.index("right_" + joint)] for joint in ("ankle", "wrist"))
_PELVIS = SMPL22.index("pelvis")
_LATERAL = 1  # a clip faces x at its start


def tested_side(movement: str, clip: MotionClip) -> Side:
    """The leg that did it: the lifted one, the one in front, the one that the body goes down over; the arm that moved.

    movement: "m01" to "m10"; clip: as `uiprmd_clip` gives it. BOTH without a side.
    """
    points = clip.positions.astype(np.float64)
    ankles = points[:, _ANKLES]
    if movement in ("m02", "m06"):
        lifts = np.ptp(ankles[..., 2], axis=0)
        measure = float(lifts[0] - lifts[1])
    elif movement == "m03":
        measure = float(np.median(ankles[:, 0, 0] - ankles[:, 1, 0]))
    elif movement == "m04":
        lowest = int(points[:, _PELVIS, 2].argmin())
        measure = float(points[lowest, _PELVIS, _LATERAL] - ankles[lowest, :, _LATERAL].mean())
    elif movement in ("m07", "m08", "m09", "m10"):
        way = np.linalg.norm(np.ptp(points[:, _WRISTS] - points[:, [_PELVIS]], axis=0), axis=-1)
        measure = float(way[0] - way[1])
    else:
        return Side.BOTH
    return Side.LEFT if measure > 0.0 else Side.RIGHT
