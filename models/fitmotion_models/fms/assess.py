"""A video in, assessments out: the same chain as the live graph (image, landmarks, body, score), without ROS."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.any_test import AnyTestScorer
from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.fms.trial import chosen_trial
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Movement, Side, Variation
from fitmotion_models.pose.backends import BackendChoice
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.guidance import SENTENCES
from fitmotion_models.pose.image_source import open_source
from fitmotion_models.pose.recorded_poses import recorded_poses
from fitmotion_models.pose.rig_source import RigRecording
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.clip_file import load_clip
from fitmotion_models.skeleton.motion_clip import MotionClip, clip_from_poses

Progress = Callable[[int, int | None], None]
CLIP_SUFFIX = ".npz"
# The share of the images in which the camera's view must have been wrong for a person to be told: less is a moment.
_LASTING = 0.2
AnyScorer = Scorer | AnyTestScorer


@dataclass(frozen=True)
class AssessmentReport:
    """What one recording gave.

    fps: Hz. frames: images (or poses) read. poses: how many of them show a body. clip: those poses, where kept.
    notice: a sentence about the input that a person should read. guidance: from where this test should be filmed, a
    sentence; empty where the view was good for most of the recording, or not known. camera: what was wrong with the
    picture itself, cut off, dark, crooked, sentences.
    """

    assessments: tuple[Assessment, ...]
    subject: str
    fps: float
    frames: int
    poses: int
    clip: MotionClip | None = None
    notice: str = ""
    guidance: str = ""
    camera: tuple[str, ...] = ()


def assess(
    spec: str | Sequence[str],
    *,
    movement: Movement = Movement.DEEP_SQUAT,
    variation: Variation = Variation.NONE,
    side: Side = Side.BOTH,
    trial: int = 1,
    person: Anthropometry = UNKNOWN_BODY,
    learned: bool = True,
    subject: str = "person",
    backend: str | BackendChoice = "mediapipe",
    calibration: str | Path | None = None,
    tilt: float | None = None,
    find_offset: bool = False,
    progress: Progress | None = None,
) -> AssessmentReport:
    """Score every repetition in a recording: a video file, a folder of images or a MotionClip (.npz).

    movement UNKNOWN: any test, recognised repetition by repetition. variation NONE and side BOTH: each repetition says
    its own, where it has any. trial: its number, from 1. person: what was entered about their body. learned: whether
    learned scorers are asked.
    Or in several videos of one movement, one a camera of a calibrated rig; find_offset: they start at different times.
    calibration: the camera's ROS calibration YAML; of a rig as `read_rig` takes it. tilt: of the one camera, radians,
    positive looking down; without it gravity is taken from the standing person. progress: called with
    (frames done, frames there are or None).
    Raises ValueError (SourceError for a source) with one sentence when the input cannot be used.
    """
    scorer = chosen_trial(movement, variation, side, trial).scorer(person, learned=learned)
    if not isinstance(spec, str):
        if len(spec) > 1:
            return _assess_rig(spec, scorer, calibration, subject, backend, find_offset, progress)
        spec = spec[0]
    if Path(spec).suffix == CLIP_SUFFIX:
        clip = load_clip(spec)
        return _score(iter(clip), scorer, clip.subject, clip.fps, len(clip), progress)
    model = None if calibration is None else CameraModel.from_file(calibration)
    source = open_source(spec)
    if source.live:
        source.close()
        raise ValueError(f"{spec} is live and has no end; `assess` takes a recording, `up --source {spec}` a camera")
    try:
        size = (source.width, source.height)
        camera = CameraModel.guess(*size) if model is None else model.scaled_to(*size)
        said: Counter[str] = Counter()
        poses = recorded_poses(source, backend, camera, subject, tilt, said)
        report = _score(poses, scorer, subject, source.fps, source.frame_count, progress)
        lasting = (sentence for sentence in SENTENCES.values() if said[sentence] > _LASTING * report.frames)
        return replace(report, camera=tuple(lasting))
    finally:
        source.close()


def _assess_rig(
    specs: Sequence[str],
    scorer: AnyScorer,
    calibration: str | Path | None,
    subject: str,
    backend: str | BackendChoice,
    find_offset: bool,
    progress: Progress | None,
) -> AssessmentReport:
    if calibration is None:
        raise ValueError(
            f"{len(specs)} videos need the calibration of their cameras; give --calibration, or make one with "
            "`fitmotion calibrate`"
        )
    recording = RigRecording(specs, calibration)
    try:
        found = recording.poses(subject=subject, backend=backend, find_offset=find_offset)
        report = _score(found.poses, scorer, subject, found.fps, found.frame_count, progress)
        return replace(report, notice=str(found.offsets) if found.offsets else "")
    finally:
        recording.close()


def _score(
    poses: Iterator[BodyPose | None] | Iterator[BodyPose],
    scorer: AnyScorer,
    subject: str,
    fps: float,
    total: int | None,
    progress: Progress | None,
) -> AssessmentReport:
    assessments: list[Assessment] = []
    seen: list[BodyPose] = []
    guidance: Counter[str] = Counter()
    frames = 0
    for pose in poses:
        frames += 1
        if pose is not None:
            seen.append(pose)
            update = scorer.update(pose)
            guidance[update.guidance] += 1
            if update.assessment is not None:
                assessments.append(update.assessment)
        if progress is not None:
            progress(frames, total)
    last = scorer.finish()
    if last is not None:
        assessments.append(last)
    clip = clip_from_poses(seen, fps) if seen else None
    mostly = guidance.most_common(1)[0][0] if guidance else ""
    return AssessmentReport(tuple(assessments), subject, fps, frames, len(seen), clip, guidance=mostly)


def report_as_dict(report: AssessmentReport) -> dict[str, Any]:
    """The report as JSON-ready values: words for movement, side and verdict, seconds, null for what was not seen.

    Where several people were scored every assessment says whose it is.
    """
    several = len({assessment.subject for assessment in report.assessments}) > 1
    return {
        "assessments": [
            ({"subject": one.subject} if several else {}) | assessment_as_dict(one) for one in report.assessments
        ],
        "subject": report.subject,
        "fps": report.fps,
        "frames": report.frames,
        "guidance": report.guidance,
    }


def assessment_as_dict(assessment: Assessment) -> dict[str, Any]:
    """One repetition as JSON-ready values."""
    return {
        "movement": assessment.movement.name.lower(),
        "variation": assessment.variation.name.lower(),
        "side": assessment.side.name.lower(),
        "trial": assessment.trial,
        "repetition": assessment.repetition,
        "score": assessment.score,
        "reason": assessment.reason,
        "confidence": _number(assessment.confidence),
        "learned_score": None if assessment.learned_score == NOT_SCORABLE else assessment.learned_score,
        "disagreement": assessment.disagreement,
        "start_s": assessment.start,
        "end_s": assessment.end,
        "criteria": [
            {
                "name": criterion.name,
                "value": _number(criterion.value),
                "threshold": _number(criterion.threshold),
                "unit": criterion.unit,
                "verdict": criterion.verdict.name.lower(),
                "advice": criterion.advice,
            }
            for criterion in assessment.criteria
        ],
    }


def _number(value: float) -> float | None:
    """JSON has no NaN: what was not measured is null."""
    return float(value) if math.isfinite(value) else None
