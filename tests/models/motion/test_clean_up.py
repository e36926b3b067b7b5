"""Planted feet: known motions that are made to slide and to sink, and are put right again."""

import numpy as np
import pytest

from fitmotion_models.motion.body_frames import ROW, decode, rows_of
from fitmotion_models.motion.clean_up import clean_up
from fitmotion_models.motion.features import LAYOUT, anchor_of, anchored, contacts_of, features_of, placed
from fitmotion_models.mover.movers import make_mover
from fitmotion_models.skeleton.kinematics import PARENTS, REST_OFFSETS, forward_kinematics


def in_chunks(features, contacts, bound=False):
    """Features (T, 204) cleaned chunk by chunk as in a stream, each going on from what was played. Returns rows."""
    rows, last = [], None
    for first in range(0, len(features), 20):
        chunk = features[first : first + 20]
        if last is not None:
            chunk = placed(anchored(chunk, anchor_of(features[first - 1])), anchor_of(last[ROW["features"]]))
        frames = decode(chunk)
        frames.contacts = contacts[first : first + 20].copy()
        clean_up(frames, last, bound=bound)
        rows.append(rows_of(frames))
        last = rows[-1][-1]
    return np.concatenate(rows)


def feet_of(rows):
    return rows[:, ROW["feet"]].reshape(-1, 4, 3)


def joints_of(rows):
    return rows[:, ROW["positions"]].reshape(-1, 22, 3)


def slid(features):
    """The same motion on ice, and bobbing: 3 cm to and fro, 1.5 cm up and down about 1 cm under the floor."""
    time = np.arange(len(features)) / 20.0
    root = features[:, LAYOUT["root_position"]]
    root[:, 0] += 0.03 * np.sin(2.0 * np.pi * 0.7 * time)
    root[:, 1] += 0.03 * np.sin(2.0 * np.pi * 0.5 * time + 1.0)
    root[:, 2] += 0.015 * np.sin(2.0 * np.pi * 0.4 * time) - 0.01
    return features


@pytest.fixture(scope="module")
def squat():
    return features_of(make_mover("squat", fps=20.0)).astype(np.float64)[:160]


def test_a_motion_that_is_right_is_left_alone(squat):
    rows = in_chunks(squat, squat[:, LAYOUT["contacts"]])
    assert np.abs(joints_of(rows) - decode(squat).positions).max() < 5e-3


def test_feet_that_stand_stand_still_and_on_the_floor(squat):
    contacts = squat[:, LAYOUT["contacts"]]
    assert contacts.all()  # a squat on whole soles
    before = decode(slid(squat.copy()))
    after = feet_of(in_chunks(slid(squat.copy()), contacts))

    def speed(feet):
        return np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1).mean() * 20.0

    assert speed(before.feet) > 0.08
    # the toes are held; heels turn about them with what the pelvis sways
    assert speed(after) < 0.01
    assert before.feet[..., 2].min() < -0.02
    assert after[..., 2].min() > -1e-6 and after[..., 2].mean() < 2e-3


def test_bones_rotations_and_joints_stay_one_body(squat):
    rows = in_chunks(slid(squat.copy()), squat[:, LAYOUT["contacts"]])
    positions = joints_of(rows)
    bones = np.linalg.norm(positions[:, 1:] - positions[:, list(PARENTS[1:])], axis=-1)
    np.testing.assert_allclose(bones, np.tile(np.linalg.norm(REST_OFFSETS[1:], axis=-1), (len(rows), 1)), atol=1e-9)
    rotations = rows[:, ROW["rotations"]].reshape(-1, 22, 4)
    np.testing.assert_allclose(forward_kinematics(positions[:, 0], rotations, REST_OFFSETS), positions, atol=1e-9)
    again = decode(rows[:, ROW["features"]])
    np.testing.assert_allclose(again.positions, positions, atol=1e-9)
    np.testing.assert_allclose(again.feet, feet_of(rows), atol=1e-9)


def test_nothing_jumps_over_the_seams_of_chunks(squat):
    raw = decode(slid(squat.copy())).positions
    clean = joints_of(in_chunks(slid(squat.copy()), squat[:, LAYOUT["contacts"]]))
    accelerations = [np.linalg.norm(np.diff(joints, 2, axis=0), axis=-1).max() * 400.0 for joints in (raw, clean)]
    # letting down and holding adds a little; a foot that was set back by 3 cm at once would be 12 m/s2
    assert accelerations[1] < accelerations[0] + 4.0


def test_a_foot_that_travels_is_not_held_back_for_ever(squat):
    """A network that says "stands" of feet that rush off at 1 m/s."""
    away = squat.copy()
    away[:, LAYOUT["root_position"].start] += np.arange(len(away)) * 0.05
    joints = joints_of(in_chunks(away, np.ones((len(away), 4))))
    assert np.abs(joints - decode(away).positions).max() < 0.25
    assert np.linalg.norm(np.diff(joints, 2, axis=0), axis=-1).max() * 400.0 < 60.0


def test_a_body_that_glides_over_its_standing_feet_is_stopped_unless_it_is_bound_to_its_way(squat):
    away = squat.copy()
    away[:, LAYOUT["root_position"].start] += np.arange(len(away)) * 0.02
    contacts = np.ones((len(away), 4))
    stopped = joints_of(in_chunks(away, contacts))[:, 0, 0]
    bound = joints_of(in_chunks(away, contacts, bound=True))[:, 0, 0]
    assert np.ptp(stopped) < 0.2
    np.testing.assert_allclose(bound, decode(away).positions[:, 0, 0], atol=1e-9)


def test_a_body_under_the_floor_comes_up_with_its_arms(squat):
    sunk = squat.copy()
    sunk[:, LAYOUT["root_position"].stop - 1] -= 0.9
    rows = in_chunks(sunk, np.zeros((len(sunk), 4)))
    assert joints_of(rows)[..., 2].min() > -1e-9
    assert feet_of(rows)[..., 2].min() > -1e-6


def test_contacts_become_yes_or_no_and_do_not_flicker(squat):
    contacts = 0.5 + 0.04 * np.sin(np.arange(160))[:, None] * np.ones(4)
    contacts[:40] = 1.0
    rows = in_chunks(squat, contacts)
    said = rows[:, ROW["features"]][:, LAYOUT["contacts"]]
    assert (said == 1.0).all()


def test_feet_in_the_air_are_free():
    clip = make_mover("push_up", fps=20.0)
    features = features_of(clip).astype(np.float64)[:80]
    features[:, LAYOUT["root_position"].stop - 1] += 1.0
    rows = in_chunks(features, np.zeros((80, 4)))
    np.testing.assert_allclose(joints_of(rows), decode(features).positions, atol=1e-12)


def test_contacts_of_what_was_cleaned_are_those_that_were_said(squat):
    rows = in_chunks(slid(squat.copy()), squat[:, LAYOUT["contacts"]])
    assert contacts_of(feet_of(rows)).mean() > 0.99
