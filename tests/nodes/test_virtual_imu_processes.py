"""The virtual_imu process beside a replay process: the squat's readings over DDS, lossless and in real time."""

import math

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Imu

from fitmotion_models.imu import imu_from_motion, select_sites, values
from fitmotion_models.imu.site_motion import SiteFrames, SiteMotion
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.clip_file import save_clip
from fitmotion_msgs.msg import AssessmentState, BodyPose
from fitmotion_nodes.conversions import body_pose_from_msg, stamp_from_msg
from fitmotion_nodes.parameters import StreamParameters, frame_qos

SITES = ("pelvis", "left_wrist", "right_thigh")
LAG_S = 0.1


@pytest.mark.parametrize("lossless", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["lossless", "real time"])
def test_over_dds_the_readings_are_the_recordings_a_lag_later(ros, run_node_process, tmp_path, lossless) -> None:
    """Offline the same smoothing with all of the motion, on the poses as they travelled, stamps included."""
    clip = squat_clip(SquatParameters(repetitions=1, stance_s=0.5), fps=30.0)
    save_clip(tmp_path / "squat.npz", clip)
    graph = ros()
    qos = frame_qos(StreamParameters(lossless=lossless))
    answers = graph.node.create_publisher(AssessmentState, "fms/state", qos)

    def acknowledge(msg: BodyPose) -> None:
        answers.publish(AssessmentState(header=msg.header, subject=msg.subject))

    # a queue that holds it all: what is compared is the node, not a listener that is away for a moment
    ear = qos if lossless else QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
    bodies = graph.hear(BodyPose, "body_pose", ear, react=acknowledge)
    imu = {site: graph.hear(Imu, f"imu_{site}/data_raw", ear) for site in SITES}
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    timing = {"lossless": lossless, "use_sim_time": lossless}
    run_node_process("virtual_imu", sites=",".join(SITES), lag_s=LAG_S, **timing)
    graph.until(lambda: graph.values("virtual_imu", reports))
    player = run_node_process("replay", clip=str(tmp_path / "squat.npz"), wait_for="virtual_imu,listener", **timing)
    graph.until(lambda: player.poll() is not None, patience=60.0)
    assert player.returncode == 0
    newest = max(stamp_from_msg(msg.header.stamp) for msg in bodies)
    end = math.floor(newest * 100.0 + 1e-6) / 100.0
    graph.until(lambda: all(heard and stamp_from_msg(heard[-1].header.stamp) == end for heard in imu.values()))
    graph.until(lambda: graph.values("virtual_imu", reports).get("frames_out") == str(len(imu["pelvis"])))

    recorded = as_recorded([body_pose_from_msg(msg) for msg in bodies])
    for index, site in enumerate(SITES):
        stamps = np.array([stamp_from_msg(msg.header.stamp) for msg in imu[site]])
        rows = np.rint(100.0 * (stamps - recorded.stamps[0])).astype(int)
        assert (np.diff(rows) == 1).all()  # none is lost, the last ones of the lag neither
        for name, field in (("specific_force", "linear_acceleration"), ("angular_velocity", "angular_velocity")):
            vectors = [getattr(msg, field) for msg in imu[site]]
            heard = np.array([(vector.x, vector.y, vector.z) for vector in vectors])
            offline = getattr(recorded, name)[rows, index]
            error = np.sqrt(np.mean((heard - offline) ** 2)) / np.ptp(offline, axis=0).max()
            print(f"{site} {name}: RMS difference to the recording {100.0 * error:.3f} % of range, {len(rows)} samples")
            # in real time a pose that comes later than the lag is missing in its window: machines may be busy
            assert error < (0.01 if lossless else 0.05)
    said = graph.values("virtual_imu", reports)
    print({name: value for name, value in said.items() if name.startswith(("lag", "latency", "rate", "smoothing"))})
    assert said["lag_ms"] == "100" and said["dropped"] == "0"
    if not lossless:
        assert float(said["latency_p50_ms"]) >= 1e3 * LAG_S  # from the sample's own time until it is out


def as_recorded(poses):
    """What sensors read offline on these poses."""
    sites = select_sites(SITES)
    arrays = (np.stack([getattr(pose, name) for pose in poses]) for name in ("positions", "rotations", "confidence"))
    stamps = np.array([pose.stamp for pose in poses])
    motion = SiteMotion(stamps, *SiteFrames(sites)(*arrays, poses[0].bone_offsets))
    return imu_from_motion(motion, SITES, cutoffs=values.cutoffs_for(poses[0].views))
