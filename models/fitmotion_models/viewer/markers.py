"""A body, its joint angles, what fails and its score as marks in space, each with an identity that never changes.

A mark is what a `visualization_msgs/Marker` holds, as plain data; its identity is a namespace, one of
`<subject>/{body,angles,criteria,score}`, and a number. `MarkBoard` says which marks have changed since they were sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from fitmotion_models.fms.values import NOT_SCORABLE, Criterion
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, rest_height
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.figure import (
    ANGLES,
    BONES,
    Array,
    ShownAngle,
    angle_directions,
    body_points,
    bone_colour,
    measured_lines,
)
from fitmotion_models.viewer.live_test import LiveTest, fault_text

# sizes, metres
BONE_WIDTH, JOINT_SIZE, FAULT_WIDTH, FAULT_SIZE, ARC_WIDTH = 0.028, 0.055, 0.05, 0.085, 0.010
ARC_RADIUS, ANGLE_TEXT, FAULT_TEXT, SCORE_TEXT, STATUS_TEXT = 0.14, 0.055, 0.07, 0.22, 0.09
FAULT_ASIDE = 0.45  # how far beside the body a fault's text stands
ABOVE_HEAD = 0.45  # how far over the head joint of the standing person the score stands
ANCHOR_SLACK = 0.3  # the score follows a person who walks this far, and does not bob with a squat

LEAST_SHOWN_ANGLE = np.deg2rad(12.0)  # below it an arc is a speck and its number clutter
ARC_STEPS = 12

# RViz gives its font no range of characters of its own, and Ogre's default is 33 to 166: no degree sign, no dash
_PLAIN = str.maketrans({"°": " deg", "–": "-"})

Key = tuple[str, int]
Rgba = tuple[float, float, float, float]


class Shape(Enum):
    """How a mark's points are drawn; the values are those of `Marker.type`."""

    LINE_STRIP = 4
    LINES = 5  # pairs of points
    SPHERES = 7
    TEXT = 9  # at one point, facing the viewer


@dataclass(frozen=True, eq=False)
class Mark:
    """One thing to draw. points: (N, 3) metres, world. size: width, diameter or height of a letter, metres.

    colours: one a point where the points differ, else empty.
    """

    namespace: str
    number: int
    shape: Shape
    points: Array
    colour: Rgba
    size: float
    text: str = ""
    colours: tuple[Rgba, ...] = field(default=())

    @property
    def key(self) -> Key:
        """The identity: what is sent under the same one replaces what was there."""
        return self.namespace, self.number

    def same_as(self, other: "Mark") -> bool:
        """Whether a viewer would see no difference."""
        return (
            (self.key, self.shape, self.colour, self.size, self.text, self.colours)
            == (other.key, other.shape, other.colour, other.size, other.text, other.colours)
            and self.points.shape == other.points.shape
            and np.array_equal(self.points, other.points)
        )


def body_marks(pose: BodyPose, *, grey: bool = False) -> list[Mark]:
    """Bones (0), the person's left blue, right orange, and joints (1); the less sure, the more transparent.

    grey: all in one grey, of somebody who is in view and not assessed.
    """
    points, confidence = body_points(pose)
    bones = [bone for bone in BONES if np.isfinite(points[list(bone)]).all()]
    seen = np.flatnonzero(np.isfinite(points).all(axis=-1))
    namespace = f"{pose.subject}/body"
    marks = []
    if bones:
        colours = []
        for start, end in bones:
            alpha = _alpha(float(min(confidence[start], confidence[end])))
            colours += [(*(palette.UNKNOWN if grey else bone_colour((start, end))), alpha)] * 2
        ends = points[np.array(bones).ravel()]
        marks.append(Mark(namespace, 0, Shape.LINES, ends, _solid(palette.MIDDLE), BONE_WIDTH, colours=tuple(colours)))
    if seen.size:
        joint = palette.UNKNOWN if grey else palette.JOINT
        colours = [(*joint, _alpha(float(confidence[point]))) for point in seen]
        marks.append(
            Mark(namespace, 1, Shape.SPHERES, points[seen], _solid(palette.JOINT), JOINT_SIZE, colours=tuple(colours))
        )
    return marks


def angle_marks(pose: BodyPose) -> list[Mark]:
    """For angle i of `figure.ANGLES` its arc (2 i) and its degrees (2 i + 1), where it is seen and bent."""
    points, _ = body_points(pose)
    marks = []
    for number, shown in enumerate(ANGLES):
        marks += _angle(f"{pose.subject}/angles", 2 * number, shown, points)
    return marks


def _angle(namespace: str, number: int, shown: ShownAngle, points: Array) -> list[Mark]:
    directions = angle_directions(shown, points)
    if directions is None:
        return []
    start, end, angle = directions
    across = end - (start @ end) * start
    length = float(np.linalg.norm(across))
    if angle < LEAST_SHOWN_ANGLE or length < 1e-6:  # a turn by exactly 180 degrees has no plane
        return []
    turns = np.linspace(0.0, angle, ARC_STEPS + 1)[:, None]
    arc = points[shown.at] + ARC_RADIUS * (np.cos(turns) * start + np.sin(turns) * across / length)
    middle = points[shown.at] + 1.45 * (arc[ARC_STEPS // 2] - points[shown.at])
    colour = _solid(palette.ANGLE)
    return [
        Mark(namespace, number, Shape.LINE_STRIP, arc, colour, ARC_WIDTH),
        Mark(namespace, number + 1, Shape.TEXT, middle[None], colour, ANGLE_TEXT, f"{np.rad2deg(angle):.0f}"),
    ]


def fault_marks(pose: BodyPose, test: LiveTest) -> list[Mark]:
    """What fails, in red where it happens: for criterion i lines (3 i), joints (3 i + 1) and the words (3 i + 2)."""
    points, _ = body_points(pose)
    order = [criterion.name for criterion in test.verdicts]
    marks: list[Mark] = []
    beside: list[float] = []  # heights of the texts so far: two faults at one place stand above each other
    for criterion in test.faults:
        number = 3 * (order.index(criterion.name) if criterion.name in order else len(order))
        marks += _fault(f"{pose.subject}/criteria", number, criterion, points, beside)
    return marks


def _fault(namespace: str, number: int, criterion: Criterion, points: Array, beside: list[float]) -> list[Mark]:
    joints = [joint for joint in criterion.joints if joint < len(points) and np.isfinite(points[joint]).all()]
    if not joints:
        return []
    colour = _solid(palette.FAULT)
    lines = [point for line in measured_lines(tuple(joints)) for point in line]
    marks = []
    if lines:
        marks.append(Mark(namespace, number, Shape.LINES, points[lines], colour, FAULT_WIDTH))
    marks.append(Mark(namespace, number + 1, Shape.SPHERES, points[joints], colour, FAULT_SIZE))
    place = points[joints].mean(axis=0)
    # beside the person, to their left, so that the body is not covered; never two at one height
    place += FAULT_ASIDE * _leftwards(points)
    while any(abs(place[2] - height) < 1.3 * FAULT_TEXT for height in beside):
        place[2] += 1.3 * FAULT_TEXT
    beside.append(float(place[2]))
    text = fault_text(criterion).translate(_PLAIN)
    marks.append(Mark(namespace, number + 2, Shape.TEXT, place[None], colour, FAULT_TEXT, text))
    return marks


def _leftwards(points: Array) -> Array:
    """The person's left over the floor, unit length; y where the hips are unseen."""
    across = points[SMPL22.index("left_hip")] - points[SMPL22.index("right_hip")]
    across[2] = 0.0
    length = float(np.linalg.norm(across))
    return across / length if length > 1e-6 else np.array([0.0, 1.0, 0.0])


class ScoreBoard:
    """The score (0) and the repetitions with the phase (1) over a person's head, where they stood first."""

    def __init__(self) -> None:
        self._anchor: Array | None = None

    def marks(self, pose: BodyPose, test: LiveTest) -> list[Mark]:
        """The two texts; none while the person's place is unknown."""
        self._follow(pose)
        if self._anchor is None:
            return []
        namespace, score = f"{pose.subject}/score", test.score
        headline = "" if score is None else "not scorable" if score == NOT_SCORABLE else f"score {score}"
        below = self._anchor - (0.0, 0.0, 0.75 * SCORE_TEXT)
        status = Mark(
            namespace, 1, Shape.TEXT, below[None], _solid(palette.TEXT), STATUS_TEXT, f"{test.title}: {test.status}"
        )
        if not headline:
            return [status]
        colour = _solid(palette.score_colour(score))
        return [Mark(namespace, 0, Shape.TEXT, self._anchor[None], colour, SCORE_TEXT, headline), status]

    def words(self, pose: BodyPose, text: str, score: int | None = None) -> list[Mark]:
        """A text of one's own (0) over a body that nobody scores, in the colour of a score."""
        self._follow(pose)
        if self._anchor is None or not text:
            return []
        colour = _solid(palette.TEXT if score is None else palette.score_colour(score))
        return [Mark(f"{pose.subject}/score", 0, Shape.TEXT, self._anchor[None], colour, STATUS_TEXT, text)]

    def _follow(self, pose: BodyPose) -> None:
        pelvis = pose.positions[0].astype(np.float64)
        if not np.isfinite(pelvis).all():
            return
        if self._anchor is None or float(np.hypot(*(pelvis - self._anchor)[:2])) > ANCHOR_SLACK:
            height = rest_height(pose.bone_offsets) + _head_over_pelvis(pose) + ABOVE_HEAD
            self._anchor = np.array([pelvis[0], pelvis[1], height])


def _head_over_pelvis(pose: BodyPose) -> float:
    height, joint = 0.0, SMPL22.index("head")
    while joint > 0:
        height += float(pose.bone_offsets[joint, 2])
        joint = PARENTS[joint]
    return height


class MarkBoard:
    """What has been sent, and so what has to be sent: marks that changed, and identities that are to be deleted."""

    def __init__(self) -> None:
        self._sent: dict[Key, Mark] = {}

    def __len__(self) -> int:
        return len(self._sent)

    def update(self, marks: Iterable[Mark]) -> tuple[list[Mark], list[Key]]:
        """The marks that differ from what was sent, and the identities that are no more."""
        current = {mark.key: mark for mark in marks}
        changed = [mark for key, mark in current.items() if key not in self._sent or not mark.same_as(self._sent[key])]
        gone = [key for key in self._sent if key not in current]
        self._sent = current
        return changed, gone

    def everything(self) -> list[Mark]:
        """All marks as they stand, for a viewer that has just come."""
        return list(self._sent.values())


def _solid(colour: palette.Rgb) -> Rgba:
    return (*colour, 1.0)


def _alpha(confidence: float) -> float:
    """How solid a point of a confidence is drawn, in steps: what changes by nothing visible is not sent again."""
    return round(0.3 + 0.7 * min(max(confidence, 0.0), 1.0), 1)
