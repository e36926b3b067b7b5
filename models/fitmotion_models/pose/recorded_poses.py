"""The body of the person in a recording, image by image."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.backends import BackendChoice, PeopleBackend, find_everybody, make_backend
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.image_source import ImageSource
from fitmotion_models.pose.people_estimator import PeopleEstimator
from fitmotion_models.skeleton.body_pose import BodyPose


def recorded_poses(
    source: ImageSource,
    backend: str | BackendChoice,
    camera: CameraModel,
    subject: str,
    tilt: float | None,
    said: Counter[str],
) -> Iterator[BodyPose | None]:
    """The body of the first person, image by image; whoever else is in the picture is told from them.

    tilt: of the camera, radians, positive looking down; None: from the standing person. said: counts in how many
    images each sentence about the camera's view held.
    """
    find = make_backend(backend)
    people = PeopleEstimator(camera, subject=subject, tilt=tilt, several=isinstance(find, PeopleBackend))
    try:
        while (frame := source.read()) is not None:
            image: NDArray[np.uint8] = np.ascontiguousarray(frame.image_bgr[:, :, ::-1])
            pose = people.update(find_everybody(find, image, frame.stamp), frame.stamp, image)[0].estimate.pose
            said.update(people.guidance)
            yield pose
    finally:
        find.close()
