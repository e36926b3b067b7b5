"""docker/: read by Docker's own linter, and held against the repository; built and run where there is an engine."""

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCKER = ROOT / "docker"
DOCKERFILE = DOCKER / "Dockerfile"
COMPOSE, CUDA = DOCKER / "compose.yaml", DOCKER / "compose.cuda.yaml"


def instructions() -> list[tuple[str, str]]:
    """(instruction, the rest) of the Dockerfile, continued lines joined."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines()) if word]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Stage -> its instructions; the key of those before the first FROM is empty."""
    found: dict[str, list[tuple[str, str]]] = {"": []}
    name = ""
    for instruction, rest in instructions():
        if instruction == "FROM":
            name = rest.rpartition(" AS ")[2]
        found.setdefault(name, []).append((instruction, rest))
    return found


def ignored(path: str) -> bool:
    """Whether Docker leaves this path out of the build: the last line that matches it or a folder above decides."""
    parts = path.split("/")
    above = ["/".join(parts[: number + 1]) for number in range(len(parts))]
    out = False
    for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines():
        pattern = line.strip().removeprefix("!").strip("/")
        if pattern and not pattern.startswith("#"):
            expression = re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
            expression = expression.replace(r"\[", "[").replace(r"\]", "]")
            if any(re.fullmatch(expression, one) for one in above):
                out = not line.startswith("!")
    return out


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return listed.stdout.splitlines()


def services(path: Path = COMPOSE) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(path.read_text())["services"]


# ---- what tools say ----


def test_hadolint_finds_nothing() -> None:
    linter = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if linter is None:
        pytest.skip("hadolint is not installed; ./fitmotion test installs it")
    done = subprocess.run([linter, "--no-color", str(DOCKERFILE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", sorted(path.name for path in DOCKER.glob("*.sh")))
def test_scripts_are_bash(script: str) -> None:
    path = DOCKER / script
    assert os.access(path, os.X_OK)
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("files", [[COMPOSE], [COMPOSE, CUDA]])
def test_compose_reads_its_files(files: list[Path]) -> None:
    compose = ["docker", "compose"]
    if not shutil.which("docker") or subprocess.run([*compose, "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not installed")
    named = [word for path in files for word in ("-f", str(path))]
    done = subprocess.run([*compose, *named, "--profile", "*", "config", "-q"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---- the image ----


def test_every_image_from_elsewhere_is_pinned_by_its_digest() -> None:
    defaults = dict(rest.split("=", 1) for word, rest in stages()[""] if word == "ARG")
    images = [defaults[name] for name in ("ROS_IMAGE", "CUDA_IMAGE")]
    assert all(re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", image) for image in images)
    froms = {rest.partition(" AS ")[0] for word, rest in instructions() if word == "FROM"}
    assert froms == {"${ROS_IMAGE}", "${CUDA_IMAGE}", "${BASE}", "fitmotion"}
    assert defaults["BASE"] in stages()
    added = [rest for word, rest in instructions() if word == "ADD"]
    assert added and all(rest.startswith("--checksum=sha256:") for rest in added)


@pytest.mark.parametrize("target", ["fitmotion", "rviz"])
def test_nobody_is_root(target: str) -> None:
    users = [rest for word, rest in stages()[target] if word == "USER"]
    number = dict(rest.split("=", 1) for word, rest in stages()[target] if rest.startswith("USER_ID="))
    assert users[-1] == "${USER_ID}" and int(number["USER_ID"]) > 0


def test_what_is_copied_is_there_and_not_left_out() -> None:
    for word, rest in instructions():
        if word == "COPY":
            *sources, _ = [part for part in rest.split() if not part.startswith("--")]
            for source in sources:
                assert (ROOT / source).exists() and (source == "." or not ignored(source)), source


def test_the_image_has_what_a_build_reads_and_nothing_else() -> None:
    kept = {path for path in tracked() if not ignored(path)}
    # the script makes the environment of these: see its stamp, and setup_environment.py
    needed = ("fitmotion", "requirements.lock", "msgs/", "launch/launch", "launch/config", "launch/rviz", "models/")
    for path in tracked():
        if path.startswith((*needed, "fitmotion_nodes/", "ros2_ws/src/")):
            assert path in kept, path
        elif path.startswith(("tests/", ".ci/", "docker/runs/", "launch/pictures/")):
            assert path not in kept, path
    left_out = (".git/HEAD", ".venv/bin/python", ".venv-jazzy/x", "runs/1/recording.mcap", "ros2_ws/install/setup.bash")
    assert all(ignored(path) for path in (*left_out, "models/fitmotion_models/__pycache__/a.pyc"))


def test_versions_are_those_of_the_lock() -> None:
    (build,) = [rest for word, rest in stages()["fitmotion"] if word == "RUN" and "./fitmotion build" in rest]
    expression = re.search(r"sed -n '([^']+)' requirements.lock", build)[1]
    said = subprocess.run(["sed", "-n", expression, "requirements.lock"], cwd=ROOT, capture_output=True, text=True)
    assert re.fullmatch(r"\d+\.\d+\.\d+", said.stdout.strip()), said.stdout
    assert '"onnxruntime-gpu==${version}"' in build
    # every other library comes from the lock too: nothing is installed by name
    installed = re.findall(r"pip install (.*?)(?:;|&&|$)", " ".join(rest for _, rest in instructions()))
    assert installed == ['--no-deps "onnxruntime-gpu==${version}"']


def test_commands_find_ros_and_our_packages() -> None:
    workdir = [rest for word, rest in stages()["fitmotion"] if word == "WORKDIR"][-1]
    script = (DOCKER / "entrypoint.sh").read_text()
    ros, ours = script.index("/opt/ros/jazzy/setup.bash"), script.index(f"{workdir}/ros2_ws/install/setup.bash")
    assert ros < ours < script.index('exec "$@"')
    entry = [rest for word, rest in stages()["fitmotion"] if word == "ENTRYPOINT"]
    assert entry == ['["/usr/local/bin/entrypoint.sh"]']
    health = [rest for word, rest in stages()["fitmotion"] if word == "HEALTHCHECK"]
    assert health and "/usr/local/bin/health.sh" in health[0]


# ---- the services ----


@pytest.mark.parametrize("name", ["live", "demo", "rviz"])
def test_a_service_can_be_heard_and_may_do_little(name: str) -> None:
    service = services()[name]
    assert service["network_mode"] == "host" and service["ipc"] == "host"  # Fast DDS: both, or seen and not heard
    assert service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "cap_add", "user"} & set(service)
    build = service["build"]
    assert (DOCKER / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]) == DOCKERFILE and build["target"] in stages()
    arguments = {rest.split("=")[0] for word, rest in instructions() if word == "ARG"}
    for file in (COMPOSE, CUDA):
        assert set(services(file)[name]["build"]["args"]) <= arguments
        assert services(file)[name]["build"]["args"]["BASE"] in stages()
    for volume in service["volumes"]:
        source, _, target = volume.partition(":")
        assert source.startswith("/tmp/.X11") or ((DOCKER / source).is_dir() and target.startswith("/opt/fitmotion/"))


def test_the_camera_is_passed_to_whom_may_open_it() -> None:
    live = services()["live"]
    assert live["devices"] == ["${CAMERA:-/dev/video0}:/dev/video0"]
    assert live["group_add"] == ["${VIDEO_GID:-44}"]  # video's number in Debian and Ubuntu
    assert "source:=/dev/video0" in live["command"]
    assert "devices" not in services()["demo"]


@pytest.mark.parametrize("name", ["live", "demo"])
def test_launch_arguments_are_those_of_the_launch_file(name: str) -> None:
    tree = ast.parse((ROOT / "launch" / "launch" / "live.launch.py").read_text())
    (declared,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "ARGUMENTS"
    ]
    words = services()[name]["command"].split()
    assert words[:4] == ["ros2", "launch", "fitmotion_bringup", "live.launch.py"]
    assert {word.partition(":=")[0] for word in words[4:]} <= {argument[0] for argument in declared}


def test_the_second_file_adds_the_gpu_to_every_service() -> None:
    assert set(services(CUDA)) == set(services())
    for service in services(CUDA).values():
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert device["driver"] == "nvidia" and device["capabilities"] == ["gpu"]
        assert "compute" in service["environment"]["NVIDIA_DRIVER_CAPABILITIES"]


# ---- with an engine ----


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_image_builds_and_its_graph_is_healthy() -> None:
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True).returncode:
        pytest.skip("no Docker engine is running here")
    build = [
        "docker",
        "build",
        "--file",
        str(DOCKERFILE),
        "--target",
        "fitmotion",
        "--tag",
        "fitmotion:test",
        str(ROOT),
    ]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    command = services()["demo"]["command"].split()
    options = ["--detach", "--rm", "--init", "--shm-size", "1g", "--cap-drop", "ALL"]
    started = subprocess.run(["docker", "run", *options, "fitmotion:test", *command], capture_output=True, text=True)
    assert started.returncode == 0, started.stderr
    container = started.stdout.strip()
    try:
        who = subprocess.run(["docker", "exec", container, "id", "-u"], capture_output=True, text=True)
        assert who.stdout.strip() != "0"
        wanted, end = "healthy", time.monotonic() + 120.0
        inspect = ["docker", "inspect", "--format", "{{.State.Health.Status}}", container]
        while (state := subprocess.run(inspect, capture_output=True, text=True).stdout.strip()) != wanted:
            assert time.monotonic() < end, state
            time.sleep(2.0)
    finally:
        subprocess.run(["docker", "stop", container], capture_output=True)
