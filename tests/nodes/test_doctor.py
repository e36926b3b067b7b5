"""The doctor sees what is there, says how to mend what is not, and its exit code follows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fitmotion_nodes import doctor
from fitmotion_nodes.doctor import State

COMMAND = "import typer; from fitmotion_nodes.doctor import command; typer.run(command)"


def run_doctor(**changes: str) -> tuple[int, dict[str, dict[str, str]]]:
    environment = {name: value for name, value in (os.environ | changes).items() if value}
    command = [sys.executable, "-P", "-c", COMMAND, "--json"]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    report = json.loads(finished.stdout)
    assert report["healthy"] is (finished.returncode == 0)
    return finished.returncode, {finding["name"]: finding for finding in report["findings"]}


@pytest.mark.skipif("FITMOTION_ROOT" not in os.environ, reason="needs the environment of ./fitmotion")
def test_this_environment_is_healthy() -> None:
    status, findings = run_doctor()
    assert status == 0
    assert findings["ROS 2"]["detail"].startswith(f"{os.environ['ROS_DISTRO'].capitalize()} ")
    assert findings["Pose backend mediapipe"]["detail"].startswith("MediaPipe 0.10.14")
    assert all(finding["remedy"] == "" for finding in findings.values() if finding["state"] == "good")


@pytest.mark.skipif("FITMOTION_ROOT" not in os.environ, reason="needs the environment of ./fitmotion")
def test_missing_messages_are_bad_and_the_remedy_is_said() -> None:
    kept = [path for path in os.environ["PYTHONPATH"].split(":") if not path.endswith("-packages")]
    status, findings = run_doctor(PYTHONPATH=":".join(kept))
    assert status == 1
    assert findings["Messages"]["state"] == "bad" and findings["Messages"]["remedy"] == "./fitmotion build --clean"


def test_outside_of_the_environment_it_says_how_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FITMOTION_ROOT", raising=False)
    (finding,) = doctor.check_ros()
    assert finding.state is State.BAD and "./fitmotion" in finding.detail


def test_cameras(tmp_path: Path) -> None:
    devices, system = tmp_path / "dev", tmp_path / "sys"
    (system / "video2").mkdir(parents=True)
    devices.mkdir()
    (none,) = doctor.check_cameras(devices, system)
    assert none.state is State.WARNING and "--source" in none.remedy
    (system / "video2" / "name").write_text("Webcam C920\n")
    (devices / "video2").touch()
    (devices / "video10").touch()
    first, second = doctor.check_cameras(devices, system)
    assert first.name == "Camera 2" and first.detail.startswith("Webcam C920") and first.state is State.GOOD
    assert second.name == "Camera 10"


def test_little_shared_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = type("Usage", (), {"free": 64_000_000, "total": 64_000_000})  # a container's default
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    (finding,) = doctor.check_shared_memory(tmp_path)
    assert finding.state is State.WARNING and "--shm-size=1g" in finding.remedy


def test_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FITMOTION_DATA", str(tmp_path / "nowhere"))
    (missing,) = doctor.check_data()
    assert missing.state is State.WARNING and "FITMOTION_DATA" in missing.remedy
    monkeypatch.setenv("FITMOTION_DATA", str(tmp_path))
    (there,) = doctor.check_data()
    assert there.state is State.GOOD


def test_native_noise_is_silenced(capfd: pytest.CaptureFixture[str]) -> None:
    with doctor.silent_stderr():
        os.write(2, b"noise")
    os.write(2, b"words")
    assert capfd.readouterr().err == "words"
