"""RTMPose and RTMW: a detector finds people, a top-down network their landmarks; between detections they are followed.

Jiang et al. 2023 (RTMPose), 2024 (RTMW). Any ONNX export of the two: COCO-17, Halpe-26, whole body.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoint_similarity import seen_box, similarity
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.person_detector import PersonDetector, overlaps
from fitmotion_models.pose.pose_network import Box, Image, PoseNetwork

# How much larger than the last landmarks the box of somebody who is followed is: MMDeploy's pose tracker.
FOLLOWED_BOX = 1.25
# Somebody whose landmarks are less sure than this on average is not there (any more).
LEAST_MEAN_SCORE = 0.3
# Two results as alike as this are one person that was looked for twice.
SAME_PERSON = 0.7
# A detection that overlaps with somebody who is followed by more than this is that person.
KNOWN_PERSON = 0.3
_SMALLEST_BOX = 8.0  # pixels


class RtmposeBackend:
    """Finds the landmarks of several people, the largest first; a `PeopleBackend`.

    pose_model, detector: network files or folders of MMDeploy, see `model_folder.py`. engine, threads: as `providers`
    and `threads` of `runtime.load_model`. detect_every: images from one detection to the next; when somebody is lost
    the detector runs with the next one. most_people: the largest so many are looked at. passed_over: why better engines
    were not taken, one sentence each.
    Raises FileNotFoundError and ModelError.
    """

    def __init__(
        self,
        pose_model: str | Path,
        detector: str | Path,
        *,
        engine: str = "auto",
        threads: int = 2,
        detect_every: int = 10,
        most_people: int = 4,
    ) -> None:
        self._network = PoseNetwork(pose_model, providers=engine, threads=threads)
        self._detector = PersonDetector(detector, providers=engine, threads=threads)
        self.joint_set = self._network.joint_set
        self.name = f"{self._network.name} with {self._detector.name}, {self._network.engine}"
        self.passed_over = self._network.passed_over
        self._detect_every, self._most_people = detect_every, most_people
        self._followed: list[Box] = []
        self._until_detection = 0

    def __call__(self, image: Image, stamp: float) -> Keypoints | None:
        """The largest person in an RGB image (H, W, 3) uint8, or None. stamp: seconds."""
        people = self.find_all(image, stamp)
        return people[0] if people else None

    def find_all(self, image: Image, stamp: float) -> list[Keypoints]:
        """Everybody in an RGB image (H, W, 3) uint8, the largest first. Raises ValueError for another shape."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"an image must be (height, width, 3) uint8 RGB; got {image.shape} {image.dtype}")
        boxes = self._followed
        if self._until_detection <= 0 or not boxes:
            boxes = self._detected(image)
            self._until_detection = self._detect_every
        self._until_detection -= 1
        people = _distinct(self._network(image, boxes))
        if len(people) < len(self._followed):
            self._until_detection = 0
        self._followed = [box for box in map(_followed_box, people) if box is not None]
        return people

    def close(self) -> None:
        """Forget the people; the networks go with this object."""
        self._followed = []

    def _detected(self, image: Image) -> list[Box]:
        """Where to look: at the detections, and at those who were followed and whom the detector missed."""
        detected = self._detector(image).boxes.astype(np.float64)
        missed = [box for box in self._followed if not len(detected) or overlaps(box, detected).max() < KNOWN_PERSON]
        boxes = [box for box in (*detected, *missed) if (box[2:] - box[:2]).min() >= _SMALLEST_BOX]
        boxes.sort(key=lambda box: float(box[3] - box[1]), reverse=True)
        return boxes[: self._most_people]


def _distinct(found: list[Keypoints]) -> list[Keypoints]:
    """Those who are there, each once, the largest first."""
    people: list[Keypoints] = []
    for one in sorted(found, key=_mean_score, reverse=True):
        if _mean_score(one) >= LEAST_MEAN_SCORE and all(similarity(one, other) < SAME_PERSON for other in people):
            people.append(one)
    return sorted(people, key=_height, reverse=True)


def _mean_score(keypoints: Keypoints) -> float:
    """Over the landmarks that the network has an opinion on."""
    known: NDArray[np.float32] = keypoints.confidence[np.isfinite(keypoints.pixels).all(-1)]
    return float(known.mean()) if known.size else 0.0


def _followed_box(keypoints: Keypoints) -> Box | None:
    """Where to look for somebody in the next image."""
    box = seen_box(keypoints)
    if box is None:
        return None
    centre, half = 0.5 * (box[:2] + box[2:]), 0.5 * FOLLOWED_BOX * (box[2:] - box[:2])
    return np.concatenate([centre - half, centre + half])


def _height(keypoints: Keypoints) -> float:
    box = seen_box(keypoints)
    return 0.0 if box is None else float(box[3] - box[1])
