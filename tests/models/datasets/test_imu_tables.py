"""Recordings as tables: what is written is read again, by pandas-like readers too; other programs' tables, bad ones."""

import csv
import json
import math

import numpy as np
import pytest

from fitmotion_models.datasets.imu_tables import (
    FIRST_LINE,
    ImuTable,
    read_imu_table,
    write_imu_csv,
    write_imu_npz,
    write_imu_parquet,
)
from fitmotion_models.datasets.synthesis.recording_file import Placement
from fitmotion_models.imu import ImuRecording
from fitmotion_models.skeleton.rotations import from_rotvec

WRITERS = {".csv": write_imu_csv, ".parquet": write_imu_parquet, ".npz": write_imu_npz}


@pytest.fixture
def table() -> ImuTable:
    random = np.random.default_rng(3)
    count, sites = 50, ("pelvis", "left_wrist")
    force, rate, field = (random.normal(size=(count, 2, 3)) for _ in range(3))
    force[7:9, 1] = rate[7:9, 1] = np.nan
    recording = ImuRecording(
        sites=sites,
        rate_hz=100.0,
        stamps=3.0 + np.arange(count) / 100.0,
        specific_force=force,
        angular_velocity=rate,
        rotations=from_rotvec(random.normal(size=(count, 2, 3))),
        magnetic_field=1e-5 * field,
    )
    placement = Placement(("pelvis", "left_elbow"), np.array([[-0.11, 0, 0.02], [0, 0.27, 0.03]]), np.eye(4)[[3, 0]])
    orientations = from_rotvec(random.normal(size=(count, 2, 3)))
    return ImuTable(
        'Anna, "the first"', recording, placement, orientations, {"sensor": {"name": "xsens-dot"}, "seed": 4}
    )


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_what_is_written_is_read_again(tmp_path, table, ending) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"imu{ending}"
    WRITERS[ending](path, table)
    again = read_imu_table(path)
    assert again.subject == table.subject and again.recording.sites == table.recording.sites
    assert again.recording.rate_hz == 100.0 and again.about["seed"] == 4
    for name in ("stamps", "specific_force", "angular_velocity", "rotations", "magnetic_field"):
        np.testing.assert_allclose(
            getattr(again.recording, name), getattr(table.recording, name), rtol=1e-8, err_msg=name
        )
    np.testing.assert_allclose(again.orientations, table.orientations, rtol=1e-8)
    assert again.placement.segments == table.placement.segments
    np.testing.assert_array_equal(again.placement.positions, table.placement.positions)
    np.testing.assert_array_equal(again.placement.rotations, table.placement.rotations)


def test_a_csv_is_plain_for_other_programs(tmp_path, table) -> None:
    """Comment lines, one head, a line a sample of a sensor, units with the names, lost samples empty."""
    path = tmp_path / "imu.csv"
    write_imu_csv(path, table)
    first, about, *lines = path.read_text().splitlines()
    assert first == FIRST_LINE
    sites = json.loads(about.removeprefix("# "))["sites"]
    assert sites["left_wrist"] == {
        "segment": "left_elbow",
        "position_m": [0.0, 0.27, 0.03],
        "rotation_xyzw": [1.0, 0.0, 0.0, 0.0],
    }
    rows = list(csv.DictReader(lines))
    assert len(rows) == 100 and {row["subject"] for row in rows} == {'Anna, "the first"'}
    lost = [row for row in rows if row["specific_force_x [m/s2]"] == ""]
    assert [(row["site"], row["seconds [s]"]) for row in lost] == [("left_wrist", "3.07"), ("left_wrist", "3.08")]
    assert float(rows[0]["angular_velocity_z [rad/s]"]) == pytest.approx(table.recording.angular_velocity[0, 0, 2])


def test_parquet_has_units_in_its_names_and_the_placement_with_it(tmp_path, table) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "imu.parquet"
    write_imu_parquet(path, table)
    read = parquet.read_table(path)
    assert read.num_rows == 100 and read.column_names[:4] == [
        "subject",
        "site",
        "seconds [s]",
        "specific_force_x [m/s2]",
    ]
    assert read.column("specific_force_x [m/s2]").null_count == 2
    assert json.loads(read.schema.metadata[b"fitmotion.imu_recording"])["sites"]["pelvis"]["segment"] == "pelvis"


def test_tables_of_other_programs_are_read_in_their_units(tmp_path) -> None:
    path = tmp_path / "worn.csv"
    axes = "specific_force_x [g],specific_force_y [g],specific_force_z [g]"
    rates = "angular_velocity_x [deg/s],angular_velocity_y [deg/s],angular_velocity_z [deg/s]"
    path.write_text(f"seconds [ms],{axes},{rates}\n0,0,0,1,180,0,0\n10,0,0,1,180,0,0\n20,0,0,1,,,\n")
    read = read_imu_table(path)
    assert read.recording.sites == ("sensor",) and read.subject == "person"
    assert read.recording.rate_hz == pytest.approx(100.0)
    np.testing.assert_allclose(read.recording.specific_force[:, 0, 2], 9.80665)
    np.testing.assert_allclose(read.recording.angular_velocity[:, 0, 0], [math.pi, math.pi, math.nan])
    assert np.isnan(read.placement.positions).all() and np.isnan(read.recording.rotations).all()


HEAD = ",".join(["seconds", *(f"{name}_{axis}" for name in ("specific_force", "angular_velocity") for axis in "xyz")])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it has no lines"),
        (HEAD, "it has no lines"),
        (f"{HEAD}\n0,1,2,3,4,5\n", "its line of data 1 has not 7 cells"),
        (f"{HEAD}\n0,1,2,3,4,5,6\n1,1,2,3,4,5,fast\n", "'angular_velocity_z' holds what is no number"),
        (f"{HEAD}\n0,1,2,3,4,5,6\n0,1,2,3,4,5,6\n", "seconds must increase"),
        (f"{HEAD}\n1,1,2,3,4,5,6\n0,1,2,3,4,5,6\n", "seconds must increase"),
        ("seconds,specific_force_x\n0,1\n1,1\n", "lacks the column specific_force_y; its columns: seconds"),
        (f"{HEAD.replace('angular', 'angle')}\n0,1,2,3,4,5,6\n1,1,2,3,4,5,6\n", "lacks angular_velocity_x"),
        (
            f"{HEAD.replace('force_x', 'force_x [ft]')}\n0,1,2,3,4,5,6\n1,1,2,3,4,5,6\n",
            "unit of 'specific_force_x .ft.'",
        ),
        (f"subject,{HEAD}\na,0,1,2,3,4,5,6\nb,1,1,2,3,4,5,6\n", r"is of 2 people \(a, b\); give a file for each"),
        (f"site,{HEAD}\na,0,1,2,3,4,5,6\na,1,1,2,3,4,5,6\nb,0,1,2,3,4,5,6\n", "its sensors have different times"),
        ('# {"rate_hz": \n' + f"{HEAD}\n0,1,2,3,4,5,6\n", "the line that describes it is damaged"),
    ],
)
def test_a_bad_table_is_refused_with_a_sentence(tmp_path, text, sentence) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence) as error:
        read_imu_table(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
