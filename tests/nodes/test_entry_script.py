"""The script `fitmotion` with a stand-in for Python, so that every way in and out is seen in milliseconds."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from fitmotion_nodes.setup_layout import WHEEL_FOLDERS

ROOT = Path(__file__).resolve().parents[2]
INPUTS = ("fitmotion", "requirements.lock", "msgs", "launch", "models/setup.py", "models/setup.cfg")
INPUTS += ("models/package.xml", "fitmotion_nodes/setup.py", "fitmotion_nodes/setup.cfg", "fitmotion_nodes/package.xml")
TOOLS = ("cat", "sha256sum", "dirname", "readlink", "id", "uname", "getconf", "sh", "mkdir", "env", "tr", "chmod")

# Says that it is a complete Python 3.11, and makes an environment whose Python prints its arguments.
STAND_IN = """#!/bin/sh
case "$*" in *setup_environment*) ;; *) echo "${STAND_IN_REPORT-3.11}"; exit ${STAND_IN_STATUS-0} ;; esac
printf '%s\\n' "$(printf '%s ' "$@" | tr '\\n' ' ')" >> "$STAND_IN_LOG"
while [ $# -gt 0 ]; do
    case $1 in --stamp) stamp=$2 ;; --venv) venv=$2 ;; esac
    shift
done
[ -z "${STAND_IN_BREAKS-}" ] || exit $STAND_IN_BREAKS
mkdir -p "$venv/bin" "$venv/fitmotion"
printf '#!/bin/sh\\nprintf "[%%s]" "$@"\\n' > "$venv/bin/python"
chmod +x "$venv/bin/python"
printf '# %s\\nexport MADE_BY_SETUP=yes\\n' "$stamp" > "$venv/fitmotion/environment.sh"
"""


class Checkout:
    """A checkout of its own, with a PATH on which only chosen programs are found."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout"
        self.bin = folder / "bin"
        self.log = folder / "setups"
        self.bin.mkdir()
        for name in INPUTS:
            source, target = ROOT / name, self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        modules = self.root / "fitmotion_nodes" / "fitmotion_nodes"
        modules.mkdir()
        for path in (ROOT / "fitmotion_nodes" / "fitmotion_nodes").glob("setup_*.py"):
            shutil.copy(path, modules)
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name))
        self.program("python3", STAND_IN)
        self.program("g++", "#!/bin/sh\n")

    def program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(
        self, *arguments: str, script: Path | None = None, folder: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "STAND_IN_LOG": str(self.log), **variables}
        command = [str(script or self.root / "fitmotion"), *arguments]
        return subprocess.run(
            command, env=environment, cwd=folder or self.root, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )

    @property
    def setups(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_first_use_sets_up_and_the_second_does_not(checkout: Checkout) -> None:
    first = checkout.run("up", "--source", "a b.mp4")
    assert first.stdout == "[-P][-m][fitmotion_nodes.cli][up][--source][a b.mp4]", first.stderr
    assert first.returncode == 0
    assert checkout.run("up").stdout == "[-P][-m][fitmotion_nodes.cli][up]"
    assert len(checkout.setups) == 1


@pytest.mark.parametrize(
    "path", ["requirements.lock", "msgs/msg/BodyPose.msg", "models/package.xml", "fitmotion_nodes/setup.py"]
)
def test_a_changed_input_sets_up_again(checkout: Checkout, path: str) -> None:
    checkout.run("doctor")
    with (checkout.root / path).open("a") as file:
        file.write("\n# changed\n")
    checkout.run("doctor")
    checkout.run("doctor")
    assert len(checkout.setups) == 2


def test_other_changes_do_not(checkout: Checkout) -> None:
    checkout.run("doctor")
    (checkout.root / "msgs" / "README.md").write_text("changed")
    (checkout.root / "fitmotion_nodes" / "fitmotion_nodes" / "camera.py").write_text("changed")
    checkout.run("doctor")
    assert len(checkout.setups) == 1


def test_a_moved_checkout_sets_up_again(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run("doctor")
    checkout.root = checkout.root.rename(tmp_path / "elsewhere")
    checkout.run("doctor")
    assert len(checkout.setups) == 2


def test_any_folder_and_links(checkout: Checkout, tmp_path: Path) -> None:
    link, second = tmp_path / "link", tmp_path / "second"
    link.symlink_to("a checkout/fitmotion")
    second.symlink_to(link)
    finished = checkout.run(
        "exec", "--", "sh", "-c", 'printf "%s %s" "$MADE_BY_SETUP" "$PWD"', script=second, folder=Path("/")
    )
    assert finished.stdout == "yes /", finished.stderr
    assert f"--venv {checkout.root}/.venv" in checkout.setups[0]


def test_exec_hands_on_the_exit_status(checkout: Checkout) -> None:
    assert checkout.run("exec", "sh", "-c", "exit 7").returncode == 7
    empty = checkout.run("exec", "--")
    assert empty.returncode == 2 and "exec needs a command" in empty.stderr


def test_closed_stdin(checkout: Checkout) -> None:
    environment = {"PATH": str(checkout.bin), "STAND_IN_LOG": str(checkout.log)}
    command = ["/bin/sh", "-c", 'exec "$0" doctor <&-', str(checkout.root / "fitmotion")]
    assert subprocess.run(command, env=environment, capture_output=True, text=True).returncode == 0


def test_a_set_up_that_fails_ends_the_command(checkout: Checkout) -> None:
    finished = checkout.run("up", STAND_IN_BREAKS="130")
    assert finished.returncode == 130 and finished.stdout == ""
    assert checkout.run("up").returncode == 0
    assert len(checkout.setups) == 2


def test_build(checkout: Checkout) -> None:
    checkout.run("doctor")
    assert checkout.run("build").returncode == 0
    assert checkout.run("build", "--clean").returncode == 0
    assert checkout.setups[1].endswith("--build ") and checkout.setups[2].endswith("--build --clean ")
    wrong = checkout.run("build", "--fast")
    assert wrong.returncode == 2 and "build knows no '--fast'" in wrong.stderr


def only_line(finished: subprocess.CompletedProcess[str]) -> str:
    assert finished.returncode == 2 and finished.stdout == ""
    assert finished.stderr.startswith("fitmotion: ")
    return finished.stderr


def test_no_python(checkout: Checkout) -> None:
    (checkout.bin / "python3").unlink()
    assert "Python 3.11 or 3.12 is needed" in only_line(checkout.run("up"))
    checkout.program("python3", "#!/bin/sh\nexit 1\n")  # Python 3.10 answers so
    assert "Python 3.11 or 3.12 is needed" in only_line(checkout.run("up"))
    assert checkout.setups == []


def test_python_without_venv_or_headers(checkout: Checkout) -> None:
    text = only_line(checkout.run("up", STAND_IN_REPORT="3.11 its module ensurepip and its header Python.h"))
    assert "Python 3.11 lacks its module ensurepip and its header Python.h" in text


def test_the_complete_one_of_several_pythons_is_taken(checkout: Checkout) -> None:
    checkout.program("python3", "#!/bin/sh\necho 3.11 its header Python.h\n")
    checkout.program("python3.12", STAND_IN)
    assert checkout.run("doctor").returncode == 0


def test_the_named_python_is_taken(checkout: Checkout, tmp_path: Path) -> None:
    other = tmp_path / "bin" / "my python"
    (checkout.bin / "python3").rename(other)
    assert checkout.run("doctor", FITMOTION_PYTHON=str(other)).returncode == 0
    shutil.rmtree(checkout.root / ".venv")
    text = only_line(checkout.run("doctor", FITMOTION_PYTHON="/nowhere/python"))
    assert "FITMOTION_PYTHON=/nowhere/python is no Python 3.11 or 3.12" in text


def test_no_compiler(checkout: Checkout) -> None:
    (checkout.bin / "g++").unlink()
    assert "a C++ compiler is needed" in only_line(checkout.run("up"))


@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("apt-get", "apt-get install -y python3.12 python3.12-venv python3.12-dev g++"),
        ("dnf", "dnf install -y python3.12"),
    ],
)
def test_the_line_that_installs_what_is_missing(checkout: Checkout, manager: str, line: str) -> None:
    checkout.program(manager, "#!/bin/sh\n")
    checkout.program("apt-cache", '#!/bin/sh\n[ "$2" = python3.12-venv ]\n')
    checkout.program("python3", "#!/bin/sh\nexit 1\n")
    text = only_line(checkout.run("up"))
    assert line in text and len(text.splitlines()) == 2


def test_another_machine(checkout: Checkout) -> None:
    (checkout.bin / "uname").unlink()
    checkout.program("uname", '#!/bin/sh\n[ "$1" = -s ] && echo Linux || echo aarch64\n')
    assert "x86_64 only, this is aarch64" in only_line(checkout.run("up"))
    checkout.program("uname", "#!/bin/sh\necho Darwin\n")
    assert "Linux is needed, this is Darwin" in only_line(checkout.run("up"))


@pytest.mark.parametrize(
    ("libc", "words"),
    [("glibc 2.27", "glibc 2.28 or newer is needed, this is glibc 2.27"), ("", "another C library")],
)
def test_an_old_or_other_libc(checkout: Checkout, libc: str, words: str) -> None:
    (checkout.bin / "getconf").unlink()
    checkout.program("getconf", f"#!/bin/sh\n[ -n '{libc}' ] && echo '{libc}'\n")
    assert words in only_line(checkout.run("up"))


def test_a_path_that_search_paths_cannot_hold(checkout: Checkout, tmp_path: Path) -> None:
    checkout.root = checkout.root.rename(tmp_path / "with:colon")
    assert "has a ':'" in only_line(checkout.run("up"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_checkout(checkout: Checkout) -> None:
    checkout.root.chmod(0o500)
    text = only_line(checkout.run("up"))
    checkout.root.chmod(0o700)
    assert "is read-only" in text


def test_a_sourced_ros_gets_an_environment_of_its_own(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run("doctor")
    ros = tmp_path / "opt" / "ros"
    (ros / "share" / "rclpy").mkdir(parents=True)
    (ros / "share" / "rclpy" / "package.xml").touch()
    (ros / "lib" / "python3.12" / "site-packages" / "rclpy").mkdir(parents=True)
    checkout.program("python3.12", STAND_IN)
    (checkout.bin / "python3").unlink()
    sourced = {"AMENT_PREFIX_PATH": f"/nowhere:{ros}", "ROS_DISTRO": "jazzy"}
    assert checkout.run("doctor", **sourced).returncode == 0
    assert f"--venv {checkout.root}/.venv-jazzy --ros-prefix {ros} " in checkout.setups[1]
    # each keeps its own: neither is made again
    checkout.run("doctor", **sourced)
    checkout.run("doctor")
    assert len(checkout.setups) == 2


@pytest.mark.parametrize("distro", WHEEL_FOLDERS)
def test_a_distribution_by_name(checkout: Checkout, distro: str) -> None:
    assert checkout.run("doctor", FITMOTION_ROS_DISTRO=distro).returncode == 0
    assert f"--venv {checkout.root}/{WHEEL_FOLDERS[distro]} --ros-prefix  --distro {distro} " in checkout.setups[0]


def test_distributions_live_side_by_side(checkout: Checkout) -> None:
    for variables in ({}, {"FITMOTION_ROS_DISTRO": "kilted"}) * 2:
        checkout.run("doctor", **variables)
    assert len(checkout.setups) == 2 and "--distro jazzy " in checkout.setups[0]


def test_an_unknown_distribution(checkout: Checkout) -> None:
    text = only_line(checkout.run("doctor", FITMOTION_ROS_DISTRO="rolling"))
    assert "FITMOTION_ROS_DISTRO=rolling is unknown; allowed: jazzy, kilted" in text


def test_a_sourced_ros_is_the_distribution(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "ros" / "share" / "rclpy").mkdir(parents=True)
    (tmp_path / "ros" / "share" / "rclpy" / "package.xml").touch()
    sourced = {"AMENT_PREFIX_PATH": str(tmp_path / "ros"), "ROS_DISTRO": "jazzy"}
    assert checkout.run("doctor", FITMOTION_ROS_DISTRO="jazzy", **sourced).returncode == 0
    text = only_line(checkout.run("doctor", FITMOTION_ROS_DISTRO="kilted", **sourced))
    assert "ros is sourced; use a shell that has not sourced it" in text


def test_an_environment_of_ours_is_no_sourced_ros(checkout: Checkout, tmp_path: Path) -> None:
    other = tmp_path / "other checkout" / ".venv"
    (other / "share" / "rclpy").mkdir(parents=True)
    (other / "share" / "rclpy" / "package.xml").touch()
    (other / "pyvenv.cfg").touch()
    checkout.run("doctor", AMENT_PREFIX_PATH=str(other))
    assert f"--venv {checkout.root}/.venv --ros-prefix  " in checkout.setups[0]
