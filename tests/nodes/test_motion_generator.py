"""The motion_generator node: commands change a stream that has no gap, goals are made beside it, nothing upsets it."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from nav_msgs.msg import Path
from rclpy.action import ActionClient
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger

from fitmotion_models.fms.scorer import score_clip
from fitmotion_models.fms.values import NOT_SCORABLE
from fitmotion_models.motion.features import LAYOUT, anchor_of, anchored, features_of
from fitmotion_models.motion.sampler import ENGINES, SamplerCard
from fitmotion_models.mover import make_mover
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_msgs.action import GenerateMotion
from fitmotion_msgs.msg import Assessment, BodyPose, MotionCommand, MotionConstraint
from fitmotion_nodes import motion_generator, motion_generator_parameters
from fitmotion_nodes.conversions import assessment_to_msg, body_pose_from_msg, stamp_from_msg, stamp_to_msg
from fitmotion_nodes.motion_generator import MotionGeneratorNode
from fitmotion_nodes.motion_generator_parameters import MotionGeneratorParameters
from fitmotion_nodes.motion_prompts import prompts_to_pick
from fitmotion_nodes.parameters import ParameterError, result_qos

EVERY_POSE = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
PELVIS = SMPL22.index("pelvis")


class Words:
    """Tells a prompt by its length."""

    name, size = "minilm", 384

    def encode(self, texts):
        return np.array([[float(len(text))] * self.size for text in texts], np.float32)


class Lengths:
    def sample(self, embedding, score, random) -> float:
        return 3.0


class StandIn:
    """In place of the network: stands with the pelvis .1 m lower for every level of the score.

    hold: chunks wait while it is set. broken: what comes is no motion.
    """

    engine, engine_name, passed_over = "a stand-in", "none", ()
    card = SamplerCard("stand_in", "minilm", 384)

    def __init__(self) -> None:
        self.hold, self.broken, self.chunks = threading.Event(), False, 0
        self.hold.set()
        clip = make_mover("squat", fps=20.0)
        self._standing = features_of(clip)[:20]

    def __call__(self, inputs):
        self.chunks += 1
        self.hold.wait(10.0)
        if self.broken:
            return np.full((20, LAYOUT.size), np.nan, np.float32)
        score = int(np.argmax(inputs.score)) - 1
        future = anchored(self._standing, anchor_of(self._standing[0]))
        future[:, LAYOUT["root_position"].start + 2] -= 0.1 * max(score, 0)
        return future


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setattr(motion_generator, "load_sampler", lambda *names, **settings: stand_in)
    monkeypatch.setattr(motion_generator, "load_text_encoder", lambda name: Words())
    monkeypatch.setattr(motion_generator, "load_length_model", Lengths)
    return stand_in


@pytest.fixture
def generating(ros, network):
    """A graph with the node and ears for what it says: `it = generating(rate_hz=40.0)`."""

    def start(**parameters) -> SimpleNamespace:
        graph = ros(clean_up=False, **parameters)
        ears = SimpleNamespace(
            poses=graph.hear(BodyPose, "generated/body_pose", EVERY_POSE),
            reports=graph.hear(DiagnosticArray, "/diagnostics"),
        )
        node = graph.add(MotionGeneratorNode())
        return SimpleNamespace(
            graph=graph,
            node=node,
            network=network,
            poses=ears.poses,
            command=graph.node.create_publisher(MotionCommand, "motion/command", result_qos(depth=100)),
            client=ActionClient(graph.node, GenerateMotion, "generate_motion"),
            values=lambda: graph.values("motion_generator", ears.reports),
        )

    return start


def pelvis_height(msg: BodyPose) -> float:
    return float(msg.positions[3 * PELVIS + 2])


def stamps(messages) -> np.ndarray:
    return np.array([stamp_from_msg(msg.header.stamp) for msg in messages])


def no_gap(messages, rate_hz: float = 30.0) -> None:
    """Stamps rise by one period each, to what a float of seconds resolves."""
    assert np.abs(np.diff(stamps(messages)) - 1.0 / rate_hz).max() < 1e-6


def of(messages, subject: str) -> list[BodyPose]:
    return [msg for msg in messages if msg.subject == subject]


def has_lowered(it, score: int, subject: str = "generated") -> bool:
    """Whether the body shows the stand-in's posture for a score."""
    heard = of(it.poses, subject)
    return bool(heard) and abs(pelvis_height(heard[-1]) - (it.standing - 0.1 * score)) < 0.02


def wait_standing(it) -> None:
    it.graph.until(lambda: len(it.poses) > 6 and it.command.get_subscription_count())
    it.standing = float(it.network._standing[0, LAYOUT["root_position"]][2])


def send(it, **fields):
    future = it.client.send_goal_async(GenerateMotion.Goal(**fields), feedback_callback=it.feedback.append)
    it.graph.until(future.done)
    return future.result()


def result(it, goal):
    future = goal.get_result_async()
    it.graph.until(future.done)
    return future.result()


@pytest.fixture
def goals(generating):
    it = generating()
    it.feedback = []
    it.graph.until(it.client.server_is_ready)
    wait_standing(it)
    return it


# ---- the stream ----


def test_a_command_changes_the_stream_which_keeps_its_rate(generating) -> None:
    it = generating(rate_hz=40.0)
    wait_standing(it)
    sent = it.node.get_clock().now().nanoseconds / 1e9
    it.command.publish(MotionCommand(prompt="raises the left hand", fms_score=3))
    it.graph.until(lambda: has_lowered(it, 3))
    times, heights = stamps(it.poses), np.array([pelvis_height(msg) for msg in it.poses])
    changed = times[np.abs(heights - heights[0]) > 0.01][0] - sent
    print(f"changed {changed:.3f} s after it was sent")
    assert changed > 0.0  # how soon is a matter of the machine: measured with real processes
    no_gap(it.poses, 40.0)
    pose = body_pose_from_msg(it.poses[-1])
    assert (pose.subject, pose.source, pose.views) == ("generated", Source.GENERATED, 0)
    said = it.node._diagnostics
    assert said.extra["generated.prompt"] == "raises the left hand" and said.extra["generated.score"] == "3"
    assert said.engine == "stand_in on a stand-in" and float(said.extra["chunk_p95_ms"]) > 0.0


@pytest.mark.slow
def test_a_command_takes_effect_at_its_stamp_and_they_may_come_out_of_order(generating) -> None:
    it = generating()
    wait_standing(it)
    now = it.node.get_clock().now().nanoseconds / 1e9
    for after, score in ((1.6, 1), (0.8, 3)):
        command = MotionCommand(prompt="squats", fms_score=score)
        command.header.stamp = stamp_to_msg(now + after)
        it.command.publish(command)
    it.graph.until(lambda: has_lowered(it, 3))
    it.graph.until(lambda: has_lowered(it, 1))
    times, heights = stamps(it.poses), np.array([pelvis_height(msg) for msg in it.poses])
    lowered = times[heights < it.standing - 0.2]
    first = times[np.abs(heights - heights[0]) > 0.005][0] - now
    assert 0.8 - 0.05 <= first <= 0.8 + 0.5
    assert 1.6 - 0.05 <= lowered[-1] - now <= 1.6 + 1.0


@pytest.mark.slow
def test_the_same_command_again_is_no_new_one_and_silence_ends_in_standing(generating) -> None:
    """`ros2 topic pub` without --once sends every second; with the time-out its end lets the body stand."""
    it = generating(command_timeout_s=1.0)
    wait_standing(it)
    for _ in range(4):
        it.command.publish(MotionCommand(prompt="squats", fms_score=2))
        it.graph.spin_for(0.4)
    assert has_lowered(it, 2)
    it.graph.until(lambda: pelvis_height(it.poses[-1]) > it.standing - 0.05)
    no_gap(it.poses)


@pytest.mark.slow
def test_stop_lets_the_body_stand(generating) -> None:
    it = generating(prompt="squats", fms_score="3")
    wait_standing(it)
    it.graph.until(lambda: has_lowered(it, 3))
    answer = it.graph.call(Trigger, "motion/stop", Trigger.Request())
    assert answer.success
    it.graph.until(lambda: pelvis_height(it.poses[-1]) > it.standing - 0.05)


@pytest.mark.slow
def test_a_late_chunk_leaves_no_gap_in_the_stamps(generating) -> None:
    it = generating(prompt="squats")
    wait_standing(it)
    it.network.hold.clear()
    it.graph.spin_for(1.6)
    it.network.hold.set()
    it.graph.until(lambda: int(it.node._diagnostics.extra["underruns"]) > 0)
    no_gap(it.poses)


@pytest.mark.slow
def test_what_is_no_motion_is_said_and_the_body_stands(generating) -> None:
    it = generating(prompt="squats", fms_score="3")
    wait_standing(it)
    it.graph.until(lambda: has_lowered(it, 3))
    it.network.broken = True
    it.graph.until(lambda: "not finite" in str(it.node._diagnostics.warning))
    it.network.broken = False
    it.graph.until(lambda: pelvis_height(it.poses[-1]) > it.standing - 0.05)
    it.command.publish(MotionCommand(prompt="squats again", fms_score=2))
    it.graph.until(lambda: has_lowered(it, 2))


def test_bad_commands_are_counted_and_dropped_and_the_stream_goes_on(generating) -> None:
    it = generating()
    wait_standing(it)
    far = MotionCommand(prompt="walks")
    far.header.stamp = stamp_to_msg(it.node.get_clock().now().nanoseconds / 1e9 + 7200.0)
    elsewhere = MotionCommand(prompt="walks")
    elsewhere.header.frame_id = "map"
    bad = [
        MotionCommand(prompt=""),
        MotionCommand(prompt="x" * 10_000),
        MotionCommand(prompt="walks", fms_score=7),
        MotionCommand(prompt="walks", duration=3600.0),
        MotionCommand(prompt="walks", conditioning=77),
        far,
        elsewhere,
    ]
    for command in bad:
        it.command.publish(command)
    it.graph.until(lambda: it.node._diagnostics.bad_messages == len(bad))
    for text in ("ein Mensch geht in die Hocke", "人が深くしゃがむ", "мужчина приседает"):  # said to be taken
        it.command.publish(MotionCommand(prompt=text, fms_score=1))
        it.graph.until(lambda text=text: it.node._diagnostics.extra.get("generated.prompt") == text)
    no_gap(it.poses)


@pytest.mark.slow
def test_in_media_time_it_follows_the_clock(generating) -> None:
    it = generating(use_sim_time=True)
    clock = it.graph.node.create_publisher(Clock, "/clock", 10)
    it.graph.until(lambda: clock.get_subscription_count() > 0)
    for tick in range(60):
        clock.publish(Clock(clock=stamp_to_msg(100.0 + tick / 25.0)))
        it.graph.spin_for(0.01)
    it.graph.until(lambda: len(it.poses) > 65)
    times = stamps(it.poses)
    assert times[0] >= 100.0 and times[-1] <= 100.0 + 59 / 25.0 + 0.5 / 30.0
    no_gap(it.poses)


# ---- the closed loop ----


@pytest.mark.slow
def test_it_does_what_the_watched_person_did_as_they_did_it_and_at_its_best(generating) -> None:
    it = generating(fms_score="from_assessment", place_y=-1.2)
    wait_standing(it)
    results = it.graph.talk(Assessment, "fms/assessment", result_qos())
    scored = score_clip(make_mover("squat_shallow"))[0]
    assert scored.score == 1
    results.publish(assessment_to_msg(scored))
    it.graph.until(lambda: has_lowered(it, 1) and has_lowered(it, 3, "generated_2"))
    values = it.node._diagnostics.extra  # one dictionary as long as the node lives
    assert values["following"] == "true"
    # it is done again and again until there is another result
    it.graph.until(lambda: (values["generated.score"], values["generated_2.score"]) == ("1", "3"))
    it.graph.until(lambda: values["generated.prompt"] == values["generated_2.prompt"] == prompts_to_pick()[0])
    sides = {name: of(it.poses, name)[-1].positions[1] for name in ("generated", "generated_2")}
    assert sides["generated"] == pytest.approx(-1.2, abs=0.1) and sides["generated_2"] == pytest.approx(1.2, abs=0.1)
    results.publish(assessment_to_msg(replace(scored, score=NOT_SCORABLE, reason="not seen")))
    it.graph.spin_for(0.3)
    assert it.node._imitated is not None  # a repetition without a score changes nothing
    results.publish(assessment_to_msg(replace(scored, score=0, pain=True)))
    it.graph.until(lambda: it.node._imitated is None)
    it.graph.until(lambda: pelvis_height(of(it.poses, "generated")[-1]) > it.standing - 0.05)


# ---- goals ----


def test_a_goal_is_made_while_the_stream_goes_on(goals) -> None:
    goal = send(goals, prompt="squats", fms_score=2, duration=4.0, seed=7)
    assert goal.accepted
    done = result(goals, goal)
    assert (done.status, done.result.success, done.result.seed) == (GoalStatus.STATUS_SUCCEEDED, True, 7)
    clip = done.result.clip
    assert (clip.frames, clip.fps, clip.labels) == (80, 20.0, ["squats", "FMS score 2"])
    assert set(done.result.timing_names) >= {"text", "sample", "decode"} and len(done.result.timings) == len(
        done.result.timing_names
    )
    goals.graph.until(lambda: goals.feedback)
    shares = [one.feedback.progress for one in goals.feedback]
    assert shares == sorted(shares) and all(0.0 <= share <= 1.0 for share in shares)
    no_gap(goals.poses)


def test_one_runs_one_waits_the_third_is_rejected_and_both_can_be_cancelled(goals) -> None:
    goals.network.hold.clear()
    first, second = (send(goals, prompt="squats", duration=60.0) for _ in range(2))
    third = send(goals, prompt="squats once more")
    assert (first.accepted, second.accepted, third.accepted) == (True, True, False)
    assert "one goal is worked on and one waits" in goals.node._diagnostics.extra["last_rejected_goal"]
    for goal in (second, first):
        cancelled = goal.cancel_goal_async()
        goals.graph.until(cancelled.done)
        assert len(cancelled.result().goals_canceling) == 1
    goals.network.hold.set()
    for goal in (second, first):
        done = result(goals, goal)
        assert (done.status, done.result.success) == (GoalStatus.STATUS_CANCELED, False)
        assert done.result.message == "cancelled" and done.result.clip.frames == 0
    assert result(goals, send(goals, prompt="squats", duration=1.0)).result.success


def test_a_goal_that_cannot_be_says_why_in_its_result(goals) -> None:
    way = Path(poses=[PoseStamped(), PoseStamped()])
    way.poses[1].header.stamp.sec, way.poses[1].pose.position.x = 1, float("nan")
    for fields, words in (
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": "x" * 10_000}, "10000 characters"),
        ({"prompt": "walks", "fms_score": 7}, "score 7 is none"),
        ({"prompt": "walks", "duration": 3600.0}, "length 3600 s"),
        ({"prompt": "walks", "duration": -1.0}, "length -1 s"),
        ({"prompt": "walks", "constraint": MotionConstraint(path=way)}, "path positions hold NaN"),
    ):
        done = result(goals, send(goals, **fields))
        assert done.status == GoalStatus.STATUS_ABORTED and not done.result.success
        assert words in done.result.message


@pytest.mark.slow
def test_a_network_that_fails_aborts_the_goal_and_the_node_lives(goals) -> None:
    goals.network.broken = True
    done = result(goals, send(goals, prompt="walks", duration=2.0))
    assert done.status == GoalStatus.STATUS_ABORTED and "not finite" in done.result.message
    goals.network.broken = False
    assert result(goals, send(goals, prompt="walks", duration=2.0)).result.success


# ---- the node ----


@pytest.mark.slow
def test_it_waits_for_its_lifecycle_services_and_can_be_stopped_and_started_by_them(generating) -> None:
    it = generating(autostart=False)

    def change(transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return it.graph.call(ChangeState, "motion_generator/change_state", request).success

    it.graph.spin_for(0.2)
    assert not it.poses
    assert change(Transition.TRANSITION_CONFIGURE) and change(Transition.TRANSITION_ACTIVATE)
    wait_standing(it)
    assert change(Transition.TRANSITION_DEACTIVATE)
    count = len(it.poses)
    it.graph.spin_for(0.3)
    assert len(it.poses) <= count + 2
    assert change(Transition.TRANSITION_CLEANUP)
    assert change(Transition.TRANSITION_CONFIGURE) and change(Transition.TRANSITION_ACTIVATE)
    it.graph.until(lambda: len(it.poses) > count + 10)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"engine": "warp"}, "engine='warp' is unknown; allowed: auto, onnx, cpu"),
        ({"weights": "no_such"}, "no_such.onnx: no such file"),
    ],
)
def test_what_cannot_run_ends_the_process_with_one_line(run_main, parameters, words) -> None:
    status, errors = run_main(motion_generator.main, **parameters)
    assert status == 2 and words in errors and errors.count("\n") == 1


def test_damaged_weights_end_the_process_with_one_line(run_main, tmp_path) -> None:
    path = tmp_path / "motion_stream.onnx"
    path.write_bytes(b"\x08\x07\x12broken" * 50)
    status, errors = run_main(motion_generator.main, weights=str(path))
    assert status == 2 and "motion_stream.onnx" in errors and errors.count("\n") == 1, errors


def test_the_engines_are_those_of_the_sampler() -> None:
    assert tuple(ENGINES) == motion_generator_parameters.ENGINES


def test_parameters_that_make_no_sense() -> None:
    for wrong, words in (
        ({"fms_score": "7"}, "allowed: any, 0, 1, 2, 3, from_assessment"),
        ({"follow": "anna"}, "from_assessment only"),
        ({"prompt": "x" * 600}, "prompt: "),
        ({"subject": "Anna Maria"}, "cannot name a person"),
        ({"rate_hz": 0.0}, "out of range"),
    ):
        with pytest.raises(ParameterError, match=words):
            MotionGeneratorParameters(**wrong)
