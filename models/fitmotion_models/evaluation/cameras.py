"""What several cameras are worth: how well their rays meet, what each one adds, and how far one alone is off.

Measured on a recording of a calibrated rig. There is no marker-based truth in it, so each figure says against what: the
reprojection into the cameras themselves, a camera left out, two halves of the rig, all cameras against one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.evaluation.camera_angles import ANGLES, MEDIAN_OF_NORMAL, Angles, angles_of
from fitmotion_models.pose.body_estimator import BodyEstimator
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.offsets import Track
from fitmotion_models.pose.rig import Rig, RigCamera
from fitmotion_models.pose.rig_estimator import RigEstimator
from fitmotion_models.pose.synchronise import Instant, RecordedInstants
from fitmotion_models.pose.triangulation import MIN_CONFIDENCE, triangulate
from fitmotion_models.pose.view_sides import exchange, mend_sides
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.convert import to_smpl22
from fitmotion_models.skeleton.joint_sets import SMPL22, joint_set

Array = NDArray[np.float64]

# The landmarks that bodies are made of; eyes, mouth and fingers are left out.
BODY_JOINTS = (
    "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "foot_index", "big_toe",
)  # fmt: skip
# Two halves of a rig whose cameras see nearly along one line each tell no depth, and nothing of the whole.
_LEAST_ANGLE_OF_HALF_DEG = 40.0
_PARENTS = list(SMPL22.parents[1:])


@dataclass(frozen=True, eq=False)
class Recording:
    """One movement before a rig. rig: fitted to the images. instants: what each camera saw, put together by stamp."""

    rig: Rig
    instants: tuple[Instant[Keypoints], ...]

    @classmethod
    def of_tracks(cls, rig: Rig, tracks: Sequence[Track]) -> "Recording":
        """From each video's landmarks, all starting together."""
        together: RecordedInstants[Keypoints] = RecordedInstants(len(tracks))
        found: list[Instant[Keypoints]] = []
        for camera, track in enumerate(tracks):
            for stamp, view in zip(track.stamps, track.views, strict=True):
                found += together.add(camera, stamp, view)
            found += together.end(camera)
        return cls(rig, tuple(found))


@dataclass(frozen=True)
class Spread:
    """median, p95: of absolute values."""

    median: float
    p95: float

    @classmethod
    def of(cls, values: Array) -> "Spread":
        """NaN is left out; NaN where nothing is left."""
        known = np.abs(values[np.isfinite(values)])
        return cls(*(float(np.percentile(known, share)) for share in (50, 95))) if known.size else cls(np.nan, np.nan)

    @property
    def sd(self) -> float:
        """The standard deviation of a normal variable with that median."""
        return self.median / MEDIAN_OF_NORMAL


@dataclass(frozen=True)
class LeftOut:
    """One camera left out. moved_mm: of the points. angles_deg: change, by name. reprojection_px: into that camera."""

    moved_mm: Spread
    angles_deg: dict[str, Spread]
    reprojection_px: Spread


@dataclass(frozen=True, eq=False)
class CamerasReport:
    """What `measure` finds.

    reprojection_px: camera -> joint -> pixels. exchanged: camera -> share of instants with left and right exchanged.
    bones_fitted, bones_raw: bone -> standard deviation of its length in percent, once the person's lengths are known
    (fitted), and of the points that the cameras give (raw). one_camera: camera -> angle -> degrees off all cameras.
    halves: angle -> the spread between two halves of the rig, degrees.
    """

    frames: int
    poses: int
    reprojection_px: dict[str, dict[str, Spread]]
    exchanged: dict[str, float]
    left_out: dict[str, LeftOut]
    bones_fitted: dict[str, float]
    bones_raw: dict[str, float]
    one_camera: dict[str, dict[str, Spread]]
    one_camera_poses: dict[str, int]
    halves: dict[str, Spread]
    bodies: tuple[BodyPose | None, ...]
    single: dict[str, tuple[BodyPose | None, ...]]
    half_bodies: tuple[tuple[tuple[BodyPose | None, ...], tuple[BodyPose | None, ...]], ...]


def measure(recording: Recording) -> CamerasReport:
    """Every figure of one recording."""
    rig, cameras = recording.rig, range(len(recording.rig))
    every, estimator = _bodies(recording, list(cameras))
    truth = angles_of(every)
    pixels, confidence, exchanged, name = _mended(recording)
    single = {rig.names[camera]: _single(recording, camera) for camera in cameras}
    halves = tuple(
        (_bodies(recording, list(first))[0], _bodies(recording, list(second))[0]) for first, second in _halves(rig)
    )
    between = [_difference(angles_of(first), angles_of(second)) for first, second in halves]
    return CamerasReport(
        frames=len(recording.instants),
        poses=sum(body is not None for body in every),
        reprojection_px=_reprojection(rig, pixels, confidence, name),
        exchanged={rig.names[camera]: float(exchanged[camera].mean()) for camera in cameras},
        left_out={
            rig.names[camera]: _left_out(recording, camera, pixels, confidence, name, truth) for camera in cameras
        } if len(rig) > 2 else {},
        bones_fitted=_bones_fitted(every, estimator),
        bones_raw=_bones_raw(rig, pixels, confidence, name),
        one_camera={key: _spreads(_difference(angles_of(poses), truth)) for key, poses in single.items()},
        one_camera_poses={key: sum(body is not None for body in poses) for key, poses in single.items()},
        halves={angle: Spread.of(np.concatenate([pair[angle] for pair in between])) for angle in ANGLES}
        if between else {},
        bodies=every,
        single=single,
        half_bodies=halves,
    )  # fmt: skip


def _bodies(recording: Recording, cameras: list[int]) -> tuple[tuple[BodyPose | None, ...], RigEstimator]:
    estimator = RigEstimator(Rig(tuple(recording.rig.cameras[camera] for camera in cameras), recording.rig.source))
    poses = [
        estimator.update([instant.views[camera] for camera in cameras], instant.stamp).pose
        for instant in recording.instants
    ]
    return tuple(poses), estimator


def _single(recording: Recording, camera: int) -> tuple[BodyPose | None, ...]:
    """One camera as a user has it, level and with a guessed lens; its tilt is the calibration's."""
    place = recording.rig.cameras[camera]
    estimator = BodyEstimator(
        CameraModel.guess(place.model.width, place.model.height), tilt=float(np.arcsin(-place.rotation[2, 2]))
    )
    upright = _Levelled(place)
    return tuple(estimator.update(upright(instant.views[camera]), instant.stamp).pose for instant in recording.instants)


class _Levelled:
    """Landmarks as the camera would see them if it did not hang askew: turned about the middle of the image."""

    def __init__(self, camera: RigCamera) -> None:
        up = camera.rotation[:, 2]
        roll = np.arctan2(-up[0], -up[1])
        self._turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        self._middle = np.array([camera.model.cx, camera.model.cy])

    def __call__(self, view: Keypoints | None) -> Keypoints | None:
        if view is None or view.world is None:
            return view
        world = view.world.copy()
        world[:, :2] = world[:, :2] @ self._turn.T
        pixels = (view.pixels - self._middle) @ self._turn.T + self._middle
        return Keypoints(view.joint_set, pixels.astype(np.float32), view.confidence, world)


def _mended(recording: Recording) -> tuple[Array, Array, NDArray[np.bool_], str]:
    """Pixels (V, T, J, 2), confidence (V, T, J), which views' hips were exchanged (V, T), and the joint set."""
    name = next(view.joint_set for instant in recording.instants for view in instant.views if view is not None)
    joints, hip = len(joint_set(name)), joint_set(name).index("left_hip")
    shape = (len(recording.rig), len(recording.instants), joints)
    pixels, confidence = np.full((*shape, 2), np.nan), np.zeros(shape)
    exchanged = np.zeros(shape[:2], dtype=bool)
    for index, instant in enumerate(recording.instants):
        for camera, view in enumerate(instant.views):
            if view is not None:
                pixels[camera, index], confidence[camera, index] = view.pixels, view.confidence
        wrong = mend_sides(recording.rig.cameras, name, pixels[:, index], confidence[:, index])
        exchanged[:, index] = wrong[:, hip]
        pixels[:, index], confidence[:, index] = exchange(name, wrong, pixels[:, index], confidence[:, index])
    return pixels, confidence, exchanged, name


def _body_joints(name: str) -> dict[str, list[int]]:
    """Joint without its side -> the indices of its two sides."""
    joints = joint_set(name).joints
    return {
        joint: [joints.index(f"{side}_{joint}") for side in ("left", "right")]
        for joint in BODY_JOINTS
        if f"left_{joint}" in joints
    }


def _reprojection(rig: Rig, pixels: Array, confidence: Array, name: str) -> dict[str, dict[str, Spread]]:
    errors = triangulate(rig.cameras, pixels, confidence).errors
    groups = _body_joints(name)
    every = [index for indices in groups.values() for index in indices]
    return {
        camera: {"all": Spread.of(errors[view][:, every])}
        | {joint: Spread.of(errors[view][:, indices]) for joint, indices in groups.items()}
        for view, camera in enumerate(rig.names)
    }


def _left_out(recording: Recording, camera: int, pixels: Array, confidence: Array, name: str, truth: Angles) -> LeftOut:
    rig, rest = recording.rig, [other for other in range(len(recording.rig)) if other != camera]
    joints = [index for indices in _body_joints(name).values() for index in indices]
    whole = triangulate(rig.cameras, pixels, confidence).points[:, joints]
    without = triangulate([rig.cameras[other] for other in rest], pixels[rest], confidence[rest]).points[:, joints]
    seen = confidence[camera][:, joints] >= MIN_CONFIDENCE
    missed = np.linalg.norm(rig.cameras[camera].project(without) - pixels[camera][:, joints], axis=-1)
    bodies, _ = _bodies(recording, rest)
    return LeftOut(
        Spread.of(np.linalg.norm(without - whole, axis=-1) * 1e3),
        _spreads(_difference(angles_of(bodies), truth)),
        Spread.of(np.where(seen, missed, np.nan)),
    )


def _difference(angles: Angles, truth: Angles) -> Angles:
    return {name: angles[name] - truth[name] for name in ANGLES}


def _spreads(angles: Angles) -> dict[str, Spread]:
    return {"all": Spread.of(np.concatenate(list(angles.values())))} | {
        name: Spread.of(values) for name, values in angles.items()
    }


def _bones_fitted(bodies: Sequence[BodyPose | None], estimator: RigEstimator) -> dict[str, float]:
    """In percent, over the instants after the person's lengths were learned, else over all."""
    poses = [body for body in bodies if body is not None]
    learned = [body for body in poses if np.array_equal(body.bone_offsets, poses[-1].bone_offsets)]
    positions = np.stack([body.positions for body in learned]).astype(np.float64)
    return _bone_spread(np.linalg.norm(positions[:, 1:] - positions[:, _PARENTS], axis=-1))


def _bones_raw(rig: Rig, pixels: Array, confidence: Array, name: str) -> dict[str, float]:
    found = triangulate(rig.cameras, pixels, confidence)
    body = to_smpl22(found.points, found.confidence, name)
    return _bone_spread(np.linalg.norm(body.positions[:, 1:] - body.positions[:, _PARENTS], axis=-1))


def _bone_spread(lengths: Array) -> dict[str, float]:
    mean = np.nanmean(lengths, axis=0)
    return {
        bone: float(100.0 * spread)
        for bone, spread in zip(SMPL22.joints[1:], np.nanstd(lengths, axis=0) / mean, strict=True)
    }


def _halves(rig: Rig) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The ways to part a rig of an even number of cameras, 4 or more, whose halves both see from two sides."""
    count = len(rig)
    if count < 4 or count % 2:
        return []
    parts = [(0, *rest) for rest in combinations(range(1, count), count // 2 - 1)]
    both = [(part, tuple(camera for camera in range(count) if camera not in part)) for part in parts]
    return [
        halves for halves in both if all(_widest_angle_deg(rig, half) > _LEAST_ANGLE_OF_HALF_DEG for half in halves)
    ]


def _widest_angle_deg(rig: Rig, cameras: tuple[int, ...]) -> float:
    """The widest angle between the lines of sight of two cameras, as lines: opposite cameras see along one."""
    sights = [rig.cameras[camera].rotation[2] for camera in cameras]
    return max(float(np.degrees(np.arccos(min(abs(one @ two), 1.0)))) for one, two in combinations(sights, 2))


def pooled(spreads: Sequence[Spread]) -> float:
    """The mean of some spreads' medians."""
    medians = np.array([spread.median for spread in spreads])
    return float(np.nanmean(medians)) if np.isfinite(medians).any() else float("nan")
