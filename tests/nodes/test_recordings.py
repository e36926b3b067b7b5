"""Recordings played again: the poses that were, scored as they were."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.serialization import deserialize_message, serialize_message

from fitmotion_models.exchange import mcap_files
from fitmotion_models.fms import Scorer
from fitmotion_models.mover import make_mover
from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES, Source
from fitmotion_msgs.msg import Assessment, AssessmentState, BodyPose
from fitmotion_nodes.conversions import assessment_from_msg, assessment_to_msg, body_pose_to_msg
from fitmotion_nodes.fms import FmsNode
from fitmotion_nodes.parameters import StreamParameters, frame_qos, result_qos
from fitmotion_nodes.recorder_topics import definition_of
from fitmotion_nodes.recordings import BODY_POSE, RecordedPoses, load_poses
from fitmotion_nodes.replay import ReplayNode

LOSSLESS = frame_qos(StreamParameters(lossless=True))
CLIP = make_mover("squat", fps=20.0)


@pytest.fixture
def write(tmp_path):
    """Record poses: `path = write(poses, topic="/rig/body_pose")`; several calls go into one file."""
    path = tmp_path / "run.mcap"
    messages = []

    def put(poses, topic="/body_pose", definition=None):
        about = mcap_files.RecordedTopic(topic, BODY_POSE, definition or definition_of(BODY_POSE))
        messages.extend((about, serialize_message(body_pose_to_msg(pose))) for pose in poses)
        path.unlink(missing_ok=True)
        with mcap_files.Recording(path) as recording:
            for number, (about, data) in enumerate(messages):
                recording.write(about, data, number, number)
        return path

    return put


def test_poses_come_back_in_order_with_their_gaps(write) -> None:
    kept = [pose for index, pose in enumerate(CLIP) if not 30 <= index < 50]
    recorded = load_poses(write(kept))
    assert len(recorded) == len(kept) and recorded.fps == pytest.approx(20.0, rel=1e-6)
    assert max(recorded.stamps[1:] - recorded.stamps[:-1]) == pytest.approx(21 / 20.0)
    for pose, expected in zip(recorded, kept, strict=True):
        assert (pose.stamp, pose.subject, pose.source) == (expected.stamp, expected.subject, Source.REPLAY)
        for name in ARRAY_SHAPES:
            assert getattr(pose, name).tobytes() == getattr(expected, name).tobytes()


def test_stamps_of_today_keep_their_value(write) -> None:
    from dataclasses import replace

    stamps = [1_795_191_813.096044736 + k / 29.97 for k in range(50)]
    recorded = load_poses(write([replace(CLIP.frame(k), stamp=stamp) for k, stamp in enumerate(stamps)]))
    assert list(recorded.stamps) == stamps


def test_poses_that_were_sent_twice_come_once_and_people_stay_apart(write) -> None:
    from dataclasses import replace

    poses = list(CLIP)[:10]
    both = [person for pose in poses for person in (pose, replace(pose, subject="bert"))]
    recorded = load_poses(write([*both[:8], *both[4:]]))
    assert [(pose.subject, pose.stamp) for pose in recorded] == [(pose.subject, pose.stamp) for pose in both]
    assert recorded.fps == pytest.approx(20.0, rel=1e-6)
    assert {pose.subject for pose in load_poses(write([]), subject="anna")} == {"anna"}


def test_the_topic_is_chosen_or_asked_for(write) -> None:
    observed, generated = list(CLIP)[:5], list(CLIP)[5:8]
    write(observed, "/lab/body_pose")
    path = write(generated, "/lab/generated/body_pose")
    assert len(load_poses(path)) == 5 and load_poses(path).topic == "/lab/body_pose"
    assert len(load_poses(path, topic="/lab/generated/body_pose")) == 3
    path = write(observed, "/rig/body_pose")
    with pytest.raises(ValueError, match="several topics .*/lab/body_pose, .*/rig/body_pose"):
        load_poses(path)
    with pytest.raises(ValueError, match="no body poses on /nowhere"):
        load_poses(path, topic="/nowhere")


def test_what_cannot_be_played_is_refused_with_a_sentence(write, tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"recording .*missing.mcap does not exist"):
        load_poses(tmp_path / "missing.mcap")
    with pytest.raises(ValueError, match="holds no body poses"):
        load_poses(write([]))
    other = definition_of(BODY_POSE).replace("uint8 views", "uint16 views")
    with pytest.raises(ValueError, match=f"another version of {BODY_POSE}"):
        load_poses(write(list(CLIP)[:2], definition=other))


class RecordedReplay(ReplayNode):
    """The replay node with a recording for a clip."""

    def _load(self) -> RecordedPoses:
        return load_poses(self.recording)


def scored_again(ros, path) -> list[Assessment]:
    """Replay and fms over DDS, losslessly; the assessments."""
    import rclpy

    graph = ros(**{"lossless": True, "replay:mover": "squat"})
    assessments = graph.hear(Assessment, "fms/assessment", result_qos())
    graph.add(FmsNode())
    RecordedReplay.recording = path
    graph.add(RecordedReplay())
    with pytest.raises(SystemExit):
        graph.until(lambda: False, patience=60)
    graph.close()
    graph._nodes.clear()
    rclpy.shutdown()
    return assessments


@pytest.mark.slow
def test_a_recorded_run_is_scored_again_with_equal_results(ros, run_node_process, tmp_path) -> None:
    """Replay, fms and recorder as processes; what they recorded is scored again, by the nodes and by the library."""
    import rclpy

    path = tmp_path / "run.mcap"
    media = {"lossless": True, "use_sim_time": True}
    graph = ros()
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    recorder = run_node_process("recorder", path=str(path), flush_s=0.1, **media)
    replay = run_node_process("replay", mover="squat", fps=20.0, **media)
    # the replay waits for the scorer's answers, so the recorder is there from the first pose on
    graph.until(lambda: int(graph.values("recorder", reports).get("topics", 0)) >= 3)
    fms = run_node_process("fms", **media)
    graph.until(lambda: replay.poll() is not None, patience=60)
    assert replay.returncode == 0
    states = {"/fms/state"}
    graph.until(lambda: len(list(mcap_files.read_messages(path, states))) >= len(CLIP))
    graph.close()
    graph._nodes.clear()
    rclpy.shutdown()
    for process in (recorder, fms):
        process.terminate()
        assert process.wait(20) == 0

    found = {}
    for message in mcap_files.read_messages(path):
        found.setdefault(message.topic.name, []).append(message)
    assert len({m.log_time for m in found["/body_pose"]}) == len(CLIP)
    live = [deserialize_message(m.data, Assessment) for m in found["/fms/assessment"]]
    stamps = {deserialize_message(m.data, AssessmentState).header.stamp.sec for m in found["/fms/state"]}
    assert len(live) == 3 and max(stamps) == int(CLIP.stamps[-1])
    assert deserialize_message(found["/body_pose"][0].data, BodyPose).subject == CLIP.subject

    scorer = Scorer()
    updates = [scorer.update(pose) for pose in load_poses(path)]
    by_library = [update.assessment for update in updates if update.assessment is not None]
    through_a_message = [assessment_from_msg(assessment_to_msg(item)) for item in by_library]
    assert [assessment_from_msg(msg) for msg in live] == through_a_message
    for _ in range(5):
        assert scored_again(ros, path) == live
