"""From squat parameters to the postures of stance and bottom: where the hips have to be for the numbers to hold."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fitmotion_models.mover.body import SIDES, Float64, bone_offsets, center_of_mass, joint
from fitmotion_models.mover.legs import Feet, leg_lengths
from fitmotion_models.mover.squat_parameters import FIELD_RANGES, SquatParameters
from fitmotion_models.mover.squat_posture import Footing, Posture

# nobody stands with locked knees; it also keeps the knee's axis defined
STANCE_KNEE_FLEXION = np.radians(6.0)
# how far shins lean of their own accord: weight-bearing dorsiflexion of healthy adults (Bennell 1998: 38 to 45 degrees)
BALANCED_SHIN_RANGE_DEG = (0.0, 45.0)
# thigh meets calf: 157 degrees in deep squats of people used to them (Hemmerich 2006)
LARGEST_KNEE_FLEXION_DEG = 160.0
# a solution that misses its lengths (metres) or angles (radians) by more than this is none
TOLERANCE = 1e-7
# what an error message may suggest to change, and how many values it tries on the way
_ADJUSTABLE = (
    "depth_m",
    "knee_valgus_m",
    "shin_lean_deg",
    "heel_rise_m",
    "pelvis_shift_m",
    "depth_difference_m",
    "stance_width_m",
    "toe_out_deg",
    "grip_width_m",
)
_TRIALS = 13

_KNEES = [joint(f"{side}_knee") for side in SIDES]
_ANKLES = [joint(f"{side}_ankle") for side in SIDES]
_HIPS = [joint(f"{side}_hip") for side in SIDES]


@dataclass(frozen=True, eq=False)
class SquatSolution:
    """The footing and the two postures between which a squat moves; arrays of `Posture` without leading axes."""

    footing: Footing
    stance: Posture
    bottom: Posture


class ImpossibleSquatError(ValueError):
    """No body can take the posture that the parameters ask for."""


# a clip and its truth, or a sweep over the bottoms of one stance, ask for the same again
@lru_cache(maxsize=64)
def solve_squat(parameters: SquatParameters) -> SquatSolution:
    """Stance and bottom of a squat. Raises ImpossibleSquatError naming what to change and the range it may have."""
    try:
        return _solve(parameters)
    except ValueError as error:
        raise ImpossibleSquatError(f"no squat has these parameters: {error}. {_advice(parameters)}") from None


def _solve(parameters: SquatParameters) -> SquatSolution:
    footing, stance = _solve_stance(
        parameters.scale, parameters.toe_out_deg, parameters.stance_width_m, parameters.grip_width_m
    )
    return SquatSolution(footing, stance, _solve_bottom(footing, parameters))


@lru_cache(maxsize=64)
def _solve_stance(scale: float, toe_out_deg: float, stance_width: float, grip: float) -> tuple[Footing, Posture]:
    footing = Footing(Feet(bone_offsets(scale), float(np.radians(toe_out_deg)), stance_width), grip)
    bones = footing.bones
    thigh, shank = (float(lengths.mean()) for lengths in leg_lengths(bones))
    reach = float(np.sqrt(thigh**2 + shank**2 + 2.0 * thigh * shank * np.cos(STANCE_KNEE_FLEXION)))

    def posture(unknown: Float64) -> Posture:
        return _upright_posture(unknown[..., 0], unknown[..., 1])

    def residuals(unknown: Float64) -> Float64:
        standing = posture(unknown)
        ankles, _ = footing.feet.pose(standing.heel_rise)
        distance = np.linalg.norm(footing.hips(standing) - ankles, axis=-1).mean(axis=-1)
        balance = center_of_mass(footing.positions(standing))[..., 0] - footing.balance_x
        return np.stack([distance - reach, balance], axis=-1)

    solution, error = _newton(residuals, np.array([0.0, 0.95 * reach + 0.05]))
    if error > TOLERANCE:
        raise ImpossibleSquatError(
            f"the feet are too far apart to stand on (stance_width_m={footing.feet.width:g}, legs {reach:.2f} m)"
        )
    return footing, posture(solution)


def _upright_posture(hip_x: Float64, hip_z: Float64) -> Posture:
    """Neck over pelvis, arms straight up, knees over the feet, heels down."""
    zero = np.zeros_like(hip_x)
    both = np.zeros((*hip_x.shape, 2))
    return Posture(hip_x, zero, hip_z, zero, zero, zero, both, both)


def _solve_bottom(footing: Footing, parameters: SquatParameters) -> Posture:
    """The bottom, balanced where the parameters leave the shins free."""
    shin_deg = parameters.shin_lean_deg
    if shin_deg is None:
        posture = _solve_hips(footing, parameters, None)
        low, high = BALANCED_SHIN_RANGE_DEG
        lean = np.nan if posture is None else float(np.degrees(shin_lean(footing.positions(posture)).mean()))
        if posture is not None and low <= lean <= high:
            return posture
        # balance would need shins that lean further than ankles allow: keep them at the end of their range
        shin_deg = low if lean < low else high
    posture = _solve_hips(footing, parameters, float(np.radians(shin_deg)))
    if posture is None:
        raise ImpossibleSquatError("the legs do not close")
    return posture


def _solve_hips(footing: Footing, parameters: SquatParameters, shin: float | None) -> Posture | None:
    """The bottom with the shins at `shin` radians, or balanced (None); None where there is none."""
    half = 0.5 * parameters.depth_difference_m
    depths = np.array([parameters.depth_m + half, parameters.depth_m - half])

    def residuals(unknown: Float64) -> Float64:
        positions = footing.positions(_bottom_posture(footing, parameters, unknown))
        third = (
            center_of_mass(positions)[..., 0] - footing.balance_x
            if shin is None
            else shin_lean(positions).mean(axis=-1) - shin
        )
        return np.concatenate([depth(positions) - depths, third[..., None]], axis=-1)

    solution, error = _newton(residuals, _first_guess(footing, parameters, shin))
    if error > TOLERANCE:
        return None
    posture = _bottom_posture(footing, parameters, solution)
    _check_bottom(footing, parameters, posture)
    return posture


def _first_guess(footing: Footing, parameters: SquatParameters, shin: float | None) -> Float64:
    """Hips behind knees that stand straight over the feet."""
    thigh, shank = (float(lengths.mean()) for lengths in leg_lengths(footing.bones))
    ankle = footing.feet.pose(np.array(parameters.heel_rise_sides))[0].mean(axis=0)
    lean = np.radians(35.0) if shin is None else shin
    knee_x, knee_z = ankle[0] + shank * np.sin(lean), ankle[2] + shank * np.cos(lean)
    sideways = 0.5 * parameters.stance_width_m
    back = np.sqrt(max(thigh**2 - parameters.depth_m**2 - sideways**2, 0.01))
    return np.array([knee_x - back, knee_z + parameters.depth_m, 0.0])


def _bottom_posture(footing: Footing, parameters: SquatParameters, unknown: Float64) -> Posture:
    """The bottom with the middle of the hips at (x, z) and the pelvis rolled, knees as the valgus wants them."""
    zero = np.zeros(unknown.shape[:-1])
    posture = Posture(
        hip_x=unknown[..., 0],
        hip_y=zero + parameters.pelvis_shift_m,
        hip_z=unknown[..., 1],
        roll=unknown[..., 2],
        trunk_lean=zero + np.radians(parameters.trunk_lean_deg),
        arm_drop=zero + np.radians(parameters.arm_drop_deg),
        swivel=np.zeros((*zero.shape, 2)),
        heel_rise=zero[..., None] + np.array(parameters.heel_rise_sides),
    )
    circle, ankles, _ = footing.circles(posture)
    swivel, _, _ = circle.swivel_for_valgus(footing.feet, ankles, np.array(parameters.knee_valgus_sides))
    return replace(posture, swivel=swivel)


def _check_bottom(footing: Footing, parameters: SquatParameters, posture: Posture) -> None:
    """Raise where the hips are found but a leg does not close or bends beyond what knees do."""
    circle, ankles, _ = footing.circles(posture)
    if np.any(np.abs(circle.overreach) > TOLERANCE):
        raise ImpossibleSquatError("hip and ankle are too far apart for the leg")
    wanted = np.array(parameters.knee_valgus_sides)
    _, least, largest = circle.swivel_for_valgus(footing.feet, ankles, wanted)
    for side, value, low, high in zip(SIDES, wanted, least, largest, strict=True):
        if not low <= value <= high:
            raise ImpossibleSquatError(
                f"knee_valgus_m={value:g} ({side}): with the hips there the knee reaches {low:.3f} to {high:.3f} m"
            )
    flexion = float(np.degrees(knee_flexion(footing.positions(posture)).max()))
    if flexion > LARGEST_KNEE_FLEXION_DEG:
        raise ImpossibleSquatError(
            f"the knees would bend by {flexion:.0f} degrees; thigh meets calf at {LARGEST_KNEE_FLEXION_DEG:.0f}"
        )


def depth(positions: Float64) -> Float64:
    """Hip over knee height (..., 2), metres, (left, right), of positions (..., 22, 3)."""
    result: Float64 = positions[..., _HIPS, 2] - positions[..., _KNEES, 2]
    return result


def shin_lean(positions: Float64) -> Float64:
    """Knee - ankle against the vertical (..., 2), radians, of positions (..., 22, 3)."""
    shins = positions[..., _KNEES, :] - positions[..., _ANKLES, :]
    result: Float64 = np.arctan2(np.hypot(shins[..., 0], shins[..., 1]), shins[..., 2])
    return result


def knee_flexion(positions: Float64) -> Float64:
    """Angle between thigh and shank (..., 2), radians, 0 when straight, of positions (..., 22, 3)."""
    thigh = positions[..., _KNEES, :] - positions[..., _HIPS, :]
    shank = positions[..., _ANKLES, :] - positions[..., _KNEES, :]
    cosine = np.sum(thigh * shank, axis=-1) / (np.linalg.norm(thigh, axis=-1) * np.linalg.norm(shank, axis=-1))
    result: Float64 = np.arccos(np.clip(cosine, -1.0, 1.0))
    return result


def _newton(residuals: Callable[[Float64], Float64], start: Float64) -> tuple[Float64, float]:
    """Root of k residuals (..., k) in k unknowns (..., k): the best found and its largest residual.

    Newton's method with differences for the derivative; a step that makes things worse is halved.
    """
    step_size = 1e-6
    best = start
    best_values = residuals(best)
    for _ in range(40):
        error = float(np.abs(best_values).max())
        if error < 0.01 * TOLERANCE:
            break
        shifted = residuals(best + step_size * np.eye(len(best)))
        jacobian = (shifted - best_values).T / step_size
        step = np.clip(np.linalg.lstsq(jacobian, -best_values, rcond=None)[0], -0.15, 0.15)
        # all halvings at once: the residuals are vectorised
        candidates = best + step * (0.5 ** np.arange(10))[:, None]
        values = residuals(candidates)
        errors = np.abs(values).max(axis=-1)
        better = int(np.argmin(errors))
        if not errors[better] < 0.99 * error:  # a root that exists draws in much faster
            break
        best, best_values = candidates[better], values[better]
    return best, float(np.abs(best_values).max())


def _advice(parameters: SquatParameters) -> str:
    """Which of the parameters that were set can be changed alone, and to what."""
    default = SquatParameters()
    was_set = [name for name in _ADJUSTABLE if getattr(parameters, name) != getattr(default, name)]
    for name in was_set:
        low, high, unit = FIELD_RANGES[name]
        possible = [value for value in np.linspace(low, high, _TRIALS) if _is_possible(parameters, name, value)]
        if possible:
            return (
                f"Leave the rest and set {name} (now {getattr(parameters, name)}) "
                f"between about {possible[0]:.3g} and {possible[-1]:.3g} {unit}"
            )
    return "Change more than one of: " + ", ".join(was_set)


def _is_possible(parameters: SquatParameters, name: str, value: float) -> bool:
    try:
        _solve(replace(parameters, **{name: float(value)}))  # type: ignore[arg-type]
    except ValueError:
        return False
    return True
