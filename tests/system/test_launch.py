"""live.launch.py, run by the real `launch` and `launch_ros`.

Where ROS 2 is installed they are there. Elsewhere FITMOTION_ROS_SOURCES may name folders, separated by colons, that
hold their Python packages (the checkouts' `launch/launch`, `launch/launch_xml`, `launch/launch_yaml`,
`launch_ros/launch_ros`, a folder with osrf_pycommon, a built composition_interfaces); without either these tests are
skipped.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from fitmotion_nodes.graph import GraphOptions, build_graph

from .conftest import REPOSITORY, free_domain

LAUNCH_FILE = REPOSITORY / "launch" / "launch" / "live.launch.py"
# what `ros2 launch FILE name:=value ...` does, without the ros2 command
LAUNCHER = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import AnyLaunchDescriptionSource
arguments = [argument.split(":=", 1) for argument in sys.argv[2:]]
service = LaunchService(argv=sys.argv[2:])
service.include_launch_description(LaunchDescription(
    [IncludeLaunchDescription(AnyLaunchDescriptionSource(sys.argv[1]), launch_arguments=arguments)]))
sys.exit(service.run())
"""
TRANSLATION = """
import json, runpy, sys
from launch_ros.actions import Node
from launch.utilities import perform_substitutions
from launch import LaunchContext
file = runpy.run_path(sys.argv[1])
names = [name for name, _, _ in file["ARGUMENTS"]]
given = {name: default for name, default, _ in file["ARGUMENTS"]} | json.loads(sys.argv[2])
graph = file["build_graph"](file["graph_options"](given), file["CONFIG"])
nodes = [action for action in file["actions_of"](graph, respawn=True) if isinstance(action, Node)]
declared = [entity.name for entity in file["generate_launch_description"]().entities if hasattr(entity, "name")]
print(json.dumps({"declared": declared, "nodes": [[node.node_package, node.node_executable] for node in nodes]}))
"""


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """The environment in which launch_ros can be imported."""
    found = dict(os.environ)
    spec = find_spec("launch")
    if spec is None or spec.origin is None:
        sources = os.environ.get("FITMOTION_ROS_SOURCES", "")
        if not sources:
            pytest.skip("ROS 2's launch is not installed; FITMOTION_ROS_SOURCES may name folders that have it")
        found["PYTHONPATH"] = f"{os.environ.get('PYTHONPATH', '')}:{sources}"
        libraries = ":".join(str(Path(folder).parents[1]) for folder in sources.split(":") if "site-packages" in folder)
        found["LD_LIBRARY_PATH"] = f"{os.environ.get('LD_LIBRARY_PATH', '')}:{libraries}"
    check = [sys.executable, "-P", "-c", "import launch_ros.actions"]
    tried = subprocess.run(check, env=found, capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"launch_ros cannot be imported: {tried.stderr.splitlines()[-1]}")
    return found | {"ROS_DOMAIN_ID": str(free_domain()), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


@pytest.fixture
def launched(environment: dict[str, str], tmp_path: Path) -> Iterator["Launch"]:
    made = Launch(environment | {"ROS_LOG_DIR": str(tmp_path / "log")}, tmp_path / "said")
    yield made
    made.close()


class Launch:
    """One launch of the file; everything that is said goes to a file."""

    def __init__(self, environment: dict[str, str], said: Path) -> None:
        self._environment, self._said = environment, said
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> "Launch":
        with self._said.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", LAUNCHER, str(LAUNCH_FILE), *arguments],
                env=self._environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    @property
    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def until(self, pattern: str, seconds: float = 60.0) -> str:
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said)):
            assert time.monotonic() < end, self.said
            time.sleep(0.05)
        return found[found.lastindex or 0]

    def end(self, seconds: float = 60.0) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.mark.parametrize(
    "options",
    [
        {"mover": "squat"},
        {"source": "a.mp4", "lossless": "true"},
        {"source": "0", "visualize": "true", "dashboard": "true", "imu": "all", "record": "a.mcap"},
        {"mover": "squat", "imu": "pelvis", "imu_preset": "bmi270"},
        {"image_topic": "/camera/image_raw", "subject_prefix": "lab_", "visualize": "true"},
        {"body_pose_topic": "/bag/body_pose", "use_sim_time": "true"},
        {"generate": "true", "prompt": "walks", "fms_score": "1"},
    ],
)
def test_every_node_of_the_graph_becomes_an_action(environment: dict[str, str], options: dict[str, str]) -> None:
    import json

    command = [sys.executable, "-P", "-c", TRANSLATION, str(LAUNCH_FILE), json.dumps(options)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    translated = json.loads(done.stdout)
    chosen = {name: value == "true" if value == "true" else value for name, value in options.items()}
    graph = build_graph(GraphOptions(**chosen), REPOSITORY / "launch" / "config")  # type: ignore[arg-type]
    assert translated["nodes"] == [[spec.package, spec.executable] for spec in graph.nodes]
    assert {"namespace", "use_sim_time", "params_file", "respawn", "log_level", "source"} <= set(translated["declared"])
    assert {"use_respawn", "autostart"} <= set(translated["declared"])  # nav2_bringup's names


def test_a_lossless_launch_scores_and_ends_with_its_source(launched: Launch) -> None:
    launched.start("mover:=squat", "lossless:=true", "namespace:=rig_1")
    assert launched.end() == 0
    assert len(re.findall(r"\[rig_1\.fms\].*repetition \d", launched.said)) == 3
    assert "replay has reached the end" in launched.said or "process has finished cleanly" in launched.said
    assert "Traceback" not in launched.said


def test_a_killed_node_is_started_again(launched: Launch) -> None:
    launched.start("mover:=squat", "loop:=true")
    pid = launched.until(r"\[fms-2\]: process started with pid \[(\d+)\]")
    launched.until("repetition 1")
    os.kill(int(pid), signal.SIGKILL)
    launched.until("fms has ended with status -9; it starts again")
    launched.until(r"\[fms-3\]: process started with pid")
    assert launched.process is not None
    launched.process.send_signal(signal.SIGINT)
    launched.end(20)
    assert "Traceback" not in launched.said


@pytest.fixture
def rviz(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment with a package rviz2 that only says how it was started, where there is no real one."""
    package = tmp_path / "rviz"
    (package / "share/ament_index/resource_index/packages").mkdir(parents=True)
    (package / "share/ament_index/resource_index/packages/rviz2").touch()
    executable = package / "lib/rviz2/rviz2"
    executable.parent.mkdir(parents=True)
    executable.write_text('#!/bin/sh\necho "rviz2 $@"\nwhile [ $# -gt 1 ]; do shift; done\ncat "$1"\nexec sleep 600\n')
    executable.chmod(0o755)
    return environment | {"AMENT_PREFIX_PATH": f"{package}:{environment['AMENT_PREFIX_PATH']}"}


def test_another_drivers_images_in_a_namespace_with_a_prefix_and_rviz(rviz: dict[str, str], tmp_path: Path) -> None:
    """Everything at once, as in the README, and interrupted by a terminal: by everybody, twice."""
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    from fitmotion_models.mover import make_mover
    from fitmotion_models.viewer.mannequin import write_clip_video

    video, recording, topic = tmp_path / "squat.mp4", tmp_path / "run.mcap", "/camera/color/image_raw"
    write_clip_video(video, make_mover("squat", fps=30.0))
    camera = [sys.executable, "-P", str(Path(__file__).parent / "foreign_camera.py"), str(video), topic]
    launched = Launch(rviz | {"ROS_LOG_DIR": str(tmp_path / "log")}, tmp_path / "said")
    driver = subprocess.Popen([*camera, "bgr8", "reliable"], env=rviz)
    try:
        given = (f"image_topic:={topic}", "namespace:=lab", "subject_prefix:=lab_", "subject:=anna")
        launched.start(*given, "imu:=pelvis", "rviz:=true", f"record:={recording}", "use_respawn:=false")
        launched.until(r"\[lab\.pose\]: person found")
        assert "live.rviz" in launched.until(r"rviz2 (-d .*__ns:=/lab)") and "use_sim_time: false" in launched.said
        time.sleep(3.0)
        assert launched.process is not None
        for _ in range(2):
            os.killpg(launched.process.pid, signal.SIGINT)
        launched.end(20)
    finally:
        launched.close()
        driver.terminate()
        driver.wait()
    assert "Traceback" not in launched.said
    assert not re.findall(r"\[(?!rviz2)\w+-\d\]: process has died", launched.said), launched.said
    frames, poses = set(), 0
    with recording.open("rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        for _, channel, _, message in reader.iter_decoded_messages(["/tf", "/tf_static", "/lab/body_pose"]):
            poses += channel.topic == "/lab/body_pose"
            frames |= {one.child_frame_id for one in getattr(message, "transforms", ())}
    assert poses > 20
    assert {"lab_anna/pelvis", "lab_anna/imu_pelvis"} <= frames
    assert all(name.startswith("lab_anna/") for name in frames)


@pytest.mark.parametrize(
    ("argument", "words"), [("tilt:=steep", "tilt:=steep is no number"), ("loop:=often", "loop:=often is neither")]
)
def test_a_wrong_argument_is_named(launched: Launch, argument: str, words: str) -> None:
    launched.start("mover:=squat", argument)
    assert launched.end() != 0
    assert words in launched.said
