"""The house's rules: packages, layers, the lock, and messages that agree with the library."""

import importlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fitmotion_models.fms.values import NOT_SCORABLE, Movement, Phase, Side, Variation, Verdict
from fitmotion_models.skeleton.body_pose import Source

ROOT = Path(__file__).resolve().parents[1]
PACKAGE_TYPES = {
    "fitmotion_bringup": "ros.ament_cmake",
    "fitmotion_models": "ros.ament_python",
    "fitmotion_msgs": "ros.ament_cmake",
    "fitmotion_nodes": "ros.ament_python",
}

# ROS packages that a ROS installation has; of these the set-up itself writes tf2_msgs where it is missing.
NOT_ON_PYPI = {"launch", "launch_ros", "tf2_msgs"}


def lint_imports(models: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts against a folder that holds a fitmotion_models."""
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1));"
        "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"
    )
    command = [sys.executable, "-P", "-c", code, str(models)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment_without_path())


def environment_without_path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


# what is installed when first needed: module -> its name in the lock, where that is another
ON_DEMAND = {"sklearn": "scikit-learn"}

# what a workstation with a GPU, a cluster, or somebody with SMPL's files brings: FitMotion uses it where it is
ON_WORKSTATIONS = {"cuda", "ray", "smplx", "tensorrt"}


@pytest.fixture
def copied_models(tmp_path: Path) -> Path:
    source = ROOT / "models" / "fitmotion_models"
    shutil.copytree(source, tmp_path / "fitmotion_models", ignore=shutil.ignore_patterns("*.pyc", "*.onnx", "*.npz"))
    return tmp_path


def test_imports_run_down_the_layers_only() -> None:
    pytest.importorskip("importlinter")
    finished = lint_imports(ROOT / "models")
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("mover/squat.py", "import fitmotion_models.fms.values", "down this list only"),
        ("skeleton/frames.py", "import rclpy", "knows nothing of ROS"),
        ("fms/values.py", "from fitmotion_msgs.msg import Assessment", "knows nothing of ROS"),
    ],
)
def test_a_wrong_import_is_found(copied_models: Path, module: str, line: str, contract: str) -> None:
    pytest.importorskip("importlinter")
    path = copied_models / "fitmotion_models" / module
    path.write_text(path.read_text() + f"\n{line}\n")
    finished = lint_imports(copied_models)
    assert finished.returncode == 1
    assert re.search(rf"{contract} +BROKEN", finished.stdout), finished.stdout


def test_colcon_takes_every_folder_for_what_it_is() -> None:
    pytest.importorskip("colcon_core")
    command = [sys.executable, "-P", "-m", "colcon", "--log-base", "/dev/null", "list", "--base-paths", "ros2_ws/src"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    found = {name: kind.strip("()") for name, _, kind in (line.split("\t") for line in finished.stdout.splitlines())}
    assert found == PACKAGE_TYPES, finished.stderr


def test_workspace_links_are_relative() -> None:
    links = {path.name: path for path in (ROOT / "ros2_ws" / "src").iterdir()}
    assert set(links) == set(PACKAGE_TYPES)
    for link in links.values():
        assert not link.readlink().is_absolute()
        assert (link / "package.xml").is_file()


def test_every_folder_of_modules_is_a_package() -> None:
    for package in (ROOT / "models" / "fitmotion_models", ROOT / "fitmotion_nodes" / "fitmotion_nodes"):
        for folder in {path.parent for path in package.rglob("*.py")}:
            assert (folder / "__init__.py").is_file(), f"{folder} has no __init__.py: an install would leave it out"
    # These two names are folders of the repository; as packages they would hide ROS 2's `launch`.
    assert not (ROOT / "launch" / "__init__.py").exists()
    assert not (ROOT / "models" / "__init__.py").exists()


def test_manifests_and_setup_files_say_the_same_version() -> None:
    versions = set()
    for folder in ("msgs", "models", "fitmotion_nodes", "launch"):
        manifest = (ROOT / folder / "package.xml").read_text()
        versions.add(re.search(r"<version>(.+?)</version>", manifest)[1])
        setup = ROOT / folder / "setup.py"
        if setup.exists():
            versions.add(re.search(r'version="(.+?)"', setup.read_text())[1])
    assert len(versions) == 1


@pytest.mark.parametrize("package", ["models", "fitmotion_nodes"])
def test_the_lock_holds_what_the_code_imports(package: str) -> None:
    pytest.importorskip("grimp")
    import grimp

    name = {"models": "fitmotion_models"}.get(package, package)
    graph = grimp.build_graph(name, include_external_packages=True, cache_dir=None)
    imported = {module.split(".")[0] for module in graph.modules} - set(sys.stdlib_module_names) - set(PACKAGE_TYPES)
    lock = (ROOT / "requirements.lock").read_text().lower().replace("_", "-")
    locked = set(re.findall(r"^([\w.-]+)==", lock, flags=re.MULTILINE))
    provided_by = importlib.metadata.packages_distributions()
    missing = {
        module
        for module in imported
        if not locked & {d.lower().replace("_", "-") for d in provided_by.get(module, [ON_DEMAND.get(module, module)])}
        and f"ros-{module.replace('_', '-')}" not in locked
        and module not in NOT_ON_PYPI | ON_WORKSTATIONS
    }
    assert not missing, f"requirements.lock does not hold {missing}"


def test_every_node_is_installed_as_an_executable() -> None:
    setup = (ROOT / "fitmotion_nodes" / "setup.py").read_text()
    installed = set(re.findall(r'"(\w+)"', re.search(r"NODES = \((.*?)\)", setup, flags=re.DOTALL)[1]))
    modules = (ROOT / "fitmotion_nodes" / "fitmotion_nodes").glob("*.py")
    nodes = {path.stem for path in modules if re.search(r"^    return run_node\(", path.read_text(), re.MULTILINE)}
    assert installed == nodes, "NODES in fitmotion_nodes/setup.py names other modules than those that run a node"


def test_the_manifest_names_the_ros_packages_that_nodes_import() -> None:
    imported = set()
    for path in (ROOT / "fitmotion_nodes" / "fitmotion_nodes").glob("*.py"):
        imported |= set(re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE))
    ros = {
        name for name in imported if name.endswith(("_msgs", "_interfaces")) or name in ("rclpy", "fitmotion_models")
    }
    manifest = (ROOT / "fitmotion_nodes" / "package.xml").read_text()
    missing = ros - set(re.findall(r"<exec_depend>(\w+)</exec_depend>", manifest))
    assert not missing, f"fitmotion_nodes/package.xml lacks <exec_depend> for {missing}"


def constants_of(message: type, prefix: str) -> dict[str, int]:
    holder = type(message)
    return {
        name.removeprefix(prefix): getattr(message, name)
        for name in dir(holder)
        if name.startswith(prefix) and name.isupper() and isinstance(getattr(message, name), int)
    }


@pytest.mark.parametrize(
    ("interface", "prefix", "values"),
    [
        ("msg.Assessment", "MOVEMENT_", Movement),
        ("msg.Assessment", "VARIATION_", Variation),
        ("msg.Assessment", "SIDE_", Side),
        ("msg.AssessmentState", "MOVEMENT_", Movement),
        ("msg.AssessmentState", "SIDE_", Side),
        ("msg.AssessmentState", "PHASE_", Phase),
        ("msg.BodyPose", "SOURCE_", Source),
        ("msg.Criterion", "", Verdict),
        ("srv.StartTest_Request", "MOVEMENT_", Movement),
        ("srv.StartTest_Request", "VARIATION_", Variation),
        ("srv.StartTest_Request", "SIDE_", Side),
        ("srv.ReportPain_Request", "MOVEMENT_", Movement),
        ("srv.ReportPain_Request", "SIDE_", Side),
        ("srv.SetScore_Request", "MOVEMENT_", Movement),
        ("srv.SetScore_Request", "SIDE_", Side),
    ],
)
def test_message_constants_equal_the_library(interface: str, prefix: str, values: type) -> None:
    pytest.importorskip("fitmotion_msgs")
    module, _, name = interface.rpartition(".")
    service, _, part = name.partition("_")
    kind = getattr(importlib.import_module(f"fitmotion_msgs.{module}"), service)
    message = getattr(kind, part) if part else kind
    assert constants_of(message, prefix) == {member.name: member.value for member in values}


def test_other_constants_equal_the_library() -> None:
    messages = pytest.importorskip("fitmotion_msgs.msg")
    from fitmotion_models.skeleton.joint_sets import JOINT_SET_IDS

    skeleton = {name.lower(): number for name, number in constants_of(messages.Skeleton2D, "").items()}
    assert {name: number for name, number in skeleton.items() if name != "unknown"} == dict(JOINT_SET_IDS)
    assert skeleton["unknown"] == 0
    assert messages.Assessment.NOT_SCORABLE == NOT_SCORABLE
    # the screen's tests stand in the order of the movements, one less because UNKNOWN is a movement's 0
    for movement in list(Movement)[1:8]:
        assert getattr(messages.Screen, movement.name) == movement - 1


def test_the_page_on_the_messages_is_up_to_date(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("document", ROOT / "msgs" / "document.py")
    document = importlib.util.module_from_spec(spec)
    sys.modules["document"] = document
    spec.loader.exec_module(document)
    written = (ROOT / "msgs" / "README.md").read_text()
    assert written == document.page(), "run ./fitmotion exec -- python msgs/document.py"
    bad = tmp_path / "Bad.msg"
    bad.write_text("# A message.\n\nfloat32 angle\n")
    with pytest.raises(ValueError, match="Bad.msg:3: field angle has no comment"):
        document.read_interface(bad)
