"""UTD-MHAD: a Kinect's skeletons beside one worn inertial sensor, as clips and what the sensor read.

The set: Chen et al. 2015, "UTD-MHAD: a multimodal dataset for human action recognition utilizing a depth camera and a
wearable inertial sensor", ICIP. 27 actions, 8 people, 4 repetitions. The sensor was strapped to the right wrist, for
the actions of the legs to the right thigh, in no documented direction. The files have no times: the sensor's samples
are 50 a second, and the skeleton's frames, about 19 a second, are spread evenly over the same interval.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from io import BytesIO
from os import PathLike
from pathlib import PurePosixPath
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.kinect_cleaning import KinectCleaning, kinect_clip, standing_body, without_jitter
from fitmotion_models.datasets.set_files import set_files
from fitmotion_models.imu.specific_force import STANDARD_GRAVITY
from fitmotion_models.skeleton.joint_sets import JOINT_SETS
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64

KIND = "UTD-MHAD"
KINECT20 = JOINT_SETS["kinect20"]
SENSOR_HZ = 50.0

# Chen et al. 2015, in the order of the numbers a1 to a27
ACTIONS: MappingProxyType[int, str] = MappingProxyType(
    dict(
        enumerate(
            (
                *("swipe_left", "swipe_right", "wave", "clap", "throw", "arm_cross", "basketball_shoot", "draw_x"),
                *("draw_circle_clockwise", "draw_circle_counter_clockwise", "draw_triangle", "bowling", "boxing"),
                *("baseball_swing", "tennis_swing", "arm_curl", "tennis_serve", "push", "knock", "catch"),
                *("pickup_throw", "jog", "walk", "sit_to_stand", "stand_to_sit", "lunge", "squat"),
            ),
            start=1,
        )
    )
)
"""Number and name of the actions; the numbers are those of the files' names."""
FIRST_OF_THE_THIGH = 22
"""From this action on the sensor is on the right thigh, before it on the right wrist."""

# what is made of the joints by default: nothing but constant bones, as a sensor's filters are the ones to choose
AS_TRACKED = KinectCleaning(median_frames=1, smoothing_s=0.0, planted_feet=None)

_NAME = re.compile(r"a(\d+)_s(\d+)_t(\d+)_(skeleton|inertial)\.mat", re.IGNORECASE)
# the Kinect's axes (x to its left, y up, z the way it looks) in the world of somebody who faces it
_TO_WORLD = np.array([(0.0, 0.0, -1.0), (-1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])
_FEWEST = 4  # frames and samples


@dataclass(frozen=True, eq=False)
class UtdTrial:
    """One repetition of an action by one person, seen by the Kinect and felt by the sensor at the same time.

    person: "utd:s1". action: 1 to 27, action_name: of `ACTIONS`. site: where the sensor is, "right_wrist" or
    "right_thigh". clip: the Kinect's body; its stamps begin and end with the sensor's. stamps: (N,) seconds.
    specific_force: (N, 3) m/s2 and angular_velocity: (N, 3) rad/s, in the sensor's own frame.
    """

    person: str
    action: int
    action_name: str
    repetition: int
    site: str
    clip: MotionClip
    stamps: NDArray[np.float64]
    specific_force: Float64
    angular_velocity: Float64

    @property
    def name(self) -> str:
        """The set's own name of the repetition, such as a27_s1_t1."""
        return f"a{self.action}_{self.person.removeprefix('utd:')}_t{self.repetition}"


def read_utd_mhad(
    source: str | PathLike[str],
    *,
    actions: Iterable[int] | None = None,
    persons: Iterable[str] | None = None,
    cleaning: KinectCleaning = AS_TRACKED,
) -> list[UtdTrial]:
    """The repetitions of a folder, a tar or a zip archive of the set, by action, person and repetition.

    actions (27), persons ("utd:s1" or "s1"): only these; None is all. cleaning: of the Kinect's joints. A repetition of
    which only one of the two files is there is left out.
    Raises ValueError naming the file and what is wrong: no such source, nothing of the set in it, a damaged file.
    """
    wanted = None if actions is None else set(actions)
    people = None if persons is None else {person.removeprefix("utd:") for person in persons}
    if wanted is not None and (unknown := sorted(wanted - set(ACTIONS))):
        raise ValueError(f"{KIND} has no action {unknown[0]}; it has 1 ({ACTIONS[1]}) to {max(ACTIONS)} (squat)")
    found: dict[tuple[int, int, int], dict[str, tuple[PurePosixPath, bytes]]] = {}
    for path, content in set_files(source, (".mat",), KIND):
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        action, person, repetition = (int(word) for word in match.groups()[:3])
        if action not in ACTIONS:
            raise ValueError(f"{path}: action a{action} is none of {KIND}; it has a1 to a{max(ACTIONS)}")
        chosen = (wanted is None or action in wanted) and (people is None or f"s{person}" in people)
        files = found.setdefault((action, person, repetition), {})
        if chosen:
            files[match.group(4).lower()] = path, content()
    if not found:
        raise ValueError(
            f"{source} holds no recording of {KIND}; expected names like a27_s1_t1_skeleton.mat and "
            "a27_s1_t1_inertial.mat in a folder, a tar or a zip archive"
        )
    return [_trial(key, files, cleaning) for key, files in sorted(found.items()) if len(files) == 2]


def _trial(
    key: tuple[int, int, int], files: dict[str, tuple[PurePosixPath, bytes]], cleaning: KinectCleaning
) -> UtdTrial:
    action, person, repetition = key
    points = np.moveaxis(_array(*files["skeleton"], "d_skel", (len(KINECT20), 3, None)), 2, 0)
    readings = _array(*files["inertial"], "d_iner", (None, 6))
    stamps = np.arange(len(readings)) / SENSOR_HZ
    fps = (len(points) - 1) / stamps[-1]
    body = standing_body(
        without_jitter(points @ _TO_WORLD.T, cleaning, fps),
        np.ones(points.shape[:2]),
        KINECT20.name,
        fps,
        cleaning.planted_feet,
    )
    labels = (f"a{action}_s{person}_t{repetition}", ACTIONS[action], f"s{person}", str(repetition))
    clip = kinect_clip(body, fps, f"utd:s{person}", labels)
    return UtdTrial(
        person=f"utd:s{person}",
        action=action,
        action_name=ACTIONS[action],
        repetition=repetition,
        site="right_wrist" if action < FIRST_OF_THE_THIGH else "right_thigh",
        clip=replace(clip, stamps=np.linspace(0.0, stamps[-1], len(points))),
        stamps=stamps,
        specific_force=readings[:, :3] * STANDARD_GRAVITY,
        angular_velocity=np.radians(readings[:, 3:]),
    )


def _array(path: PurePosixPath, content: bytes, variable: str, shape: tuple[int | None, ...]) -> Float64:
    """A variable of a MATLAB file; shape: None is any length from `_FEWEST`."""
    # here, as the package that every command imports does without SciPy's memory
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        array = np.asarray(loadmat(BytesIO(content), variable_names=[variable])[variable], dtype=np.float64)
    except KeyError:
        raise ValueError(f"{path} has no variable {variable}; expected {KIND}'s MATLAB files") from None
    except (MatReadError, ValueError, TypeError, NotImplementedError, OSError, EOFError) as error:
        raise ValueError(f"{path} is no MATLAB file that can be read: {' '.join(str(error).split())}") from error
    fits = array.ndim == len(shape) and all(
        length >= _FEWEST if wanted is None else length == wanted
        for length, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        form = " x ".join(f"{_FEWEST} or more" if wanted is None else str(wanted) for wanted in shape)
        raise ValueError(f"{path}: {variable} is {' x '.join(map(str, array.shape))}; expected {form}")
    if not np.isfinite(array).all():
        raise ValueError(f"{path}: {variable} holds numbers that are not finite; take the file from the set anew")
    return array
