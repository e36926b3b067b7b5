"""The fms node: one state a pose, the scorer's own results, and no message that can bring it down."""

from dataclasses import replace

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rosgraph_msgs.msg import Clock

from fitmotion_models.fms import score_clip
from fitmotion_models.fms.records import Records
from fitmotion_models.mover import SquatParameters, seen_from, squat_clip
from fitmotion_models.skeleton.motion_clip import clip_from_poses
from fitmotion_msgs.msg import Assessment, AssessmentState, BodyPose, Screen
from fitmotion_msgs.srv import FinishScreen, ReportPain, ResetScreen, SetScore, StartScreen, StartTest
from fitmotion_nodes.conversions import assessment_from_msg, body_pose_to_msg
from fitmotion_nodes.fms import FmsNode
from fitmotion_nodes.parameters import StreamParameters, frame_qos, result_qos
from fitmotion_nodes.spin import CannotRunError

LOSSLESS = frame_qos(StreamParameters(lossless=True))
GOOD = squat_clip(SquatParameters(repetitions=1), fps=20.0)
SQUAT = Assessment.MOVEMENT_DEEP_SQUAT


@pytest.fixture
def scored(ros):
    """A graph with the node, ears for all it says, and a way to send it poses."""

    class Scored:
        def __init__(self, **parameters) -> None:
            self.graph = ros(lossless=True, **parameters)
            self.states = self.graph.hear(AssessmentState, "fms/state", LOSSLESS)
            self.assessments = self.graph.hear(Assessment, "fms/assessment", result_qos())
            self.screens = self.graph.hear(Screen, "fms/screen", result_qos(latched=True, depth=20))
            self.reports = self.graph.hear(DiagnosticArray, "/diagnostics")
            self.graph.add(FmsNode())
            self._bodies = self.graph.talk(BodyPose, "body_pose", LOSSLESS)

        def send(self, *messages) -> None:
            for msg in messages:
                self._bodies.publish(msg)

        def play(self, clip) -> None:
            """Send a clip and wait for all its states."""
            before = len(self.states)
            self.send(*(body_pose_to_msg(pose) for pose in clip))
            self.graph.until(lambda: len(self.states) >= before + len(clip))

        def values(self):
            return self.graph.values("fms", self.reports)

        def call(self, kind, name, **fields):
            return self.graph.call(kind, f"fms/{name}", kind.Request(**fields))

    return Scored


def test_scores_are_those_of_the_library_and_every_pose_has_a_state(scored) -> None:
    node, clip = scored(), squat_clip(SquatParameters(depth_m=0.12, trunk_lean_deg=28.0), fps=20.0)
    node.play(clip)
    expected = score_clip(clip)
    assert len(expected) > 0
    node.graph.until(lambda: len(node.assessments) == len(expected) and len(node.screens) >= 1)
    for msg, assessment in zip(node.assessments, expected, strict=True):
        got = assessment_from_msg(msg)
        assert (got.score, got.repetition, got.trial, got.reason) == (
            assessment.score,
            assessment.repetition,
            1,
            assessment.reason,
        )
        assert got.start == pytest.approx(assessment.start, abs=1e-9)
        for one, other in zip(got.criteria, assessment.criteria, strict=True):
            assert (one.name, one.verdict) == (other.name, other.verdict)
            assert one.value == pytest.approx(other.value, rel=1e-6)
    assert [msg.header.stamp for msg in node.states] == [body_pose_to_msg(pose).header.stamp for pose in clip]
    assert {msg.header.frame_id for msg in (*node.states, *node.assessments)} == {"world"}
    assert node.screens[-1].final[0] == max(assessment.score for assessment in expected)


def test_a_recording_that_ends_with_the_last_upright_frame_is_scored_as_a_file(scored) -> None:
    heights = GOOD.positions[:, 0, 2]
    lowest = int(heights.argmin())
    back = heights[lowest] + 0.97 * (heights[0] - heights[lowest])
    cut = list(GOOD)[: lowest + int((heights[lowest:] >= back).argmax()) + 1]
    expected = score_clip(clip_from_poses(cut, GOOD.fps))
    assert len(expected) == 1
    node = scored()
    clock = node.graph.talk(Clock, "/clock")
    node.play(clip_from_poses(cut[:-1], GOOD.fps))
    node.graph.spin_for(0.1)
    assert not node.assessments
    # the last body is still on its way when the end is heard of
    node.send(body_pose_to_msg(cut[-1]))
    node.graph.node.destroy_publisher(clock)
    node.graph.until(lambda: len(node.states) == len(cut) and node.assessments and node.screens)
    got = assessment_from_msg(node.assessments[0])
    assert (got.score, got.reason, got.start) == (
        expected[0].score,
        expected[0].reason,
        pytest.approx(expected[0].start),
    )
    assert got.stamp == pytest.approx(cut[-1].stamp, abs=1e-6)
    node.graph.spin_for(0.1)
    assert len(node.assessments) == 1


def test_bad_messages_are_counted_and_the_node_lives(scored) -> None:
    node, clip = scored(), GOOD
    poses = [body_pose_to_msg(pose) for pose in clip]
    broken = body_pose_to_msg(clip.frame(0))
    broken.positions = np.full(66, np.nan, np.float32)
    elsewhere = body_pose_to_msg(clip.frame(0), frame_id="camera_optical_frame")
    infinite = body_pose_to_msg(clip.frame(1))
    infinite.confidence = np.full(22, np.inf, np.float32)
    node.send(poses[0], broken, elsewhere, infinite, BodyPose(), poses[1])
    node.graph.until(lambda: node.values().get("bad_messages") == "4")
    assert len(node.states) == 2
    assert node.values()["frames_in"] == "6"
    warned = [status for report in node.reports for status in report.status if status.level != b"\x00"]
    assert warned and "refused a message" in warned[0].message
    node.send(*poses[2:])
    expected = len(score_clip(clip))
    node.graph.until(lambda: len(node.states) == len(poses) and len(node.assessments) == expected)


def test_two_people_are_scored_each_for_themselves(scored) -> None:
    node = scored(assess="all")
    good = replace(GOOD, subject="anna")
    poor = replace(squat_clip(SquatParameters(arm_drop_deg=55.0, repetitions=1), fps=20.0), subject="bert")
    count = min(len(good), len(poor))
    for index in range(count):
        node.send(body_pose_to_msg(good.frame(index)), body_pose_to_msg(poor.frame(index)))
        node.graph.until(lambda index=index: len(node.states) == 2 * index + 2)
    scores = {name: [msg.score for msg in node.assessments if msg.subject == name] for name in ("anna", "bert")}
    assert scores["anna"][0] == 3 and scores["bert"][0] == 1
    answer = node.call(ResetScreen, "reset_screen")
    assert not answer.success and "2 people are in view (anna, bert)" in answer.message


def test_a_pose_that_comes_twice_is_answered_twice_and_scored_once(scored) -> None:
    node, clip = scored(), GOOD
    poses = [body_pose_to_msg(pose) for pose in clip]
    node.send(*(msg for pose in poses for msg in (pose, pose)))
    node.graph.until(lambda: len(node.states) == 2 * len(poses))
    node.graph.spin_for(0.1)
    assert len(node.assessments) == len(score_clip(clip))


def test_pain_makes_the_test_0_and_can_be_taken_back(scored) -> None:
    node = scored()
    node.play(GOOD)
    node.graph.until(lambda: node.screens)
    assert node.screens[-1].final[0] == 3
    before = len(node.assessments)
    answer = node.call(ReportPain, "report_pain", pain=True, note="left knee")
    assert answer.success and "left knee" in answer.message
    node.graph.until(lambda: len(node.assessments) == before + 1 and node.screens[-1].final[0] == 0)
    again = node.assessments[-1]
    assert (again.score, again.pain, again.repetition) == (0, True, node.assessments[before - 1].repetition)
    assert node.call(ReportPain, "report_pain", movement=SQUAT, pain=False).success
    node.graph.until(lambda: node.screens[-1].final[0] == 3)


def test_pain_in_a_clearing_test_reaches_its_test(scored) -> None:
    node = scored()
    node.play(GOOD)
    request = {"clearing": ReportPain.Request.CLEARING_ROCKING_FLEXION, "pain": True}
    assert node.call(ReportPain, "report_pain", **request).success
    node.graph.until(lambda: node.screens and node.screens[-1].final[Screen.ROTARY_STABILITY] == 0)
    assert list(node.screens[-1].clearing) == [0, 0, Screen.CLEARING_PAIN]
    assert not node.call(ReportPain, "report_pain", clearing=9, pain=True).success


def test_the_operators_grade_stands_beside_ours(scored) -> None:
    node = scored()
    node.play(GOOD)
    refused = node.call(SetScore, "set_score", movement=SQUAT, score=2)
    assert not refused.success and "needs a reason" in refused.message
    answer = node.call(SetScore, "set_score", movement=SQUAT, score=2, reason="heels lifted, seen live")
    assert answer.success and answer.automatic_score == 3
    node.graph.until(lambda: node.screens[-1].final[0] == 2 and node.assessments[-1].overridden)
    assert node.assessments[-1].override_reason == "heels lifted, seen live"
    assert any("measured 3" in note for note in node.screens[-1].notes)
    assert node.call(SetScore, "set_score", movement=SQUAT, score=-1).success
    node.graph.until(lambda: node.screens[-1].final[0] == 3)
    assert not node.call(SetScore, "set_score", movement=200, score=1, reason="x").success


def test_a_trial_on_the_board_is_a_new_trial(scored) -> None:
    node, clip = scored(), GOOD
    refused = node.call(StartTest, "start_test", movement=SQUAT)
    assert not refused.success and "nobody has been seen yet" in refused.message
    node.play(clip)
    floor = len(node.assessments)
    answer = node.call(StartTest, "start_test", movement=SQUAT, variation=Assessment.VARIATION_DEEP_SQUAT_BOARD)
    assert answer.success and answer.trial == 1
    node.play(replace(clip, stamps=clip.stamps + 100.0))
    node.graph.until(lambda: len(node.assessments) == 2 * floor)
    assert {msg.variation for msg in node.assessments[floor:]} == {Assessment.VARIATION_DEEP_SQUAT_BOARD}
    assert {msg.score for msg in node.assessments[floor:]} == {2}
    answer = node.call(StartTest, "start_test", movement=SQUAT)
    assert (answer.success, answer.trial) == (True, 2)  # the first form again, its second trial
    refused = node.call(StartTest, "start_test", movement=SQUAT, side=Assessment.SIDE_LEFT)
    assert not refused.success and "side LEFT does not belong to DEEP_SQUAT; known: BOTH" in refused.message


def test_a_screen_is_kept_for_those_who_come_late(scored) -> None:
    node = scored()
    node.play(GOOD)
    node.graph.until(lambda: node.screens)
    late = node.graph.hear(Screen, "fms/screen", result_qos(latched=True, depth=20))
    node.graph.until(lambda: late)
    assert late[-1].subject == "mover" and late[-1].total == -1
    assert node.call(ResetScreen, "reset_screen").success
    node.graph.until(lambda: node.screens[-1].final[0] == -1)


def test_a_movement_that_cannot_be_scored_is_said_at_the_start(ros) -> None:
    ros(movement="deep_squat", side="left")
    with pytest.raises(CannotRunError, match="side LEFT does not belong to DEEP_SQUAT; known: BOTH"):
        FmsNode()


@pytest.mark.slow
def test_one_person_is_scored_and_the_others_are_only_there(scored) -> None:
    node = scored()
    node.play(replace(GOOD, subject="anna"))
    node.play(replace(GOOD, subject="bert"))
    assert {msg.subject for msg in node.assessments} == {"anna"}
    others = [msg for msg in node.states if msg.subject == "bert"]
    assert len(others) == len(GOOD)
    assert {(msg.movement, msg.phase, len(msg.criteria)) for msg in others} == {(0, 0, 0)}
    assert node.call(StartTest, "start_test", subject="bert", movement=SQUAT).success
    node.play(replace(GOOD, subject="bert", stamps=GOOD.stamps + 100.0))
    node.graph.until(lambda: {msg.subject for msg in node.assessments} == {"anna", "bert"})


def test_any_test_is_recognised(scored) -> None:
    node = scored(movement="auto")
    node.play(GOOD)
    node.graph.until(lambda: node.assessments)
    assert (node.assessments[0].movement, node.assessments[0].score) == (SQUAT, 3)
    assert {msg.movement for msg in node.states} >= {Assessment.MOVEMENT_UNKNOWN, SQUAT}


def test_a_screen_is_kept_with_its_measures_and_goes_on_in_the_next_process(scored, tmp_path) -> None:
    path = tmp_path / "persons.sqlite"
    node = scored(records=str(path), measured_by="Ben")
    asked = {"person": "Anna", "stature_m": 1.7, "hand_length_m": 0.18, "sex": StartScreen.Request.SEX_FEMALE}
    refused = node.call(StartScreen, "start_screen", **asked)
    assert not refused.success and "begin with their consent" in refused.message
    begun = node.call(StartScreen, "start_screen", **asked, consent=True)
    assert begun.success and begun.session == 1
    assert not node.call(StartScreen, "start_screen", **asked, consent=True).success  # it is under way
    node.play(GOOD)
    node.graph.until(lambda: node.screens and node.screens[-1].final[0] == 3)
    graded = node.call(SetScore, "set_score", movement=SQUAT, score=1, reason="knees", beside=True)
    assert graded.success and graded.automatic_score == 3 and "stands beside ours" in graded.message
    assert node.call(ReportPain, "report_pain", movement=3, side=1, pain=True, note="left hip").success
    node.graph.until(lambda: node.screens[-1].left[2] == 0)
    last = node.screens[-1]
    assert (last.person, last.session, last.open, last.final[0]) == ("Anna", 1, True, 3)
    with Records(path) as records:  # as another process would find it
        (visit,) = records.open_sessions()
        assert (visit.measured_by, visit.body.stature_m, visit.body.hand_length_m) == ("Ben", 1.7, 0.18)
        assert records.screen(visit).result().final[0] == 3
        assert len(records.clip(visit, records.assessments(visit)[0])) > 20
    node.graph.add(FmsNode())  # started by the same process as the one that it replaces
    node.graph.until(lambda: len(node.screens) >= 4 and list(node.screens[-1].left) == list(last.left))
    assert (node.screens[-1].subject, node.screens[-1].session) == (last.subject, 1)


def test_a_finished_screen_says_what_is_missing(scored, tmp_path) -> None:
    node = scored(records=str(tmp_path / "persons.sqlite"))
    node.call(StartScreen, "start_screen", person="Anna", consent=True)
    node.play(GOOD)
    node.graph.until(lambda: node.screens)
    finished = node.call(FinishScreen, "finish_screen")
    assert finished.success and finished.total == -1 and finished.session == 1
    assert "finished: without a total; missing: hurdle step, inline lunge" in finished.message
    node.graph.until(lambda: not node.screens[-1].open)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"person": "Otto"}, "nobody is called 'Otto' yet; begin with their consent"),
        ({"resume": True}, "no screen is open; begin a new one"),
    ],
)
def test_what_a_screen_needs_is_said_at_the_start(ros, tmp_path, parameters, said) -> None:
    ros(records=str(tmp_path / "persons.sqlite"), **parameters)
    with pytest.raises(CannotRunError, match=said):
        FmsNode()


@pytest.mark.slow
def test_where_the_camera_should_be_is_said_in_the_diagnostics(scored) -> None:
    node = scored()
    node.play(seen_from(GOOD, (1.0, 0.0, 0.1)))
    node.graph.until(lambda: "film from the side" in node.values().get("guidance", ""))
    assert node.values()["guidance"].startswith("Deep squat: film from the side")
