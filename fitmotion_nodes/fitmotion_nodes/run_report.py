"""The report of a run out of what was remembered of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from fitmotion_models.fms.values import Assessment
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.viewer.report import Reported, cameras, repetitions_html, save_page
from fitmotion_models.viewer.report_pictures import Picture
from fitmotion_nodes.run_memory import KeptPicture, KeptRepetition, Key, RunMemory, repetition_key


def save_run_report(
    path: Path,
    assessments: Sequence[Assessment],
    memory: RunMemory,
    *,
    title: str,
    facts: str,
    zero: float = 0.0,
    keep_faces: bool = False,
) -> Path:
    """Write the report of the repetitions that are remembered; of those before, their number is told.

    assessments: all of the run, as they count now, on the clock of the messages. zero: the stamp that becomes 0.
    Raises OSError when it cannot be written.
    """
    kept = memory.repetitions()
    shown = [one for one in assessments if repetition_key(one) in kept]
    told = [facts]
    views = {item.clip.views for item in kept.values() if item.clip is not None}
    told += [cameras(max(views))] if views else []
    if len(shown) < len(assessments):
        told.append(f"the last {len(shown)} of {len(assessments)} repetitions")
    reported = [_reported(one, kept, memory, zero) for one in shown]
    return save_page(path, repetitions_html(reported, title=title, facts=", ".join(told), keep_faces=keep_faces))


def _reported(one: Assessment, kept: Mapping[Key, KeptRepetition], memory: RunMemory, zero: float) -> Reported:
    seen = kept[repetition_key(one)]
    clip = None if seen.clip is None else replace(seen.clip, stamps=seen.clip.stamps - zero)
    pictures = {name: picture_of(picture, memory, zero) for name, picture in seen.pictures.items()}
    shifted = replace(one, stamp=one.stamp - zero, start=one.start - zero, end=one.end - zero)
    return Reported(shifted, clip, {name: picture for name, picture in pictures.items() if picture is not None})


def picture_of(kept: KeptPicture, memory: RunMemory, zero: float = 0.0) -> Picture | None:
    """A picture that was kept, with the landmarks in it; None where one of the two cannot be read."""
    image = cv2.imdecode(np.frombuffer(kept.data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    try:
        keypoints = memory.landmarks(kept)
    except ValueError:
        return None
    if keypoints is not None:
        keypoints = _scaled(keypoints, image.shape[1] / kept.skeleton.width)
    return Picture(kept.stamp - zero, image.astype(np.uint8, copy=False), keypoints)


def _scaled(keypoints: Keypoints, scale: float) -> Keypoints:
    return replace(keypoints, pixels=keypoints.pixels * np.float32(scale))
