"""Marks: identities that never change, places that the body gives, angles that its parameters say."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.fms.values import NOT_SCORABLE
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.figure import ANGLES, BONES, POINTS, angle_directions, body_points, measured_lines
from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.markers import (
    MarkBoard,
    ScoreBoard,
    Shape,
    angle_marks,
    body_marks,
    fault_marks,
)


def all_marks(pose: BodyPose, test: LiveTest, scores: ScoreBoard):
    return body_marks(pose) + angle_marks(pose) + fault_marks(pose, test) + scores.marks(pose, test)


def by_key(marks):
    assert len({mark.key for mark in marks}) == len(marks)
    return {mark.key: mark for mark in marks}


def without(pose: BodyPose, *joints: str) -> BodyPose:
    """The same body with joints unseen."""
    arrays = {name: getattr(pose, name).copy() for name in ("positions", "confidence", "rotations")}
    for joint in joints:
        index = SMPL22.index(joint)
        arrays["positions"][index] = arrays["rotations"][index] = np.nan
        arrays["confidence"][index] = 0.0
    return replace(pose, **arrays)


def test_who_is_not_assessed_is_all_grey(standing) -> None:
    marks = body_marks(standing, grey=True)
    assert len(marks) == 2
    for mark in marks:
        assert {colour[:3] for colour in mark.colours} == {palette.UNKNOWN}


def test_an_identity_means_the_same_thing_in_every_frame(play) -> None:
    scores, shapes = ScoreBoard(), {}
    for pose, test in play("squat_heels_up", subject="anna"):
        for key, mark in by_key(all_marks(pose, test, scores)).items():
            assert shapes.setdefault(key, mark.shape) is mark.shape
            assert np.isfinite(mark.points).all() and mark.size > 0.0
            assert len(mark.colours) in (0, len(mark.points))
            assert mark.text.isascii() and bool(mark.text) == (mark.shape is Shape.TEXT)
    parts = ("body", "angles", "criteria", "score")
    assert {namespace for namespace, _ in shapes} == {f"anna/{part}" for part in parts}
    heels = 6  # the seventh of the table
    assert {number for namespace, number in shapes if namespace == "anna/criteria"} == {3 * heels + k for k in range(3)}


def test_bones_and_joints_are_where_the_body_is(standing) -> None:
    bones, joints = body_marks(standing)
    points, _ = body_points(standing)
    np.testing.assert_array_equal(joints.points, points)
    np.testing.assert_array_equal(bones.points, points[np.array(BONES).ravel()])
    left = POINTS.index("left_knee"), POINTS.index("left_ankle")
    assert bones.colours[2 * BONES.index(left)] == (*palette.LEFT, 1.0)
    right = POINTS.index("right_shoulder"), POINTS.index("right_elbow")
    assert bones.colours[2 * BONES.index(right)] == (*palette.RIGHT, 1.0)


def test_every_point_hangs_on_the_figure() -> None:
    joined = {0}
    for _ in POINTS:
        joined |= {point for bone in BONES if joined & set(bone) for point in bone}
    interpolated = {POINTS.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("collar", "foot")}
    assert joined == set(range(26)) - interpolated


def test_what_is_unseen_is_not_drawn(standing) -> None:
    pose = without(standing, "left_knee", "left_wrist")
    bones, joints = body_marks(pose)
    assert len(joints.points) == 24 and np.isfinite(bones.points).all()
    gone = {POINTS.index("left_knee"), POINTS.index("left_wrist")}
    assert len(bones.points) == 2 * sum(not gone & set(bone) for bone in BONES)
    nobody = without(replace(standing, feet_confidence=np.zeros(4), feet=np.full((4, 3), np.nan)), *SMPL22.joints)
    assert all_marks(nobody, LiveTest(), ScoreBoard()) == []


def test_angles_are_those_that_the_mover_was_made_with() -> None:
    given = SquatParameters(trunk_lean_deg=41.0, shin_lean_deg=28.0, hold_s=1.0, repetitions=1)
    clip = squat_clip(given)
    pose = clip.frame(int(np.argmin(clip.positions[:, 0, 2])))
    texts = {mark.number // 2: mark.text for mark in angle_marks(pose) if mark.shape is Shape.TEXT}
    shown = {ANGLES[number].name: float(text) for number, text in texts.items()}
    assert shown["trunk"] == pytest.approx(41.0, abs=0.6)
    assert shown["left_shin"] == pytest.approx(shown["right_shin"])
    # the shin leans in the plane of the turned-out foot: against the vertical a little more than forward alone
    assert 28.0 - 0.6 <= shown["left_shin"] <= 32.0
    hip, knee, ankle = (pose.positions[SMPL22.index(f"left_{joint}")] for joint in ("hip", "knee", "ankle"))
    thigh, shin = np.linalg.norm(hip - knee), np.linalg.norm(knee - ankle)
    # law of cosines, from three lengths only
    inner = np.rad2deg(np.arccos((thigh**2 + shin**2 - np.linalg.norm(hip - ankle) ** 2) / (2 * thigh * shin)))
    assert shown["left_knee"] == pytest.approx(180.0 - inner, abs=0.6)
    assert "left_elbow" not in shown  # straight arms: nothing to show


def test_an_arc_lies_at_its_joint_between_its_two_directions(standing) -> None:
    clip = squat_clip(SquatParameters(repetitions=1))
    pose = clip.frame(int(np.argmin(clip.positions[:, 0, 2])))
    points, _ = body_points(pose)
    arcs = {mark.number // 2: mark.points for mark in angle_marks(pose) if mark.shape is Shape.LINE_STRIP}
    assert len(arcs) >= 7
    for number, arc in arcs.items():
        start, end, angle = angle_directions(ANGLES[number], points)
        spokes = arc - points[ANGLES[number].at]
        radius = np.linalg.norm(spokes, axis=1)
        np.testing.assert_allclose(radius, radius[0])
        np.testing.assert_allclose(spokes[0] / radius[0], start, atol=1e-9)
        np.testing.assert_allclose(spokes[-1] / radius[0], end, atol=1e-9)
        swept = np.arccos(np.clip((spokes[1:] * spokes[:-1]).sum(1) / radius[0] ** 2, -1, 1)).sum()
        assert swept == pytest.approx(angle)


@pytest.mark.parametrize(
    ("mover", "name", "lines"),
    [
        ("squat_shallow", "Femur below horizontal", ["left_hip left_knee", "right_hip right_knee"]),
        ("squat_knee_in_left", "Left knee over foot", ["left_knee left_ankle", "left_ankle left_toe"]),
        (
            "squat_trunk_forward",
            "Trunk parallel to tibia",
            ["pelvis neck", "left_knee left_ankle", "right_knee right_ankle"],
        ),
    ],
)
def test_a_fault_is_red_where_it_happens(at, mover, name, lines) -> None:
    pose, test = at(mover, 3.1)
    points, _ = body_points(pose)
    marks = fault_marks(pose, test)
    (red,) = [mark for mark in marks if mark.shape is Shape.LINES]
    (text,) = [mark for mark in marks if mark.shape is Shape.TEXT]
    expected = np.array([points[POINTS.index(word)] for line in lines for word in line.split()])
    assert red.colour == (*palette.FAULT, 1.0)
    np.testing.assert_array_equal(red.points, expected)
    assert text.text.startswith(f"{name}: ") and ", limit " in text.text
    beside = np.linalg.norm(text.points[0] - expected.mean(0))
    assert 0.2 < beside < 0.9


def test_two_faults_do_not_write_over_each_other(at) -> None:
    pose, test = at("squat_knees_in", 3.1)
    texts = [mark for mark in fault_marks(pose, test) if mark.shape is Shape.TEXT]
    assert len(texts) == 2
    assert abs(texts[0].points[0, 2] - texts[1].points[0, 2]) > texts[0].size


def test_a_fault_of_a_body_that_is_unseen_is_not_drawn(at) -> None:
    pose, test = at("squat_shallow", 3.1)
    hidden = without(pose, "left_hip", "left_knee", "right_hip", "right_knee")
    assert fault_marks(pose, test) and not fault_marks(hidden, test)
    assert measured_lines((7, 200)) == ()


def test_the_score_stands_over_the_head_and_does_not_bob(play) -> None:
    scores, places, texts = ScoreBoard(), [], []
    for pose, test in play("squat_shallow"):
        marks = scores.marks(pose, test)
        places += [mark.points[0] for mark in marks if mark.number == 0]
        texts.append([mark.text for mark in marks])
        assert marks[0].points[0, 2] > pose.positions[SMPL22.index("head"), 2] + 0.15
    assert len({tuple(place) for place in places}) == 1
    assert texts[0] == ["Deep squat: 0 repetitions, stand still to begin"]
    assert texts[-1] == ["score 1", "Deep squat: 3 repetitions, standing"]


def test_the_score_follows_who_walks_off(standing) -> None:
    scores, test = ScoreBoard(), LiveTest()
    (here,) = scores.marks(standing, test)
    (still,) = scores.marks(replace(standing, positions=standing.positions + np.float32([0.2, 0, 0])), test)
    (there,) = scores.marks(replace(standing, positions=standing.positions + np.float32([1.5, 0, 0])), test)
    assert here.same_as(still)
    np.testing.assert_allclose(there.points - here.points, [[1.5, 0, 0]], atol=1e-6)


def test_colours_of_scores_differ() -> None:
    assert len({palette.score_colour(score) for score in (1, 2, 3, NOT_SCORABLE)}) == 4
    assert palette.score_colour(None) == palette.score_colour(NOT_SCORABLE)


def test_only_what_changed_is_sent_and_what_ended_is_deleted(standing, at) -> None:
    board, test = MarkBoard(), LiveTest()
    first = body_marks(standing) + ScoreBoard().marks(standing, test)
    changed, gone = board.update(first)
    assert {mark.key for mark in changed} == {mark.key for mark in first} and not gone
    again = body_marks(standing) + ScoreBoard().marks(standing, test)
    assert board.update(again) == ([], [])
    moved = replace(standing, positions=standing.positions + np.float32([0.0, 0.0, 0.001]))
    changed, gone = board.update(body_marks(moved) + again[2:])
    assert [mark.key for mark in changed] == [("mover/body", 0), ("mover/body", 1)] and not gone
    assert {mark.key for mark in board.everything()} == {mark.key for mark in first}
    changed, gone = board.update(body_marks(moved))
    assert not changed and gone == [("mover/score", 1)]
    assert board.update([])[1] == [("mover/body", 0), ("mover/body", 1)] and len(board) == 0
