"""Joints held in their ranges: what can be stays as it is, what cannot is put back to the nearest that can."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.mover import make_mover
from fitmotion_models.skeleton import SMPL22, fit_body
from fitmotion_models.skeleton.joint_limits import LIMITS, ROOM_DEG, limited
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, global_matrices, positions_from_matrices

HIP, KNEE, ANKLE, ELBOW, WRIST = (SMPL22.index(f"left_{name}") for name in ("hip", "knee", "ankle", "elbow", "wrist"))


def body(turns: dict[str, tuple[float, float, float]]) -> np.ndarray:
    """World matrices (22, 3, 3) of the rest pose with some joints turned locally by rotation vectors, degrees."""
    local = np.tile((0.0, 0.0, 0.0, 1.0), (22, 1))
    for name, degrees in turns.items():
        local[SMPL22.index(name)] = Rotation.from_rotvec(np.radians(degrees)).as_quat()
    return global_matrices(local)


def knee_flexion(world: np.ndarray) -> float:
    """Degrees by which the left shank points behind the thigh's line; negative: bent forward."""
    points = positions_from_matrices(np.zeros(3), world, REST_OFFSETS)
    thigh, shank = points[KNEE] - points[HIP], points[ANKLE] - points[KNEE]
    angle = np.degrees(np.arccos(thigh @ shank / np.linalg.norm(thigh) / np.linalg.norm(shank)))
    return float(angle if (shank @ (world[HIP] @ [1.0, 0.0, 0.0])) < 0 else -angle)


@pytest.mark.parametrize("degrees", [0.0, 40.0, 120.0])
def test_a_knee_that_can_be_stays(degrees) -> None:
    world = body({"left_knee": (0.0, degrees, 0.0), "left_hip": (0.0, -degrees / 2, 0.0)})
    held, back = limited(world)
    np.testing.assert_array_equal(held, world)
    assert not back.any()


def test_a_knee_that_bends_backwards_is_put_back_and_the_foot_keeps_its_place_in_the_world() -> None:
    world = body({"left_knee": (0.0, -35.0, 0.0), "left_ankle": (0.0, 30.0, 0.0)})
    held, back = limited(world)
    assert knee_flexion(world) < -30.0
    # hyperextension is allowed as far as there is room for it; at rest the shank is a little off the thigh's line
    turned = np.degrees(Rotation.from_matrix(held[HIP].T @ held[KNEE]).magnitude())
    assert turned == pytest.approx(ROOM_DEG, abs=0.5) and knee_flexion(held) > -15.0
    assert list(np.flatnonzero(back)) == [KNEE]
    np.testing.assert_allclose(held[ANKLE], world[ANKLE])


def test_an_elbow_bends_to_the_front_only() -> None:
    front, behind = (body({"left_elbow": (0.0, 0.0, sign * 60.0)}) for sign in (-1, 1))
    assert not limited(front)[1].any()
    held, back = limited(behind)
    assert back[ELBOW]
    points = positions_from_matrices(np.zeros(3), held, REST_OFFSETS)
    assert points[WRIST][0] - points[ELBOW][0] > -0.06  # hardly behind any more


def test_limits_are_the_same_on_both_sides() -> None:
    ranges = {limit.joint: limit for limit in LIMITS}
    for name, limit in ranges.items():
        if name.startswith("left_"):
            other = ranges[name.replace("left", "right")]
            assert other.flexion == limit.flexion and other.aside == (-limit.aside[1], -limit.aside[0])


@pytest.mark.parametrize("mover", ["squat", "squat_knees_in"])
def test_movers_move_within_their_limits(mover) -> None:
    """A squat to the floor is nothing that a joint cannot do."""
    clip = make_mover(mover)
    world = global_matrices(clip.rotations.astype(float))
    assert limited(world)[1].mean() < 0.01


def test_the_fit_puts_a_false_knee_back_where_it_is_told_to() -> None:
    world = body({"left_knee": (0.0, -35.0, 0.0)})
    points = positions_from_matrices(np.zeros(3), world, REST_OFFSETS)
    nowhere = np.full((4, 3), np.nan)
    free, held = (
        fit_body(points, np.ones(22), nowhere, np.zeros(4), REST_OFFSETS, joint_limits=limits)
        for limits in (False, True)
    )
    bend = [Rotation.from_quat(fit.rotations[KNEE]).magnitude() for fit in (free, held)]
    assert np.degrees(bend[0]) > 30.0 and np.degrees(bend[1]) < ROOM_DEG + 1.0
    lengths = np.linalg.norm(held.positions[ANKLE] - held.positions[KNEE])
    assert lengths == pytest.approx(np.linalg.norm(REST_OFFSETS[ANKLE]))
