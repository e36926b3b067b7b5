"""Faults of the surroundings, one after the other, on one graph with all its nodes: the chain goes on through each.

Figures of before, during and after are printed (-s): they are the machine's, and none is a limit here. What is asked
for afterwards is what there was before.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fitmotion_models.exchange.mcap_files import read_messages

from .conftest import LONG, Command, environment_for, free_domain
from .outside import Ear, Flow, NetworkCamera, memory_mb, squat_pictures, wait_until

# one graph for all of this file, in the order of the file
pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.one_distribution]
NODES = ("camera", "pose", "fms", "recorder", "virtual_imu", "visualizer", "dashboard")
BASELINE_S, STALL_S, FLOOD_S, AWAY_S = 5.0, 30.0 if LONG else 8.0, 9.0, 3.0
# The middleware keeps room for a queue of the largest messages it has seen, once: the second flood takes no more. But
# for the pose node, which takes some tens of megabytes each time; alone it does not, and why is not known yet.
FLOODED_MB = 250.0
MOST_GROWTH_MB = 60.0  # of a process under a fault: what allocators keep, not what thousands of strangers would take


@dataclass
class Live:
    """The graph: what runs, what it looks at, where it records."""

    run: Command
    camera: NetworkCamera
    ear: Ear
    disk: "Disk"
    page: str
    before: Flow

    def report(self, node: str, name: str) -> float:
        return float(self.ear.reports.get(node, {}).get(name, 0.0))

    def memory(self) -> dict[str, float]:
        return {name: memory_mb(pid) for name, pid in (self.run.children() | {"up": self.run.process.pid}).items()}

    def measure(self, what: str, seconds: float) -> Flow:
        since = time.time()
        time.sleep(seconds)
        flow = self.ear.flow(since)
        print(f"{what:34} {flow}")
        return flow

    def until_as_before(self) -> None:
        """Scores come again as often and as soon as before, give or take what this machine does by itself."""

        def as_before() -> bool:
            flow = self.ear.flow(time.time() - 2.0)
            slack = 2.0 * self.before.percentile(95) + 20.0
            return flow.rate > 0.8 * self.before.rate and flow.percentile(50) < slack

        wait_until(as_before, 30.0, f"what was before: {self.before}")
        print(f"{'after':34} {self.ear.flow(time.time() - 2.0)}")


class Disk:
    """A disk of its own for the recordings, which can be filled."""

    SIZE_MB = 48

    def __init__(self, folder: Path) -> None:
        self.folder, self._ballast = folder, folder / "ballast"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE_MB}m", "tmpfs", str(folder)]
        self.is_mounted = not subprocess.run(mount, capture_output=True, check=False).returncode

    def fill(self, recorder: int) -> None:
        """Leave nothing; where nothing can be mounted, let the system refuse that process any further byte."""
        if not self.is_mounted:
            resource.prlimit(recorder, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            return
        with self._ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    def empty(self, recorder: int) -> None:
        if self.is_mounted:
            self._ballast.unlink()
        else:
            resource.prlimit(recorder, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.mcap"), key=lambda path: path.stat().st_mtime_ns)

    def close(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder, domain, port = tmp_path_factory.mktemp("faults"), free_domain(), free_port()
    disk, camera = Disk(folder / "disk"), NetworkCamera(squat_pictures())
    camera.plug()
    ear = Ear(domain)
    options = ["--imu", "pelvis,left_wrist,right_thigh", "--record", "--dashboard", "--visualize"]
    settings = {
        "dashboard.port": port,
        "recorder.path": disk.folder / "recording.mcap",
        "recorder.min_free_mb": 1,
        "camera.reconnect_s": 0.5,
    }
    for name, value in settings.items():
        options += ["--param", f"{name}={value}"]
    run = Command(folder, ("up", "--source", camera.address, *options), environment_for(folder, domain))
    try:
        wait_until(lambda: tuple(name for name in NODES if name in ear.reports) == NODES, 60.0, "every node's report")
        wait_until(lambda: len(ear.states) > 60, 60.0, "scores")
        since = time.time()
        time.sleep(BASELINE_S)
        before = ear.flow(since)
        print(f"\n{'before':34} {before}")
        assert before.rate > 5.0
        yield Live(run, camera, ear, disk, f"http://127.0.0.1:{port}", before)
    finally:
        if run.process.poll() is None:
            run.interrupt()
        ear.close()
        camera.unplug()
        disk.close()


@pytest.fixture(autouse=True)
def the_chain_goes_on(live: Live, request: pytest.FixtureRequest) -> Iterator[None]:
    """No fault costs a process, nor more memory than a fault may."""
    pids, memory = live.run.children(), live.memory()
    print()
    yield
    assert live.run.children() == pids, live.run.stdout[-3000:]
    grown = {name: size - memory[name] for name, size in live.memory().items()}
    print("memory grew, MB:", {name: round(size, 1) for name, size in grown.items()})
    first = "first" in request.node.name
    too_much = {
        name: size for name, size in grown.items() if size > (FLOODED_MB if first or name == "pose" else MOST_GROWTH_MB)
    }
    assert not too_much
    assert "Traceback" not in live.run.stdout + live.run.stderr + live.run.logs()


class Viewer:
    """Somebody who looks at the dashboard and can be made to stall."""

    def __init__(self, page: str, folder: Path) -> None:
        self._said = folder
        command = [sys.executable, "-P", "-m", "fitmotion_models.viewer.page_client", page]
        with folder.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

    def close(self) -> str:
        """What it got, in words."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(5.0)
        except subprocess.TimeoutExpired:  # it waits for a page that has already dropped it
            self.process.kill()
            self.process.wait()
        return self._said.read_text().strip() or "nothing said"


def test_a_viewer_that_stalls(live: Live, tmp_path: Path) -> None:
    stalled, other = Viewer(live.page, tmp_path / "stalled"), Viewer(live.page, tmp_path / "other")
    try:
        wait_until(lambda: live.report("dashboard", "rate_hz") > 5.0, 20.0, "a page that is looked at")
        wait_until(lambda: "2 looking" in live.ear.sentences["dashboard"][-1], 20.0, "two who look")
        live.measure("two look at the page", BASELINE_S)
        stalled.process.send_signal(signal.SIGSTOP)
        sent = live.report("dashboard", "frames_out")
        live.measure(f"one of them stalled for {STALL_S:.0f} s", STALL_S)
        assert live.report("dashboard", "frames_out") - sent > STALL_S  # the other one saw it all
        assert other.process.poll() is None
        stalled.process.send_signal(signal.SIGCONT)
        live.until_as_before()
    finally:
        print(f"stalled: {stalled.close()}; other: {other.close()}")
    wait_until(lambda: live.report("dashboard", "rate_hz") == 0.0, 30.0, "a page that nobody looks at")


def test_the_disk_of_the_recorder_fills_up(live: Live) -> None:
    recorder = live.run.children()["recorder"]
    wait_until(lambda: live.report("recorder", "messages") > 100, 20.0, "a recording")
    first = live.disk.files()[-1]
    held = sum(1 for _ in read_messages(first))
    sentences = live.ear.sentences["recorder"]
    live.disk.fill(recorder)
    try:
        wait_until(lambda: any("nothing is recorded" in text for text in sentences), 20.0, "the recorder's complaint")
        live.measure("the disk is full", AWAY_S)
        assert live.report("recorder", "dropped") > 0
    finally:
        live.disk.empty(recorder)
    wait_until(lambda: len(live.disk.files()) == 2 and live.disk.files()[-1].stat().st_size > 20_000, 20.0, "file two")
    wait_until(lambda: "nothing" not in sentences[-1], 10.0, "the recorder's all-clear")
    log = live.run.logs()
    assert log.count("nothing is recorded") == 1 and log.count("recording goes on in") == 1
    live.until_as_before()
    assert count_by_others(first) >= held


def count_by_others(path: Path) -> int:
    """Messages of a file, as two programs that are not ours find them."""
    from mcap.reader import make_reader
    from rosbags.highlevel import AnyReader

    with path.open("rb") as stream:
        found = sum(1 for _ in make_reader(stream).iter_messages())
    with AnyReader([path]) as bag:
        assert sum(1 for _ in bag.messages()) == found
    return found


@pytest.mark.parametrize("how", ["cut", "frozen"] if LONG else ["cut"])
def test_the_source_is_unplugged(live: Live, how: str) -> None:
    reconnects = live.report("camera", "reconnects")
    if how == "cut":
        live.camera.unplug()
    else:
        live.camera.frozen = True
    wait_until(lambda: "trying to reconnect" in live.ear.sentences["camera"][-1], 30.0, "the camera's complaint")
    time.sleep(AWAY_S)
    quiet = live.measure(f"the source is away ({how})", 1.0)
    assert quiet.rate == 0.0
    if how == "cut":
        live.camera.plug()
    else:
        live.camera.frozen = False
    live.until_as_before()
    wait_until(lambda: live.report("camera", "reconnects") == reconnects + 1, 10.0, "the count of it")
    wait_until(lambda: "reconnect" not in live.ear.sentences["camera"][-1], 10.0, "the camera's all-clear")


@pytest.mark.parametrize("which", ["first", "second"] if LONG else ["first"])
def test_a_flood_of_garbage(live: Live, which: str) -> None:
    bad = {name: live.report(name, "bad_messages") for name in NODES}
    nodes = [f"/{name}" for name in NODES]
    command = [sys.executable, "-P", str(Path(__file__).with_name("flood.py")), str(FLOOD_S), *nodes]
    environment = os.environ | {"ROS_DOMAIN_ID": str(live.ear.domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    viewer = Viewer(live.page, live.run.folder / "viewer")
    flood = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        assert flood.stdout is not None and flood.stdout.readline() == "begun\n"
        live.measure("flooded", FLOOD_S - 0.5)
        said, _ = flood.communicate(timeout=60.0)
        print(said.strip())
        assert flood.returncode == 0, said
    finally:
        flood.kill()
        flood.wait()
        print("viewer:", viewer.close())
    live.until_as_before()
    counted = {name: live.report(name, "bad_messages") - before for name, before in bad.items()}
    print("refused:", json.dumps(counted))
    for name in ("pose", "fms", "virtual_imu", "visualizer", "dashboard"):
        assert counted[name] > 100, name
    # whoever was there before is scored on, and meant when nobody is named
    assert_scored_again(live)


def assert_scored_again(live: Live) -> None:
    seen = live.run.stdout.count("person, deep squat, repetition")
    live.run.until(lambda command: command.stdout.count("person, deep squat, repetition") > seen, 30.0)
