"""The recorder: everything that is said is in the file, others can read it, and no fault of the disk ends the graph."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message, serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu
from std_msgs.msg import Header, String

from fitmotion_models.exchange import mcap_files
from fitmotion_msgs.msg import Assessment, AssessmentState, BodyPose, Screen, Skeleton2D
from fitmotion_nodes.parameters import StreamParameters, frame_qos, result_qos
from fitmotion_nodes.recorder import RecorderNode, main
from fitmotion_nodes.recorder_topics import definition_of, is_wanted, matching_qos, qos_text

from .conftest import DOMAIN

LIVE, LOSSLESS = frame_qos(StreamParameters()), frame_qos(StreamParameters(lossless=True))
NOISE = ("/rosout", "/diagnostics")


@pytest.fixture
def recorder(ros, tmp_path):
    """A graph with a recorder; `stop` completes the file and returns topic -> messages."""

    class Recorder:
        path = tmp_path / "run.mcap"

        def __init__(self, **parameters) -> None:
            self.graph = ros(path=str(self.path), flush_s=0.05, min_free_mb=0.0, **parameters)
            self.reports = self.graph.hear(DiagnosticArray, "/diagnostics")
            self.node = self.graph.add(RecorderNode())

        def publisher(self, kind, topic, qos=10):
            """One that the recorder listens to."""
            return self.graph.talk(kind, topic, qos)

        def values(self):
            return self.graph.values("recorder", self.reports)

        def on_disk(self, path=None):
            """What the file holds now, without what every node says."""
            messages = {}
            for message in mcap_files.read_messages(path or self.path):
                if message.topic.name not in NOISE:
                    messages.setdefault(message.topic.name, []).append(message)
            return messages

        def until_on_disk(self, topic, count):
            self.graph.until(lambda: len(self.on_disk().get(topic, [])) >= count)

        def stop(self):
            self.graph.close()
            self.graph._nodes.clear()
            return self.on_disk()

    return Recorder


def test_messages_are_recorded_as_they_travelled_with_both_times(recorder) -> None:
    run = recorder()
    sent = [BodyPose(subject="anna", header=Header(frame_id="world", stamp=Time(sec=k))) for k in range(20)]
    publisher = run.publisher(BodyPose, "body_pose", LIVE)
    began = time.time_ns()
    for msg in sent:
        publisher.publish(msg)
        run.graph.spin_for(0.005)
    run.until_on_disk("/body_pose", 20)
    messages = run.on_disk()["/body_pose"]
    assert [deserialize_message(item.data, BodyPose) for item in messages] == sent
    for item in messages:
        assert began - 10**6 < item.publish_time <= item.log_time < time.time_ns()
    assert [item.sequence for item in messages] == list(range(1, 21))


def test_what_of_the_graph_is_recorded(recorder) -> None:
    run = recorder(exclude="/secret.*")
    published = {
        "body_pose": (BodyPose, LIVE),
        "skeleton_2d": (Skeleton2D, LIVE),
        "fms/state": (AssessmentState, LIVE),
        "fms/assessment": (Assessment, result_qos()),
        "fms/screen": (Screen, result_qos(latched=True)),
        "imu_chest/data_raw": (Imu, LIVE),
        "camera_info": (CameraInfo, LIVE),
        "robot_description": (String, result_qos(latched=True)),
        "somebody_elses": (String, 10),
    }
    left_out = {"image_raw": Image, "overlay/compressed": CompressedImage, "secret_plan": String}
    publishers = [(run.graph.node.create_publisher(kind, name, qos), kind) for name, (kind, qos) in published.items()]
    others = [(run.graph.node.create_publisher(kind, name, 10), kind) for name, kind in left_out.items()]
    run.graph.until(lambda: all(publisher.get_subscription_count() for publisher, _ in publishers))
    for publisher, kind in publishers + others:
        publisher.publish(kind())
    run.graph.until(lambda: len(run.on_disk()) >= len(published))
    run.graph.spin_for(0.3)
    assert set(run.stop()) == {f"/{name}" for name in published}


def test_compressed_images_are_recorded_when_asked_and_clocks_never(recorder) -> None:
    run = recorder(compressed_images=True)
    clock = run.graph.node.create_publisher(Clock, "/clock", 10)
    images = run.publisher(CompressedImage, "image_raw/compressed", LIVE)
    clock.publish(Clock())
    images.publish(CompressedImage(format="jpeg", data=b"\xff\xd8"))
    run.until_on_disk("/image_raw/compressed", 1)
    assert set(run.on_disk()) == {"/image_raw/compressed"}


def test_topics_that_appear_later_and_publishers_that_come_again(recorder) -> None:
    run = recorder()
    first = run.publisher(String, "early")
    first.publish(String(data="1"))
    run.until_on_disk("/early", 1)
    # what was said before anybody could listen is heard where it is kept
    late = run.graph.node.create_publisher(Screen, "late", result_qos(latched=True))
    late.publish(Screen(subject="anna"))
    run.until_on_disk("/late", 1)
    run.graph.node.destroy_publisher(first)
    run.graph.spin_for(0.2)
    run.publisher(String, "early").publish(String(data="2"))
    run.until_on_disk("/early", 2)
    texts = [deserialize_message(item.data, String).data for item in run.stop()["/early"]]
    assert texts == ["1", "2"]


def test_a_publisher_with_another_quality_of_service_is_heard_too(recorder) -> None:
    run = recorder()
    reliable = run.publisher(String, "words", result_qos(latched=True))
    reliable.publish(String(data="kept"))
    run.until_on_disk("/words", 1)
    fleeting = run.graph.node.create_publisher(String, "words", LIVE)
    run.graph.until(lambda: fleeting.get_subscription_count() > 0)
    fleeting.publish(String(data="fleeting"))
    run.until_on_disk("/words", 2)
    texts = [deserialize_message(item.data, String).data for item in run.stop()["/words"]]
    assert texts == ["kept", "fleeting"]


@pytest.mark.parametrize("zero", [0, 1_700_000_000])
def test_in_media_time_messages_are_logged_at_their_own_stamps(recorder, zero: int) -> None:
    run = recorder(lossless=True, use_sim_time=True)
    poses = run.publisher(BodyPose, "body_pose", LOSSLESS)
    words = run.publisher(String, "words")
    clock = run.publisher(Clock, "/clock")
    poses.publish(BodyPose(header=Header(stamp=Time(sec=zero, nanosec=500))))
    words.publish(String(data="before the clock began"))
    run.graph.spin_for(0.3)
    for second in range(zero + 1, zero + 4):
        clock.publish(Clock(clock=Time(sec=second)))
        poses.publish(BodyPose(header=Header(stamp=Time(sec=second))))
        run.graph.spin_for(0.05)
    run.until_on_disk("/body_pose", 4)
    recorded = run.stop()
    expected = [zero * 10**9 + 500, *(second * 10**9 for second in range(zero + 1, zero + 4))]
    assert [item.log_time for item in recorded["/body_pose"]] == expected
    assert all(item.publish_time == item.log_time for item in recorded["/body_pose"])
    assert zero * 10**9 < recorded["/words"][0].log_time <= (zero + 3) * 10**9


def test_definitions_are_those_of_the_types_on_the_wire(recorder) -> None:
    """rosbags makes the REP-2011 hash of every type anew from the text in the file; the graph's own must be equal."""
    typesys = pytest.importorskip("rosbags.typesys")
    run = recorder()
    kinds = (BodyPose, Skeleton2D, AssessmentState, Assessment, Screen, Imu, CameraInfo, DiagnosticArray)
    publishers = [run.publisher(kind, f"topic_{k}") for k, kind in enumerate(kinds)]
    for publisher, kind in zip(publishers, kinds, strict=True):
        publisher.publish(kind())
    run.graph.until(lambda: len(run.on_disk()) == len(kinds))
    for messages in run.stop().values():
        topic = messages[0].topic
        store = typesys.get_typestore(typesys.Stores.EMPTY)
        store.register(typesys.get_types_from_msg(topic.definition, topic.type_name))
        assert f"RIHS01_{store.hash_rihs01(topic.type_name).removeprefix('RIHS01_')}" == topic.type_hash


def test_other_readers_open_the_file(recorder) -> None:
    reader = pytest.importorskip("mcap.reader")
    ros2 = pytest.importorskip("mcap_ros2.decoder")
    highlevel = pytest.importorskip("rosbags.highlevel")
    run = recorder()
    publisher = run.publisher(BodyPose, "body_pose", LIVE)
    msg = BodyPose(subject="anna", views=2)
    msg.positions[:] = range(66)
    publisher.publish(msg)
    run.until_on_disk("/body_pose", 1)
    run.graph.until(lambda: run.values().get("messages", "0") != "0")
    run.stop()
    with run.path.open("rb") as file:
        opened = reader.make_reader(file, validate_crcs=True, decoder_factories=[ros2.DecoderFactory()])
        decoded = {item.channel.topic: item.decoded_message for item in opened.iter_decoded_messages()}
    assert decoded["/body_pose"].subject == "anna" and list(decoded["/body_pose"].positions) == list(range(66))
    assert "/diagnostics" in decoded
    with highlevel.AnyReader([run.path]) as bag:
        found = {c.topic: bag.deserialize(data, c.msgtype) for c, _, data in bag.messages()}
        offered = {c.topic: c.ext.offered_qos_profiles[0] for c in bag.connections}
    assert found["/body_pose"].views == 2 and list(found["/body_pose"].positions) == list(range(66))
    assert offered["/body_pose"].reliability.name == "BEST_EFFORT"
    assert offered["/diagnostics"].reliability.name == "RELIABLE"


def test_diagnostics_say_what_was_recorded(recorder) -> None:
    run = recorder()
    publisher = run.publisher(String, "words")
    for k in range(50):
        publisher.publish(String(data=str(k)))
    run.graph.until(lambda: int(run.values().get("messages", 0)) >= 50)
    values = run.values()
    assert values["dropped"] == "0" and values["bad_messages"] == "0"
    assert int(values["topics"]) >= 2 and int(values["bytes"]) > 1000
    assert values["file"] == str(run.path) and float(values["free_mb"]) > 0


# ---- faults ----


def test_where_nothing_can_be_recorded_the_node_says_so_in_one_line(run_main, tmp_path) -> None:
    status, errors = run_main(main, path=str(tmp_path / "missing" / "run.mcap"))
    assert status == 2 and "cannot record into" in errors and len(errors.strip().splitlines()) == 1
    status, errors = run_main(main, path=str(tmp_path / "run.bag"))
    assert status == 2 and "give a file that ends in .mcap" in errors
    status, errors = run_main(main, path=str(tmp_path / "run.mcap"), min_free_mb=1e6)
    assert status == 2 and "MB left and min_free_mb=1e+06 are kept" in errors and len(errors.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_is_there_is_not_touched(recorder) -> None:
    recorder.path.write_bytes(b"precious")
    run = recorder()
    run.publisher(String, "words").publish(String(data="a"))
    second = run.path.with_stem("run-2")
    run.graph.until(lambda: second.exists() and "/words" in run.on_disk(second))
    assert run.path.read_bytes() == b"precious"


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))  # the system refuses more, as a full disk does
from fitmotion_nodes.recorder import main
sys.exit(main())
"""


def test_a_disk_that_fills_up_ends_the_recording_and_not_the_node(ros, tmp_path) -> None:
    graph = ros()
    path = tmp_path / "run.mcap"
    arguments = ["--ros-args", "-p", f"path:={path}", "-p", "flush_s:=0.05", "-p", "compression:=none"]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", LIMITED, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"ROS_DOMAIN_ID": str(DOMAIN)},
    )
    try:
        reports = graph.hear(DiagnosticArray, "/diagnostics")
        publisher = graph.talk(BodyPose, "body_pose")

        def values():
            publisher.publish(BodyPose(subject="anna"))
            return graph.values("recorder", reports)

        graph.until(lambda: int(values().get("dropped", 0)) > 0, patience=60)
        recorded = int(graph.values("recorder", reports)["messages"])
        statuses = [status for report in reports for status in report.status if status.name == "recorder"]
        assert "nothing is recorded any more" in statuses[-1].message and statuses[-1].level == b"\1"
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0 and "Traceback" not in errors
    assert errors.count("nothing is recorded any more") == 1
    assert 0 < recorded == len(list(mcap_files.read_messages(path)))


def test_a_killed_recorder_leaves_what_it_had_and_the_next_one_mends_it(ros, run_node_process, tmp_path) -> None:
    graph = ros()
    path = tmp_path / "run.mcap"
    process = run_node_process("recorder", path=str(path), flush_s=0.1)
    publisher = graph.talk(String, "words")
    sent = []

    def say() -> None:
        sent.append(f"word {len(sent)}")
        publisher.publish(String(data=sent[-1]))

    def words(file: Path) -> list[str]:
        found = mcap_files.read_messages(file, {"/words"})
        return [deserialize_message(item.data, String).data for item in found]

    graph.until(lambda: say() or len(words(path)) > 20)
    before = words(path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = words(path)
    assert kept == sent[: len(kept)] and len(kept) >= len(before)
    run_node_process("recorder", path=str(path), flush_s=0.1)
    second = tmp_path / "run-2.mcap"
    graph.until(lambda: say() or (second.exists() and len(words(second)) > 3))
    assert words(path) == kept
    assert not mcap_files.finish_recording(path)  # it is whole again
    highlevel = pytest.importorskip("rosbags.highlevel")
    with highlevel.AnyReader([path]) as bag:
        assert sum(c.topic == "/words" for c, _, _ in bag.messages()) == len(kept)


# ---- which topics, and how ----


@pytest.mark.parametrize(
    ("name", "kind", "namespace", "wanted"),
    [
        ("/body_pose", "fitmotion_msgs/msg/BodyPose", "/", True),
        ("/rig_1/body_pose", "fitmotion_msgs/msg/BodyPose", "/rig_1", True),
        ("/rig_10/body_pose", "fitmotion_msgs/msg/BodyPose", "/rig_1", False),
        ("/tf", "tf2_msgs/msg/TFMessage", "/rig_1", True),
        ("/image_raw", "sensor_msgs/msg/Image", "/", False),
        ("/a/_action/feedback", "a_msgs/action/Do_FeedbackMessage", "/", False),
        ("/a/_service_event", "a_msgs/srv/Do_Event", "/", False),
        ("/parameter_events", "rcl_interfaces/msg/ParameterEvent", "/", False),
    ],
)
def test_choice_of_topics(name: str, kind: str, namespace: str, wanted: bool) -> None:
    assert is_wanted(name, [kind], namespace=namespace, compressed_images=True, exclude="") is wanted
    assert not is_wanted(name, [kind, "b_msgs/msg/Other"], namespace=namespace, compressed_images=True, exclude="")
    assert not is_wanted(name, [kind], namespace=namespace, compressed_images=True, exclude=".*")


def test_requests_fit_the_offers() -> None:
    latched, reliable = result_qos(latched=True), result_qos()
    request = matching_qos([latched], keep_all=False)
    assert request.reliability == ReliabilityPolicy.RELIABLE and request.durability == DurabilityPolicy.TRANSIENT_LOCAL
    assert matching_qos([latched, reliable], keep_all=False).durability == DurabilityPolicy.VOLATILE
    assert matching_qos([reliable, LIVE], keep_all=True).reliability == ReliabilityPolicy.BEST_EFFORT
    assert matching_qos([LOSSLESS], keep_all=True).history == LOSSLESS.history


def test_an_offer_is_written_as_rosbag2_reads_it() -> None:
    metadata = pytest.importorskip("rosbags.rosbag2.metadata")
    offers = metadata.parse_qos(qos_text([QoSProfile(depth=7), LIVE, QoSProfile(depth=7)]))
    assert [(o.history.name, o.depth, o.reliability.name, o.durability.name) for o in offers] == [
        ("KEEP_LAST", 7, "RELIABLE", "VOLATILE"),
        ("KEEP_LAST", 5, "BEST_EFFORT", "VOLATILE"),
    ]
    assert offers[0].lifespan.sec == 9223372036


def test_a_definition_holds_all_that_is_inside() -> None:
    text = definition_of("fitmotion_msgs/msg/Assessment")
    sections = [line for line in text.splitlines() if line.startswith("MSG: ")]
    assert sections == ["MSG: builtin_interfaces/Time", "MSG: fitmotion_msgs/Criterion", "MSG: std_msgs/Header"]
    assert serialize_message(Assessment())  # and the type is the one that is installed
    with pytest.raises(ValueError, match="nobody_msgs/Nothing is not installed"):
        definition_of("nobody_msgs/msg/Nothing")


def test_parameters_that_cannot_be_used(ros, tmp_path) -> None:
    ros(path=str(tmp_path / "run.mcap"), exclude="(")
    with pytest.raises(ValueError, match="no regular expression"):
        RecorderNode()
