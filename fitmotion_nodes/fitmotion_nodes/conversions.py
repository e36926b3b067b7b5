"""The border between ROS messages and FitMotion's values: `x_to_msg` and `x_from_msg` pairs, and nothing else.

Images and cameras are in `image_conversions`, so that processes without images need no image library.

A message that cannot be taken raises ValueError with one sentence saying what was got, what is allowed and what to do.
Arrays on the way in are views of the message's own memory where that is possible; they are not to be written to.
"""

import math
from array import array
from enum import IntEnum
from typing import TypeVar

import numpy as np
from builtin_interfaces.msg import Time
from numpy.typing import NDArray
from std_msgs.msg import Header

from fitmotion_models.fms.screen import ScreenResult
from fitmotion_models.fms.values import (
    Assessment,
    AssessmentState,
    Criterion,
    Movement,
    Phase,
    Side,
    Variation,
    Verdict,
)
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES, BodyPose, Source
from fitmotion_models.skeleton.joint_sets import JOINT_SET_IDS, JOINT_SETS
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_msgs.msg import Assessment as RosAssessment
from fitmotion_msgs.msg import AssessmentState as RosAssessmentState
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_msgs.msg import Criterion as RosCriterion
from fitmotion_msgs.msg import MotionClip as RosMotionClip
from fitmotion_msgs.msg import Screen as RosScreen
from fitmotion_msgs.msg import Skeleton2D

NANOSECONDS = 1_000_000_000
WORLD_FRAME = "world"
# of the length of a unit vector or quaternion; float32 rounding is 1e-7, so this finds mistakes only
_UNIT_TOLERANCE = 0.02
# Damaged numbers and mistakes of units: the Earth is not as large, and no bone is as long.
_FARTHEST_M, _LONGEST_BONE_M = 1e7, 10.0
_LONGEST_NAME = 80  # letters of a subject, which becomes a part of names of frames and topics
_CLIP_ARRAYS = tuple(name for name in ARRAY_SHAPES if name != "bone_offsets")

Member = TypeVar("Member", bound=IntEnum)


# ---- time and headers ------------------------------------------------------------------------------------------------


def stamp_from_msg(msg: Time) -> float:
    """Seconds of a stamp, the nearest that a float can hold."""
    return (msg.sec * NANOSECONDS + msg.nanosec) / NANOSECONDS  # division of integers rounds once, correctly


def stamp_to_msg(seconds: float) -> Time:
    """The stamp of a time in seconds, to the nearest nanosecond."""
    if not math.isfinite(seconds):
        raise ValueError(f"a stamp of {seconds} seconds cannot be sent; stamps are finite")
    whole = math.floor(seconds)
    nanoseconds = round((seconds - whole) * NANOSECONDS)  # the difference is exact in floating point
    if nanoseconds == NANOSECONDS:
        whole, nanoseconds = whole + 1, 0
    return Time(sec=whole, nanosec=nanoseconds)


def header_to_msg(seconds: float, frame_id: str) -> Header:
    """A header from seconds and a frame."""
    return Header(stamp=stamp_to_msg(seconds), frame_id=frame_id)


# ---- bodies ----------------------------------------------------------------------------------------------------------


def body_pose_to_msg(pose: BodyPose, frame_id: str = WORLD_FRAME, stamp: Time | None = None) -> RosBodyPose:
    """A pose as a message. stamp: the exact stamp of the image behind it, where there is one; else the pose's own."""
    header = Header(stamp=stamp or stamp_to_msg(pose.stamp), frame_id=frame_id)
    msg = RosBodyPose(header=header, subject=pose.subject, source=int(pose.source), views=pose.views)
    for name in ARRAY_SHAPES:
        setattr(msg, name, getattr(pose, name).ravel())  # flat: rclpy aborts the process on any other shape
    return msg


def body_pose_from_msg(msg: RosBodyPose, world_frame: str = WORLD_FRAME) -> BodyPose:
    """A message as a pose. Raises ValueError: wrong frame, or values that contradict each other (`check_body_pose`)."""
    if msg.header.frame_id != world_frame:
        raise ValueError(
            f"body pose of {msg.subject!r} is in frame {msg.header.frame_id!r}, expected {world_frame!r}; "
            "transform it, or set the parameter world_frame"
        )
    pose = BodyPose(
        stamp=stamp_from_msg(msg.header.stamp),
        subject=msg.subject,
        source=enum_from_msg(Source, msg.source, "body pose source"),
        views=msg.views,
        **{name: getattr(msg, name).reshape(shape) for name, shape in ARRAY_SHAPES.items()},
    )
    check_body_pose(pose)
    return pose


def check_body_pose(pose: BodyPose) -> None:
    """Raise ValueError where a pose contradicts itself: seen but not finite, rotation or direction not of length 1."""
    if not pose.subject:
        raise ValueError("body pose has no subject; every consumer keeps its state by subject")
    if len(pose.subject) > _LONGEST_NAME or not pose.subject.isprintable():
        raise ValueError(f"body pose has a subject {pose.subject[:20]!r}...; at most {_LONGEST_NAME} printable letters")
    for points, confidence in (("positions", "confidence"), ("feet", "feet_confidence")):
        weights = getattr(pose, confidence)
        if not ((weights >= 0.0) & (weights <= 1.0)).all():  # NaN fails both
            raise ValueError(f"body pose of {pose.subject!r}: {confidence} is outside 0 to 1 or NaN")
        # NaN and infinity are not below the farthest either
        broken = np.flatnonzero((weights > 0.0) & ~(np.abs(getattr(pose, points)) < _FARTHEST_M).all(axis=-1))
        if broken.size:
            raise ValueError(
                f"body pose of {pose.subject!r}: {points} of {broken.tolist()} are not finite, or farther than "
                f"{_FARTHEST_M:g} m, although their confidence is above 0; unseen points have confidence 0"
            )
    _check_unit(pose, "rotations", pose.rotations)
    _check_unit(pose, "view_direction", pose.view_direction)
    if not (np.abs(pose.bone_offsets) < _LONGEST_BONE_M).all():
        raise ValueError(
            f"body pose of {pose.subject!r}: bone_offsets are not finite, or longer than {_LONGEST_BONE_M:g} m"
        )


def _check_unit(pose: BodyPose, name: str, vectors: NDArray[np.float32]) -> None:
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large for its square is not of length 1 either
        lengths = np.sqrt(np.square(vectors).sum(axis=-1))
    # NaN (unseen) passes: it compares false
    if (np.abs(lengths - 1.0) > _UNIT_TOLERANCE).any():
        raise ValueError(f"body pose of {pose.subject!r}: {name} must have length 1 or be NaN where unseen")


def clip_to_msg(clip: MotionClip, frame_id: str = WORLD_FRAME) -> RosMotionClip:
    """A clip as a message; the header carries the time of the first frame."""
    start = float(clip.stamps[0]) if len(clip) else 0.0
    msg = RosMotionClip(
        header=header_to_msg(start, frame_id),
        subject=clip.subject,
        source=int(clip.source),
        fps=float(clip.fps),
        frames=len(clip),
        views=clip.views,
        labels=list(clip.labels),
        bone_offsets=clip.bone_offsets.ravel(),
    )
    msg.stamps = array("d", (clip.stamps - start).tobytes())
    for name in _CLIP_ARRAYS:
        setattr(msg, name, _floats_to_msg(getattr(clip, name)))
    return msg


def clip_from_msg(msg: RosMotionClip, world_frame: str = WORLD_FRAME) -> MotionClip:
    """A message as a clip. Raises ValueError: wrong frame, arrays that do not fit `frames`, stamps that do not rise."""
    if msg.header.frame_id != world_frame:
        raise ValueError(f"motion clip is in frame {msg.header.frame_id!r}, expected {world_frame!r}; transform it")
    if len(msg.stamps) != msg.frames:
        raise ValueError(f"motion clip has {len(msg.stamps)} stamps for frames={msg.frames}; give one a frame")
    start = msg.header.stamp.sec * NANOSECONDS + msg.header.stamp.nanosec
    offsets = np.rint(np.frombuffer(msg.stamps, dtype=np.float64) * NANOSECONDS).astype(np.int64)
    return MotionClip(
        fps=msg.fps,
        stamps=(start + offsets) / NANOSECONDS,
        subject=msg.subject,
        source=enum_from_msg(Source, msg.source, "motion clip source"),
        views=msg.views,
        labels=tuple(msg.labels),
        bone_offsets=msg.bone_offsets.reshape(ARRAY_SHAPES["bone_offsets"]),
        **{name: _clip_array(msg, name) for name in _CLIP_ARRAYS},
    )


def _clip_array(msg: RosMotionClip, name: str) -> NDArray[np.float32]:
    values = np.frombuffer(getattr(msg, name), dtype=np.float32)
    shape = (msg.frames, *ARRAY_SHAPES[name])
    if values.size != math.prod(shape):
        raise ValueError(
            f"motion clip: {name} has {values.size} numbers, expected {math.prod(shape)} for frames={msg.frames}"
        )
    return values.reshape(shape)


def _floats_to_msg(values: NDArray[np.float32]) -> "array[float]":
    return array("f", np.ascontiguousarray(values, dtype=np.float32).tobytes())


# ---- keypoints -------------------------------------------------------------------------------------------------------


def keypoints_to_msg(
    keypoints: Keypoints | None,
    header: Header,
    *,
    width: int,
    height: int,
    joint_set: str,
    subject: str,
    following: int = 0,
) -> Skeleton2D:
    """The landmarks of one image; None (nobody found) becomes the joint set's joints unseen and no subject.

    header: the image's own. width, height: of the image, pixels. joint_set: the backend's. following: how many more
    messages of the same image follow.
    """
    if keypoints is None:
        count = len(JOINT_SETS[joint_set].joints)
        pixels = np.full((count, 2), np.nan, dtype=np.float32)
        confidence = np.zeros(count, dtype=np.float32)
    else:
        pixels, confidence, joint_set = keypoints.pixels, keypoints.confidence, keypoints.joint_set
    return Skeleton2D(
        header=header,
        subject=subject if keypoints is not None else "",
        following=following,
        joint_set=JOINT_SET_IDS[joint_set],
        width=width,
        height=height,
        pixels=_floats_to_msg(pixels),
        confidence=_floats_to_msg(confidence),
    )


def keypoints_from_msg(msg: Skeleton2D) -> Keypoints | None:
    """The landmarks in a message, None when it says that nobody was found.

    Raises ValueError: unknown joint set, wrong numbers of joints, confidence outside 0 to 1, NaN pixels called seen.
    """
    names = {number: name for name, number in JOINT_SET_IDS.items()}
    if msg.joint_set not in names:
        raise ValueError(f"skeleton has joint_set={msg.joint_set}; known: {_listed(names)}")
    joint_set = names[msg.joint_set]
    count = len(JOINT_SETS[joint_set].joints)
    pixels = np.frombuffer(msg.pixels, dtype=np.float32)
    confidence = np.frombuffer(msg.confidence, dtype=np.float32)
    if pixels.size != 2 * count or confidence.size != count:
        raise ValueError(
            f"skeleton of {joint_set} has {pixels.size} pixel values and {confidence.size} confidences; "
            f"expected {2 * count} and {count}"
        )
    pixels = pixels.reshape(count, 2)
    if not ((confidence >= 0.0) & (confidence <= 1.0)).all():
        raise ValueError("skeleton: confidence is outside 0 to 1 or NaN")
    if not np.isfinite(pixels[confidence > 0.0]).all():
        raise ValueError("skeleton: pixels are not finite although their confidence is above 0")
    if not confidence.any():
        return None
    return Keypoints(joint_set=joint_set, pixels=pixels, confidence=confidence, world=None)


# ---- assessments -----------------------------------------------------------------------------------------------------


def criterion_to_msg(criterion: Criterion) -> RosCriterion:
    """A measured rule as a message."""
    return RosCriterion(
        name=criterion.name,
        value=float(criterion.value),
        threshold=float(criterion.threshold),
        unit=criterion.unit,
        verdict=int(criterion.verdict),
        joints=array("B", criterion.joints),
        advice=criterion.advice,
    )


def criterion_from_msg(msg: RosCriterion) -> Criterion:
    """A message as a measured rule."""
    return Criterion(
        name=msg.name,
        value=_shortest(msg.value),
        threshold=_shortest(msg.threshold),
        unit=msg.unit,
        verdict=enum_from_msg(Verdict, msg.verdict, "criterion verdict"),
        joints=tuple(msg.joints),
        advice=msg.advice,
    )


def assessment_to_msg(assessment: Assessment, frame_id: str = WORLD_FRAME, stamp: Time | None = None) -> RosAssessment:
    """The result of a repetition as a message. stamp: the exact one of the pose that completed it, where known."""
    return RosAssessment(
        header=Header(stamp=stamp or stamp_to_msg(assessment.stamp), frame_id=frame_id),
        subject=assessment.subject,
        movement=int(assessment.movement),
        variation=int(assessment.variation),
        side=int(assessment.side),
        trial=assessment.trial,
        repetition=assessment.repetition,
        score=int(assessment.score),
        reason=assessment.reason,
        confidence=float(assessment.confidence),
        scorer=assessment.scorer,
        learned_score=int(assessment.learned_score),
        disagreement=bool(assessment.disagreement),
        pain=bool(assessment.pain),
        overridden=bool(assessment.overridden),
        override_reason=assessment.override_reason,
        criteria=[criterion_to_msg(criterion) for criterion in assessment.criteria],
        start=stamp_to_msg(assessment.start),
        end=stamp_to_msg(assessment.end),
    )


def assessment_from_msg(msg: RosAssessment) -> Assessment:
    """A message as the result of a repetition. Raises ValueError: unknown movement, variation, side or score."""
    if not -1 <= msg.score <= 3:
        raise ValueError(f"assessment has score={msg.score}; allowed: -1 (not scorable) to 3")
    return Assessment(
        stamp=stamp_from_msg(msg.header.stamp),
        subject=msg.subject,
        movement=enum_from_msg(Movement, msg.movement, "assessment movement"),
        variation=enum_from_msg(Variation, msg.variation, "assessment variation"),
        side=enum_from_msg(Side, msg.side, "assessment side"),
        trial=msg.trial,
        repetition=msg.repetition,
        score=msg.score,
        reason=msg.reason,
        confidence=_shortest(msg.confidence),
        scorer=msg.scorer,
        learned_score=msg.learned_score,
        disagreement=msg.disagreement,
        pain=msg.pain,
        overridden=msg.overridden,
        override_reason=msg.override_reason,
        criteria=tuple(criterion_from_msg(criterion) for criterion in msg.criteria),
        start=stamp_from_msg(msg.start),
        end=stamp_from_msg(msg.end),
    )


def state_to_msg(state: AssessmentState, header: Header) -> RosAssessmentState:
    """The live state as a message. header: that of the body pose behind it."""
    return RosAssessmentState(
        header=header,
        subject=state.subject,
        movement=int(state.movement),
        side=int(state.side),
        phase=int(state.phase),
        progress=float(state.progress),
        criteria=[criterion_to_msg(criterion) for criterion in state.criteria],
    )


def state_from_msg(msg: RosAssessmentState) -> AssessmentState:
    """A message as the live state. Raises ValueError: unknown movement, side or phase."""
    return AssessmentState(
        stamp=stamp_from_msg(msg.header.stamp),
        subject=msg.subject,
        movement=enum_from_msg(Movement, msg.movement, "state movement"),
        side=enum_from_msg(Side, msg.side, "state side"),
        phase=enum_from_msg(Phase, msg.phase, "state phase"),
        progress=_shortest(msg.progress),
        criteria=tuple(criterion_from_msg(criterion) for criterion in msg.criteria),
    )


def screen_to_msg(screen: ScreenResult, header: Header) -> RosScreen:
    """A person's screen as a message. header: stamp of the last change."""
    return RosScreen(
        header=header,
        subject=screen.subject,
        left=np.array(screen.left, dtype=np.int8),
        right=np.array(screen.right, dtype=np.int8),
        final=np.array(screen.final, dtype=np.int8),
        asymmetric=[bool(value) for value in screen.asymmetric],
        clearing=np.array(screen.clearing, dtype=np.uint8),
        total=int(screen.total),
        notes=list(screen.notes),
        person=screen.person,
        session=screen.session,
        open=screen.open,
    )


def screen_from_msg(msg: RosScreen) -> ScreenResult:
    """A message as a person's screen."""
    return ScreenResult(
        subject=msg.subject,
        left=tuple(int(score) for score in msg.left),
        right=tuple(int(score) for score in msg.right),
        final=tuple(int(score) for score in msg.final),
        asymmetric=tuple(bool(value) for value in msg.asymmetric),
        clearing=tuple(int(result) for result in msg.clearing),
        total=msg.total,
        notes=tuple(msg.notes),
        person=msg.person,
        session=msg.session,
        open=msg.open,
    )


# ---- small helpers ---------------------------------------------------------------------------------------------------


def enum_from_msg(kind: type[Member], value: int, what: str) -> Member:
    """A number in a message as a member of an enumeration; raises ValueError with what is allowed."""
    try:
        return kind(value)
    except ValueError:
        allowed = {int(item): item.name for item in kind}
        raise ValueError(f"{what} is {value}; allowed: {_listed(allowed)}") from None


def _shortest(value: float) -> float:
    """A float32 field as the number that people wrote into it: 0.02, not 0.0199999996."""
    return float(str(np.float32(value)))


def _listed(names: dict[int, str]) -> str:
    return ", ".join(f"{number} ({name})" for number, name in names.items())
