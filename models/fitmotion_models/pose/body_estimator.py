"""From the landmarks of one camera to a body in the world: sides, filter, gravity, constant bones, floor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.body_anchor import BodyAnchor
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.image_motion import ImageMotion
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.left_right import LeftRightConsistency
from fitmotion_models.pose.lift import lift
from fitmotion_models.pose.one_euro import OneEuroFilter
from fitmotion_models.pose.planar_lift import PlanarLift
from fitmotion_models.pose.planted_feet import FootView, PlantedFeet, with_proportional_feet
from fitmotion_models.pose.world_frame import StanceCalibration, WorldFrame, is_upright, stands
from fitmotion_models.skeleton.body_pose import BodyPose, Source
from fitmotion_models.skeleton.convert import to_smpl22
from fitmotion_models.skeleton.fit import estimate_bone_offsets, fit_body
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import REST_FEET_OFFSETS

Array = NDArray[np.float64]

# The one filter of the chain: halves a landmark's jitter at one frame of lag on a squat at 30 fps.
FILTER_CUTOFF_HZ = 1.7
FILTER_HZ_PER_METRE_PER_SECOND = 5.0
# A landmark below this confidence, or outside the image, is unseen.
MINIMUM_LANDMARK_CONFIDENCE = 0.3
# Nobody is there when hips and shoulders are less sure than this on average.
MINIMUM_BODY_CONFIDENCE = 0.5
# A person who is missing for this long is lost: sides, filter and floor contact start anew.
LOST_AFTER_SECONDS = 0.5
# Added to the status where landmarks have no depth.
FLAT_STATUS = " (2D landmarks: angles in the picture's plane are measured, depth is guessed)"
# Bone lengths are the median over this long of standing, then constant.
BONE_SECONDS = 1.0

_CORE = [SMPL22.index(name) for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder")]
_ANKLE_HEIGHT = -float(REST_FEET_OFFSETS[0][2])
_STILL = [SMPL22.index(name) for name in ("left_hip", "right_hip", "left_ankle", "right_ankle")]


@dataclass(frozen=True, eq=False)
class Estimate:
    """pose: the body, or None. event: "", "person_found" or "person_lost". status: a sentence for logs and screens."""

    pose: BodyPose | None
    event: str
    status: str


@dataclass(frozen=True, eq=False)
class _Landmarks:
    """One frame on SMPL-22: joints and feet in optical axes about the body's middle, metres, NaN where unseen.

    feet_rays: (4, 2) normalised image coordinates of the feet. position: (3,) of the body's middle in optical axes.
    """

    joints: Array
    confidence: Array
    feet: Array
    feet_confidence: Array
    feet_rays: Array
    position: Array | None


class BodyEstimator:
    """Turns the landmarks of one camera into poses of one person in the `world` frame; causal, frame by frame.

    camera: intrinsics (`CameraModel.guess` where nobody calibrated). tilt: the camera's tilt in radians, positive
    looking down, where it is known; otherwise gravity is taken from the standing person. subject: whose body it is.
    """

    def __init__(self, camera: CameraModel, *, tilt: float | None = None, subject: str = "person") -> None:
        self.camera = camera
        self.subject = subject
        self._sides = LeftRightConsistency()
        self._planar = PlanarLift()  # used only for landmarks without depth
        self._filter = OneEuroFilter(FILTER_CUTOFF_HZ, FILTER_HZ_PER_METRE_PER_SECOND)
        self._stance = StanceCalibration(tilt)
        self._feet = PlantedFeet()
        self._anchor = BodyAnchor()
        self._motion = ImageMotion()
        self.reset()

    def reset(self) -> None:
        """Forget the person and the world frame."""
        self._stance.reset()
        self._bone_frames: list[tuple[Array, Array]] = []
        self._bone_offsets: NDArray[np.float32] | None = None
        self._bones_fixed = False
        self._present = False
        self._last_seen = -np.inf
        self._forget_motion()

    @property
    def swapped_frames(self) -> int:
        """How many frames had left and right exchanged and were put right."""
        return self._sides.swapped_frames

    @property
    def world_rotation(self) -> Array | None:
        """(3, 3) optical to world axes, as the standing person showed them; None while nobody has stood."""
        frame = self._stance.frame
        return frame.rotation if frame is not None and frame.measured else None

    def update(self, keypoints: Keypoints | None, stamp: float) -> Estimate:
        """Take the landmarks of one image (None: nobody found) with its stamp in seconds.

        Landmarks without depth get one from bones of constant length (`PlanarLift`), which is good for angles in the
        picture's plane and a guess across it; the status says so.
        """
        flat = keypoints is not None and keypoints.world is None
        marks = None if keypoints is None else self._read(keypoints, stamp)
        if keypoints is None or marks is None or np.mean(marks.confidence[_CORE]) < MINIMUM_BODY_CONFIDENCE:
            return self._nobody(stamp)
        event = "" if self._present else "person_found"
        self._present, self._last_seen = True, stamp
        frame = self._stance.update(marks.joints, marks.feet, self._motion.speed_of(_STILL), stamp)
        if frame is None:
            return Estimate(None, event, "waiting for the person to stand upright and still, to find the floor")
        pose = self._pose(marks, frame, stamp)
        if not frame.measured:
            return Estimate(pose, event, "nobody stood upright: the camera is taken as level")
        status = "tracking" if self._stance.settled else "learning the stance"
        return Estimate(pose, event, f"{status}{FLAT_STATUS if flat else ''}")

    def _forget_motion(self) -> None:
        self._sides.reset()
        self._planar.reset()
        self._filter.reset()
        self._feet.reset()
        self._anchor.reset()
        self._motion.reset()

    def _nobody(self, stamp: float) -> Estimate:
        if self._present and stamp - self._last_seen > LOST_AFTER_SECONDS:
            self._present = False
            self._forget_motion()
            return Estimate(None, "person_lost", "person lost")
        return Estimate(None, "", "looking for the person" if self._present else "no person in view")

    def _read(self, keypoints: Keypoints, stamp: float) -> _Landmarks | None:
        keypoints = self._sides(keypoints, stamp)
        if keypoints.world is None:
            keypoints = self._planar(keypoints, stamp)
        confidence = np.where(keypoints.confidence < MINIMUM_LANDMARK_CONFIDENCE, 0.0, keypoints.confidence)
        size = (self.camera.width, self.camera.height)
        inside = (keypoints.pixels >= 0).all(-1) & (keypoints.pixels <= size).all(-1)
        confidence = np.where(inside, confidence, 0.0).astype(np.float32)
        if not (confidence > 0).any():
            return None
        points, position = lift(self.camera, keypoints, confidence)
        both = np.zeros((2, *points.shape))  # in space and in the image, converted in one go
        both[0], both[1, :, :2] = points, keypoints.pixels
        converted = to_smpl22(both, np.stack([confidence, confidence]), keypoints.joint_set)
        body = np.concatenate([converted.positions[0], converted.feet[0]])
        pixels = np.concatenate([converted.positions[1], converted.feet[1]])[:, :2]
        self._motion.update(pixels, body, stamp)
        body = self._filter(body, stamp)
        rays = self.camera.rays(pixels[22:])
        return _Landmarks(body[:22], converted.confidence[0], body[22:], converted.feet_confidence[0], rays, position)

    def _pose(self, marks: _Landmarks, frame: WorldFrame, stamp: float) -> BodyPose:
        turn = frame.rotation.T
        joints, feet = marks.joints @ turn, marks.feet @ turn
        offsets = self._bones(joints, marks, stamp)
        joints, feet = self._feet.update(joints, feet, offsets, self._foot_view(marks, frame), stamp)
        positions, rotations, confidence, feet = fit_body(
            joints, marks.confidence, feet, marks.feet_confidence, offsets
        )
        travel = None if marks.position is None else frame.rotation @ marks.position
        points = np.concatenate([positions, feet])
        root = self._anchor.update(points, self._motion.speeds, self._ground(positions, feet), stamp, travel)
        away = np.array([0.0, 0.0, 1.0]) if marks.position is None else marks.position / np.linalg.norm(marks.position)
        return BodyPose(
            stamp=stamp,
            subject=self.subject,
            source=Source.CAMERA,
            positions=(positions + root).astype(np.float32),
            rotations=rotations.astype(np.float32),
            confidence=confidence.astype(np.float32),
            feet=(feet + root).astype(np.float32),
            feet_confidence=np.where(np.isfinite(feet).all(-1), marks.feet_confidence, 0.0).astype(np.float32),
            bone_offsets=offsets,
            view_direction=(-frame.rotation @ away).astype(np.float32),
            views=1,
        )

    def _ground(self, positions: Array, feet: Array) -> tuple[Array, Array]:
        """What stands on the floor (4, 3) and how fast it moves (4,): the feet; without any, the ankles' feet."""
        if np.isfinite(feet).any():
            return feet, self._motion.speeds[22:]
        below = positions[_STILL[2:]] - (0.0, 0.0, _ANKLE_HEIGHT)
        return np.repeat(below, 2, axis=0), np.repeat(self._motion.speeds[_STILL[2:]], 2)

    def _foot_view(self, marks: _Landmarks, frame: WorldFrame) -> FootView:
        depth = np.nan if marks.position is None else marks.position[2] + np.nanmean(marks.joints[_STILL[2:], 2])
        return FootView(
            rays=marks.feet_rays,
            depth=float(depth),
            speeds=self._motion.speeds[22:],
            rotation=frame.rotation,
            forward=np.array([1.0, 0.0, 0.0]),
            standing=stands(marks.joints, self._motion.speed_of(_STILL)),
        )

    def _bones(self, joints: Array, marks: _Landmarks, stamp: float) -> NDArray[np.float32]:
        """The person's bones: the median over the first standing frames (any, where nobody stood), then constant."""
        useful = is_upright(marks.joints) or not self._stance.stood
        if self._bone_offsets is None or (not self._bones_fixed and useful):
            if not self._bone_frames:
                self._bones_since = stamp
            self._bone_frames.append((joints, marks.confidence))
            seen, confidence = (np.stack(part) for part in zip(*self._bone_frames, strict=True))
            self._bone_offsets = with_proportional_feet(estimate_bone_offsets(seen, confidence).astype(np.float32))
        if stamp - self._bones_since > BONE_SECONDS and not self._bones_fixed:
            self._bones_fixed, self._bone_frames = True, []
        return self._bone_offsets
