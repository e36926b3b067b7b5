"""Tables that other programs read, and the card; from clips of a body to files by the command itself."""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.datasets.synthesis.export_tables import SAMPLE_COLUMNS, WINDOW_COLUMNS
from fitmotion_models.datasets.synthesis.manifest import read_manifest
from fitmotion_models.datasets.synthesis.merge import read_windows
from fitmotion_models.datasets.synthesis.recording_file import load_recording
from fitmotion_models.imu import ImuRecording
from fitmotion_models.imu.calibration import Calibration, CalibrationPair
from fitmotion_models.skeleton.rotations import from_axis_angle, rotate

from .conftest import fill


def run(*words: object):
    return CliRunner().invoke(app, ["synthesize", *map(str, words)])


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A data set of two persons, to be left as it is."""
    folder = tmp_path_factory.mktemp("synthesis")
    fill(folder / "clips", trials=1)
    words = ["--clips", folder / "clips", "-o", folder / "set", "--sites", "pelvis,right_thigh", "--rate", "50"]
    found = run(
        *words, "--preset", "bmi270", "--test", "ben", "--window", "1", "--jobs", "1", "--format", "csv", "--json"
    )
    assert found.exit_code == 0, found.stderr
    report = json.loads(found.stdout)
    assert report["recordings"] == 4 and report["splits"] == {"train": 2, "validation": 0, "test": 2}
    assert report["windows"] == len(read_windows(folder / "set")) > 8
    return folder / "set"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_samples_are_what_the_recordings_hold(made):
    lines = table(made / "export" / "samples.csv")
    rows = read_manifest(made)
    assert len(lines) == sum(row.samples * len(row.sites) for row in rows)
    assert list(lines[0]) == [column.name for column in SAMPLE_COLUMNS]
    row = next(row for row in rows if row.subject == "ben" and row.labels[0].label == "lunge_right")
    recording, placement = load_recording(made / row.signals)
    mine = [line for line in lines if line["recording"] == row.id and line["site"] == "right_thigh"]
    for name, values in (
        ("specific_force", recording.specific_force),
        ("angular_velocity", recording.angular_velocity),
    ):
        read = np.array([[float(line[f"{name}_{axis}"]) for axis in "xyz"] for line in mine])
        np.testing.assert_allclose(read, values[:, 1], rtol=1e-6, atol=1e-6)
    one = mine[0]
    assert (one["subject"], one["trial"], one["label"], one["split"], one["kind"]) == (
        *("ben", "0", "lunge_right", "test", "synthetic"),
    )
    # the transform takes the sensor's reading to the segment: at the same place there is the same gravity
    position = [float(one[f"sensor_position_{axis}"]) for axis in "xyz"]
    np.testing.assert_allclose(position, placement.positions[1], atol=1e-6)
    assert one["segment"] == "right_hip" and [one[f"sensor_rotation_{a}"] for a in "xyzw"] == ["0", "0", "0", "1"]


def test_windows_and_samples_name_each_other(made):
    windows = {line["window"]: line for line in table(made / "export" / "windows.csv")}
    assert len(windows) == len(read_windows(made)) and list(next(iter(windows.values()))) == [
        column.name for column in WINDOW_COLUMNS
    ]
    counts = Counter()
    for line in table(made / "export" / "samples.csv"):
        for window in line["windows"].split():
            counts[window, line["site"]] += 1
            assert windows[window]["recording"] == line["recording"]
            assert float(windows[window]["start_s"]) <= float(line["seconds"]) < float(windows[window]["end_s"])
    assert set(counts.values()) == {50}
    assert {window for window, _ in counts} == set(windows)


def test_parquet_holds_the_same_with_units(made, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    from fitmotion_models.datasets.synthesis.export_tables import export

    files = export(made, read_manifest(made), read_windows(made), ["parquet"])
    samples = parquet.read_table(files[0])
    lines = table(made / "export" / "samples.csv")
    assert samples.num_rows == len(lines) and samples.column_names == list(lines[0])
    for name in ("recording", "split", "label", "site", "segment"):
        assert samples[name].to_pylist() == [line[name] for line in lines]
    assert samples["windows"].to_pylist() == [line["windows"].split() for line in lines]
    for name in ("seconds", "specific_force_y", "sensor_position_z", "rotation_w"):
        expected = np.array([float(line[name]) for line in lines])
        np.testing.assert_allclose(samples[name].to_numpy(), expected, rtol=1e-6, atol=1e-6)
    assert samples.schema.field("specific_force_x").metadata[b"unit"] == b"m/s2"
    windows = parquet.read_table(files[1])
    assert windows["window"].to_pylist() == [window.id for window in read_windows(made)]
    assert parquet.ParquetFile(files[0]).num_row_groups == 1
    for file in files:
        file.unlink()


def test_parquet_without_pyarrow_says_how_to_get_it(made, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    found = run("--clips", made.parent / "clips", "-o", tmp_path / "set", "--format", "csv,parquet")
    assert found.exit_code == 2 and "Parquet needs the package pyarrow" in found.stderr
    assert found.stderr.count("\n") == 1 and not (tmp_path / "set").exists()


def test_the_card_says_what_there_is(made):
    card = (made / "DATA_CARD.md").read_text()
    assert "4 recordings of 2 subjects" in card and "| ben | test | 2 |" in card
    assert '"preset": "bmi270"' in card and '"seed": 0' in card and "numpy" in card
    assert str(made.parent) not in card, "the card names folders of this machine"
    for name in ("windows", "durations", "signal_ranges", "examples"):
        assert f"card/{name}.png" in card
        picture = cv2.imread(str(made / "card" / f"{name}.png"))
        assert min(picture.shape[:2]) > 150 and picture.std() > 5.0
    windows = Counter((window.label, window.split) for window in read_windows(made))
    line = next(line for line in card.splitlines() if line.startswith("| lunge_left |"))
    assert [int(cell) for cell in line.split("|")[2:6]] == [
        2,
        windows["lunge_left", "train"],
        0,
        windows["lunge_left", "test"],
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to synthesize; give one or more of --videos, --prompts, --clips, --real, --utd"),
        (("--clips", "@nowhere"), "nowhere is no folder"),
        (("--videos", "@clips"), "holds no video"),
        (("--prompts", "@none.yaml"), "none.yaml can't be read"),
        (("--clips", "@clips", "--preset", "wish"), "'wish' is unknown"),
        (("--clips", "@clips", "--sites", "tail"), "'tail' is unknown"),
        (("--clips", "@clips", "--format", "xls"), "format 'xls' unknown; known: csv, parquet"),
        (("--clips", "@clips", "--split", "1,1"), "--split 1,1: give three shares"),
        (("--clips", "@clips", "--test", "nobody"), "nobody is called nobody; there are anna, ben"),
        (("--clips", "@clips", "--test", "anna", "--validation", "anna"), "anna is named for test and for validation"),
        (("--clips", "@clips", "--engine", "steam"), "engine 'steam' unknown"),
        (("--clips", "@clips", "--window", "0.001"), "has 0 samples at 100 a second"),
        (("--prompts", "@p.yaml", "--generator", "kimodo"), "kimodo_gen, which is not in PATH"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_made(made, tmp_path, words, said):
    (made.parent / "p.yaml").write_text("licence: CC0\nprompts: [a person walks]\n")
    given = [word.replace("@", f"{made.parent}/") for word in words]
    found = run(*given, "-o", tmp_path / "set")
    assert found.exit_code == 2 and said in found.stderr and found.stderr.count("\n") == 1, found.stderr
    assert not (tmp_path / "set").exists()


def turned_reading(recording: ImuRecording, turn) -> ImuRecording:
    """The same sensors, strapped on otherwise."""
    signals = (rotate(turn, signal) for signal in (recording.specific_force, recording.angular_velocity))
    return ImuRecording(recording.sites, recording.rate_hz, recording.stamps, *signals, recording.rotations)


def test_a_calibration_is_applied_and_its_persons_are_never_judged(made, tmp_path):
    rows = {(row.subject, row.labels[0].label): row for row in read_manifest(made)}
    turn = from_axis_angle((0.0, 0.0, 1.0), 0.5)
    pairs = []
    for label in ("lunge_left", "lunge_right"):
        virtual, _ = load_recording(made / rows["anna", label].signals)
        pairs.append(CalibrationPair("anna", virtual, turned_reading(virtual, turn), label))
    Calibration.fit(pairs, "rotation", longest_lag_s=0.0).save(tmp_path / "turn.npz")
    words = ["--clips", made.parent / "clips", "-o", tmp_path / "set", "--rate", "50", "--preset", "bmi270"]
    words += ["--calibration", tmp_path / "turn.npz", "--jobs", "1", "--format", "none", "--window", "1"]
    refused = run(*words, "--sites", "pelvis,right_thigh", "--test", "anna")
    assert refused.exit_code == 2 and "anna: the calibration was fitted on them" in refused.stderr
    refused = run(*words, "--sites", "head")
    assert refused.exit_code == 2 and "knows nothing of head" in refused.stderr and not (tmp_path / "set").exists()
    found = run(*words, "--sites", "pelvis,right_thigh", "--split", "0,0,1")
    assert found.exit_code == 0, found.stderr
    for row in read_manifest(tmp_path / "set"):
        assert row.split == ("train" if row.subject == "anna" else "test")
        assert row.signals.endswith("imu/virtual_imu_calibrated.npz")
        before, placed = load_recording(tmp_path / "set" / row.stage("imu").output.path)
        after, placement = load_recording(tmp_path / "set" / row.signals)
        seen = np.isfinite(after.specific_force)
        expected = rotate(turn, before.specific_force)
        np.testing.assert_allclose(after.specific_force[seen], expected[seen], atol=0.05)
        # what the sensor reads, brought to the segment, is the same before and after
        brought = (rotate(p.rotations, r.angular_velocity) for p, r in ((placed, before), (placement, after)))
        np.testing.assert_allclose(*brought, atol=0.05)
