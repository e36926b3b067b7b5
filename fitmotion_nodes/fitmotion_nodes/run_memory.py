"""What a report of a run will need, kept while it runs: bodies and pictures of the last repetitions, and no more.

Knows no ROS: messages come in as they are and are unpacked by what is given for that, when a repetition was scored.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fitmotion_models.fms.values import Assessment
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.motion_clip import MotionClip, clip_from_poses

MOST_REPETITIONS = 30  # the last ones; a run may go on for days
AROUND_S = 0.6  # of the movement kept before and after a repetition
# What is looked back on when a repetition was scored, by count, as nobody guarantees for the stamps of what is heard:
# 40 s at 30 Hz of each person, and pictures in a few megabytes.
_MOST_POSES, _MOST_PEOPLE = 1200, 8
_MOST_PICTURES, _MOST_BYTES = 600, 32_000_000
_MOST_SKELETONS = 60  # that wait for their picture, which is on the way
# further from a moment a picture shows something else; there are five a second, less those not worked on
_NEAR_S = 0.25


@dataclass(eq=False)
class KeptPicture:
    """A camera's picture. stamp: seconds. data: JPEG. skeleton: the message about it; None: not heard (yet)."""

    stamp: float
    data: bytes
    skeleton: Any = None


@dataclass(eq=False)
class KeptRepetition:
    """What was seen of one repetition. pictures: name of a moment, as in `viewer.report.moments`, to its picture."""

    clip: MotionClip | None
    pictures: dict[str, KeptPicture]


Key = tuple[object, ...]


def repetition_key(assessment: Assessment) -> Key:
    """What stays the same when a repetition is scored anew: pain was reported, an operator graded it."""
    return (assessment.subject, assessment.movement, assessment.variation, assessment.side, assessment.start)


class RunMemory:
    """Hears everything in one thread; `repetitions` may be asked in another.

    unpack_pose: a message of a body as a value. unpack_skeleton: landmarks, None for nobody. Both may raise ValueError.
    """

    def __init__(
        self, unpack_pose: Callable[[Any], BodyPose], unpack_skeleton: Callable[[Any], Keypoints | None]
    ) -> None:
        self._unpack_pose, self._unpack_skeleton = unpack_pose, unpack_skeleton
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._poses: OrderedDict[str, deque[tuple[float, Any]]] = OrderedDict()
        self._pictures: OrderedDict[float, KeptPicture] = OrderedDict()
        self._bytes = 0
        self._skeletons: OrderedDict[float, Any] = OrderedDict()
        self._open: dict[Key, Assessment] = {}
        self._kept: OrderedDict[Key, KeptRepetition] = OrderedDict()

    def clear(self) -> None:
        """Forget everything: the run starts over."""
        with self._lock:
            self._forget()

    # ---- what is heard ----

    def hear_pose(self, subject: str, stamp: float, message: Any) -> None:
        """A body; what had to wait for the end of a repetition's surroundings is kept now."""
        with self._lock:
            poses = self._poses.setdefault(subject, deque(maxlen=_MOST_POSES))
            self._poses.move_to_end(subject)
            if len(self._poses) > _MOST_PEOPLE:
                self._poses.popitem(last=False)
            poses.append((stamp, message))
            over = [one for one in self._open.values() if one.subject == subject and stamp > one.end + AROUND_S]
            for one in over:
                self._keep(one)

    def hear_picture(self, stamp: float, data: bytes) -> None:
        """An encoded picture of the camera."""
        with self._lock:
            self._pictures[stamp] = KeptPicture(stamp, data, self._skeletons.pop(stamp, None))
            self._bytes += len(data)
            while len(self._pictures) > _MOST_PICTURES or self._bytes > _MOST_BYTES:
                _, oldest = self._pictures.popitem(last=False)
                self._bytes -= len(oldest.data)

    def hear_skeleton(self, stamp: float, message: Any) -> None:
        """The landmarks of an image, of which there may be a picture."""
        with self._lock:
            if stamp in self._pictures:
                self._pictures[stamp].skeleton = message
                return
            self._skeletons[stamp] = message
            if len(self._skeletons) > _MOST_SKELETONS:
                self._skeletons.popitem(last=False)

    def hear_assessment(self, assessment: Assessment) -> None:
        """A repetition was scored; what was seen of it is kept as soon as a little more has been seen."""
        key = repetition_key(assessment)
        with self._lock:
            if key not in self._kept:
                self._open[key] = assessment

    # ---- what is kept ----

    def repetitions(self) -> dict[Key, KeptRepetition]:
        """What was seen of the last repetitions, oldest first."""
        with self._lock:
            for one in list(self._open.values()):
                self._keep(one)
            return dict(self._kept)

    def complete(self) -> dict[Key, KeptRepetition]:
        """What was seen of the repetitions whose surroundings are over, oldest first; nothing is cut short for it."""
        with self._lock:
            return dict(self._kept)

    def landmarks(self, picture: KeptPicture) -> Keypoints | None:
        """Where the person is, in pixels of the image that was worked on, whose size the skeleton's message tells."""
        return None if picture.skeleton is None else self._unpack_skeleton(picture.skeleton)

    def _keep(self, assessment: Assessment) -> None:
        from fitmotion_models.viewer.report import moments, nearest

        self._open.pop(repetition_key(assessment), None)
        clip = self._clip(assessment)
        seen = [picture for picture in self._pictures.values() if picture.skeleton is not None]
        kept = KeptRepetition(clip, nearest(moments(assessment, clip), seen, _NEAR_S))
        self._kept[repetition_key(assessment)] = kept
        if len(self._kept) > MOST_REPETITIONS:
            self._kept.popitem(last=False)

    def _clip(self, assessment: Assessment) -> MotionClip | None:
        """The bodies around a repetition, each once, in the order of their stamps; None where there are too few."""
        first, last = assessment.start - AROUND_S, assessment.end + AROUND_S
        heard = {stamp: message for stamp, message in self._poses.get(assessment.subject, ()) if first <= stamp <= last}
        poses = []
        for stamp in sorted(heard):
            try:
                poses.append(replace(self._unpack_pose(heard[stamp]), stamp=stamp))
            except ValueError:
                continue  # the scorer has refused it too
        return None if len(poses) < 2 else clip_from_poses(poses, _rate(poses))


def _rate(poses: Sequence[BodyPose]) -> float:
    """The usual rate of poses, Hz."""
    return float(1.0 / np.median(np.diff([pose.stamp for pose in poses])))
