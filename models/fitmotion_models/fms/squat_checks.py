"""What makes a lowering of the pelvis a squat: both feet planted, both knees bent alike, the weight over the feet."""

from collections.abc import Sequence

import numpy as np

from fitmotion_models.fms.moment import (
    ANKLES,
    HEAD,
    HEELS,
    HIPS,
    KNEES,
    NECK,
    PELVIS,
    SHOULDERS,
    TOES,
    WRISTS,
    Array,
    Body,
    Stance,
    forward_lean,
    knee_flexion,
    mean_body,
)
from fitmotion_models.fms.reading import Reading
from fitmotion_models.fms.stance import ONE_CAMERA_FACTOR, is_near_stance

# Share of the frames in which both feet must be planted; the rest is for single frames of noise.
PLANTED_SHARE = 0.8
SHORTEST = 0.6  # s; the dip of a jump or a landing is shorter
LEAST_FLEXION = 50.0  # deg, mean of both knees at the lowest point
LARGEST_DIFFERENCE = 40.0  # deg between the knees: a lunge or a kneeling person has more
ONE_CAMERA_DIFFERENCE = 60.0  # deg; one camera errs by 12 degrees in each knee
LARGEST_LEAN = 85.0  # deg; further forward is bending down, not squatting
SHALLOW_DROP = (
    0.30  # share of the leg length; a shallower dip is a failed squat only when the arms were overhead before
)
KNEES_LEVEL = 0.20  # share of the leg length by which one knee may be higher: a lunge with its hips turned has more
# deg; both knees bent so far are no lunge however high one is: UI-PRMD's lunges bend the straighter one by 116 at most,
# its squats on uneven knees by 131 and more (persons 1 to 5)
DEEP_FLEXION = 123.0
BALANCE_MARGIN = 0.15  # share of the leg length by which the centre of mass may be outside the feet: sitting is more

# Shares of the body's mass and between which points each part lies (de Leva 1996, mean of men and women; hands and
# feet counted with forearms and shanks).
MASS_PARTS: tuple[tuple[float, tuple[int, ...], tuple[int, ...]], ...] = (
    (0.068, (HEAD,), (HEAD,)),
    (0.430, (PELVIS,), (NECK,)),
    (0.049, (SHOULDERS[0],), (WRISTS[0],)),
    (0.049, (SHOULDERS[1],), (WRISTS[1],)),
    (0.145, (HIPS[0],), (KNEES[0],)),
    (0.145, (HIPS[1],), (KNEES[1],)),
    (0.057, (KNEES[0],), (ANKLES[0],)),
    (0.057, (KNEES[1],), (ANKLES[1],)),
)


def is_squat(stance: Stance, frames: Sequence[Reading], lowest: int) -> bool:
    """Whether a dip that was deep and long enough is a squat. lowest: index of its lowest frame."""
    if frames[-1].body.stamp - frames[0].body.stamp < SHORTEST:
        return False
    if np.mean([is_near_stance(reading, stance) for reading in frames]) < PLANTED_SHARE:
        return False
    # Whoever ends the dip in the air has jumped.
    if not is_near_stance(frames[-1], stance):
        return False
    near = [reading for reading in frames if abs(reading.body.stamp - frames[lowest].body.stamp) <= 0.1]
    body = mean_body([reading.body for reading in near])
    if not _arms_overhead(stance.body) and _drop(frames, lowest) < SHALLOW_DROP * stance.leg_length:
        return False
    if not (_knees_level(body, stance) or knee_flexion(body).min() > DEEP_FLEXION):
        return False
    return _knees_bend_alike(near) and _trunk_and_hands_up(body, stance) and _is_balanced(body, stance)


def _drop(frames: Sequence[Reading], lowest: int) -> float:
    return frames[0].height - frames[lowest].height


def _arms_overhead(body: Body) -> bool:
    """The test's starting position: a person who stands like that and goes down a little tries a deep squat."""
    return bool(np.nanmin(np.append(body.points[list(WRISTS), 2], np.inf)) > body.points[NECK, 2])


def _knees_level(body: Body, stance: Stance) -> bool:
    knees = body.points[list(KNEES), 2]
    limit = KNEES_LEVEL * stance.leg_length * (ONE_CAMERA_FACTOR if body.views == 1 else 1.0)
    # an unseen knee is no fault
    return not abs(knees[0] - knees[1]) > limit


def _knees_bend_alike(near: Sequence[Reading]) -> bool:
    both = np.stack([reading.flexion for reading in near])
    flexion = np.array([np.nanmean(side) if np.isfinite(side).any() else np.nan for side in both.T])
    if np.nanmean(flexion) < LEAST_FLEXION:
        return False
    # With one leg hidden there is nothing to compare.
    largest = ONE_CAMERA_DIFFERENCE if near[0].body.views == 1 else LARGEST_DIFFERENCE
    return not abs(flexion[0] - flexion[1]) > largest


def _trunk_and_hands_up(body: Body, stance: Stance) -> bool:
    trunk = body.points[NECK] - body.points[PELVIS]
    if abs(forward_lean(trunk, stance.facing)) > LARGEST_LEAN:
        return False
    # A hand below the knees reaches for something; the test is done with the arms up.
    hands, knees = body.points[list(WRISTS), 2], body.points[list(KNEES), 2]
    return not np.nanmin(np.append(hands, np.inf)) < np.nanmean(knees)


def centre_of_mass(body: Body) -> Array:
    """The centre of mass (3,), metres, over the parts that are seen."""
    total, mass = np.zeros(3), 0.0
    for share, first, second in MASS_PARTS:
        middle = (body.points[first[0]] + body.points[second[0]]) / 2.0
        if np.isfinite(middle).all():
            total, mass = total + share * middle, mass + share
    return total / mass if mass > 0.0 else np.full(3, np.nan)


def _is_balanced(body: Body, stance: Stance) -> bool:
    """The centre of mass is over the feet front to back: the feet carry the person, and no chair does."""
    centre = float(centre_of_mass(body) @ stance.facing)
    along = stance.body.points @ stance.facing
    heels, toes, ankles = along[list(HEELS)], along[list(TOES)], along[list(ANKLES)]
    margin = BALANCE_MARGIN * stance.leg_length
    back = np.nanmean(heels) if np.isfinite(heels).any() else np.nanmean(ankles)
    front = np.nanmean(toes) if np.isfinite(toes).any() else np.nanmean(ankles) + 0.2 * stance.leg_length
    return bool(back - margin <= centre <= front + margin)
