"""The virtual_imu node: REP-145 sensors with their own stamps, the library's readings, and no pose that upsets it."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.duration import Duration
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Imu
from tf2_msgs.msg import TFMessage

from fitmotion_models.evaluation.imu_analytic import rigid_clip
from fitmotion_models.imu import LiveImu, SiteFrames, load_sites, select_sites, virtual_imu
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import global_rotations
from fitmotion_models.skeleton.rotations import rotate
from fitmotion_msgs.msg import BodyPose
from fitmotion_nodes.conversions import body_pose_to_msg, stamp_from_msg
from fitmotion_nodes.imu_conversions import sample_stamp_to_msg
from fitmotion_nodes.parameters import ParameterError, StreamParameters, frame_qos
from fitmotion_nodes.virtual_imu import VirtualImuNode
from fitmotion_nodes.virtual_imu_parameters import DONE_WITH, VirtualImuParameters

LOSSLESS = frame_qos(StreamParameters(lossless=True))
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
SITES = ("pelvis", "left_wrist", "right_thigh")


@pytest.fixture
def clip():
    return squat_clip(SquatParameters(repetitions=1, stance_s=1.0), fps=30.0, subject="anna")


@pytest.fixture
def sensed(ros):
    """A graph with the node, ears for all it says, and a way to send it poses."""

    class Sensed:
        def __init__(self, sites=SITES, **parameters) -> None:
            self.graph = ros(**{"lossless": True, "sites": ",".join(sites), **parameters})
            qos = 1000 if parameters.get("lossless") is False else LOSSLESS
            ear = frame_qos(StreamParameters()) if parameters.get("lossless") is False else LOSSLESS
            self.imu = {site: self.graph.hear(Imu, f"imu_{site}/data_raw", ear) for site in sites}
            self.mounts = self.graph.hear(TFMessage, "/tf_static", LATCHED)
            self.reports = self.graph.hear(DiagnosticArray, "/diagnostics")
            self.node = self.graph.add(VirtualImuNode())
            self.bodies = self.graph.talk(BodyPose, "body_pose", qos)

        def play(self, poses) -> None:
            for pose in poses:
                self.bodies.publish(body_pose_to_msg(pose))

        def settle(self, count: int) -> None:
            """Wait until every sensor has said so much."""
            self.graph.until(lambda: all(len(heard) >= count for heard in self.imu.values()))
            self.graph.spin_for(0.1)

        def values(self):
            return self.graph.values("virtual_imu", self.reports)

    return Sensed


def vectors(messages, name: str) -> np.ndarray:
    return np.array([(getattr(msg, name).x, getattr(msg, name).y, getattr(msg, name).z) for msg in messages])


def test_the_readings_are_those_of_the_library_and_near_the_recordings(sensed, clip) -> None:
    node = sensed()
    node.play(clip)
    imu = LiveImu(select_sites(SITES))
    parts = [imu.update(pose) for pose in clip]
    expected = np.concatenate([part.specific_force for part in parts])
    node.settle(len(expected))
    recorded = virtual_imu(clip, select_sites(SITES))
    first = round((parts_start := np.concatenate([part.stamps for part in parts])[0]) * 100.0)
    rows = np.arange(first, first + len(expected))
    for index, site in enumerate(SITES):
        heard = node.imu[site]
        assert len(heard) == len(expected)
        np.testing.assert_allclose(vectors(heard, "linear_acceleration"), expected[:, index], atol=1e-4)
        offline = recorded.specific_force[rows, index]
        error = np.sqrt(np.mean((vectors(heard, "linear_acceleration") - offline) ** 2))
        assert error < 0.01 * np.ptp(offline, axis=0).max()
        offline = recorded.angular_velocity[rows, index]
        error = np.sqrt(np.mean((vectors(heard, "angular_velocity") - offline) ** 2))
        assert error < 0.01 * np.ptp(offline, axis=0).max()
    assert stamp_from_msg(node.imu["pelvis"][0].header.stamp) == pytest.approx(parts_start, abs=1e-9)


def test_stamps_are_the_samples_own_at_a_fixed_rate(sensed, clip) -> None:
    node = sensed(rate_hz=200.0)
    epoch = 1_790_000_000  # stamps of today, where a float of seconds resolves a quarter of a microsecond
    node.play(replace(clip, stamps=clip.stamps + epoch))
    newest = epoch + clip.stamps[-1]
    node.settle(int(200.0 * (clip.stamps[-1] - 0.2)) - 1)
    for heard in node.imu.values():
        nanoseconds = np.array([msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec for msg in heard])
        assert (np.diff(nanoseconds) == 5_000_000).all()
        assert (nanoseconds % 5_000_000 == 0).all()
        assert 0.1 - 1e-6 <= newest - nanoseconds[-1] / 1e9 < 0.105 + 1e-6  # the lag behind the newest pose


def test_when_the_poses_end_the_last_samples_come_too(sensed, clip) -> None:
    """Those between the lag and the newest pose; and a source that comes back goes on after them."""
    node = sensed(("pelvis",), lag_s=0.2)
    node.play(clip)
    heard, newest = node.imu["pelvis"], clip.stamps[-1]
    waiting = (np.floor((newest - 0.2) * 100.0), np.floor(newest * 100.0))
    node.graph.until(lambda: heard and round(100.0 * stamp_from_msg(heard[-1].header.stamp)) == waiting[0])
    node.graph.node.destroy_publisher(node.bodies)
    node.graph.until(lambda: round(100.0 * stamp_from_msg(heard[-1].header.stamp)) == waiting[1])
    node.graph.until(lambda: node.values().get(DONE_WITH) == str(len(clip)))  # said at once, for whoever stops the run
    node.bodies = node.graph.talk(BodyPose, "body_pose", LOSSLESS)
    node.play(replace(pose, stamp=newest + 0.03 + pose.stamp) for pose in list(clip)[:20])
    node.graph.until(lambda: stamp_from_msg(heard[-1].header.stamp) > newest + 0.3)
    numbers = [round(100.0 * stamp_from_msg(msg.header.stamp)) for msg in heard]
    assert (np.diff(numbers) == 1).all()


def test_poses_that_were_sent_before_the_end_are_used_before_it(sensed, clip) -> None:
    node = sensed(("pelvis",))
    node.play(clip)
    assert node.bodies.wait_for_all_acked(Duration(seconds=10))
    node.graph.node.destroy_publisher(node.bodies)  # the poses have arrived and still queue
    imu = LiveImu(select_sites(["pelvis"]))
    parts = [*(imu.update(pose) for pose in clip), imu.flush()]
    expected = np.concatenate([part.specific_force[:, 0] for part in parts])
    node.settle(len(expected))
    assert len(node.imu["pelvis"]) == len(expected)
    np.testing.assert_allclose(vectors(node.imu["pelvis"], "linear_acceleration"), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("number", "rate", "expected"), [(3, 3.0, (1, 0)), (1, 3.0, (0, 333_333_333)), (7, 0.5, (14, 0))]
)
def test_the_time_of_a_sample_is_exact(number, rate, expected) -> None:
    stamp = sample_stamp_to_msg(number, rate)
    assert (stamp.sec, stamp.nanosec) == expected
    # a day of 2026 at 100 Hz, to the nanosecond
    stamp = sample_stamp_to_msg(178_000_000_001, 100.0)
    assert (stamp.sec, stamp.nanosec) == (1_780_000_000, 10_000_000)


def test_a_still_body_reads_g_upwards_as_rep_145_has_it(sensed) -> None:
    times = np.arange(31) / 30.0
    upright = np.broadcast_to((0.0, 0.0, 0.0, 1.0), (31, 4))
    node = sensed(("pelvis",), subject_prefix="lab/")
    node.play(rigid_clip(times, np.zeros((31, 3)), upright, 30.0, "anna"))
    node.settle(80)
    for msg in node.imu["pelvis"]:
        force = (msg.linear_acceleration.x, msg.linear_acceleration.y, msg.linear_acceleration.z)
        assert force == pytest.approx((0.0, 0.0, 9.81), abs=1e-3)
        assert msg.header.frame_id == "lab/anna/imu_pelvis"
        assert msg.orientation_covariance[0] == -1.0  # not reported
        for covariance in (msg.linear_acceleration_covariance, msg.angular_velocity_covariance):
            matrix = np.array(covariance).reshape(3, 3)
            assert (np.linalg.eigvalsh(matrix) > 0.0).all()  # all zeros would mean unknown
            np.testing.assert_allclose(matrix, matrix.T)


def test_the_mounts_put_the_sensors_where_the_library_has_them(sensed, clip, tmp_path) -> None:
    path = tmp_path / "sites.yaml"
    path.write_text("left_wrist: {mount_rotation_deg: [30, 0, 90]}")
    node = sensed(sites_file=str(path))
    node.play([clip.frame(0), clip.frame(1)])
    node.graph.until(lambda: node.mounts)
    late = node.graph.hear(TFMessage, "/tf_static", LATCHED)
    node.graph.until(lambda: late)
    assert len(node.mounts) == 1  # said once, kept for the late
    transforms = {item.child_frame_id: item for item in late[0].transforms}
    sites = select_sites(SITES, path)
    assert set(transforms) == {f"anna/imu_{site}" for site in SITES}
    frames = SiteFrames(sites)
    pose = clip.frame(40)
    places, _ = frames(pose.positions, pose.rotations, pose.confidence, pose.bone_offsets)
    turns = global_rotations(pose.rotations)
    for site, place in zip(sites, places, strict=True):
        item = transforms[f"anna/imu_{site.name}"]
        assert item.header.frame_id == f"anna/{site.bone}"
        joint, moved = SMPL22.index(site.bone), item.transform.translation
        here = pose.positions[joint] + rotate(turns[joint], (moved.x, moved.y, moved.z))
        np.testing.assert_allclose(here, place, atol=1e-6)
    turn = transforms["anna/imu_left_wrist"].transform.rotation
    np.testing.assert_allclose((turn.x, turn.y, turn.z, turn.w), sites[1].mount_rotation, atol=1e-9)


def test_two_people_wear_their_own_sensors(sensed, clip) -> None:
    node = sensed(("pelvis",))
    bert = replace(clip, subject="bert", positions=np.repeat(clip.positions[:1], len(clip), axis=0))
    bert = replace(bert, rotations=np.repeat(clip.rotations[:1], len(clip), axis=0))
    node.play(pose for pair in zip(clip, bert, strict=True) for pose in pair)
    alone = LiveImu(select_sites(["pelvis"]))
    expected = np.concatenate([alone.update(pose).specific_force[:, 0] for pose in clip])
    node.settle(2 * len(expected))
    by_frame = {
        name: [msg for msg in node.imu["pelvis"] if msg.header.frame_id == f"{name}/imu_pelvis"]
        for name in ("anna", "bert")
    }
    np.testing.assert_allclose(vectors(by_frame["anna"], "linear_acceleration"), expected, atol=1e-4)
    still = vectors(by_frame["bert"], "linear_acceleration")
    np.testing.assert_allclose(still, np.broadcast_to(still[0], still.shape), atol=1e-3)
    assert {item.child_frame_id for item in node.mounts[-1].transforms} == {"anna/imu_pelvis", "bert/imu_pelvis"}


@pytest.mark.slow
def test_any_topic_of_bodies_by_remapping_and_all_sites(ros, clip) -> None:
    """A generated body as well as a watched one: `-r body_pose:=generated/body_pose`."""
    graph, every = ros(), tuple(load_sites())
    heard = {site: graph.hear(Imu, f"imu_{site}/data_raw", LOSSLESS) for site in every}
    command = [sys.executable, "-P", "-m", "fitmotion_nodes.virtual_imu", "--ros-args"]
    command += ["-r", "body_pose:=generated/body_pose", "-p", "lossless:=true", "-p", "sites:=all"]
    process = subprocess.Popen(command, env=os.environ | {"ROS_DOMAIN_ID": str(graph.node.context.get_domain_id())})
    try:
        bodies = graph.talk(BodyPose, "generated/body_pose", LOSSLESS)
        for pose in list(clip)[:30]:
            bodies.publish(body_pose_to_msg(replace(pose, subject="generated_2", source=Source.GENERATED)))
        graph.until(lambda: all(len(messages) > 70 for messages in heard.values()))
    finally:
        process.terminate()
        process.wait()
    assert {site: messages[0].header.frame_id for site, messages in heard.items()} == {
        site: f"generated_2/imu_{site}" for site in every
    }


def test_who_goes_and_comes_back_has_readings_again_and_nobody_else_is_touched(sensed, clip) -> None:
    """Bert is away for a second, as behind a pillar; his sensors are silent for as long and start anew."""
    node = sensed(("pelvis",))
    away = [pose for pose in clip if not 1.0 < pose.stamp < 2.0]
    everybody = sorted([*clip, *(replace(pose, subject="bert") for pose in away)], key=lambda pose: pose.stamp)
    node.play(everybody)
    alone = {name: LiveImu(select_sites(["pelvis"])) for name in ("anna", "bert")}
    expected = {
        name: np.concatenate([imu.update(pose).stamps for pose in poses])
        for (name, imu), poses in zip(alone.items(), (clip, away), strict=True)
    }
    node.settle(sum(map(len, expected.values())))
    for name, stamps in expected.items():
        heard = [msg for msg in node.imu["pelvis"] if msg.header.frame_id == f"{name}/imu_pelvis"]
        np.testing.assert_allclose([stamp_from_msg(msg.header.stamp) for msg in heard], stamps, atol=1e-9)
    steps = np.diff(expected["bert"])
    assert steps.max() == pytest.approx(1.23, abs=0.05) and np.sum(steps > 0.011) == 1
    assert np.diff(expected["anna"]).max() < 0.011
    node.graph.until(lambda: node.values().get("restarts") == "1")


def test_one_subject_alone_when_told_and_those_long_gone_are_forgotten(sensed, clip) -> None:
    node = sensed(("pelvis",), subject="bert", subject_timeout_s=1.0)
    node.play(clip)
    node.play([replace(pose, subject="bert") for pose in clip])
    node.settle(200)
    assert {msg.header.frame_id for msg in node.imu["pelvis"]} == {"bert/imu_pelvis"}


def test_people_who_have_gone_leave_no_mounts(sensed, clip) -> None:
    node = sensed(("pelvis",), subject_timeout_s=1.0)
    node.play([clip.frame(0)])
    node.play([replace(clip.frame(0), subject="bert", stamp=clip.frame(0).stamp + 5.0)])

    def mounted() -> list[str]:
        return [item.child_frame_id for item in node.mounts[-1].transforms] if node.mounts else []

    node.graph.until(lambda: mounted() == ["bert/imu_pelvis"])


def test_unseen_joints_and_bad_messages_are_survived(sensed, clip) -> None:
    node = sensed(("pelvis", "left_wrist"))
    poses = list(clip)
    elbow = SMPL22.index("left_elbow")
    half = []
    for pose in poses:
        positions, rotations, confidence = pose.positions.copy(), pose.rotations.copy(), pose.confidence.copy()
        positions[elbow], rotations[elbow], confidence[elbow] = np.nan, np.nan, 0.0
        half.append(replace(pose, positions=positions, rotations=rotations, confidence=confidence))
    broken = body_pose_to_msg(poses[0])
    broken.positions = np.full(66, np.nan, np.float32)
    node.bodies.publish(broken)
    node.bodies.publish(body_pose_to_msg(poses[0], frame_id="camera_optical_frame"))
    node.bodies.publish(BodyPose())
    node.play(half)
    node.graph.until(lambda: len(node.imu["pelvis"]) > 200 and node.values().get("bad_messages") == "3")
    assert not node.imu["left_wrist"]


def test_live_the_diagnostics_tell_the_lag(sensed, clip) -> None:
    node = sensed(("pelvis",), lossless=False, lag_s=0.15)
    clock = node.node.get_clock()
    start = clock.now().nanoseconds / 1e9
    for pose in clip.frame(0), *clip:
        due = start + pose.stamp
        node.graph.until(lambda due=due: clock.now().nanoseconds / 1e9 >= due)
        node.play([replace(pose, stamp=due)])
    node.graph.until(lambda: node.values().get("latency_p50_ms") and len(node.imu["pelvis"]) > 200)
    node.graph.until(lambda: float(node.values()["rate_hz"]) > 0.0)
    values = node.values()
    assert values["lag_ms"] == "150" and values["sites"] == "pelvis" and "cutoffs_hz" in values
    # from the sample's own time: the lag, half a frame on average until the next pose, and the work
    assert float(values["latency_p50_ms"]) >= 150.0
    assert "150 ms behind" in values["engine"]


def test_settings_that_cannot_be_are_refused_before_anything_starts(tmp_path) -> None:
    for arguments, sentence in (
        ({"sites": "pelvis,tail"}, "site 'tail' is unknown; known: all, pelvis"),
        ({"sites": " , "}, "no site is named"),
        ({"sites_file": str(tmp_path / "none.yaml")}, "none.yaml: No such file or directory; give the path"),
        ({"position_cutoff_hz": 3.0}, "give both in Hz, or 0 and 0"),
        ({"rate_hz": 0.5}, "rate_hz=0.5 is out of range; allowed: 1.0 to 1000.0"),
        ({"lag_s": 9.0}, "lag_s=9.0 is out of range"),
        ({"subject_prefix": "/lab/"}, "cannot begin the name of a TF frame"),
    ):
        with pytest.raises(ParameterError, match=sentence):
            VirtualImuParameters(**arguments)


def test_wrong_settings_end_the_process_with_one_line_and_status_2(run_node_process) -> None:
    process: subprocess.Popen[str] = run_node_process("virtual_imu", sites="tail")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "site 'tail' is unknown" in errors and len(errors.strip().splitlines()) == 1, errors


def test_parameters_can_be_read_and_those_that_may_change_changed(sensed) -> None:
    node = sensed(("pelvis",))
    answer = node.graph.call(GetParameters, "virtual_imu/get_parameters", GetParameters.Request(names=["sites"]))
    assert answer.values[0].string_value == "pelvis"
    for name, accepted in (("subject_timeout_s", True), ("rate_hz", False)):
        request = SetParameters.Request(parameters=[Parameter(name, value=2.0).to_parameter_msg()])
        answer = node.graph.call(SetParameters, "virtual_imu/set_parameters", request)
        assert answer.results[0].successful is accepted
