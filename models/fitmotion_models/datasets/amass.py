"""AMASS (Mahmood et al. 2019) and other motion in SMPL-H or SMPL-X parameters (npz) as clips with its own rotations.

A file holds `poses` (T, 156 SMPL-H, 165 SMPL-X, 72 SMPL; rotation vectors, radians) or `root_orient` and `pose_body`,
`trans` (T, 3) metres and `mocap_framerate` (SMPL-H files) or `mocap_frame_rate` (SMPL-X files), Hz. SMPL, SMPL-H and
SMPL-X share their first 22 joints; hands, jaw and eyes are left out. The world of AMASS is z up.
"""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from os import PathLike
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fitmotion_models.datasets.recorded_body import recorded_clip
from fitmotion_models.datasets.set_files import set_files
from fitmotion_models.skeleton.convert import from_smpl_pose
from fitmotion_models.skeleton.kinematics import global_matrices
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64

LICENCE = "AMASS: non-commercial research only"

RestJoints = Callable[[Float64, str], ArrayLike]
"""Shape coefficients (B,) and gender ("neutral", "male", "female") to the shape's joints (22 or more, 3), metres."""

_RATES = ("mocap_framerate", "mocap_frame_rate", "mocap_fps", "fps")
# endings of AMASS file names that say nothing of what is done
_ENDINGS = ("_poses", "_stageii")
_BODY = 66


@dataclass(frozen=True, order=True)
class AmassName:
    """Where a file lies. set: "CMU", person: "CMU/01", action: the file's own name without what all have at the end."""

    set: str
    person: str
    action: str

    def __str__(self) -> str:
        return f"{self.person}/{self.action}"


def read_amass(
    source: str | PathLike[str],
    *,
    persons: Iterable[str] | None = None,
    target_fps: float = 30.0,
    up: str = "z",
    rest_joints: RestJoints | None = None,
) -> Iterator[tuple[AmassName, MotionClip]]:
    """The clips of a folder or archive in AMASS's order SET/PERSON/NAME.npz, as they lie in it.

    persons ("CMU/01"): only these; None is all. target_fps: of the clips; a recording with fewer keeps its own. up: the
    axis that is up in the files, "z" (AMASS) or "y". rest_joints: the joints of a shape (from a body model that the
    user has); None takes SMPL's mean body for everybody: rotations are the same, but the feet of people of another size
    then slide and sink, as their pelvis moves on other legs. Labels of a clip: name and action.
    Files without poses (shape.npz) are passed over. Raises ValueError naming the file and what is wrong: no such
    source, no motion in it, a damaged file, no frame rate.
    """
    people = None if persons is None else set(persons)
    found = False
    for path, content in set_files(source, (".npz",), "AMASS"):
        name = amass_name(path)
        if people is not None and name.person not in people:
            # a folder that holds none of the persons is still the right folder
            found = True
            continue
        clip = amass_clip(content(), name, target_fps=target_fps, up=up, rest_joints=rest_joints)
        if clip is not None:
            found = True
            yield name, clip
    if not found:
        raise ValueError(f"{source} holds no motion of AMASS; expected SET/PERSON/NAME.npz with poses and trans")


def amass_name(path: PurePosixPath) -> AmassName:
    """The name of the file at a path; folders that are not there are ""."""
    parts = ("", "", *path.parts)
    action = path.stem
    for ending in _ENDINGS:
        action = action.removesuffix(ending)
    return AmassName(parts[-3], "/".join(part for part in parts[-3:-1] if part), action)


def amass_clip(
    content: bytes,
    name: AmassName,
    *,
    target_fps: float | None = 30.0,
    up: str = "z",
    rest_joints: RestJoints | None = None,
) -> MotionClip | None:
    """A file's content as a clip: floor at 0, origin between the ankles at the start, x as the hips face then.

    None where the file holds no motion. Arguments and errors as of `read_amass`.
    """
    fields = _fields(content, name, with_shape=rest_joints is not None)
    if "trans" not in fields or not {"poses", "pose_body"} & set(fields):
        return None
    rate = next((float(fields[key]) for key in _RATES if key in fields), 0.0)
    if not (np.isfinite(rate) and rate > 0.0):
        raise ValueError(f"AMASS file {name} has no frame rate; expected one of {', '.join(_RATES)}, above 0")
    root, body = _pose(fields, name)
    translation = np.asarray(fields["trans"], dtype=np.float64)
    if translation.shape != (len(root), 3):
        raise ValueError(f"AMASS file {name}: {len(root)} poses but trans has the shape {translation.shape}")
    if not len(root) or not all(np.isfinite(array).all() for array in (root, body, translation)):
        raise ValueError(f"AMASS file {name} has no frame, or numbers that are not finite")
    rest = None if rest_joints is None else rest_joints(*_shape(fields))
    smpl = from_smpl_pose(root, body, translation, rest_joints=rest, up=up)
    return recorded_clip(
        smpl.positions[:, 0],
        global_matrices(smpl.rotations),
        smpl.bone_offsets,
        fps=rate,
        target_fps=None if target_fps is None else min(target_fps, rate),
        subject=name.person,
        labels=(str(name), name.action),
    )


def _fields(content: bytes, name: AmassName, with_shape: bool) -> dict[str, Any]:
    wanted = {"poses", "root_orient", "pose_body", "trans", *_RATES} | ({"betas", "gender"} if with_shape else set())
    try:
        with np.load(BytesIO(content), allow_pickle=False) as archive:
            return {key: archive[key] for key in wanted if key in archive}
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"AMASS file {name} is no npz that can be read: {error}") from error


def _pose(fields: dict[str, Any], name: AmassName) -> tuple[Float64, Float64]:
    """Rotation vectors of the root (T, 3) and of the 21 joints (T, 63)."""
    poses = fields.get("poses")
    if poses is None:
        poses = np.concatenate([fields.get("root_orient", np.zeros((0, 0))), fields["pose_body"]], axis=-1)
    if poses.ndim != 2 or poses.shape[1] < _BODY:
        raise ValueError(f"AMASS file {name}: poses of the shape {poses.shape}; expected (frames, {_BODY} or more)")
    array = np.asarray(poses, dtype=np.float64)
    return array[:, :3], array[:, 3:_BODY]


def _shape(fields: dict[str, Any]) -> tuple[Float64, str]:
    gender = fields.get("gender", np.array("neutral")).item()
    betas = np.asarray(fields.get("betas", np.zeros(10)), dtype=np.float64)
    return betas, gender.decode() if isinstance(gender, bytes) else str(gender)
