"""Body poses out of a recording of the graph, to be played again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rclpy.serialization import deserialize_message

from fitmotion_models.exchange.mcap_files import read_messages
from fitmotion_models.exchange.ros_schema import fields_of
from fitmotion_models.skeleton.body_pose import BodyPose, Source
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_nodes.conversions import WORLD_FRAME, body_pose_from_msg
from fitmotion_nodes.recorder_topics import definition_of

SUFFIX = ".mcap"
BODY_POSE = "fitmotion_msgs/msg/BodyPose"


@dataclass(frozen=True)
class RecordedPoses:
    """Poses in the order in which they arrived, of one subject or several, with the gaps that there were.

    Plays like a `MotionClip`: `len`, iteration, `stamps`, `fps`.
    """

    poses: tuple[BodyPose, ...]
    topic: str

    def __len__(self) -> int:
        return len(self.poses)

    def __iter__(self) -> Iterator[BodyPose]:
        return iter(self.poses)

    @property
    def stamps(self) -> NDArray[np.float64]:
        """(T,) seconds; several subjects in one image have the same."""
        return np.array([pose.stamp for pose in self.poses])

    @property
    def fps(self) -> float:
        """The usual rate of the poses, Hz; 30 where there are too few to tell."""
        steps = np.diff(self.stamps)
        steps = steps[steps > 0]
        return float(1.0 / np.median(steps)) if steps.size else 30.0


def load_poses(
    path: str | Path, *, topic: str = "", subject: str = "", world_frame: str = WORLD_FRAME
) -> RecordedPoses:
    """The body poses of a recording.

    topic: whose; empty: the only one that there is, or the only one called body_pose that is not generated.
    subject: name them so; empty: as recorded. Poses that were sent twice come once. Their source becomes REPLAY.
    Raises FileNotFoundError, and ValueError (NotARecordingError) with one sentence where there are none that this
    version can read.
    """
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"recording {source} does not exist")
    found: dict[str, list[BodyPose]] = {}
    seen: set[tuple[str, str, float]] = set()
    checked: set[str] = set()
    for message in read_messages(source, (topic,) if topic else ()):
        if message.topic.type_name != BODY_POSE:
            continue
        if message.topic.name not in checked:
            _check_fields(source, message.topic.definition)
            checked.add(message.topic.name)
        pose = body_pose_from_msg(deserialize_message(message.data, RosBodyPose), world_frame)
        key = (message.topic.name, pose.subject, pose.stamp)
        if key not in seen:
            seen.add(key)
            pose = replace(pose, source=Source.REPLAY, subject=subject or pose.subject)
            found.setdefault(message.topic.name, []).append(pose)
    name = topic or _choose(source, sorted(found))
    if name not in found:
        raise ValueError(
            f"recording {source} has no body poses on {name}; it has: {', '.join(sorted(found)) or 'none'}"
        )
    return RecordedPoses(tuple(found[name]), name)


def _choose(path: Path, topics: list[str]) -> str:
    if not topics:
        raise ValueError(f"recording {path} holds no body poses; record a run that has some")
    observed = [name for name in topics if name.endswith("/body_pose") and "/generated/" not in name]
    candidates = topics if len(topics) == 1 else observed
    if len(candidates) != 1:
        raise ValueError(f"recording {path} holds several topics of body poses, {', '.join(topics)}; name one of them")
    return candidates[0]


def _check_fields(path: Path, definition: str) -> None:
    if fields_of(definition) != fields_of(definition_of(BODY_POSE)):
        raise ValueError(
            f"recording {path} was made with another version of {BODY_POSE}; play it with that version of FitMotion"
        )
