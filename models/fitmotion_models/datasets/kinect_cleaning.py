"""From joints that a Kinect has tracked to a body with constant bones that stands on the floor: one way for all sets.

Single frames in which a limb is lost go by a median, jitter by a Gaussian, sliding and bobbing feet by `plant_feet`.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from fitmotion_models.datasets.planted_feet import PlantedFeetParameters, gaussian_smooth, plant_feet
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.convert import to_smpl22
from fitmotion_models.skeleton.fit import estimate_bone_offsets, fit_body
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import feet_from_pose, feet_offsets
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64

_LEFT_HIP, _RIGHT_HIP = SMPL22.index("left_hip"), SMPL22.index("right_hip")
ANKLES = [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]
# what a body rests on that lies, kneels or props itself up; balls of feet are left out, they bend under the body
_RESTING = [SMPL22.index(name) for name in SMPL22.joints if not name.endswith("_foot")]

# metres; in a stance the difference of the ankles' heights drifts by 0.03 (UI-PRMD's persons 1 to 5), a failed step has
# 0.1
_LEAST_LIFT = 0.07
# how long the stance at a recording's start is taken to be, for origin and heading, seconds
_START_SECONDS = 0.17
# how high over the floor the lowest joint of a body is that lies on it, metres: half as thick as a shank is
_RESTING_HEIGHT = 0.055
# the floor is under the lowest joint of a lying body in this percentage of frames
_RESTING_PERCENTILE = 5.0


@dataclass(frozen=True)
class KinectCleaning:
    """What is done to a recording; each step can be left out.

    median_frames: joints are replaced by their median over so many frames (odd; 1: not), which takes out single frames
    in which the Kinect loses a limb or turns a foot over. smoothing_s: SD of the Gaussian that then takes out jitter
    (0: not); 0.05 s keeps 90 % of a movement at 1.5 Hz and 10 % of one at 7 Hz. planted_feet: hold the feet that stand
    (None: leave them as they slide and bob). feet_stay: with planted_feet, take both feet to stand throughout where the
    set's protocol says so.
    """

    median_frames: int = 5
    smoothing_s: float = 0.05
    planted_feet: PlantedFeetParameters | None = PlantedFeetParameters()
    feet_stay: bool = True

    def __post_init__(self) -> None:
        if self.median_frames < 1 or self.median_frames % 2 == 0:
            raise ValueError(f"median_frames is {self.median_frames}; allowed: odd numbers from 1")
        if not self.smoothing_s >= 0.0:
            raise ValueError(f"smoothing_s is {self.smoothing_s}; allowed: 0 (none) and more")

    def planted(self, *, stay: bool, one_sided: bool) -> PlantedFeetParameters | None:
        """How feet are held in a movement in which both stay by protocol, or which is done on one leg."""
        chosen = self.planted_feet
        if chosen is not None and stay and self.feet_stay:
            # an ankle that rises there is an error of the Kinect's, which loses a leg behind its knee in deep squats
            chosen = replace(chosen, lift_m=np.inf)
        if chosen is not None and one_sided:
            chosen = replace(chosen, least_lift_m=_LEAST_LIFT)
        return chosen


class KinectBody(NamedTuple):
    """positions (T, 22, 3), rotations (T, 22, 4), feet (T, 4, 3), bones (22, 3): metres, world, floor at 0."""

    positions: Float64
    rotations: Float64
    feet: Float64
    bones: Float64


def without_jitter(points: Float64, cleaning: KinectCleaning, fps: float) -> Float64:
    """Points (T, ...) after median and Gaussian."""
    half = cleaning.median_frames // 2
    if half:
        padded = np.concatenate([np.repeat(points[:1], half, 0), points, np.repeat(points[-1:], half, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, cleaning.median_frames, axis=0)
        points = np.median(windows, axis=-1)
    return gaussian_smooth(points, cleaning.smoothing_s * fps)


def standing_body(
    points: Float64, confidence: Float64, joint_set: str, fps: float, planted: PlantedFeetParameters | None
) -> KinectBody:
    """The body of somebody who stands, steps and squats.

    points: (T, J, 3) of a joint set, metres, z up, all finite. confidence: (T, J). planted: see
    `KinectCleaning.planted`. The origin is between the ankles of the stance at the start, x the way it faces.
    """
    body = _fitted(points, confidence, joint_set)
    ankle_height = -float(feet_offsets(body.bones)[0, 2])
    # the ankles of the lower foot stand at one height all the time: nobody leaves the floor
    floor = float(np.median(body.positions[:, ANKLES, 2].min(axis=1))) - ankle_height
    positions, feet = _placed(body.positions, body.feet, floor, fps)
    if planted is not None:
        positions, feet, _ = plant_feet(positions, feet, body.bones, fps, planted)
    return _refitted(positions, feet, body.bones)


def lying_body(points: Float64, confidence: Float64, joint_set: str, fps: float) -> KinectBody:
    """As `standing_body`, of somebody who lies, kneels or props up: the lowest joint rests on the floor."""
    body = _fitted(points, confidence, joint_set)
    lowest = body.positions[:, _RESTING, 2].min(axis=1)
    floor = float(np.percentile(lowest, _RESTING_PERCENTILE)) - _RESTING_HEIGHT
    positions, feet = _placed(body.positions, body.feet, floor, fps)
    return _refitted(positions, feet, body.bones)


def kinect_clip(body: KinectBody, fps: float, subject: str, labels: tuple[str, ...]) -> MotionClip:
    """The clip of a body: confidence 1, no camera."""
    frames = len(body.positions)
    return MotionClip(
        fps=fps,
        stamps=np.arange(frames) / fps,
        positions=body.positions.astype(np.float32),
        rotations=body.rotations.astype(np.float32),
        confidence=np.ones((frames, len(SMPL22)), np.float32),
        feet=body.feet.astype(np.float32),
        feet_confidence=np.ones((frames, len(FEET)), np.float32),
        bone_offsets=body.bones.astype(np.float32),
        view_direction=np.full((frames, 3), np.nan, np.float32),
        views=0,
        subject=subject,
        source=Source.REPLAY,
        labels=labels,
    )


def _fitted(points: Float64, confidence: Float64, joint_set: str) -> KinectBody:
    seen = to_smpl22(points, confidence, joint_set)
    bones = estimate_bone_offsets(seen.positions, seen.confidence)
    body = fit_body(*seen, bones)
    return KinectBody(body.positions, body.rotations, feet_from_pose(body.positions, body.rotations, bones), bones)


def _refitted(positions: Float64, feet: Float64, bones: Float64) -> KinectBody:
    """Feet of known place show how legs and ankles turn."""
    body = fit_body(positions, np.ones(positions.shape[:2]), feet, np.ones(feet.shape[:2]), bones)
    return KinectBody(body.positions, body.rotations, body.feet, bones)


def _placed(positions: Float64, feet: Float64, floor: float, fps: float) -> tuple[Float64, Float64]:
    """Moved and turned so that the first stance is at the origin on the floor and faces x."""
    start = max(1, round(_START_SECONDS * fps))
    left = (positions[:start, _LEFT_HIP] - positions[:start, _RIGHT_HIP]).mean(axis=0)
    heading = np.arctan2(-left[0], left[1])
    cosine, sine = np.cos(heading), np.sin(heading)
    back = np.array([(cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0)])
    ankles = positions[:start, ANKLES].mean(axis=(0, 1))
    origin = np.array([ankles[0], ankles[1], floor])
    return (positions - origin) @ back.T, (feet - origin) @ back.T
