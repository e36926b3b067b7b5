"""Gravity, facing and floor contact from a standing body whose camera is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from fitmotion_models.pose.foot_anchor import FootAnchor
from fitmotion_models.pose.world_frame import STANCE_SECONDS, StanceCalibration, is_upright, up_from_tilt
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, feet_from_pose, forward_kinematics

IDENTITY = np.tile([0.0, 0.0, 0.0, 1.0], (22, 1))
FPS = 30.0
# optical axes (x right, y down, z forward) of a level camera that looks along -x at a person who faces +x
LEVEL_FRONT_VIEW = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])


def standing_body():
    """Joints and feet of the rest pose, world axes."""
    joints = forward_kinematics(np.zeros(3), IDENTITY, REST_OFFSETS)
    return joints, feet_from_pose(joints, IDENTITY, REST_OFFSETS)


def seen_by_camera(points, azimuth, tilt):
    """The points in the optical axes of a camera at that azimuth round the body, looking down by tilt (radians)."""
    turned = Rotation.from_rotvec([0, 0, azimuth]).apply(points) @ LEVEL_FRONT_VIEW.T
    # looking down: the scene turns about the camera's x axis, what is below comes to lie along the optical axis
    return Rotation.from_rotvec([tilt, 0, 0]).apply(turned)


@settings(max_examples=40, deadline=None)
@given(st.floats(-1.4, 1.4), st.floats(-0.4, 0.4))
def test_stance_gives_gravity_and_facing(azimuth, tilt):
    joints, feet = standing_body()
    calibration = StanceCalibration()
    frame = None
    for index in range(20):
        frame = calibration.update(
            seen_by_camera(joints, azimuth, tilt), seen_by_camera(feet, azimuth, tilt), 0.0, index / FPS
        )
    assert frame is not None and frame.measured and calibration.settled
    back = seen_by_camera(joints, azimuth, tilt) @ frame.rotation.T
    # the rest pose's own lean (neck over the feet) is what standing can't tell from the camera's tilt: a few degrees
    error = Rotation.align_vectors(back - back[0], joints - joints[0])[0].magnitude()
    assert np.degrees(error) < 4.0


def test_a_given_tilt_is_exact_from_the_first_frame():
    joints, feet = standing_body()
    calibration = StanceCalibration(tilt=0.2)
    frame = calibration.update(seen_by_camera(joints, 0.5, 0.2), seen_by_camera(feet, 0.5, 0.2), 0.0, 0.0)
    np.testing.assert_allclose(frame.rotation @ up_from_tilt(0.2), [0, 0, 1], atol=1e-12)
    back = seen_by_camera(joints, 0.5, 0.2) @ frame.rotation.T
    np.testing.assert_allclose(back[:, 2], joints[:, 2], atol=1e-9)


def test_a_moving_person_is_no_stance_and_one_who_never_stands_gets_a_level_guess():
    joints, feet = standing_body()
    camera = (seen_by_camera(joints, 0.0, 0.0), seen_by_camera(feet, 0.0, 0.0))
    calibration = StanceCalibration()
    frames = [calibration.update(*camera, 1.0, index / FPS) for index in range(100)]
    assert frames[0] is None
    assert frames[-1] is not None and not frames[-1].measured
    np.testing.assert_allclose(frames[-1].rotation, LEVEL_FRONT_VIEW.T, atol=1e-6)


def test_the_frame_stays_once_the_stance_is_over():
    joints, feet = standing_body()
    calibration = StanceCalibration()
    for index in range(int(STANCE_SECONDS * FPS) + 2):
        fixed = calibration.update(seen_by_camera(joints, 0, 0), seen_by_camera(feet, 0, 0), 0.0, index / FPS)
    later = calibration.update(seen_by_camera(joints, 1.0, 0.3), seen_by_camera(feet, 1.0, 0.3), 0.0, 2.0)
    assert later is fixed


def test_upright_is_standing_and_not_lying_or_sitting():
    joints, _ = standing_body()
    assert is_upright(seen_by_camera(joints, 0.3, 0.2))
    lying = Rotation.from_rotvec([0, np.pi / 2, 0]).apply(joints)
    assert not is_upright(seen_by_camera(lying, np.pi / 2, 0.0))
    bent = IDENTITY.copy()
    bent[[4, 5]] = Rotation.from_rotvec([0, np.radians(90), 0]).as_quat()
    assert not is_upright(seen_by_camera(forward_kinematics(np.zeros(3), bent, REST_OFFSETS), 0.3, 0.2))


@pytest.mark.parametrize("first_planted", [[True] * 4, [True, True, False, False]])
def test_planted_feet_stay_while_the_body_moves(first_planted):
    anchor = FootAnchor()
    _, feet = standing_body()
    still = np.where(first_planted, 0.0, 2.0)
    start = anchor.update(feet, np.zeros(4), 0.0, None)
    np.testing.assert_allclose((feet + start)[[1, 3], 2], 0.0, atol=1e-12)
    np.testing.assert_allclose((feet + start).mean(0)[:2], 0.0, atol=1e-12)
    for index in range(1, 60):
        # the root sinks and goes forward: planted feet move up and back about it
        moved = feet + np.array([-0.3, 0.0, 0.4]) * index / 60
        root = anchor.update(moved, still, index / FPS, None)
    np.testing.assert_allclose(root - start, [0.3 * 59 / 60, 0.0, -0.4 * 59 / 60], atol=1e-9)


def test_in_flight_the_body_travels_by_perspective():
    anchor = FootAnchor()
    _, feet = standing_body()
    start = anchor.update(feet, np.zeros(4), 0.0, np.array([0.0, 0.0, 1.0]))
    root = anchor.update(feet, np.full(4, 3.0), 1 / FPS, np.array([0.1, 0.0, 1.2]))
    np.testing.assert_allclose(root - start, [0.1, 0.0, 0.2])
