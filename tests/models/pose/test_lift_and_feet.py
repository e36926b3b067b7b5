"""What the image corrects: landmarks put back on their pixels, feet that stand."""

import numpy as np
import pytest

from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.pose.body_estimator import BodyEstimator
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.lift import lift
from fitmotion_models.skeleton.joint_sets import JOINT_SETS

NAMES = JOINT_SETS["blazepose33"].joints
FEET = [NAMES.index(f"{side}_{part}") for side in ("left", "right") for part in ("heel", "foot_index")]
ONES = np.ones(33, np.float32)


def network_error(seen: Keypoints, seed: int) -> Keypoints:
    """Landmarks as single-view networks give them: right in the image, off by centimetres across it in space."""
    noise = np.random.default_rng(seed).normal(0, 0.03, (33, 2))
    world = seen.world.copy()
    world[:, :2] += noise - noise[[23, 24]].mean(0)
    return Keypoints(seen.joint_set, seen.pixels, seen.confidence, world)


@pytest.mark.parametrize("seed", range(5))
def test_lifted_landmarks_project_onto_their_pixels_and_are_nearer_the_truth(known_camera, seed):
    camera = known_camera()
    truth = camera.see(squat_clip(SquatParameters(repetitions=1)).frame(60))
    wrong = network_error(truth, seed)
    points, position = lift(camera.model, wrong, ONES)
    placed = points + position
    pixels = placed[:, :2] / placed[:, 2:] * (camera.model.fx, camera.model.fy) + (camera.model.cx, camera.model.cy)
    np.testing.assert_allclose(pixels, wrong.pixels, atol=1e-2)

    def error(points):
        return np.linalg.norm(points - points[[23, 24]].mean(0) - truth.world, axis=-1).mean()

    assert error(points) < 0.5 * error(wrong.world.astype(float))


def test_too_little_in_view_keeps_the_networks_own_landmarks(known_camera):
    camera = known_camera()
    seen = camera.see(squat_clip(SquatParameters(repetitions=1)).frame(0))
    confidence = np.zeros(33, np.float32)
    confidence[:3] = 1.0
    points, position = lift(camera.model, seen, confidence)
    assert position is None
    np.testing.assert_allclose(points, seen.world)


def squat_with_flattened_feet(camera, heel_rise):
    """Poses estimated from a squat whose feet the network sees with half their depth, and less the deeper it is."""
    clip = squat_clip(SquatParameters(repetitions=1, heel_rise_m=heel_rise, descent_s=1.5, ascent_s=1.5))
    estimator = BodyEstimator(camera.model, tilt=camera.tilt)
    poses = []
    for pose in clip:
        seen = camera.see(pose)
        world = seen.world.copy()
        for heel, toe in (FEET[:2], FEET[2:]):
            middle = (world[heel, 2] + world[toe, 2]) / 2
            depth = 0.3 + 0.3 * (seen.world[0, 1] - seen.world[FEET, 1].mean()) / -1.5
            world[[heel, toe], 2] = middle + depth * (world[[heel, toe], 2] - middle)
        poses.append(estimator.update(Keypoints(seen.joint_set, seen.pixels, seen.confidence, world), pose.stamp).pose)
    return clip, poses


@pytest.mark.parametrize("azimuth", [0.2, 0.9, 1.4])
@pytest.mark.parametrize("heel_rise", [0.0, 0.06])
def test_heels_rise_as_much_as_they_do_in_the_image(known_camera, azimuth, heel_rise):
    clip, poses = squat_with_flattened_feet(known_camera(azimuth=azimuth), heel_rise)
    feet = np.stack([pose.feet for pose in poses]).astype(float)
    rise = feet[:, [0, 2], 2] - feet[:, [1, 3], 2]
    truth = clip.feet[:, [0, 2], 2] - clip.feet[:, [1, 3], 2]
    assert np.abs(rise - truth).max() < 0.02


def test_feet_point_where_they_point_although_their_depth_is_seen_badly(known_camera):
    clip, poses = squat_with_flattened_feet(known_camera(azimuth=0.1), 0.0)
    for found, truth in ((poses[-1].feet, clip.feet[-1]), (poses[60].feet, clip.feet[60])):
        for heel, toe in ((0, 1), (2, 3)):
            ways = [feet[toe, :2] - feet[heel, :2] for feet in (found.astype(float), truth.astype(float))]
            angles = [np.degrees(np.arctan2(way[1], way[0])) for way in ways]
            assert angles[0] == pytest.approx(angles[1], abs=6.0)


def test_a_foot_that_steps_is_free_again(known_camera):
    """A body carried forward at walking speed across the image keeps no foot behind."""
    camera = known_camera(azimuth=1.5, distance=6.0)
    clip = squat_clip(SquatParameters(repetitions=1))
    estimator = BodyEstimator(camera.model, tilt=camera.tilt)
    standing = clip.frame(0)
    for index in range(60):
        carried = max(0.0, (index - 20) / 30.0) * np.array([1.2, 0.0, 0.0])
        seen = camera.see(
            type(standing)(
                **{**vars(standing), "positions": standing.positions + carried, "feet": standing.feet + carried}
            )
        )
        last = estimator.update(seen, index / 30.0).pose
    assert last.positions[0, 0] - standing.positions[0, 0] == pytest.approx(carried[0], abs=0.15)
