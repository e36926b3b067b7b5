"""Acclaim's ASF (skeleton) and AMC (motion) files as values, and their own forward kinematics.

The dialect is that of VICON BodyBuilder, in which CMU (mocap.cs.cmu.edu) and HDM05 (Mueller et al. 2007) publish.
"""

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.exchange.text_files import TextSource, read_text

Float64 = NDArray[np.float64]

_INCH = 0.0254
_ROOT_CHANNELS = {"TX", "TY", "TZ", "RX", "RY", "RZ"}


@dataclass(frozen=True)
class AsfBone:
    """A bone: it starts where its parent ends.

    vector: (3,) from start to end in the rest pose, metres, the file's axes (y up). axis: (3, 3) the frame in which its
    channels turn. channels: rotations that the motion file gives, in the file's order, of "rx", "ry", "rz".
    """

    name: str
    parent: str
    vector: Float64
    axis: Float64
    channels: tuple[str, ...]


@dataclass(frozen=True)
class AsfSkeleton:
    """A skeleton file. bones: name to bone, parents first; the root is not among them.

    metres: length of one of the file's units. degrees: whether its angles are. root_channels: order of the root's six
    numbers in motion files. source: the file's name, for messages.
    """

    source: str
    bones: dict[str, AsfBone]
    root_channels: tuple[str, ...]
    root_axis: Float64
    metres: float
    degrees: bool

    def width(self, name: str) -> int:
        """How many numbers a motion file gives for a bone (or "root") in a frame."""
        return len(self.root_channels) if name == "root" else len(self.bones[name].channels)

    @property
    def moving(self) -> tuple[str, ...]:
        """Root and bones that a motion file has to give."""
        return ("root", *(name for name, bone in self.bones.items() if bone.channels))


@dataclass(frozen=True)
class AmcMotion:
    """A motion file. values: name of root or bone to its numbers (T, channels), as in the file; degrees: of angles."""

    source: str
    values: dict[str, Float64]
    degrees: bool

    def __len__(self) -> int:
        return len(self.values["root"])


def turn(order: tuple[str, ...], angles: Float64) -> Float64:
    """Rotation matrices (..., 3, 3) of angles (..., n), radians, about the axes that `order` ends in, in turn."""
    result = np.broadcast_to(np.eye(3), (*angles.shape[:-1], 3, 3))
    for index, name in enumerate(order):
        first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[name[-1].lower()]
        cosine, sine = np.cos(angles[..., index]), np.sin(angles[..., index])
        matrix = np.broadcast_to(np.eye(3), result.shape).copy()
        matrix[..., first, first] = matrix[..., second, second] = cosine
        matrix[..., second, first], matrix[..., first, second] = sine, -sine
        result = matrix @ result
    return result


def read_asf(source: TextSource) -> AsfSkeleton:
    """Read a skeleton file: a path or an open file. Raises ValueError naming the file, the line and what is wrong."""
    name, lines = read_text(source, "ASF")
    return _AsfReader(name, lines).read()


class _AsfReader:
    """One pass over an ASF file."""

    def __init__(self, source: str, lines: list[str]) -> None:
        self._source = source
        self._lines = lines
        self._number = 0
        self._units: dict[str, str] = {}
        self._root: dict[str, list[str]] = {}
        self._bones: dict[str, dict[str, list[str]]] = {}
        self._parents: dict[str, str] = {}

    def read(self) -> AsfSkeleton:
        section = ""
        bone: dict[str, list[str]] = {}
        for number, line in enumerate(self._lines, start=1):
            self._number = number
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0].startswith(":"):
                section = words[0][1:].lower()
            elif section == "units" and len(words) > 1:
                self._units[words[0].lower()] = words[1].lower()
            elif section == "root":
                self._root[words[0].lower()] = words[1:]
            elif section == "bonedata":
                bone = self._bone_line(words, bone)
            elif section == "hierarchy" and words[0] not in ("begin", "end"):
                self._parents.update(dict.fromkeys(words[1:], words[0]))
        return self._skeleton()

    def _bone_line(self, words: list[str], bone: dict[str, list[str]]) -> dict[str, list[str]]:
        if words[0] == "begin":
            return {}
        if words[0] == "end":
            if not bone.get("name"):
                raise self._error("a bone ends here that has no name")
            self._bones[bone["name"][0]] = bone
        else:
            bone[words[0]] = words[1:]
        return bone

    def _skeleton(self) -> AsfSkeleton:
        if not self._bones or not self._parents or "order" not in self._root:
            raise ValueError(
                f"ASF file {self._source} has no {'bones' if not self._bones else 'hierarchy or root'}; expected the "
                "sections :root, :bonedata and :hierarchy"
            )
        unit = self._unit_length()
        degrees = self._units.get("angle", "deg").startswith("deg")
        channels = tuple(word.upper() for word in self._root["order"])
        if set(channels) != _ROOT_CHANNELS or len(channels) != len(_ROOT_CHANNELS):
            raise ValueError(f"ASF file {self._source}: root order {' '.join(channels)}; expected TX TY TZ RX RY RZ")
        to_radians = np.pi / 180.0 if degrees else 1.0
        bones = {name: self._bone(name, fields, unit, to_radians) for name, fields in self._bones.items()}
        angles = self._numbers("root", self._root, "orientation", 3) * to_radians
        root_axis = turn(tuple("".join(self._root.get("axis", ["XYZ"]))), angles)
        return AsfSkeleton(self._source, self._sorted(bones), channels, root_axis, unit, degrees)

    def _unit_length(self) -> float:
        word = self._units.get("length", "1")
        try:
            length = float(word)
        except ValueError:
            length = 0.0
        if not (np.isfinite(length) and length > 0.0):
            raise ValueError(f"ASF file {self._source}: unit of length is {word!r}; expected a positive number")
        # the file's lengths are inches times this number
        return _INCH / length

    def _bone(self, name: str, fields: dict[str, list[str]], unit: float, to_radians: float) -> AsfBone:
        if name not in self._parents:
            raise ValueError(f"ASF file {self._source}: bone {name!r} is not in the hierarchy")
        axis = fields.get("axis", [])
        order = tuple(axis[3] if len(axis) > 3 else "XYZ")
        channels = tuple(word.lower() for word in fields.get("dof", []))
        if not set(channels) <= {"rx", "ry", "rz"}:
            raise ValueError(
                f"ASF file {self._source}: bone {name!r} has channels {' '.join(channels)}; only rx, ry, rz are known"
            )
        direction = self._numbers(name, fields, "direction", 3)
        length = float(self._numbers(name, fields, "length", 1)[0])
        angles = self._numbers(name, fields, "axis", 3) * to_radians
        return AsfBone(name, self._parents[name], direction * length * unit, turn(order, angles), channels)

    def _numbers(self, name: str, fields: dict[str, list[str]], field: str, count: int) -> Float64:
        words = fields.get(field, [])[:count]
        try:
            numbers = np.array([float(word) for word in words])
        except ValueError:
            numbers = np.array([])
        if len(numbers) != count or not np.all(np.isfinite(numbers)):
            raise ValueError(
                f"ASF file {self._source}: {field} of {name!r} is {' '.join(words) or 'missing'}; "
                f"expected {count} finite numbers"
            )
        return numbers

    def _sorted(self, bones: dict[str, AsfBone]) -> dict[str, AsfBone]:
        """Bones with every parent before its children."""
        done: dict[str, AsfBone] = {}
        while len(done) < len(bones):
            ready = [bone for bone in bones.values() if bone.name not in done and bone.parent in (*done, "root")]
            if not ready:
                lost = ", ".join(sorted(set(bones) - set(done)))
                raise ValueError(f"ASF file {self._source}: these bones do not hang on the root: {lost}")
            done.update((bone.name, bone) for bone in ready)
        return done

    def _error(self, what: str) -> ValueError:
        return ValueError(f"ASF file {self._source}, line {self._number}: {what}")


def read_amc(source: TextSource, skeleton: AsfSkeleton) -> AmcMotion:
    """Read a motion file of a skeleton: a path or an open file.

    Raises ValueError naming the file, the line and what is wrong.
    """
    name, lines = read_text(source, "AMC")
    rows: dict[str, list[list[float]]] = {bone: [] for bone in skeleton.moving}
    frames, degrees = 0, False
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            degrees = degrees or words[0].upper() == ":DEGREES"
        elif len(words) == 1 and words[0].isdigit():
            _check_frame(f"AMC file {name}, line {number}", rows, frames)
            frames += 1
        else:
            _add_row(f"AMC file {name}, line {number}", rows, skeleton, words, frames)
    if not frames:
        raise ValueError(f"AMC file {name} holds no frame; expected a line with the frame's number, then a line a bone")
    _check_frame(f"AMC file {name}, at its end", rows, frames)
    return AmcMotion(name, {bone: np.array(values) for bone, values in rows.items()}, degrees)


def _add_row(
    place: str, rows: dict[str, list[list[float]]], skeleton: AsfSkeleton, words: list[str], frames: int
) -> None:
    bone = words[0]
    if bone not in rows:
        raise ValueError(f"{place}: {bone!r} is not a moving bone of {skeleton.source}; is it the right skeleton?")
    if len(rows[bone]) != frames - 1:
        raise ValueError(f"{place}: {bone!r} comes twice in frame {frames}, or before the first frame's number")
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        values = []
    if len(values) != skeleton.width(bone) or not all(map(isfinite, values)):
        raise ValueError(f"{place}: {' '.join(words)!r}; expected {skeleton.width(bone)} finite numbers for {bone}")
    rows[bone].append(values)


def _check_frame(place: str, rows: dict[str, list[list[float]]], frames: int) -> None:
    missing = [bone for bone, values in rows.items() if len(values) != frames]
    if missing:
        raise ValueError(f"{place}: frame {frames} lacks {', '.join(missing)}; the file is cut off or damaged")


def solve_bones(skeleton: AsfSkeleton, motion: AmcMotion) -> tuple[dict[str, Float64], dict[str, Float64]]:
    """Where bones end (T, 3), metres, and how they have turned from the rest pose (T, 3, 3), by bone and "root".

    Both in the file's axes (y up). A bone turns by its parent's turn and then, in its own axis frame, by its channels.
    """
    to_radians = np.pi / 180.0 if motion.degrees else 1.0
    channels = skeleton.root_channels
    root = motion.values["root"]
    ends = {"root": root[:, [channels.index(name) for name in ("TX", "TY", "TZ")]] * skeleton.metres}
    turns_of_root = [index for index, name in enumerate(channels) if name.startswith("R")]
    order = tuple(channels[index] for index in turns_of_root)
    turns = {"root": _in_frame(skeleton.root_axis, turn(order, root[:, turns_of_root] * to_radians))}
    for name, bone in skeleton.bones.items():
        own = np.eye(3)
        if bone.channels:
            own = _in_frame(bone.axis, turn(bone.channels, motion.values[name] * to_radians))
        turns[name] = turns[bone.parent] @ own
        ends[name] = ends[bone.parent] + turns[name] @ bone.vector
    return ends, turns


def _in_frame(axis: Float64, rotation: Float64) -> Float64:
    result: Float64 = axis @ rotation @ axis.T
    return result
