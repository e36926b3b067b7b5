"""Where sensors sit on the body, as data: `sites.yaml`, `placements.yaml` and what a user lays over them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.rotations import Float64, from_axis_angle, multiply

FARTHEST_M = 0.5  # from the bone; more is a length in millimetres or centimetres


@dataclass(frozen=True)
class Site:
    """One sensor's place: a point on a bone, a lever arm from there and the sensor's rotation on the bone.

    bone: SMPL-22 joint whose rotation carries the sensor. towards: joint at the bone's other end, "" for none.
    along: share of the way from the bone's joint to `towards`, 0 to 1. lever_arm: metres, from that point to the
    sensor, in the bone's frame (in the rest pose the world's). mount_rotation_deg: roll, pitch and yaw about fixed
    x, y and z, in this order, that turn the bone's axes into the sensor's.

    Raises ValueError naming the site, the value and what is allowed.
    """

    name: str
    bone: str
    towards: str = ""
    along: float = 0.0
    lever_arm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    mount_rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not (self.name.isidentifier() and self.name.isascii()):
            raise ValueError(
                f"site {self.name!r} cannot name a topic; use letters, digits and underscores, a letter first"
            )
        for joint in (self.bone, self.towards):
            if joint != "" and joint not in SMPL22.joints:
                raise ValueError(f"site {self.name}: joint {joint!r} is unknown; known: {', '.join(SMPL22.joints)}")
        if not self.bone:
            raise ValueError(f"site {self.name} has no bone; give one of {', '.join(SMPL22.joints)}")
        if self.towards and SMPL22.parents[SMPL22.index(self.towards)] != self.joint:
            children = [SMPL22.joints[i] for i, parent in enumerate(SMPL22.parents) if parent == self.joint]
            raise ValueError(
                f"site {self.name}: no bone leads from {self.bone} to {self.towards}; allowed: {', '.join(children)}"
            )
        for name in ("lever_arm", "mount_rotation_deg"):
            object.__setattr__(self, name, self._three_numbers(name))
        if not (_is_number(self.along) and 0.0 <= self.along <= 1.0):
            raise ValueError(f"site {self.name}: along={self.along!r} is no share of the bone; allowed: 0 to 1")
        if self.along and not self.towards:
            raise ValueError(f"site {self.name}: along={self.along} needs towards, the joint at the bone's other end")
        if math.hypot(*self.lever_arm) > FARTHEST_M:
            raise ValueError(
                f"site {self.name}: lever_arm={list(self.lever_arm)} is longer than {FARTHEST_M} m; it is in metres"
            )

    @property
    def joint(self) -> int:
        """Index of the bone's joint in SMPL-22."""
        return SMPL22.index(self.bone)

    @property
    def mount_rotation(self) -> Float64:
        """(4,) quaternion xyzw that turns vectors of the sensor's frame into the bone's."""
        roll, pitch, yaw = (from_axis_angle(axis, math.radians(angle)) for axis, angle in self._turns())
        return multiply(yaw, multiply(pitch, roll))

    def _turns(self) -> Iterable[tuple[Float64, float]]:
        return zip(np.eye(3), self.mount_rotation_deg, strict=True)

    def _three_numbers(self, name: str) -> tuple[float, float, float]:
        value = getattr(self, name)
        if not (isinstance(value, list | tuple) and len(value) == 3 and all(_is_number(number) for number in value)):
            raise ValueError(f"site {self.name}: {name}={value!r} must be three finite numbers")
        x, y, z = (float(number) for number in value)
        return x, y, z


def load_sites(path: str | Path | None = None) -> dict[str, Site]:
    """The sites of a suit by name, with a user's file laid over them.

    path: YAML of the same form as `sites.yaml`; a shipped site keeps the fields that the file does not name, also one
    of `placements.yaml`; a new one needs at least its bone. Raises ValueError, one sentence naming the file and the
    site; OSError when unreadable.
    """
    entries = _shipped("sites.yaml")
    if path is not None:
        further = _shipped("placements.yaml")
        for name, entry in _entries(Path(path).expanduser().read_text(), str(path)).items():
            entries[name] = {**entries.get(name, further.get(name, {})), **entry}
    return {name: _site(name, entry, path) for name, entry in entries.items()}


def load_placements() -> dict[str, Site]:
    """Further sites by name, as wearables research has them: on the belt, in pockets, at the ankle, in the ear, ..."""
    return {name: _site(name, entry, None) for name, entry in _shipped("placements.yaml").items()}


def select_sites(names: Iterable[str], path: str | Path | None = None) -> tuple[Site, ...]:
    """The sites of these names, in this order; the one name `all` selects every site of the suit and of the user's.

    Raises ValueError for unknown or repeated names and for none; see also `load_sites` and `load_placements`.
    """
    known = load_sites(path)
    wanted = list(names)
    if wanted == ["all"]:
        return tuple(known.values())
    known = {**known, **{name: site for name, site in load_placements().items() if name not in known}}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError(f"site {', '.join(map(repr, unknown))} is unknown; known: all, {', '.join(known)}")
    if len(set(wanted)) != len(wanted):
        raise ValueError(f"sites {', '.join(wanted)}: a site is named twice; name each once")
    if not wanted:
        raise ValueError(f"no site is named; known: all, {', '.join(known)}")
    return tuple(known[name] for name in wanted)


def _shipped(name: str) -> dict[str, dict[str, Any]]:
    return _entries(resources.files(__package__).joinpath(name).read_text(), name)


def _entries(text: str, origin: str) -> dict[str, dict[str, Any]]:
    try:
        read = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{origin} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(read, Mapping) or not all(isinstance(entry, Mapping) for entry in read.values()):
        raise ValueError(f"{origin} must hold names of sites, each with fields such as bone and lever_arm")
    return {str(name): dict(entry) for name, entry in read.items()}


def _site(name: str, entry: Mapping[str, Any], path: str | Path | None) -> Site:
    allowed = [field.name for field in fields(Site) if field.name != "name"]
    where = f"{path}: " if path is not None else ""
    unknown = sorted(str(key) for key in entry if key not in allowed)
    if unknown:
        raise ValueError(f"{where}site {name} has unknown field {', '.join(unknown)}; allowed: {', '.join(allowed)}")
    if "bone" not in entry:
        raise ValueError(f"{where}site {name} is not a shipped one and has no bone; give bone: <SMPL-22 joint>")
    try:
        return Site(name=name, **entry)
    except ValueError as error:
        raise ValueError(f"{where}{error}") from None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
