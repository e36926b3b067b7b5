"""The `mmpose` package's own models, for those who have it installed: any of its configurations, by its inferencer.

MMPose 1.x (github.com/open-mmlab/mmpose) needs torch and mmcv and does not install beside this program's packages on
today's Python; it is imported only when this backend is asked for.
"""

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.whole_body import WHOLE_BODY_JOINTS, whole_body_to_halpe26

# no package of this program's: `backends.make_backend` says so where it is missing
_APIS = importlib.import_module("mmpose.apis")

Image = NDArray[np.uint8]

_JOINT_SETS = {17: "coco17", 26: "halpe26", WHOLE_BODY_JOINTS: "halpe26"}


class MmposeBackend:
    """Finds several people with MMPose; a `PeopleBackend`.

    pose_model: what `MMPoseInferencer(pose2d=...)` takes, an alias ("body26") or the name or path of a configuration.
    detector: likewise for `det_model`; empty: MMPose's default. engine: "auto", "cuda" or "cpu".
    Raises ValueError for a model whose landmarks are of no known set.
    """

    def __init__(self, pose_model: str = "body26", detector: str = "", *, engine: str = "auto") -> None:
        options: dict[str, Any] = {"pose2d": pose_model, "device": None if engine == "auto" else engine}
        if detector:
            options |= {"det_model": detector, "det_cat_ids": [0]}
        self._infer = _APIS.MMPoseInferencer(**options)
        self.name = f"MMPose {pose_model}"
        count = int(self._infer.inferencer.model.dataset_meta["num_keypoints"])
        if count not in _JOINT_SETS:
            raise ValueError(f"MMPose's {pose_model} gives {count} landmarks; known sets have 17, 26 and 133")
        self._whole_body = count == WHOLE_BODY_JOINTS
        self.joint_set = _JOINT_SETS[count]

    def __call__(self, image: Image, stamp: float) -> Keypoints | None:
        """The largest person in an RGB image (H, W, 3) uint8, or None. stamp: seconds."""
        people = self.find_all(image, stamp)
        return people[0] if people else None

    def find_all(self, image: Image, stamp: float) -> list[Keypoints]:
        """Everybody in an RGB image (H, W, 3) uint8, the largest first."""
        bgr = np.ascontiguousarray(image[..., ::-1])  # MMPose takes what OpenCV reads
        found = next(self._infer(bgr, show=False))["predictions"][0]
        people = [self._keypoints(one) for one in found if one["bbox_score"] > 0.3]
        return sorted(people, key=lambda one: float(np.ptp(one.pixels[:, 1])), reverse=True)

    def close(self) -> None:
        """The model goes with this object."""

    def _keypoints(self, found: dict[str, Any]) -> Keypoints:
        pixels = np.asarray(found["keypoints"], np.float64)
        scores = np.asarray(found["keypoint_scores"], np.float32)
        if self._whole_body:
            pixels, scores = whole_body_to_halpe26(pixels, scores)
        return Keypoints(self.joint_set, pixels.astype(np.float32), scores.clip(0.0, 1.0), None)
