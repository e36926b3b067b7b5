"""Sensors on the skin of a parametric body: vertices of SMPL or SMPL-X, whose files the user provides.

The files' licence does not let them be shipped; `smplx` reads them where it is installed (`pip install smplx`, with
torch). A vertex moves by linear blend skinning with pose-dependent shape (Loper et al. 2015), so that skin over a joint
slides as the model's does. Only the vertices with sensors are computed.
"""

from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from sys import stderr
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.imu.site_motion import SiteMotion
from fitmotion_models.skeleton.kinematics import PARENTS, SMPL_TO_WORLD, fill_unseen, global_matrices
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, from_matrix, multiply, to_matrix

JOINTS = 22
SMPL_VERTEX_COUNT = 6890
SMPL_VERTICES: MappingProxyType[str, int] = MappingProxyType(
    {"left_wrist": 1961, "right_wrist": 5424, "left_shank": 1176, "right_shank": 4662, "head": 411, "pelvis": 3021}
)
"""Where TransPose (Yi et al. 2021) and what follows it put sensors on SMPL's mesh of 6890 vertices."""
_STRAIGHT_UP = 0.9  # a normal that points up more than this has no other up along the skin


@dataclass(frozen=True, eq=False)
class SkinModel:
    """A person's body in the rest pose and how its skin follows the first 22 joints; metres, in the world's axes.

    vertices: (V, 3). joints: (22, 3). weights: (V, 22), rows that sum to 1. pose_shapes: (V, 3, 189): how vertices move
    with the entries of the 21 rotation matrices below the root less the identity, in the model's own axes. faces:
    (F, 3) vertices, counter-clockwise from outside. Raises ValueError naming the array that does not fit.
    """

    vertices: Float64
    joints: Float64
    weights: Float64
    pose_shapes: Float64
    faces: NDArray[np.int64]

    def __post_init__(self) -> None:
        count = len(self.vertices)
        shapes = {
            "vertices": (count, 3),
            "joints": (JOINTS, 3),
            "weights": (count, JOINTS),
            "pose_shapes": (count, 3, 9 * (JOINTS - 1)),
            "faces": (len(self.faces), 3),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"SkinModel.{name} has shape {getattr(self, name).shape}; expected {shape}")

    def normal(self, vertex: int) -> Float64:
        """(3,) unit vector out of the skin at a vertex in the rest pose: of its faces, by their areas."""
        corners = self.vertices[self.faces[(self.faces == vertex).any(axis=1)]]
        total = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).sum(axis=0)
        length = np.linalg.norm(total)
        if not length > 0.0:
            raise ValueError(f"vertex {vertex} has no face around it, so that a sensor there has no outward direction")
        return np.asarray(total / length)


def load_skin_model(path: str | Path, *, gender: str = "neutral", betas: ArrayLike | None = None) -> SkinModel:
    """Read an SMPL or SMPL-X file (.pkl, .npz) or the folder that holds the genders' files.

    betas: the person's shape, up to as many numbers as the file has; None: the mean body. Raises ValueError naming the
    path where it is no such file or smplx is not installed.
    """
    try:
        import smplx
    except ImportError:
        raise ValueError(
            f"{path}: skin vertices need smplx and torch; install them with: pip install smplx torch"
        ) from None
    try:
        with redirect_stdout(stderr):
            body = smplx.create(str(Path(path).expanduser()), gender=gender)
    except Exception as error:  # of pickles and of what smplx asserts; it has no error of its own
        raise ValueError(
            f"{path} is no SMPL or SMPL-X model that smplx reads: {' '.join(str(error).split()) or repr(error)}"
        ) from None
    return _skin_model(body, np.zeros(0) if betas is None else np.asarray(betas, dtype=np.float64), str(path))


def _skin_model(body: Any, betas: Float64, path: str) -> SkinModel:
    """What is needed of a model of smplx, in the world's axes."""

    def array(name: str) -> Float64:
        return np.asarray(getattr(body, name).detach().cpu().numpy(), dtype=np.float64)

    shapes = array("shapedirs")
    if betas.ndim != 1 or len(betas) > shapes.shape[-1] or not np.isfinite(betas).all():
        raise ValueError(f"betas of {path} must be at most {shapes.shape[-1]} finite numbers")
    vertices = array("v_template") + shapes[..., : len(betas)] @ betas
    joints = array("J_regressor") @ vertices
    parents = np.asarray(body.parents.cpu().numpy(), dtype=int)
    if tuple(int(parent) for parent in parents[:JOINTS]) != tuple(PARENTS):
        raise ValueError(f"{path}: its first {JOINTS} joints are not those of SMPL")
    weights = np.zeros((len(vertices), JOINTS))
    for joint, column in enumerate(array("lbs_weights").T):
        while joint >= JOINTS:  # fingers, jaw and eyes move with the wrist and the head
            joint = parents[joint]
        weights[:, joint] += column
    rows = array("posedirs")[: 9 * (JOINTS - 1)]  # (P, 3 V)
    return SkinModel(
        vertices=vertices @ SMPL_TO_WORLD.T,
        joints=joints[:JOINTS] @ SMPL_TO_WORLD.T,
        weights=weights,
        pose_shapes=np.moveaxis(rows.reshape(-1, len(vertices), 3), 0, -1),
        faces=np.asarray(body.faces, dtype=np.int64),
    )


def named_vertices(model: SkinModel, wanted: Mapping[str, int | None]) -> dict[str, int]:
    """The vertices of sites; None: the one of that name in `SMPL_VERTICES`, on a mesh of SMPL.

    Raises ValueError for a name that is not there and a vertex that the model has not.
    """
    result = {}
    for name, vertex in wanted.items():
        if vertex is None:
            if name not in SMPL_VERTICES or len(model.vertices) != SMPL_VERTEX_COUNT:
                known = ", ".join(SMPL_VERTICES)
                raise ValueError(
                    f"site {name} needs the number of its vertex; only SMPL's mesh has named ones: {known}"
                )
            vertex = SMPL_VERTICES[name]
        if not 0 <= vertex < len(model.vertices):
            raise ValueError(
                f"site {name}: vertex {vertex} is not on the mesh; allowed: 0 to {len(model.vertices) - 1}"
            )
        result[name] = int(vertex)
    return result


def skin_motion(clip: MotionClip, model: SkinModel, vertices: Mapping[str, int]) -> SiteMotion:
    """How sensors on vertices move in a clip, for `imu_from_motion`; the body's size is the model's.

    vertices: by the sites' names, see `named_vertices`. A sensor's z points out of the skin, its x up along the skin in
    the rest pose (forward where the skin faces up or down). NaN where the joint that moves the vertex most is unseen.
    Raises ValueError without a vertex.
    """
    if not vertices:
        raise ValueError("no vertex is given; see named_vertices")
    chosen = list(named_vertices(model, dict(vertices)).values())
    local = fill_unseen(clip.rotations)
    turns = global_matrices(local)
    places = _joint_places(clip, model, turns)
    rest = model.vertices[chosen] + _pose_offsets(local, model.pose_shapes[chosen])  # (T, S, 3)
    blend = model.weights[chosen]
    # each joint carries the vertex rigidly; the skin is their mean
    carried = np.einsum("tjab,tsjb->tsja", turns, rest[:, :, None] - model.joints) + places[:, None]
    positions = np.einsum("sj,tsja->tsa", blend, carried)
    left, _, right = np.linalg.svd(np.einsum("sj,tjab->tsab", blend, turns))
    nearest = left @ right
    mounts = from_matrix(np.stack([_mount(model.normal(vertex)) for vertex in chosen]))
    rotations = multiply(from_matrix(nearest), mounts)
    movers = blend.argmax(axis=1)
    seen = (clip.confidence[:, movers] > 0.0) & np.isfinite(clip.rotations[:, movers]).all(axis=-1)
    seen &= np.isfinite(clip.positions[:, :1]).all(axis=-1)
    return SiteMotion(
        clip.stamps, np.where(seen[..., None], positions, np.nan), np.where(seen[..., None], rotations, np.nan)
    )


def _joint_places(clip: MotionClip, model: SkinModel, turns: Float64) -> Float64:
    """(T, 22, 3) of the model's joints, the root where the clip's is."""
    places = np.empty((len(clip), JOINTS, 3))
    places[:, 0] = clip.positions[:, 0]
    for joint in range(1, JOINTS):
        parent = PARENTS[joint]
        places[:, joint] = places[:, parent] + turns[:, parent] @ (model.joints[joint] - model.joints[parent])
    return places


def _pose_offsets(local: Float64, shapes: Float64) -> Float64:
    """(T, S, 3): what bending does to the skin of the rest pose, in the world's axes."""
    own = SMPL_TO_WORLD.T @ to_matrix(local[:, 1:]) @ SMPL_TO_WORLD  # in the model's axes
    bent = (own - np.eye(3)).reshape(len(local), -1)
    return np.asarray(np.einsum("tp,sap->tsa", bent, shapes) @ SMPL_TO_WORLD.T)


def _mount(normal: Float64) -> Float64:
    """(3, 3) the sensor's axes in the rest pose, as columns."""
    up = np.array([1.0, 0.0, 0.0]) if abs(normal[2]) > _STRAIGHT_UP else np.array([0.0, 0.0, 1.0])
    along = up - (up @ normal) * normal
    along /= np.linalg.norm(along)
    return np.stack([along, np.cross(normal, along), normal], axis=-1)
