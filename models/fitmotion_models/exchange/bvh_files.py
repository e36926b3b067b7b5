"""Biovision's BVH as values: a tree of joints with channels, and a table of numbers, a row a frame.

A joint's rotation is the product of its rotation channels in the order in which they stand: Zrotation Xrotation
Yrotation is Rz Rx Ry, each turn in the frame that the one before it left. Position channels stand for the joint's
OFFSET, they are not added to it (so do Blender and the files of Bandai Namco; where a root's OFFSET is 0 both readings
are the same). The format says neither the unit of length nor which way is up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from fitmotion_models.exchange.text_files import TextSource, read_text
from fitmotion_models.skeleton.rotations import Float64, from_axis_angle, multiply, rotate

_AXES = {"X": 0, "Y": 1, "Z": 2}
_CHANNELS = tuple(f"{axis}{kind}" for kind in ("position", "rotation") for axis in _AXES)
_UNITS_OF_FRAME_RATE = 3  # decimals of a hertz that the frame time's own rounding leaves


@dataclass(frozen=True, eq=False)
class BvhJoint:
    """A joint. parent: its index, -1 for the root. offset: (3,) from the parent in the file's unit.

    channels: names as in the file, in its order. end_site: (3,) where the joint's last bone ends, None without one.
    """

    name: str
    parent: int
    offset: Float64
    channels: tuple[str, ...]
    end_site: Float64 | None = None


class BvhKinematics(NamedTuple):
    """positions (T, J, 3) in the file's unit and axes, rotations (T, J, 4) quaternions xyzw in the file's world."""

    positions: Float64
    rotations: Float64


@dataclass(frozen=True, eq=False)
class BvhMotion:
    """What is in a BVH file. joints: parents first. frame_time: seconds. frames: (T, C), degrees and lengths.

    C counts the channels of all joints, in order. source: the file's name, for messages.
    """

    joints: tuple[BvhJoint, ...]
    frame_time: float
    frames: Float64
    source: str = "motion"

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def fps(self) -> float:
        """Frames a second; 30 for a frame time of 0.0333333, as it is mostly written."""
        return round(1.0 / self.frame_time, _UNITS_OF_FRAME_RATE)

    @property
    def names(self) -> tuple[str, ...]:
        """The joints' names in the file's order."""
        return tuple(joint.name for joint in self.joints)

    def local_pose(self) -> BvhKinematics:
        """Every joint in its parent's frame: translations (T, J, 3), file's unit, and rotations (T, J, 4)."""
        translations = np.tile(np.array([joint.offset for joint in self.joints]), (len(self), 1, 1))
        rotations = np.tile((0.0, 0.0, 0.0, 1.0), (len(self), len(self.joints), 1))
        column = 0
        for index, joint in enumerate(self.joints):
            for channel in joint.channels:
                axis, values = _AXES[channel[0].upper()], self.frames[:, column]
                if channel.endswith("position"):
                    translations[:, index, axis] = values
                else:
                    turn = from_axis_angle(np.eye(3)[axis], np.radians(values))
                    rotations[:, index] = multiply(rotations[:, index], turn)
                column += 1
        return BvhKinematics(translations, rotations)

    def kinematics(self) -> BvhKinematics:
        """Every joint in the file's world."""
        positions, rotations = self.local_pose()
        for index, joint in enumerate(self.joints):
            if joint.parent >= 0:
                above = rotations[:, joint.parent]
                positions[:, index] = positions[:, joint.parent] + rotate(above, positions[:, index])
                rotations[:, index] = multiply(above, rotations[:, index])
        return BvhKinematics(positions, rotations)


def read_bvh(source: TextSource) -> BvhMotion:
    """Read a BVH file: a path or an open file. Raises ValueError naming the file, the line and what is wrong."""
    name, lines = read_text(source, "BVH")
    motion = next((number for number, line in enumerate(lines) if line.strip().upper() == "MOTION"), None)
    if not lines or motion is None or lines[0].strip().upper() != "HIERARCHY":
        raise ValueError(f"BVH file {name} has no HIERARCHY or no MOTION; expected a BVH file of one skeleton")
    joints = _HierarchyReader(name, lines[1:motion]).read()
    columns = sum(len(joint.channels) for joint in joints)
    frame_time, frames = _read_motion(name, lines, motion + 1, columns)
    return BvhMotion(joints, frame_time, frames, name)


class _HierarchyReader:
    """One pass over the words of a file's hierarchy."""

    def __init__(self, source: str, lines: list[str]) -> None:
        self._source = source
        words = [(word, number) for number, line in enumerate(lines, start=2) for word in line.split()]
        self._words: Iterator[tuple[str, int]] = iter(words)
        self._line = 1
        self._joints: list[BvhJoint] = []

    def read(self) -> tuple[BvhJoint, ...]:
        open_joints: list[int] = []
        for word, line in self._words:
            self._line = line
            key = word.upper()
            if key in ("ROOT", "JOINT"):
                if (key == "ROOT") == bool(open_joints) or (key == "ROOT" and self._joints):
                    raise self._error(f"{word} here; expected one ROOT with all JOINTs inside it")
                name = self._until_brace()
                self._joints.append(BvhJoint(name, open_joints[-1] if open_joints else -1, np.zeros(3), ()))
                open_joints.append(len(self._joints) - 1)
            elif not open_joints:
                raise self._error(f"{word!r} outside of the skeleton; expected ROOT, then JOINTs inside it")
            elif key == "END":
                self._until_brace()
                self._end_site(open_joints[-1])
            elif key == "OFFSET":
                self._change(open_joints[-1], offset=self._numbers(3))
            elif key == "CHANNELS":
                self._change(open_joints[-1], channels=self._channels())
            elif key == "}":
                open_joints.pop()
            else:
                raise self._error(f"{word!r}; expected OFFSET, CHANNELS, JOINT, End Site or a closing brace")
        if open_joints or not self._joints:
            raise self._error("the hierarchy ends inside a joint; the file is cut off or damaged")
        return tuple(self._joints)

    def _end_site(self, joint: int) -> None:
        if self._next().upper() != "OFFSET":
            raise self._error("an End Site without OFFSET")
        self._change(joint, end_site=self._numbers(3))
        if self._next() != "}":
            raise self._error("an End Site that does not end after its OFFSET")

    def _change(self, joint: int, **fields: object) -> None:
        self._joints[joint] = replace(self._joints[joint], **fields)  # type: ignore[arg-type]

    def _channels(self) -> tuple[str, ...]:
        word = self._next()
        if not word.isdigit():
            raise self._error(f"CHANNELS {word}; expected how many there are, then their names")
        channels = tuple(self._next() for _ in range(int(word)))
        unknown = [channel for channel in channels if channel.capitalize() not in _CHANNELS]
        if unknown or len(set(channels)) != len(channels):
            raise self._error(f"channels {' '.join(channels)}; allowed, each once: {' '.join(_CHANNELS)}")
        return tuple(channel.capitalize() for channel in channels)

    def _numbers(self, count: int) -> Float64:
        words = [self._next() for _ in range(count)]
        try:
            numbers = np.array(words, dtype=np.float64)
        except ValueError:
            numbers = np.array([np.nan])
        if not np.isfinite(numbers).all():
            raise self._error(f"{' '.join(words)!r}; expected {count} finite numbers")
        return numbers

    def _until_brace(self) -> str:
        """A joint's name; spaces in it become underscores."""
        name = []
        while (word := self._next()) != "{":
            name.append(word)
        return "_".join(name)

    def _next(self) -> str:
        word, self._line = next(self._words, ("", self._line))
        if not word:
            raise self._error("the hierarchy ends here; the file is cut off or damaged")
        return word

    def _error(self, what: str) -> ValueError:
        return ValueError(f"BVH file {self._source}, line {self._line}: {what}")


def _read_motion(name: str, lines: list[str], start: int, columns: int) -> tuple[float, Float64]:
    """Frame time, seconds, and table (T, columns)."""
    head = [line.replace(":", " ").split() for line in lines[start : start + 2]]
    try:
        count, frame_time = int(head[0][-1]), float(head[1][-1])
    except (IndexError, ValueError):
        count, frame_time = 0, 0.0
    if count < 1 or not (np.isfinite(frame_time) and frame_time > 0.0):
        raise ValueError(f"BVH file {name}, line {start + 1}: expected Frames: and Frame Time:, both above 0")
    rows = [line.split() for line in lines[start + 2 :] if line.strip()]
    uneven = next((index for index, row in enumerate(rows) if len(row) != columns), None)
    if uneven is not None:
        raise ValueError(
            f"BVH file {name}, frame {uneven + 1}: {len(rows[uneven])} numbers for {columns} channels; "
            "the file is cut off or damaged"
        )
    if len(rows) != count:
        raise ValueError(f"BVH file {name}: {len(rows)} frames where {count} are announced; it is cut off or damaged")
    try:
        frames = np.array(rows, dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"BVH file {name}: {error}; expected numbers in every frame") from error
    if not np.isfinite(frames).all():
        raise ValueError(f"BVH file {name} has numbers that are not finite")
    return frame_time, frames


def bvh_text(motion: BvhMotion) -> str:
    """The file's content: lengths and degrees with six decimals, so that 1 m turned errs by less than 1e-7 m."""
    children: dict[int, list[int]] = {}
    for index, joint in enumerate(motion.joints):
        children.setdefault(joint.parent, []).append(index)
    lines = ["HIERARCHY"]

    def add(index: int, depth: int) -> None:
        joint, space = motion.joints[index], "\t" * depth
        lines.extend([f"{space}{'JOINT' if depth else 'ROOT'} {joint.name}", f"{space}{{"])
        lines.append(f"{space}\tOFFSET {_words(joint.offset)}")
        lines.append(f"{space}\tCHANNELS {len(joint.channels)} {' '.join(joint.channels)}")
        for child in children.get(index, []):
            add(child, depth + 1)
        if joint.end_site is not None:
            lines.extend([f"{space}\tEnd Site", f"{space}\t{{", f"{space}\t\tOFFSET {_words(joint.end_site)}"])
            lines.append(f"{space}\t}}")
        lines.append(f"{space}}}")

    add(0, 0)
    lines.extend(["MOTION", f"Frames: {len(motion)}", f"Frame Time: {motion.frame_time:.9f}"])
    lines.extend(_words(row) for row in motion.frames)
    return "\n".join(lines) + "\n"


def _words(numbers: Float64) -> str:
    # adding 0 takes the sign off a zero
    return " ".join(f"{number:.6f}" for number in np.round(numbers, 6) + 0.0)
