"""One camera's images, everybody's bodies: who is who, a body estimate for each, and what is wrong with the view."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.body_estimator import BodyEstimator, Estimate
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.guidance import CameraGuidance
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.people import PeopleTracker

Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Observed:
    """One person in one image. keypoints: None when they are not seen. estimate: of their body."""

    name: str
    keypoints: Keypoints | None
    estimate: Estimate


class PeopleEstimator:
    """Follows the people of one camera and estimates their bodies.

    subject: the first person's name, others are person_2, ... tilt: of the camera, see `BodyEstimator`. several:
    whether more than one person may be found; who is found by a backend for one has this name, however they move.
    bodies: whether bodies are wanted, and not the landmarks alone.
    """

    def __init__(
        self,
        camera: CameraModel,
        *,
        subject: str = "person",
        tilt: float | None = None,
        several: bool = True,
        bodies: bool = True,
    ) -> None:
        self.camera = camera
        self._subject, self._tilt, self._bodies = subject, tilt, bodies
        self._tracker = PeopleTracker(subject) if several else None
        self._estimators: dict[str, BodyEstimator] = {}
        self._guidance = CameraGuidance()

    def update(self, found: Sequence[Keypoints], stamp: float, image: Image) -> list[Observed]:
        """Take what was found in one image; returns everybody who is known, the first person first, seen or not.

        stamp: seconds. image: (H, W, 3) uint8 RGB.
        """
        if self._tracker is None:
            people = {self._subject: found[0]} if found else {}
            known = [self._subject]
        else:
            people = self._tracker.update(found, stamp, image)
            known = list(dict.fromkeys([self._subject, *self._tracker.names]))
        for gone in self._estimators.keys() - set(known):
            del self._estimators[gone]
        observed = [Observed(name, people.get(name), self._estimate(name, people.get(name), stamp)) for name in known]
        frame = self._estimators[self._subject].world_rotation if self._bodies else None
        self._guidance.update(image, people.get(self._subject), stamp, None if frame is None else frame[2])
        return observed

    @property
    def guidance(self) -> tuple[str, ...]:
        """What is wrong with the camera's view of the first person, in sentences; empty: nothing."""
        return self._guidance.sentences

    @property
    def swapped_frames(self) -> int:
        """In how many images the first person's left and right were exchanged and put right."""
        first = self._estimators.get(self._subject)
        return 0 if first is None else first.swapped_frames

    def _estimate(self, name: str, keypoints: Keypoints | None, stamp: float) -> Estimate:
        if not self._bodies:
            return Estimate(None, "", "landmarks only" if keypoints is not None else "no person in view")
        if name not in self._estimators:
            self._estimators[name] = BodyEstimator(self.camera, tilt=self._tilt, subject=name)
        self._estimators[name].camera = self.camera
        return self._estimators[name].update(keypoints, stamp)
