"""UI-PRMD's Kinect recordings as clips of a body with constant bones that stands on the floor.

The set: Vakanski et al. 2018, "A data set of human body movements for physical rehabilitation exercises", Data 3(1).
Of its two sensors this reads the Kinect's; the form of the other's files (Vicon, 39 joints) is another.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from os import PathLike
from types import MappingProxyType

import numpy as np

from fitmotion_models.datasets.planted_feet import PlantedFeetParameters, gaussian_smooth, plant_feet
from fitmotion_models.datasets.uiprmd_files import FPS, MOVEMENTS, UiprmdName, UiprmdRecording, read_recordings
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.convert import to_smpl22
from fitmotion_models.skeleton.fit import estimate_bone_offsets, fit_body
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import feet_from_pose, feet_offsets
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64

_LEFT_HIP, _RIGHT_HIP = SMPL22.index("left_hip"), SMPL22.index("right_hip")
_ANKLES = [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]
_OTHER_SIDE = {"left": "right", "right": "left"}

# movements in which, by the set's protocol, both feet stay where they are; an ankle that rises there is an error of the
# Kinect's, which loses a leg behind its knee in the deepest squats
_FEET_STAY = ("m01", "m05", "m07", "m08", "m09", "m10")
# movements that are done on one leg: the other one's side is a label
_ONE_SIDED = ("m02", "m06")
# metres; in a stance the difference of the ankles' heights drifts by 0.03 (persons 1 to 5), a failed step has 0.1
_LEAST_LIFT = 0.07
# how long the stance at a recording's start is taken to be, for origin and heading, seconds
_START_SECONDS = 0.17


@dataclass(frozen=True)
class PersonSplit:
    """Who generates and who judges: no person is in both."""

    generator: tuple[str, ...]
    judge: tuple[str, ...]


_FIRST = PersonSplit(("s01", "s02", "s03", "s04", "s05"), ("s06", "s07", "s08"))
SPLITS: MappingProxyType[str, PersonSplit] = MappingProxyType(
    {"first": _FIRST, "swapped": PersonSplit(_FIRST.judge, _FIRST.generator)}
)
"""The one split by person that everything uses, and the same with its halves swapped; figures are given for both."""


@dataclass(frozen=True)
class UiprmdCleaning:
    """What is done to a recording; each step can be left out.

    median_frames: joints are replaced by their median over so many frames (odd; 1: not), which takes out single frames
    in which the Kinect loses a limb or turns a foot over. smoothing_s: SD of the Gaussian that then takes out jitter
    (0: not); 0.05 s keeps 90 % of a movement at 1.5 Hz and 10 % of one at 7 Hz. planted_feet: hold the feet that stand
    (None: leave them as they slide and bob). feet_stay: with planted_feet, take both feet to stand throughout where the
    set's protocol says so: deep squat, sit to stand, the four of the shoulder.
    """

    median_frames: int = 5
    smoothing_s: float = 0.05
    planted_feet: PlantedFeetParameters | None = PlantedFeetParameters()
    feet_stay: bool = True

    def __post_init__(self) -> None:
        if self.median_frames < 1 or self.median_frames % 2 == 0:
            raise ValueError(f"median_frames is {self.median_frames}; allowed: odd numbers from 1")
        if not self.smoothing_s >= 0.0:
            raise ValueError(f"smoothing_s is {self.smoothing_s}; allowed: 0 (none) and more")


def read_uiprmd(
    source: str | PathLike[str],
    *,
    movements: Iterable[str] | None = None,
    persons: Iterable[str] | None = None,
    correct: bool | None = None,
    cleaning: UiprmdCleaning | None = None,
    mirrored: bool = False,
) -> Iterator[tuple[UiprmdName, MotionClip]]:
    """The clips of a folder or tar archive of UI-PRMD, by name.

    movements ("m01" or "deep_squat"), persons ("s01"), correct: only these; None is all. cleaning: None is the default.
    mirrored: after each clip its mirror image, labelled so (a test of code, not another person or side).
    Labels of a clip: file's name, movement's name, "correct" or "incorrect", person, repetition, for movements on one
    leg "left" or "right" (the leg that moves), and "mirrored". Raises ValueError as `read_recordings` does, and for
    movements that are none of the set's.
    """
    chosen = None if movements is None else {_movement_code(word) for word in movements}
    people = None if persons is None else set(persons)

    def wanted(name: UiprmdName) -> bool:
        return (
            (chosen is None or name.movement in chosen)
            and (people is None or name.person in people)
            and (correct is None or name.correct == correct)
        )

    for recording in read_recordings(source, wanted):
        clip = uiprmd_clip(recording, cleaning)
        yield recording.name, clip
        if mirrored:
            yield recording.name, mirror_uiprmd(clip)


def _movement_code(word: str) -> str:
    codes = {name: code for code, name in MOVEMENTS.items()}
    code = codes.get(word, word)
    if code not in MOVEMENTS:
        known = ", ".join(f"{code} ({name})" for code, name in MOVEMENTS.items())
        raise ValueError(f"UI-PRMD has no movement {word!r}; it has: {known}")
    return code


def uiprmd_clip(recording: UiprmdRecording, cleaning: UiprmdCleaning | None = None) -> MotionClip:
    """A recording as a clip: constant bones, floor at 0, origin between the ankles at the start, x as faced then."""
    chosen = cleaning or UiprmdCleaning()
    points = _cleaned(recording.positions(), chosen)
    seen = to_smpl22(points, np.ones(points.shape[:2]), "uiprmd22")
    bones = estimate_bone_offsets(seen.positions, seen.confidence)
    body = fit_body(*seen, bones)
    feet = feet_from_pose(body.positions, body.rotations, bones)
    positions, feet = _placed(body.positions, feet, -float(feet_offsets(bones)[0, 2]))
    if chosen.planted_feet is not None:
        stay = chosen.feet_stay and recording.name.movement in _FEET_STAY
        planted = replace(chosen.planted_feet, lift_m=np.inf) if stay else chosen.planted_feet
        if recording.name.movement in _ONE_SIDED:
            planted = replace(planted, least_lift_m=_LEAST_LIFT)
        positions, feet, _ = plant_feet(positions, feet, bones, FPS, planted)
    # feet of known place show how legs and ankles turn
    body = fit_body(positions, np.ones(positions.shape[:2]), feet, np.ones(feet.shape[:2]), bones)
    return _clip(recording.name, body.positions, body.rotations, body.feet, bones)


def mirror_uiprmd(clip: MotionClip) -> MotionClip:
    """The mirror image of a clip, labels too: "left" and "right" change places and "mirrored" comes or goes."""
    labels = tuple(_OTHER_SIDE.get(label, label) for label in clip.labels)
    labels = tuple(label for label in labels if label != "mirrored") if "mirrored" in labels else (*labels, "mirrored")
    return replace(mirror_clip(clip), labels=labels)


def _cleaned(points: Float64, cleaning: UiprmdCleaning) -> Float64:
    half = cleaning.median_frames // 2
    if half:
        padded = np.concatenate([np.repeat(points[:1], half, 0), points, np.repeat(points[-1:], half, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, cleaning.median_frames, axis=0)
        points = np.median(windows, axis=-1)
    return gaussian_smooth(points, cleaning.smoothing_s * FPS)


def _placed(positions: Float64, feet: Float64, ankle_height: float) -> tuple[Float64, Float64]:
    """Moved and turned so that the first stance is at the origin on the floor and faces x."""
    start = max(1, round(_START_SECONDS * FPS))
    left = (positions[:start, _LEFT_HIP] - positions[:start, _RIGHT_HIP]).mean(axis=0)
    heading = np.arctan2(-left[0], left[1])
    cosine, sine = np.cos(heading), np.sin(heading)
    back = np.array([(cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0)])
    ankles = positions[:start, _ANKLES].mean(axis=(0, 1))
    # the ankles of the lower foot stand at one height all the time: no movement of the set leaves the floor
    floor = float(np.median(positions[:, _ANKLES, 2].min(axis=1))) - ankle_height
    origin = np.array([ankles[0], ankles[1], floor])
    return (positions - origin) @ back.T, (feet - origin) @ back.T


def _clip(name: UiprmdName, positions: Float64, rotations: Float64, feet: Float64, bones: Float64) -> MotionClip:
    frames = len(positions)
    judged = "correct" if name.correct else "incorrect"
    labels: tuple[str, ...] = (str(name), MOVEMENTS[name.movement], judged, name.person, name.repetition)
    if name.movement in _ONE_SIDED:
        rise = np.ptp(positions[:, _ANKLES, 2], axis=0)
        labels = (*labels, "left" if rise[0] > rise[1] else "right")
    return MotionClip(
        fps=FPS,
        stamps=np.arange(frames) / FPS,
        positions=positions.astype(np.float32),
        rotations=rotations.astype(np.float32),
        confidence=np.ones((frames, 22), np.float32),
        feet=feet.astype(np.float32),
        feet_confidence=np.ones((frames, 4), np.float32),
        bone_offsets=bones.astype(np.float32),
        view_direction=np.full((frames, 3), np.nan, np.float32),
        views=0,
        subject=name.person,
        source=Source.REPLAY,
        labels=labels,
    )
