"""Virtual sensors in a whole run: a person's own sites file, and no sample missing from the recording."""

import math
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Imu

from fitmotion_models.exchange.mcap_files import read_messages
from fitmotion_models.imu import load_sites, select_sites, virtual_imu
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.clip_file import save_clip
from fitmotion_nodes.conversions import stamp_from_msg

from .conftest import once_unless_long

SITES = "pocket: {bone: right_hip, towards: right_knee, along: 0.2, lever_arm: [0.05, -0.1, 0], " + (
    "mount_rotation_deg: [90, 0, 0]}\n"
)


def test_sites_of_ones_own_and_every_sample_to_the_end(fitmotion: Callable[..., Any], tmp_path: Path) -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=30.0, subject="anna")
    save_clip(tmp_path / "squat.npz", clip)
    path = tmp_path / "mine.yaml"
    path.write_text(SITES)
    run = fitmotion(
        *("up", "--replay", str(tmp_path / "squat.npz"), "--lossless", "--record", "--imu", "all"),
        *("--param", f"virtual_imu.sites_file={path}"),
    )
    assert run.wait() == 0, run.stderr
    topics = {f"/imu_{site}/data_raw": site for site in load_sites(path)}
    recorded = defaultdict(list)
    for message in read_messages(run.run_folder / "recording.mcap", topics):
        recorded[topics[message.topic.name]].append(deserialize_message(message.data, Imu))
    assert set(recorded) == set(load_sites(path)) >= {"pocket", "pelvis"}
    last = math.floor(100.0 * clip.stamps[-1] + 1e-6)
    for site, messages in recorded.items():
        numbers = [round(100.0 * stamp_from_msg(msg.header.stamp)) for msg in messages]
        assert numbers == list(range(10, last + 1)), site
    offline = virtual_imu(clip, select_sites(["pocket"], path)).specific_force[10:, 0]
    force = [msg.linear_acceleration for msg in recorded["pocket"]]
    heard = np.array([(vector.x, vector.y, vector.z) for vector in force])
    assert np.sqrt(np.mean((heard - offline) ** 2)) < 0.01 * np.ptp(offline, axis=0).max()


@once_unless_long
def test_a_sites_file_that_is_none_is_said_in_one_line(fitmotion: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("pocket: {bone: right_paw}\n")
    run = fitmotion("up", "--mover", "squat", "--imu", "pocket", "--param", f"virtual_imu.sites_file={path}")
    assert run.wait() == 2
    assert "site pocket: joint 'right_paw' is unknown" in run.stderr and len(run.stderr.strip().splitlines()) == 1


@once_unless_long
def test_sensors_with_a_real_parts_errors_in_a_run(fitmotion: Callable[..., Any], tmp_path: Path) -> None:
    """The BMI270's noise is in what is recorded: white, beside the same run without it."""
    clip = squat_clip(SquatParameters(repetitions=1, stance_s=4.0), fps=30.0, subject="anna")
    save_clip(tmp_path / "squat.npz", clip)
    run = fitmotion(
        *("up", "--replay", str(tmp_path / "squat.npz"), "--lossless", "--record", "--imu", "left_wrist"),
        *("--imu-preset", "bmi270", "--param", "virtual_imu.orientation=vqf", "--param", "virtual_imu.seed=3"),
    )
    assert run.wait() == 0, run.stderr
    path = run.run_folder / "recording.mcap"
    topics = ("/imu_left_wrist/data_raw", "/imu_left_wrist/data")
    heard = defaultdict(list)
    for message in read_messages(path, topics):
        heard[message.topic.name].append(deserialize_message(message.data, Imu))
    raw, oriented = (heard[topic] for topic in topics)
    assert len(raw) == len(oriented) == math.floor(100.0 * clip.stamps[-1] + 1e-6) - 9
    still = [msg.linear_acceleration for msg in raw[:350]]
    read = np.array([(vector.x, vector.y, vector.z) for vector in still])
    # 160 ug/sqrt(Hz) behind the part's low-pass of 40 Hz
    np.testing.assert_allclose(read.std(axis=0), 160e-6 * 9.80665 * np.sqrt(44.0), rtol=0.2)
    assert all(msg.orientation_covariance[0] > 0.0 for msg in oriented)


@once_unless_long
def test_an_unknown_preset_is_said_in_one_line(fitmotion: Callable[..., Any]) -> None:
    for arguments, sentence in (
        (("--imu", "pelvis", "--imu-preset", "bmi999"), "sensor 'bmi999' is unknown; known: ideal"),
        (("--imu-preset", "bmi270"), "give imu too"),
    ):
        run = fitmotion("up", "--mover", "squat", *arguments)
        assert run.wait() == 2
        assert sentence in run.stderr and len(run.stderr.strip().splitlines()) == 1, run.stderr
