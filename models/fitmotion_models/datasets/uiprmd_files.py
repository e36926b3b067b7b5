"""UI-PRMD as it is published (Vakanski et al. 2018): names, tables and what they say of the Kinect's skeleton.

A recording is a pair of tables with 66 columns, one row a frame: joint positions as offsets in the parent's frame,
centimetres, and the joints' local rotations as three angles about x, y and z, degrees. A joint's matrix is Rz Rx Ry
(turn about y first, then x, then z): x is the middle angle, the only one that stays within 90 degrees in all 1,600
tables. Read as Rz Ry Rx, feet that stand fly about in a squat (by a metre in the median deep squat, by 0.14 m as it is
read here) and knees seem to bend to 170 degrees. Axes: x left, y up, z forward.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import MappingProxyType

import numpy as np

from fitmotion_models.datasets.asf_files import turn
from fitmotion_models.datasets.set_files import set_files
from fitmotion_models.skeleton.frames import y_up_to_z_up
from fitmotion_models.skeleton.joint_sets import JOINT_SETS
from fitmotion_models.skeleton.rotations import Float64

UIPRMD22 = JOINT_SETS["uiprmd22"]

# the frame rate of the Kinect v2 that recorded the set, Hz
FPS = 30.0

MOVEMENTS: MappingProxyType[str, str] = MappingProxyType(
    {
        "m01": "deep_squat",
        "m02": "hurdle_step",
        "m03": "inline_lunge",
        "m04": "side_lunge",
        "m05": "sit_to_stand",
        "m06": "standing_leg_raise",
        "m07": "shoulder_abduction",
        "m08": "shoulder_extension",
        "m09": "shoulder_rotation",
        "m10": "shoulder_scaption",
    }
)
"""The set's ten movements. `standing_leg_raise` is not the supine active straight leg raise of the screen."""

_NAME = re.compile(r"(m\d\d)_(s\d\d)_(e\d\d)_(positions|angles)(_inc)?\.txt")
_FRAMES_COLUMNS = 3 * len(UIPRMD22)


@dataclass(frozen=True, order=True)
class UiprmdName:
    """What a file's name says. movement "m01", person "s01", repetition "e01"; correct: done as it should be."""

    movement: str
    person: str
    repetition: str
    correct: bool

    def __str__(self) -> str:
        return f"{self.movement}_{self.person}_{self.repetition}{'' if self.correct else '_inc'}"


@dataclass(frozen=True, eq=False)
class UiprmdRecording:
    """One repetition as recorded. offsets: (T, 22, 3) centimetres, angles: (T, 22, 3) degrees, the set's axes."""

    name: UiprmdName
    offsets: Float64
    angles: Float64

    def __len__(self) -> int:
        return len(self.offsets)

    def positions(self) -> Float64:
        """Joints (T, 22, 3) of UI-PRMD's skeleton: metres, z up, x the way that the Kinect is looked at."""
        turned = turn(("y", "x", "z"), np.radians(self.angles[..., [1, 0, 2]])).copy()
        world = self.offsets / 100.0
        for joint, parent in enumerate(UIPRMD22.parents):
            if parent >= 0:
                world[:, joint] = world[:, parent] + (turned[:, parent] @ world[:, joint, :, None])[..., 0]
                turned[:, joint] = turned[:, parent] @ turned[:, joint]
        return y_up_to_z_up(world)


Wanted = Callable[[UiprmdName], bool]


def read_recordings(source: str | PathLike[str], wanted: Wanted = lambda _: True) -> list[UiprmdRecording]:
    """The recordings of a folder (searched with all folders in it) or of a tar archive, packed or not, by name.

    wanted: which names to read; the rest is skipped unread. Raises ValueError naming the file and what is wrong: no
    such source, nothing of UI-PRMD in it, a table that is damaged or has no partner, two of different length.
    """
    path = Path(source)
    tables: dict[UiprmdName, dict[str, Float64]] = {}
    found = False
    for file, content in set_files(path, (".txt",), "UI-PRMD"):
        match = _NAME.fullmatch(file.name)
        if match is None:
            continue
        found = True
        name = UiprmdName(match[1], match[2], match[3], match[5] is None)
        if wanted(name):
            tables.setdefault(name, {})[match[4]] = _table(file.name, content())
    if not found:
        raise ValueError(
            f"{path} holds no UI-PRMD file; expected names like m01_s01_e01_positions.txt and m01_s01_e01_angles.txt, "
            "in a folder or a tar archive"
        )
    return [_recording(name, tables[name]) for name in sorted(tables)]


def _table(file: str, content: bytes) -> Float64:
    try:
        numbers = np.array(content.replace(b",", b" ").split(), dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"UI-PRMD file {file}: {error}; expected numbers with commas between them") from error
    rows = len(content.splitlines())
    if not numbers.size or numbers.size != rows * _FRAMES_COLUMNS:
        raise ValueError(
            f"UI-PRMD file {file}: {numbers.size} numbers in {rows} rows; expected {_FRAMES_COLUMNS} a row, three for "
            "each of 22 joints"
        )
    if not np.isfinite(numbers).all():
        raise ValueError(f"UI-PRMD file {file} has numbers that are not finite")
    return numbers.reshape(-1, len(UIPRMD22), 3)


def _recording(name: UiprmdName, tables: dict[str, Float64]) -> UiprmdRecording:
    missing = {"positions", "angles"} - set(tables)
    if missing:
        raise ValueError(f"UI-PRMD recording {name} lacks its {missing.pop()} file; both are needed")
    offsets, angles = tables["positions"], tables["angles"]
    if len(offsets) != len(angles):
        raise ValueError(f"UI-PRMD recording {name}: {len(offsets)} frames of positions but {len(angles)} of angles")
    return UiprmdRecording(name, offsets, angles)
