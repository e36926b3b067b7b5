"""From the landmarks of several calibrated cameras to a body in the world: sides, triangulation, filter, bones, fit."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.body_estimator import (
    BONE_SECONDS,
    FILTER_CUTOFF_HZ,
    FILTER_HZ_PER_METRE_PER_SECOND,
    LOST_AFTER_SECONDS,
    MINIMUM_BODY_CONFIDENCE,
    Estimate,
)
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.one_euro import OneEuroFilter
from fitmotion_models.pose.rig import Rig
from fitmotion_models.pose.triangulation import Triangulated, triangulate
from fitmotion_models.pose.view_sides import exchange, mend_sides
from fitmotion_models.skeleton.body_pose import BodyPose, Source
from fitmotion_models.skeleton.convert import to_smpl22
from fitmotion_models.skeleton.fit import estimate_bone_offsets, fit_body
from fitmotion_models.skeleton.joint_sets import SMPL22

Array = NDArray[np.float64]

_CORE = [SMPL22.index(name) for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder")]


class RigEstimator:
    """Turns what N calibrated cameras see at one instant into poses of one person in the calibration's world frame.

    Causal, instant by instant. rig: for images of the size that the landmarks are in (`Rig.fitting`). subject: whose
    body it is. triangulated: the last instant's points, None where fewer than two cameras saw a person.
    exchanged_views: how often a camera's left and right had to be exchanged.
    """

    def __init__(self, rig: Rig, *, subject: str = "person") -> None:
        if len(rig) < 2:
            raise ValueError(f"calibration {rig.source} has one camera; a point in space needs two or more")
        self.rig = rig
        self.subject = subject
        self._filter = OneEuroFilter(FILTER_CUTOFF_HZ, FILTER_HZ_PER_METRE_PER_SECOND)
        self.reset()

    def reset(self) -> None:
        """Forget the person."""
        self.triangulated: Triangulated | None = None
        self.exchanged_views = 0
        self._bone_frames: list[tuple[Array, Array]] = []
        self._bone_offsets: NDArray[np.float32] | None = None
        self._bones_since = 0.0
        self._bones_fixed = False
        self._present = False
        self._last_seen = -np.inf
        self._filter.reset()

    def update(self, views: Sequence[Keypoints | None], stamp: float) -> Estimate:
        """Take the landmarks of one instant, one entry a camera (None: nobody found there), with its stamp in seconds.

        Raises ValueError for another number of entries than cameras, or landmarks of different joint sets.
        """
        if len(views) != len(self.rig):
            raise ValueError(
                f"{len(views)} views for a rig of {len(self.rig)} cameras; give one a camera, None if empty"
            )
        names = {view.joint_set for view in views if view is not None}
        if len(names) > 1:
            raise ValueError(f"the cameras' landmarks are of different joint sets: {', '.join(sorted(names))}")
        self.triangulated = None
        if sum(view is not None for view in views) < 2:
            return self._nobody(stamp)
        name = names.pop()
        self.triangulated = self._triangulate(views, name)
        body = to_smpl22(self.triangulated.points, self.triangulated.confidence, name)
        if np.mean(body.confidence[_CORE]) < MINIMUM_BODY_CONFIDENCE:
            return self._nobody(stamp)
        event = "" if self._present else "person_found"
        self._present, self._last_seen = True, stamp
        points = self._filter(np.concatenate([body.positions, body.feet]), stamp)
        count = sum(view is not None for view in views)
        pose = self._pose(points, np.concatenate([body.confidence, body.feet_confidence]), count, stamp)
        return Estimate(pose, event, "tracking" if self._bones_fixed else "learning the person's lengths")

    def _triangulate(self, views: Sequence[Keypoints | None], name: str) -> Triangulated:
        joints = len(next(view for view in views if view is not None).confidence)
        pixels, confidence = np.full((len(views), joints, 2), np.nan), np.zeros((len(views), joints))
        for index, view in enumerate(views):
            if view is not None:
                pixels[index], confidence[index] = view.pixels, view.confidence
        exchanged = mend_sides(self.rig.cameras, name, pixels, confidence)
        self.exchanged_views += int(exchanged.any(-1).sum())
        return triangulate(self.rig.cameras, *exchange(name, exchanged, pixels, confidence))

    def _nobody(self, stamp: float) -> Estimate:
        if self._present and stamp - self._last_seen > LOST_AFTER_SECONDS:
            self._present = False
            self._filter.reset()
            return Estimate(None, "person_lost", "person lost")
        looking = "looking for the person" if self._present else "no person in view of two cameras"
        return Estimate(None, "", looking)

    def _pose(self, points: Array, confidence: Array, views: int, stamp: float) -> BodyPose:
        offsets = self._bones(points[:22], confidence[:22], stamp)
        positions, rotations, sure, feet = fit_body(
            points[:22], confidence[:22], points[22:], confidence[22:], offsets, joint_limits=True
        )
        feet_seen = np.isfinite(feet).all(-1)
        return BodyPose(
            stamp=stamp,
            subject=self.subject,
            source=Source.CAMERAS,
            positions=positions.astype(np.float32),
            rotations=rotations.astype(np.float32),
            confidence=sure.astype(np.float32),
            feet=feet.astype(np.float32),
            feet_confidence=np.where(feet_seen, confidence[22:], 0.0).astype(np.float32),
            bone_offsets=offsets,
            view_direction=np.full(3, np.nan, np.float32),
            views=views,
        )

    def _bones(self, joints: Array, confidence: Array, stamp: float) -> NDArray[np.float32]:
        """The person's bones: the median over the first second, then constant."""
        if self._bone_offsets is None or not self._bones_fixed:
            if not self._bone_frames:
                self._bones_since = stamp
            self._bone_frames.append((joints, confidence))
            seen, sure = (np.stack(part) for part in zip(*self._bone_frames, strict=True))
            self._bone_offsets = estimate_bone_offsets(seen, sure).astype(np.float32)
        if stamp - self._bones_since > BONE_SECONDS and not self._bones_fixed:
            self._bones_fixed, self._bone_frames = True, []
        return self._bone_offsets
