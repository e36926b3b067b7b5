"""A camera that we know, to look at bodies that we know."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import JOINT_SETS, SMPL22

# optical axes (x right, y down, z forward) of a level camera that looks along -x at a person who faces +x
LEVEL_FRONT_VIEW = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
# BlazePose landmarks that stand on SMPL joints; hands and face are put where wrists and head are
SAME = {"left_foot_index": 23, "left_heel": 22, "right_foot_index": 25, "right_heel": 24}
FACE = ("nose", "eye", "ear", "mouth")
HAND = ("pinky", "index", "thumb")


@dataclass(frozen=True)
class KnownCamera:
    """A camera `distance` metres from the body, at an azimuth round it (0: in front), looking down by tilt; radians."""

    azimuth: float = 0.9
    tilt: float = 0.2
    distance: float = 3.0
    model: CameraModel = CameraModel.guess(720, 1280)

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) world to optical axes."""
        round_body = Rotation.from_rotvec([0, 0, -self.azimuth]).as_matrix()
        return Rotation.from_rotvec([self.tilt, 0, 0]).as_matrix() @ LEVEL_FRONT_VIEW @ round_body

    def see(self, pose: BodyPose) -> Keypoints:
        """What a perfect BlazePose would return for this body."""
        points = np.concatenate([pose.positions, pose.feet]).astype(float)
        optical = (points - [0, 0, 1.0]) @ self.rotation.T + [0, 0, self.distance]
        names = JOINT_SETS["blazepose33"].joints
        body = optical[[self._source(name) for name in names]]
        hips = optical[[SMPL22.index("left_hip"), SMPL22.index("right_hip")]].mean(0)
        pixels = body[:, :2] / body[:, 2:] * (self.model.fx, self.model.fy) + (self.model.cx, self.model.cy)
        world = (body - hips).astype(np.float32)
        return Keypoints("blazepose33", pixels.astype(np.float32), np.ones(33, np.float32), world)

    @staticmethod
    def _source(name: str) -> int:
        if name in SAME:
            return SAME[name]
        if any(part in name for part in FACE):
            return SMPL22.index("head")
        if any(part in name.split("_") for part in HAND):
            return SMPL22.index("left_wrist" if "left" in name else "right_wrist")
        return SMPL22.index(name)


@pytest.fixture
def known_camera():
    """The class, to be made with the view that a test wants."""
    return KnownCamera
