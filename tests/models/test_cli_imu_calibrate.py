"""`imu calibrate`: from tables of sensors to a calibration; its sensors are SciPy's."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.datasets.imu_tables import ImuTable, write_imu_csv
from fitmotion_models.datasets.synthesis.recording_file import unknown_placement
from fitmotion_models.imu import ImuRecording
from fitmotion_models.imu.calibration import Calibration

TURN, LAG_S = Rotation.from_euler("xyz", (10.0, -40.0, 80.0), degrees=True), 0.04
AXES = [f"{name}_{axis}" for name in ("specific_force", "angular_velocity") for axis in "xyz"]
Run = Callable[..., Result]


def write_pair(folder: Path, name: str, seed: int, person: str) -> None:
    """`virtual/NAME.csv` as `imu -o` writes it, and `real/NAME.csv` as another program would, in g and deg/s."""
    rng = np.random.default_rng(seed)
    knots, stamps = np.arange(0.0, 11.0, 0.25), np.arange(1001) / 100.0
    curve = CubicSpline(knots, rng.normal(size=(len(knots), 6)) * 2.0 + (0.0, 0.0, 9.0, 0.0, 0.0, 0.0))
    both = curve(stamps)
    turns = np.tile((0.0, 0.0, 0.0, 1.0), (len(stamps), 1, 1))
    virtual = ImuRecording(("right_thigh",), 100.0, stamps, both[:, None, :3], both[:, None, 3:], turns)
    (folder / "virtual").mkdir(exist_ok=True)
    (folder / "real").mkdir(exist_ok=True)
    table = ImuTable(person, virtual, unknown_placement(("right_hip",)))
    write_imu_csv(folder / "virtual" / f"{name}.csv", table)
    late = np.arange(10, 480) / 50.0
    at = curve(late - LAG_S)
    real = np.concatenate([TURN.apply(at[:, :3]) / 9.81, np.degrees(TURN.apply(at[:, 3:]))], axis=1)
    with (folder / "real" / f"{name}.csv").open("w", newline="") as file:
        file.write('# {"activity": "squat"}\n')
        rows = csv.writer(file)
        units = [f"{axis} [{'g' if 'force' in axis else 'deg/s'}]" for axis in AXES]
        rows.writerow(["seconds [ms]", *units])
        rows.writerows([1000.0 * one, *values] for one, values in zip(late, real, strict=True))


@pytest.fixture
def worn(tmp_path: Path) -> Path:
    for seed, (name, person) in enumerate((("a", "anna"), ("b", "ben"), ("c", "cleo"))):
        write_pair(tmp_path, name, seed, person)
    return tmp_path


@pytest.fixture
def run(worn: Path) -> Run:
    def call(*arguments: str, virtual: str = "virtual", real: str = "real") -> Result:
        command = ["imu", "calibrate", "--virtual", str(worn / virtual), "--real", str(worn / real)]
        return CliRunner().invoke(app, [*command, "-o", str(worn / "c.npz"), *arguments])

    return call


def test_it_learns_from_some_and_is_judged_on_others(worn: Path, run: Run) -> None:
    result = run("--method", "rotation", "--judge", "ben", "--json", "--plot", str(worn / "c.png"))
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    thigh = found["sites"]["right_thigh"]
    assert thigh["lag_ms"] == pytest.approx(1000.0 * LAG_S, abs=0.5)
    assert (Rotation.from_quat(thigh["rotation_xyzw"]) * TURN.inv()).magnitude() < 1e-3
    assert thigh["after"]["gyro_r"] > 0.999 > thigh["before"]["gyro_r"]
    assert thigh["after"]["acc_rmse"] < 0.05 < thigh["before"]["acc_rmse"]
    assert (found["judged_on"], found["is_test"], found["leak"]) == (["ben"], True, [])
    told = found["provenance"]
    assert told["persons"] == ["anna", "cleo"] and told["activities"] == ["squat"]
    assert len(told["files"]) == 6 and all(len(digest) == 64 for digest in told["files"].values())
    calibration = Calibration.load(worn / "c.npz")
    assert calibration.persons == ("anna", "cleo")
    assert (worn / "c.png").read_bytes()[:4] == b"\x89PNG"
    assert sorted(path.name for path in worn.iterdir()) == ["c.npz", "c.png", "real", "virtual"]


def test_two_single_files_need_no_common_name(worn: Path, run: Run) -> None:
    (worn / "real" / "a.csv").rename(worn / "worn.csv")
    result = run(virtual="virtual/a.csv", real="worn.csv")
    assert result.exit_code == 0, result.output
    assert "Nobody was left out: these figures are of those that were learned from" in result.stdout
    assert Calibration.load(worn / "c.npz").persons == ("anna",)


def test_a_leak_is_refused_unless_forced(worn: Path, run: Run) -> None:
    result = run("--persons", "anna,ben", "--judge", "ben")
    assert result.exit_code == 2
    assert "ben would be learned from and judged: that is a leak" in result.stderr
    assert not (worn / "c.npz").exists()
    forced = run("--persons", "anna,ben", "--judge", "ben", "--force-leak", "--json")
    assert forced.exit_code == 0 and json.loads(forced.stdout)["leak"] == ["ben"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "best"), "--method 'best' is unknown; known: rotation, affine, rank, all"),
        (("--longest-lag", "60"), "--longest-lag 60 is out of range; allowed: 0 to 10 seconds"),
        (("--persons", "dora"), "nothing is there of dora; there are anna, ben, cleo"),
        (("--judge", "anna,ben,cleo"), "leaves nobody to learn from"),
        (("--plot", "x.gif"), "x.gif: a picture's name ends in .png"),
        (("-o", "c.yaml"), "c.yaml: a calibration's name ends in .npz"),
        (("-o", "nowhere/c.npz"), "no folder nowhere; make it first"),
        (("--site", "head"), "the real ones (head) have no site in common"),
    ],
)
def test_bad_settings_are_named(run: Run, worn: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2 and message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (worn / "c.npz").exists()


def test_bad_files_are_named(run: Run, worn: Path) -> None:
    for where, message in (
        ({"virtual": "nowhere"}, "nowhere is not there; give the virtual sensors' file or folder"),
        ({"real": "."}, "is called as one in"),
    ):
        result = run(**where)
        assert result.exit_code == 2 and message in result.stderr
    (worn / "empty").mkdir()
    assert "empty holds no real sensors; expected tables" in run(real="empty").stderr
    (worn / "text.csv").write_text("seconds,specific_force_x\n0,1\n1,2\n")
    result = run(virtual="virtual/a.csv", real="text.csv")
    assert result.exit_code == 2 and "lacks the column specific_force_y" in result.stderr
    (worn / "note.txt").write_text("hello")
    assert "virtual sensors come as .csv, .npz, .parquet" in run(virtual="note.txt").stderr
    (worn / "c.npz").write_text("mine")
    assert "exists already; choose another name or add --overwrite" in run().stderr
    assert (worn / "c.npz").read_text() == "mine"


def test_help_teaches_the_table() -> None:
    text = CliRunner().invoke(app, ["imu", "calibrate", "--help"]).stdout
    for word in ("seconds", "specific_force_x", "deg/s", "--judge", "--force-leak", "Examples"):
        assert word in text
