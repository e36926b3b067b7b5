"""A data set that is made, stopped, changed and made on: what is done stays done, and nothing half is ever named."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from fitmotion_models.datasets.synthesis.engines import spread
from fitmotion_models.datasets.synthesis.files import FolderLock, StorageError, write_whole
from fitmotion_models.datasets.synthesis.manifest import MANIFEST, read_manifest, records
from fitmotion_models.datasets.synthesis.recording_file import load_recording
from fitmotion_models.datasets.synthesis.run import synthesize
from fitmotion_models.datasets.synthesis.source_folders import clip_sources
from fitmotion_models.imu import select_sites, virtual_imu
from fitmotion_models.imu.sensor_model import measured
from fitmotion_models.imu.sensor_spec import sensor_preset
from fitmotion_models.skeleton.clip_file import load_clip, save_clip

from .conftest import SITES, fill, lunge


def hashes(folder: Path) -> dict[str, str]:
    return {stage.output.path: stage.output.sha256 for row in read_manifest(folder) for stage in row.stages}


def whole(folder: Path) -> bool:
    """Whether all that the manifest names is there, with the content that it says, and nothing is half-written."""
    named = all(stage.output.is_there(folder) for row in read_manifest(folder) for stage in row.stages)
    return named and not list(folder.rglob("*.part"))


@pytest.mark.slow
def test_a_data_set_holds_what_virtual_sensors_read_of_its_clips(clips, settings, tmp_path):
    out = tmp_path / "set"
    found = synthesize(out, clip_sources(clips), settings, jobs=1)
    assert found.made == {"pose": 8, "imu": 8} and not found.left_out
    rows = {row.id: row for row in read_manifest(out)}
    assert len(rows) == 8 and whole(out)
    row = rows["clip_anna_lunge_left_1"]
    assert (row.subject, row.trial, row.labels[0].label, row.kind) == ("anna", "1", "lunge_left", "synthetic")
    assert load_clip(out / "clips" / row.id / "pose" / "pose3d.npz").subject == "anna"
    recording, placement = load_recording(out / row.signals)
    sites = select_sites(SITES)
    expected = measured(virtual_imu(lunge("left"), sites, rate_hz=50.0), sensor_preset("bmi270"), seed=row.seed)
    np.testing.assert_array_equal(recording.specific_force, expected.specific_force)
    # the thigh's sensor: 0.6 of the bone down from the hip, and 8 cm out to the right
    bone = lunge("left").bone_offsets[5]
    np.testing.assert_allclose(placement.positions[1], 0.6 * bone + (0.0, -0.08, 0.0), atol=1e-6)
    assert placement.segments == ("pelvis", "right_hip")
    seeds = {one.seed for one in rows.values()}
    assert len(seeds) == 8, "two recordings have the same sensors"


@pytest.mark.slow
def test_what_is_done_is_left_and_what_changed_is_made_again(clips, settings, tmp_path):
    out = tmp_path / "set"
    synthesize(out, clip_sources(clips), settings, jobs=1)
    before, times = hashes(out), {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
    again = synthesize(out, clip_sources(clips), settings, jobs=1)
    assert (again.made, again.kept) == ({}, 8) and hashes(out) == before
    assert times == {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
    # other sensors: the bodies stay
    assert synthesize(out, clip_sources(clips), replace(settings, seed=4), jobs=1).made == {"imu": 8}
    assert synthesize(out, clip_sources(clips), settings, jobs=1).made == {"imu": 8} and hashes(out) == before
    # another clip in one file
    save_clip(clips / "anna" / "lunge_left" / "0.npz", lunge("right"), overwrite=True)
    assert synthesize(out, clip_sources(clips), settings, jobs=1).made == {"pose": 1, "imu": 1}
    # a damaged artefact
    damaged = out / "clips" / "clip_ben_lunge_left_0" / "imu" / "virtual_imu.npz"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    assert synthesize(out, clip_sources(clips), settings, jobs=1).made == {"imu": 1}
    assert whole(out)
    # other words about it are no work
    (clips / "labels.csv").write_text("file,label\nben/lunge_left/0.npz,squat\n")
    assert synthesize(out, clip_sources(clips), settings, jobs=1).made == {}
    labels = {row.id: row.labels[0].label for row in read_manifest(out)}
    assert labels["clip_ben_lunge_left_0"] == "squat" and labels["clip_ben_lunge_left_1"] == "lunge_left"


@pytest.mark.slow
def test_one_bad_clip_is_reported_and_the_others_go_on(clips, settings, tmp_path):
    (clips / "anna" / "lunge_left" / "bad.npz").write_bytes(b"no clip")
    (clips / "anna" / "lunge_left" / "short.npz").write_bytes(b"")
    short = lunge("left")
    three = {name: getattr(short, name)[:3] for name in ("stamps", "positions", "rotations", "confidence", "feet")}
    more = {name: getattr(short, name)[:3] for name in ("feet_confidence", "view_direction")}
    save_clip(clips / "anna" / "lunge_left" / "short.npz", replace(short, **three, **more), overwrite=True)
    found = synthesize(tmp_path / "set", clip_sources(clips), settings, jobs=1)
    assert set(found.left_out) == {"clip_anna_lunge_left_bad", "clip_anna_lunge_left_short"}
    assert "not a motion clip" in found.left_out["clip_anna_lunge_left_bad"]
    assert "3 bodies" in found.left_out["clip_anna_lunge_left_short"]
    assert len(read_manifest(tmp_path / "set")) == 8 and whole(tmp_path / "set")


@pytest.mark.slow
def test_further_runs_add_to_it_and_what_a_source_has_no_longer_leaves(clips, settings, tmp_path):
    out = tmp_path / "set"
    synthesize(out, clip_sources(clips), settings, jobs=1)
    synthesize(out, clip_sources(fill(tmp_path / "more", persons=("cleo",), trials=1)), settings, jobs=1)
    assert [row.subject for row in read_manifest(out)].count("cleo") == 2 and len(read_manifest(out)) == 10
    (clips / "anna" / "lunge_left" / "0.npz").unlink()
    synthesize(out, clip_sources(clips), settings, jobs=1)
    assert len(read_manifest(out)) == 9
    with pytest.raises(ValueError, match="50 a second, and these are to have 100"):
        synthesize(out, clip_sources(clips), replace(settings, rate_hz=100.0), jobs=1)


def test_two_runs_into_one_folder_are_refused(clips, settings, tmp_path):
    out = tmp_path / "set"
    code = (
        "import sys, time; from pathlib import Path;"
        "from fitmotion_models.datasets.synthesis.files import FolderLock\n"
        "with FolderLock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-P", "-c", code, str(out)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline().strip() == "held"
        with pytest.raises(ValueError, match="another run is writing"):
            synthesize(out, clip_sources(clips), settings, jobs=1)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with FolderLock(out):  # a killed holder has let go
        pass


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_run_goes_on_where_it_was(tmp_path, settings):
    clips, out = fill(tmp_path / "clips", trials=6), tmp_path / "set"
    words = ["synthesize", "--clips", clips, "-o", out, "--sites", ",".join(SITES), "--rate", "50"]
    words += ["--preset", "bmi270", "--seed", "3", "--jobs", "2", "--format", "none", "--json"]
    command = [sys.executable, "-P", "-m", "fitmotion_models.cli", *map(str, words)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240.0
    while len(records(out)) < 3 and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL, "the run was done before it could be killed"
    done = len(records(out))
    assert 3 <= done < 24
    _, alive = psutil.wait_procs(workers, timeout=30.0)
    assert not alive, "processes of a killed run live on"
    if (out / MANIFEST).is_file():
        assert all(stage.output.is_there(out) for row in read_manifest(out) for stage in row.stages)
    done = len(records(out))  # what the workers finished before they saw it
    again = subprocess.run(command, capture_output=True, text=True, timeout=500)
    report = json.loads(again.stdout)
    assert again.returncode == 0 and report["recordings"] == 24 and report["kept"] == done
    assert whole(out)
    synthesize(tmp_path / "other", clip_sources(clips), settings, jobs=1)
    assert hashes(out) == hashes(tmp_path / "other"), "an interrupted run gives other files than one in one go"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_interrupted_run_ends_at_once_and_leaves_no_process(tmp_path):
    clips, out = fill(tmp_path / "clips", trials=12), tmp_path / "set"
    words = ["synthesize", "--clips", clips, "-o", out, "--sites", "all", "--format", "none"]
    command = [sys.executable, "-P", "-m", "fitmotion_models.cli", *map(str, words)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240.0
    while len(records(out)) < 2 and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130 and "Traceback" not in said, said
    _, alive = psutil.wait_procs(workers, timeout=30.0)
    assert not alive


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own of 160 KiB; gives its folder and what makes it larger."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True).returncode == 0

    if os.geteuid() != 0 or not mount("size=160k"):
        pytest.skip("a small file system can be mounted by root only")
    yield folder, lambda: mount("remount,size=8m")
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_full_disk_leaves_nothing_half_written_and_the_next_run_goes_on(clips, settings, small_disk, jobs):
    disk, enlarge = small_disk
    out = disk / "set"
    with pytest.raises(StorageError, match=r"can't be written: No space left.*of 8 recordings are done: make room"):
        synthesize(out, clip_sources(clips), settings, jobs=jobs)
    done = records(out)
    assert 0 < len(done) < 8
    assert all(stage.output.is_there(out) for row in done for stage in row.stages)
    assert not list(out.rglob("*.part"))
    if (out / MANIFEST).is_file():
        assert whole(out)
    assert enlarge()
    found = synthesize(out, clip_sources(clips), settings, jobs=1)
    assert found.kept == len(done) and len(found.rows) == 8 and whole(out)


def test_a_file_is_there_whole_or_as_it_was(tmp_path, small_disk):
    disk, _ = small_disk
    write_whole(disk / "a", b"old")
    with pytest.raises(StorageError, match=r"a can't be written: No space left on device$"):
        write_whole(disk / "a", os.urandom(1 << 20))
    assert (disk / "a").read_bytes() == b"old" and [path.name for path in disk.iterdir()] == ["a"]


DYING = """
import os, signal
from dataclasses import dataclass
from fitmotion_models.datasets.synthesis.work import Outcome

@dataclass(frozen=True)
class Job:
    id: str

def make(source):
    if source.id == "bad":
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(source.id)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_recording_that_kills_its_process_is_left_out_alone(tmp_path, monkeypatch):
    # as one does that needs too much memory; in a module of its own, which the processes can import
    (tmp_path / "dying_recordings.py").write_text(DYING)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("dying_recordings")
    jobs = [module.Job(name) for name in ("a", "bad", *map(str, range(6)))]
    found = {outcome.id: outcome.problem for outcome in spread(module.make, jobs, 2)}
    assert set(found) == {job.id for job in jobs}
    assert {id for id, problem in found.items() if problem} == {"bad"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ray_gives_the_same_data_set(clips, settings, tmp_path):
    pytest.importorskip("ray", reason="ray is not installed: ./fitmotion exec -- python -m pip install ray")
    synthesize(tmp_path / "local", clip_sources(clips), settings, jobs=1)
    (clips / "anna" / "lunge_left" / "bad.npz").write_bytes(b"no clip")
    found = synthesize(tmp_path / "ray", clip_sources(clips), settings, jobs=2, engine="ray")
    assert list(found.left_out) == ["clip_anna_lunge_left_bad"]
    assert hashes(tmp_path / "ray") == hashes(tmp_path / "local")


def test_an_engine_that_is_missing_says_how_to_get_it(clips, settings, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match="pip install ray.*or take --engine local"):
        synthesize(tmp_path / "set", clip_sources(clips), settings, engine="ray")
    with pytest.raises(ValueError, match="engine 'steam' unknown; known: local, ray"):
        synthesize(tmp_path / "set", clip_sources(clips), settings, engine="steam")
    assert not (tmp_path / "set").exists()
