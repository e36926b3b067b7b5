"""COCO-WholeBody's 133 landmarks as Halpe-26, which is what a body and its feet need of them.

Jin et al. 2020: 17 body, 6 feet, 68 face, 42 hands. github.com/jin-s13/COCO-WholeBody
"""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.joint_sets import JOINT_SETS

WHOLE_BODY_JOINTS = 133
_HALPE = JOINT_SETS["halpe26"]
_FEET = ("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel")
# Halpe-26 joint -> COCO-WholeBody joint; neck and hip are made, the top of the head is in neither body nor face
HALPE26_OF_WHOLE_BODY = {name: number for number, name in enumerate(_HALPE.joints[:17])} | {
    name: 17 + number for number, name in enumerate(_FEET)
}
_MIDDLES = {"neck": ("left_shoulder", "right_shoulder"), "hip": ("left_hip", "right_hip")}


def whole_body_to_halpe26(
    pixels: NDArray[np.float64], scores: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """(133, 2) pixels and (133,) scores as (26, 2) and (26,); neck and hip are middles, the top of the head unseen."""
    made, sure = np.full((len(_HALPE), 2), np.nan), np.zeros(len(_HALPE), np.float32)
    for name, number in HALPE26_OF_WHOLE_BODY.items():
        made[_HALPE.index(name)], sure[_HALPE.index(name)] = pixels[number], scores[number]
    for name, sides in _MIDDLES.items():
        numbers = [HALPE26_OF_WHOLE_BODY[side] for side in sides]
        made[_HALPE.index(name)] = pixels[numbers].mean(axis=0)
        sure[_HALPE.index(name)] = scores[numbers].min()
    return made, sure
