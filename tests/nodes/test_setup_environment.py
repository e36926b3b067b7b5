"""The steps of the set-up: each one repeatable, and mended after an interruption."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np
import pytest

from fitmotion_nodes import setup_environment
from fitmotion_nodes.setup_environment import exclusive, prepare
from fitmotion_nodes.setup_layout import WHEEL_FOLDERS, Layout, environment_script, without
from fitmotion_nodes.setup_libraries import read_lock, recorded_files, share_libraries
from fitmotion_nodes.setup_progress import Progress, SetupError, run_logged
from fitmotion_nodes.setup_repairs import repair_cmake_exports, repair_first_lines, write_tf2_msgs

ROOT = Path(__file__).resolve().parents[2]
NODES = ROOT / "fitmotion_nodes"


def test_sections_of_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("# Words.\n\n# [ros] The first.\n# more words\na==1\nb==2\n\n# [run]\nc==3\n")
    assert read_lock(lock, ["ros"]) == ["a==1", "b==2"]
    assert read_lock(lock, ["run", "ros"]) == ["c==3", "a==1", "b==2"]
    with pytest.raises(SetupError, match="no section 'test'; it has: ros, run"):
        read_lock(lock, ["test"])


def test_only_the_ros_section_holds_ros() -> None:
    lock = ROOT / "requirements.lock"
    assert all(not line.startswith("ros-") for line in read_lock(lock, ["build", "run", "test"]))
    assert "ros-rclpy==7.1.6" in read_lock(lock, ["jazzy"])
    assert "ros-rclpy==9.1.2" in read_lock(lock, ["kilted"])


@pytest.mark.parametrize("distro", WHEEL_FOLDERS)
def test_the_lock_has_exact_versions_once_each_for_a_distribution(distro: str) -> None:
    requirements = read_lock(ROOT / "requirements.lock", ["ros", distro, "build", "run", "test"])
    assert all(re.fullmatch(r"[\w.-]+==[\w.+]+", line) for line in requirements)
    names = [line.partition("==")[0].lower().replace("_", "-") for line in requirements]
    assert len(names) == len(set(names))


def test_what_distributions_have_in_common_is_named_once() -> None:
    by_distro = [set(read_lock(ROOT / "requirements.lock", [distro])) for distro in WHEEL_FOLDERS]
    assert not set.intersection(*by_distro)


def test_cmake_exports_are_repaired_once(tmp_path: Path) -> None:
    export = tmp_path / "share" / "pkg" / "cmake" / "export.cmake"
    export.parent.mkdir(parents=True)
    export.write_text(
        'INCLUDES "/opt/python/cp311-cp311/include/python3.11;${_IMPORT_PREFIX}/include"\n'
        'LIBRARIES "/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/core/include"\n'
    )
    other = export.with_name("other.cmake")
    other.write_text("/opt/python/else\n")
    assert repair_cmake_exports(tmp_path, r"/my \1 env/site-packages", "/usr/include/python3.11") == [export]
    assert export.read_text() == (
        'INCLUDES "/usr/include/python3.11;${_IMPORT_PREFIX}/include"\n'
        'LIBRARIES "/my \\1 env/site-packages/numpy/core/include"\n'
    )
    assert repair_cmake_exports(tmp_path, r"/my \1 env/site-packages", "/usr/include/python3.11") == []
    assert other.read_text() == "/opt/python/else\n"


def test_this_environment_is_repaired() -> None:
    prefix = Path(sys.prefix)
    if not (prefix / "share" / "rclpy").is_dir():
        pytest.skip("this environment does not hold the ROS 2 from PyPI")
    exports = list((prefix / "share").rglob("*.cmake"))
    assert len(exports) > 100
    assert not [path for path in exports if "/opt/python/cp" in path.read_text()]
    purelib, include = sysconfig.get_path("purelib"), sysconfig.get_path("include")
    assert any(include in path.read_text() for path in exports)
    assert repair_cmake_exports(prefix, purelib, include) == []


def test_tf2_msgs_is_written_once(tmp_path: Path) -> None:
    write_tf2_msgs(tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.name for path in written} == {"package.xml", "CMakeLists.txt", "TFMessage.msg"}
    assert (tmp_path / "msg" / "TFMessage.msg").read_text() == "geometry_msgs/TransformStamped[] transforms\n"
    write_tf2_msgs(tmp_path)
    assert written == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    next(path for path in written if path.name == "package.xml").write_text("half")
    write_tf2_msgs(tmp_path)
    assert "<name>tf2_msgs</name>" in (tmp_path / "package.xml").read_text()


@pytest.mark.parametrize("folder", ["a folder", "long" * 40])
def test_executables_start_in_any_folder(tmp_path: Path, folder: str) -> None:
    python = tmp_path / folder / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    program = tmp_path / "program"
    program.write_text(f'#!"{python}"\nimport sys\nprint(sys.argv[1:])\n')
    program.chmod(0o755)
    untouched = tmp_path / "untouched"
    untouched.write_text("#!/bin/sh\n")
    assert repair_first_lines(tmp_path, python) == [program]
    finished = subprocess.run([str(program), "a b", "$c"], capture_output=True, text=True, check=True)
    assert finished.stdout == "['a b', '$c']\n"
    assert repair_first_lines(tmp_path, python) == []


def made_layout(folder: Path, ros_prefix: str = "", distro: str = "jazzy") -> Layout:
    layout = Layout(folder, folder / WHEEL_FOLDERS[distro], ros_prefix, distro)
    for package in ("ros_rclpy.libs", "ros_rmw.libs"):
        (layout.venv / "lib" / "python3.11" / "site-packages" / package).mkdir(parents=True)
    return layout


def test_environment_script_in_a_folder_with_odd_characters(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s $HOME; a "folder"'
    folder.mkdir()
    script = folder / "environment.sh"
    script.write_text(environment_script(made_layout(folder), "stamp"))
    code = '. "$0"; printf "%s\\n" "$PATH" "$PYTHONPATH" "$LD_LIBRARY_PATH" "$AMENT_PREFIX_PATH"'
    inherited = {"PATH": "/usr/bin:/bin", "PYTHONPATH": "/old", "AMENT_PREFIX_PATH": "/old", "LD_LIBRARY_PATH": "/mine"}
    finished = subprocess.run(
        ["sh", "-c", code, str(script)], env=inherited, capture_output=True, text=True, check=True
    )
    path, python, libraries, ament = finished.stdout.splitlines()
    own = folder / ".venv" / "fitmotion"
    assert path == f"{folder}/.venv/bin:/usr/bin:/bin"
    assert python.split(":")[:2] == [f"{folder}/models", f"{folder}/fitmotion_nodes"]
    assert "/old" not in python and ament == f"{own}/install:{folder}/.venv"
    assert libraries.split(":")[0] == f"{own}/install/lib" and libraries.endswith("ros_rmw.libs:/mine")


def test_environment_of_a_workstation_adds_to_what_is_sourced(tmp_path: Path) -> None:
    script = tmp_path / "environment.sh"
    script.write_text(environment_script(made_layout(tmp_path, "/opt/ros/jazzy"), "stamp"))
    code = '. "$0"; printf "%s\\n" "$PYTHONPATH" "$AMENT_PREFIX_PATH" "${_ROS_WHEELS_BOOTSTRAP_COMPLETE-}"'
    inherited = {"PATH": "/usr/bin:/bin", "PYTHONPATH": "/opt/ros/py", "AMENT_PREFIX_PATH": "/opt/ros/jazzy"}
    finished = subprocess.run(
        ["sh", "-c", code, str(script)], env=inherited, capture_output=True, text=True, check=True
    )
    python, ament, bootstrapped = finished.stdout.split("\n")[:3]
    assert python.endswith(":/opt/ros/py") and bootstrapped == ""
    assert ament == f"{tmp_path}/ros2_ws/install:/opt/ros/jazzy"


def test_from_one_environment_into_another(tmp_path: Path) -> None:
    """Nothing of the first is left, and all of the caller's own is."""
    caller = {"PATH": "/mine/bin:/usr/bin", "LD_LIBRARY_PATH": "/mine", "ROS_DOMAIN_ID": "7", "LANG": "C"}
    layouts = [made_layout(tmp_path, distro=distro) for distro in WHEEL_FOLDERS]
    seen = []
    for layout in layouts:
        script = tmp_path / f"{layout.distro}.sh"
        script.write_text(environment_script(layout, "stamp"))
        dumped = subprocess.run(["sh", "-c", '. "$0"; env -0', str(script)], env=caller, capture_output=True, text=True)
        environment = dict(entry.split("=", 1) for entry in dumped.stdout.split("\0") if "=" in entry)
        assert environment["ROS_DISTRO"] == layout.distro
        left = without(layout, environment)
        assert {name: left[name] for name in left if name not in ("PWD", "SHLVL", "_", "OLDPWD")} == caller
        seen.append(environment)
    assert str(layouts[0].venv) + "/" not in str(seen[1])


def a_library(venv: Path, name: str, version: str, files: dict[str, str]) -> None:
    """Install a made-up library, as pip leaves it."""
    purelib = venv / "lib" / "python3.11" / "site-packages"
    information = f"{name}-{version}.dist-info"
    record = ""
    for path, text in (files | {f"{information}/METADATA": f"Name: {name}\nVersion: {version}\n"}).items():
        (purelib / path).parent.mkdir(parents=True, exist_ok=True)
        (purelib / path).write_text(text)
        record += f'"{path}",sha256=x,1\n'
    (purelib / information / "RECORD").write_text(record + f"{information}/RECORD,,\n")


def test_libraries_are_shared_between_environments(tmp_path: Path) -> None:
    source, target = tmp_path / ".venv", tmp_path / ".venv-other"
    purelib = Path("lib", "python3.11", "site-packages")
    executable = f"#!{source}/bin/python\nimport same\n"
    a_library(source, "My_Same", "1.0", {"same/__init__.py": "x = 1\n", "../../../bin/same": executable, "a,b.py": ""})
    a_library(source, "newer", "2.0", {"newer.py": ""})
    a_library(source, "not_wanted", "1.0", {"not_wanted.py": ""})
    a_library(source, "ros_rclpy", "7.1.6", {"rclpy.py": ""})
    requirements = ["my-same==1.0", "newer==1.0", "ros-rclpy==7.1.6"]
    assert share_libraries(source, target, requirements) == []  # no environment yet
    (target / purelib).mkdir(parents=True)
    assert share_libraries(source, target, requirements) == ["My_Same==1.0"]
    assert (target / purelib / "same/__init__.py").samefile(source / purelib / "same/__init__.py")
    assert (target / "bin" / "same").read_text() == f"#!{target}/bin/python\nimport same\n"
    assert (source / "bin" / "same").read_text() == executable
    assert sorted(path.name for path in (target / purelib).iterdir()) == ["My_Same-1.0.dist-info", "a,b.py", "same"]
    assert share_libraries(source, target, requirements) == []
    # an earlier attempt that was interrupted: what is there is no hindrance
    (target / purelib / "My_Same-1.0.dist-info" / "METADATA").unlink()
    (target / purelib / "My_Same-1.0.dist-info").rename(tmp_path / "gone")
    (target / purelib / "same/__init__.py").unlink()
    (target / purelib / "same/__init__.py").write_text("half")
    assert share_libraries(source, target, requirements) == ["My_Same==1.0"]
    assert (target / purelib / "same/__init__.py").read_text() == "x = 1\n"


def test_nothing_is_shared_with_another_python(tmp_path: Path) -> None:
    a_library(tmp_path / ".venv", "same", "1.0", {"same.py": ""})
    (tmp_path / ".venv-other" / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    assert share_libraries(tmp_path / ".venv", tmp_path / ".venv-other", ["same==1.0"]) == []


def test_recorded_files_are_those_that_are_there() -> None:
    information = next(path for path in Path(sysconfig.get_path("purelib")).glob("numpy-*.dist-info"))
    files = list(recorded_files(information))
    assert len(files) > 500 and all(path.is_file() for path in files)
    assert Path(np.__file__) in files


class Steps:
    """Stands in for the long steps; notes them, and interrupts the one that is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.interrupted = ""
        for name in ("make_virtual_environment", "install_libraries", "build_packages"):
            monkeypatch.setattr(setup_environment, name, lambda *arguments, name=name: self.step(name, arguments[0]))
        monkeypatch.setattr(setup_environment, "_usable", lambda layout: layout.libraries_mark.exists())
        monkeypatch.setattr(setup_environment, "_ask_python", lambda *_: "/usr/include/python3.11")

    def step(self, name: str, layout: Layout) -> None:
        self.done.append(name.split("_")[0])
        if name == "make_virtual_environment":
            layout.own.mkdir(parents=True)
            (layout.venv / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
        if name.startswith(self.interrupted or "never"):
            raise KeyboardInterrupt
        if name == "build_packages":
            layout.install.mkdir(exist_ok=True)

    def run(self, layout: Layout, stamp: str = "one") -> list[str]:
        self.done = []
        prepare(layout, stamp)
        return self.done


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    sections = {"ros": "a", "jazzy": "e", "kilted": "f", "build": "b", "run": "c", "test": "d"}
    lock = "".join(f"# [{name}]\n{library}==1\n" for name, library in sections.items())
    (tmp_path / "requirements.lock").write_text(lock)
    return Layout.of_wheels(tmp_path, "jazzy")


def test_only_what_changed_is_done_again(layout: Layout, steps: Steps) -> None:
    assert steps.run(layout) == ["make", "install", "build"]
    assert steps.run(layout, "two") == ["build"]
    lock = layout.root / "requirements.lock"
    lock.write_text(lock.read_text().replace("c==1", "c==2"))
    assert steps.run(layout, "three") == ["install", "build"]
    lock.write_text(lock.read_text().replace("d==1", "d==2"))
    assert steps.run(layout, "four") == ["build"]
    assert layout.environment_file.read_text().startswith("# four\n")


def test_each_distribution_has_an_environment_of_its_own(layout: Layout, steps: Steps) -> None:
    kilted = Layout.of_wheels(layout.root, "kilted")
    for other in (layout, kilted):
        assert steps.run(other) == ["make", "install", "build"]
    lock = layout.root / "requirements.lock"
    lock.write_text(lock.read_text().replace("f==1", "f==2"))  # Kilted's
    assert steps.run(layout, "two") == ["build"]
    assert steps.run(kilted, "two") == ["install", "build"]


@pytest.mark.parametrize(
    ("interrupted", "again"),
    [
        ("make", ["make", "install", "build"]),
        ("install", ["make", "install", "build"]),
        ("build", ["build"]),
    ],
)
def test_an_interruption_is_mended(layout: Layout, steps: Steps, interrupted: str, again: list[str]) -> None:
    steps.interrupted = interrupted
    with pytest.raises(KeyboardInterrupt):
        steps.run(layout)
    assert not layout.environment_file.exists()
    half_built = layout.install / "half built"
    if interrupted == "build":
        half_built.mkdir(parents=True)
    steps.interrupted = ""
    assert steps.run(layout) == again
    assert layout.environment_file.exists() and not half_built.exists()


def test_an_environment_of_somebody_else_is_left_alone(layout: Layout, steps: Steps) -> None:
    mine = layout.venv / "pyvenv.cfg"
    mine.parent.mkdir()
    mine.write_text("home = /usr/bin\n")
    with pytest.raises(SetupError, match="was not made by ./fitmotion; move it away"):
        steps.run(layout)
    assert mine.exists() and steps.done == []


def test_too_little_room(layout: Layout, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_environment, "MINIMUM_FREE_BYTES", 2**62)
    with pytest.raises(SetupError, match="make room"):
        steps.run(layout)
    assert steps.done == []


HOLDER = """
import sys, time
from pathlib import Path
from fitmotion_nodes.setup_environment import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(NODES)}
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as first:
        assert first.stdout.readline() == "held\n"
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as second:
            assert "another ./fitmotion is setting up" in second.stderr.readline()
            time.sleep(0.2)
            assert second.poll() is None
            first.send_signal(signal.SIGKILL)
            assert second.stdout.readline() == "held\n"
            second.kill()
    with exclusive(tmp_path) as waited:
        assert not waited


def test_a_failing_command_shows_its_last_lines(tmp_path: Path) -> None:
    command = ["sh", "-c", "for i in $(seq 100); do echo line $i; done; exit 3"]
    seen: list[str] = []
    with pytest.raises(SetupError) as caught:
        run_logged(
            command,
            folder=tmp_path,
            environment={"PATH": os.environ["PATH"]},
            log_file=tmp_path / "log",
            on_line=seen.append,
        )
    text = str(caught.value)
    assert "exit code 3" in text and "line 100" in text and "line 50\n" not in text and str(tmp_path / "log") in text
    assert seen == [f"line {number}" for number in range(1, 101)]
    assert "line 1\n" in (tmp_path / "log").read_text()


def test_progress_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    progress = Progress(2)
    with progress.step("First"):
        progress.detail("a detail")
    with pytest.raises(SetupError), progress.step("Second"):
        raise SetupError("no")
    assert capfd.readouterr().err == "[1/2] First: 0 s\n[2/2] Second: stopped after 0 s\n"
