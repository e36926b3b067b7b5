"""The Functional Movement Screen recorded by two Azure Kinects (Xing et al. 2022) as it is published: names and JSON.

The set: Xing, Shen, Cao, Zong, Zhao, Shen, "Functional movement screen dataset collected with two Azure Kinect depth
sensors", Scientific Data 9:104; CC0. 45 persons, 15 movements, 1,812 recordings of each of two sensors, 30 Hz. Files
`front_s01_m01_20210522141451_e1.json` and `side_...` (the time may be left out) are what Microsoft's offline processor
of the body tracking SDK writes, with confidences and pixels: frames with `timestamp_usec`, `num_bodies` and `bodies`,
each with `joint_positions` (32 by 3, millimetres, the depth camera's axes: x right, y down, z ahead) and
`confidence_level` (0 out of range, 1 not seen but predicted, 2 seen, 3 seen well). `experts_score.json` holds the
grades of three experts by person, movement and episode. Names of movements are those of the set's recording program
(github.com/sselab2021/FMS_human_3d-skeleton_by_Azure-Kinect); their numbers are those of `fms.Variation`.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.set_files import set_files
from fitmotion_models.fms.values import Variation
from fitmotion_models.skeleton.joint_sets import JOINT_SETS
from fitmotion_models.skeleton.rotations import Float64

KINECT32 = JOINT_SETS["azure_kinect32"]
SENSORS = ("front", "side")
KIND = "the FMS set of Xing et al."
LEAST_SEEN = 0.9
"""Share of a recording's frames that has to have a body: below it the set's own figures leave a recording out."""

# k4abt_joint_confidence_level_t to a confidence; what is only predicted counts a quarter of what is seen
_CONFIDENCE = np.array([0.0, 0.25, 1.0, 1.0])
# The depth camera of an Azure Kinect looks down by 6 degrees when the sensor stands level (Microsoft, "Azure Kinect DK
# depth camera" and "coordinate systems")
_TILT = np.radians(6.0)
# level axes (x towards the sensor, y its right, z up) in the depth camera's
_LEVEL = np.array([(0.0, np.sin(_TILT), -np.cos(_TILT)), (1.0, 0.0, 0.0), (0.0, -np.cos(_TILT), -np.sin(_TILT))])
_NAME = re.compile(r"(front|side)_(s\d\d)_(m\d\d)_(?:\d{14}_)?(e\d+)\.json", re.IGNORECASE)
_SCORES = "experts_score.json"
# what tells the forms of one test apart in their names
_FORM = re.compile(r"(_floor|_board|_diagonal)?(_left|_right)?$")

Scores = dict[tuple[str, str, str], tuple[int, ...]]


@dataclass(frozen=True, order=True)
class XingName:
    """One recording. person "s01", movement "m01" to "m15", episode "e1"; scores: of the experts, () if not known."""

    person: str
    movement: str
    episode: str
    scores: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.person}_{self.movement}_{self.episode}"

    @property
    def variation(self) -> Variation:
        """Which of the screen's fifteen movements."""
        return Variation(int(self.movement[1:]))

    @property
    def side(self) -> str | None:
        """The side that the movement belongs to."""
        word = self.variation.name.lower().rpartition("_")[2]
        return word if word in ("left", "right") else None

    @property
    def test(self) -> str:
        """Which of the seven tests: "deep_squat", "hurdle_step", ..."""
        return _FORM.sub("", self.variation.name.lower())

    @property
    def score(self) -> int | None:
        """The middle one of the experts' grades, 0 to 3; None where they are not known."""
        return int(np.sort(self.scores)[len(self.scores) // 2]) if self.scores else None


@dataclass(frozen=True, eq=False)
class XingRecording:
    """What one sensor saw. times: (T,) seconds. points: (T, 32, 3) metres, level: x towards the sensor, y right, z up.

    confidence: (T, 32) in [0, 1]; 0 and NaN where nobody was seen.
    """

    name: XingName
    sensor: str
    times: Float64
    points: Float64
    confidence: Float64

    def __len__(self) -> int:
        return len(self.times)

    @property
    def seen_share(self) -> float:
        """Share of the frames in which there is a body."""
        return float((self.confidence > 0.0).any(axis=1).mean())


def read_scores(source: str | PathLike[str]) -> Scores:
    """The experts' grades by person, movement and episode; empty where the source has no `experts_score.json`.

    Raises ValueError for a file of another form.
    """
    for path, content in set_files(source, (".json",), KIND):
        if path.name.lower() != _SCORES:
            continue
        table = _json(path.name, content())
        try:
            return {
                (person, movement, episode): tuple(int(score) for score in scores)
                for person, movements in table.items()
                for movement, episodes in movements.items()
                for episode, scores in episodes.items()
            }
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: {error}; expected grades as {{person: {{movement: {{episode: [2, 2, 3]}}}}}}"
            ) from error
    return {}


def read_recordings(
    source: str | PathLike[str], wanted: Callable[[XingName, str], bool], scores: Scores
) -> Iterator[XingRecording]:
    """The recordings of a folder or archive as they lie in it; wanted: which names and sensors, the rest is not read.

    Raises ValueError naming the file and what is wrong: no such source, nothing of the set in it, a damaged file.
    """
    found = False
    for path, content in set_files(source, (".json",), KIND):
        named = _name(path, scores)
        if named is None:
            continue
        found = True
        if wanted(*named):
            yield _recording(path.name, content(), *named)
    if not found:
        raise ValueError(
            f"{source} holds no recording of {KIND}; expected names like front_s01_m01_20210522141451_e1.json "
            "in a folder, a tar or a zip archive (unpack RAR files first)"
        )


def _name(path: PurePosixPath, scores: Scores) -> tuple[XingName, str] | None:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    sensor, *words = (word.lower() for word in match.groups())
    person, movement, episode = words
    if not 1 <= int(movement[1:]) <= len(Variation) - 1:
        raise ValueError(f"{path}: {movement} is no movement of the set; it has m01 to m15")
    return XingName(person, movement, episode, scores.get((person, movement, episode), ())), sensor


def _json(file: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is no JSON that can be read: {error}") from error


def _recording(file: str, content: bytes, name: XingName, sensor: str) -> XingRecording:
    table = _json(file, content)
    frames = table.get("frames") if isinstance(table, dict) else None
    if not isinstance(frames, list) or not frames:
        raise ValueError(
            f"{file} has no frames; expected a list of them as the body tracking SDK's processor writes it"
        )
    times = np.full(len(frames), np.nan)
    points = np.full((len(frames), len(KINECT32), 3), np.nan)
    confidence = np.zeros((len(frames), len(KINECT32)))
    before: Float64 | None = None
    for index, frame in enumerate(frames):
        try:
            times[index] = float(frame["timestamp_usec"]) * 1e-6
            bodies = [_body(body) for body in frame["bodies"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{file}, frame {index + 1}: {error!r}; expected timestamp_usec and bodies") from error
        if bodies:
            points[index], confidence[index] = _nearest(bodies, before)
            before = points[index, 0]
    if np.any(np.diff(times) <= 0.0):
        raise ValueError(f"{file}: times do not increase")
    return XingRecording(name, sensor, times - times[0], points / 1000.0 @ _LEVEL.T, confidence)


def _body(body: dict[str, Any]) -> tuple[Float64, Float64]:
    """Joints (32, 3), millimetres, and confidence (32,) of one body; a file without confidences has seen everything."""
    joints = np.asarray(body["joint_positions"], dtype=np.float64)
    levels: NDArray[np.int64] = np.asarray(body.get("confidence_level", [2] * len(KINECT32)), dtype=np.int64)
    if joints.shape != (len(KINECT32), 3) or levels.shape != (len(KINECT32),):
        raise ValueError(f"a body of {len(joints)} joints and {len(levels)} confidences, not of {len(KINECT32)}")
    if not np.isfinite(joints).all() or levels.min() < 0 or levels.max() >= len(_CONFIDENCE):
        raise ValueError("a joint that is not finite, or a confidence that is none of 0 to 3")
    return joints, _CONFIDENCE[levels]


def _nearest(bodies: list[tuple[Float64, Float64]], before: Float64 | None) -> tuple[Float64, Float64]:
    """Of several bodies the one whose pelvis is nearest to where it was; at first the one nearest to the sensor."""
    reference = np.zeros(3) if before is None else before
    return min(bodies, key=lambda body: float(np.linalg.norm(body[0][0] - reference)))
