"""What a pose backend finds in one image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Landmarks of one person in one image.

    joint_set: name of the set in `skeleton.JOINT_SETS` ("blazepose33", "coco17", ...), J joints.
    pixels: (J, 2) float32, x right and y down from the top left corner of the image, pixels.
    confidence: (J,) float32 in [0, 1].
    world: (J, 3) float32 metres about the middle of the hips in optical axes (REP-103: x right, y down, z forward),
        or None where the backend gives no depth.
    """

    joint_set: str
    pixels: NDArray[np.float32]
    confidence: NDArray[np.float32]
    world: NDArray[np.float32] | None
