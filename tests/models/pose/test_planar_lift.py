"""A body from landmarks in two dimensions: exact in the picture's plane, a guess across it that says so."""

import numpy as np
import pytest

from fitmotion_models.mover import make_mover
from fitmotion_models.pose.body_estimator import BodyEstimator
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.planar_lift import GUESSED, PlanarLift
from fitmotion_models.skeleton.joint_sets import JOINT_SETS, SMPL22

BLAZEPOSE = JOINT_SETS["blazepose33"].joints
HIP, KNEE, ANKLE, SHOULDER = (SMPL22.index(f"left_{name}") for name in ("hip", "knee", "ankle", "shoulder"))


def flat(seen: Keypoints, joint_set: str, jitter: float = 1.0, seed: int = 0) -> tuple[Keypoints, np.ndarray]:
    """What a 2D network would give of what a perfect BlazePose sees, and the truth (J, 3) about the hips."""
    made = {"neck": "shoulder", "hip": "hip"}
    rows = []
    for name in JOINT_SETS[joint_set].joints:
        if name in made:
            rows.append([BLAZEPOSE.index(f"{side}_{made[name]}") for side in ("left", "right")])
        else:
            name = name.replace("big_toe", "foot_index").replace("small_toe", "foot_index")
            rows.append([BLAZEPOSE.index("nose" if name == "head" else name)])
    pixels = np.array([seen.pixels[row].mean(0) for row in rows])
    nose = JOINT_SETS[joint_set].joints.index("nose")  # KnownCamera has all of the face at the head
    foot = [seen.pixels[BLAZEPOSE.index(f"left_{part}")] for part in ("heel", "foot_index")]
    pixels[nose] += 0.5 * (foot[1] - foot[0])
    pixels += np.random.default_rng(seed).normal(0.0, jitter, pixels.shape)
    truth = np.array([seen.world[row].mean(0) for row in rows])
    return Keypoints(joint_set, pixels.astype(np.float32), np.full(len(rows), 0.9, np.float32), None), truth


def angle(points: np.ndarray, first: int, middle: int, last: int) -> float:
    a, b = points[first] - points[middle], points[last] - points[middle]
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))


@pytest.mark.parametrize(("joint_set", "azimuth"), [("halpe26", 75), ("coco17", 90), ("halpe26", -90)])
def test_seen_from_the_side_knees_and_hips_are_measured(known_camera, joint_set, azimuth) -> None:
    clip = make_mover("squat")
    camera = known_camera(azimuth=np.radians(azimuth), tilt=0.1)
    estimator, errors, heights = BodyEstimator(camera.model), [], []
    near = "left" if azimuth > 0 else "right"
    limb = [SMPL22.index(f"{near}_{name}") for name in ("shoulder", "hip", "knee", "ankle")]
    for index in range(0, len(clip) // 2, 2):
        truth = clip.frame(index)
        estimate = estimator.update(flat(camera.see(truth), joint_set, seed=index)[0], truth.stamp)
        if estimate.pose is not None and truth.stamp > 1.0:
            got, true = estimate.pose.positions.astype(float), truth.positions.astype(float)
            planes = got[:, [0, 2]], true[:, [0, 2]]  # forward and up: what a camera at the side sees
            errors.append([angle(planes[0], *limb[n : n + 3]) - angle(planes[1], *limb[n : n + 3]) for n in (0, 1)])
            heights.append(got[limb[1], 2])
    errors = np.abs(errors)
    assert len(errors) > 25
    assert np.median(errors, axis=0) == pytest.approx([0.0, 0.0], abs=5.5)  # hip and knee, degrees
    assert np.percentile(errors, 95) < 15.0
    assert "depth is guessed" in estimate.status
    assert estimate.pose.views == 1
    # it squats on the floor: the hip goes down by as much as the truth's
    fall = np.ptp(clip.positions[:, limb[1], 2])
    assert np.ptp(heights) == pytest.approx(fall, rel=0.2)
    has_feet = joint_set == "halpe26"
    assert bool((estimate.pose.feet_confidence > 0.3).any()) is has_feet  # no feet are made up


def test_the_way_somebody_faces_is_seen(known_camera) -> None:
    pose = make_mover("squat").frame(0)
    for degrees in range(-180, 180, 30):
        camera = known_camera(azimuth=np.radians(degrees), tilt=0.0)
        lift = PlanarLift()
        lift(flat(camera.see(pose), "halpe26", jitter=0.0)[0], 0.0)
        # seen from the left (90) the person faces the picture's left
        found = np.degrees(np.arctan2(*lift._facing))
        assert abs((found + degrees + 180) % 360 - 180) < 15, degrees


def test_what_points_at_the_camera_is_a_guess(known_camera) -> None:
    """From the front a thigh is seen foreshortened; it is put forward, not backward, and trusted less."""
    clip = make_mover("squat")
    depth = clip.positions[:, HIP, 2]
    standing, low = clip.frame(0), clip.frame(int(depth.argmin()))
    camera = known_camera(azimuth=0.0, tilt=0.0)
    lift = PlanarLift()
    up = lift(flat(camera.see(standing), "halpe26", 0.0)[0], 0.0)
    down = lift(flat(camera.see(low), "halpe26", 0.0)[0], 0.03)
    names = JOINT_SETS["halpe26"].joints
    knee, hip = names.index("left_knee"), names.index("left_hip")
    assert up.confidence[knee] == pytest.approx(0.9)
    assert 0.9 * GUESSED <= down.confidence[knee] < 0.85
    assert down.world[knee, 2] < down.world[hip, 2] - 0.1  # nearer to the camera
    np.testing.assert_allclose(
        down.world[knee, 0], (down.pixels[knee, 0] - down.pixels[[hip, hip + 1], 0].mean()) * lift._scale, atol=1e-5
    )


def test_too_little_in_view_makes_no_body(known_camera) -> None:
    camera = known_camera()
    seen, _ = flat(camera.see(make_mover("squat").frame(0)), "coco17")
    confidence = np.zeros(17, np.float32)
    confidence[:5] = 0.9  # the face alone
    estimate = BodyEstimator(camera.model).update(Keypoints("coco17", seen.pixels, confidence, None), 0.0)
    assert estimate.pose is None and estimate.status == "no person in view"
