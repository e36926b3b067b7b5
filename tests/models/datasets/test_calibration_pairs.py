"""Which recordings belong together: by name in folders, by row in data sets, one to one as files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fitmotion_models.datasets.calibration_pairs import read_pairs
from fitmotion_models.datasets.imu_tables import ImuTable, write_imu_csv, write_imu_npz
from fitmotion_models.datasets.synthesis.files import hash_of_file
from fitmotion_models.datasets.synthesis.manifest import Artefact, SetRow, StageRecord, write_manifest
from fitmotion_models.datasets.synthesis.recording_file import recording_to_bytes, unknown_placement
from fitmotion_models.datasets.synthesis.sources import LabelSpan
from fitmotion_models.imu import ImuRecording


def recording(seed: int, sites: tuple[str, ...] = ("right_thigh",)) -> ImuRecording:
    rng = np.random.default_rng(seed)
    force, rate = rng.normal(size=(2, 100, len(sites), 3))
    turns = np.tile((0.0, 0.0, 0.0, 1.0), (100, len(sites), 1))
    return ImuRecording(sites, 100.0, np.arange(100) / 100.0, force, rate, turns)


def table(seed: int, person: str = "anna", **about: str) -> ImuTable:
    return ImuTable(person, recording(seed), unknown_placement(("right_hip",)), about=about)


def test_folders_are_paired_by_name_whatever_the_ending(tmp_path: Path) -> None:
    for side in ("virtual/s1", "real/s1"):
        (tmp_path / side).mkdir(parents=True)
    for index, name in enumerate(("a", "b", "only")):
        write_imu_npz(tmp_path / "virtual" / "s1" / f"{name}.npz", table(index))
    for index, name in enumerate(("a", "b", "other")):
        write_imu_csv(tmp_path / "real" / "s1" / f"{name}.csv", table(10 + index, activity="squat"))
    found = read_pairs(tmp_path / "virtual", tmp_path / "real")
    assert found.names == ("s1/a", "s1/b") and found.alone == ("s1/only", "s1/other")
    for index, pair in enumerate(found.pairs):
        assert (pair.person, pair.activity) == ("anna", "squat")
        np.testing.assert_array_equal(pair.virtual.specific_force, recording(index).specific_force)
        np.testing.assert_allclose(pair.real.specific_force, recording(10 + index).specific_force, rtol=1e-8)
    a = tmp_path / "virtual" / "s1" / "a.npz"
    assert len(found.hashes) == 4 and found.hashes[str(a)] == hash_of_file(a)


def test_a_data_set_gives_persons_and_what_is_done(tmp_path: Path) -> None:
    def row(name: str, kind: str, stage: str, seed: int, *labels: str) -> SetRow:
        file = Path("clips") / name / f"{stage}.npz"
        (tmp_path / kind / file).parent.mkdir(parents=True)
        (tmp_path / kind / file).write_bytes(recording_to_bytes(recording(seed), unknown_placement(("right_hip",))))
        content = (tmp_path / kind / file).read_bytes()
        output = Artefact(str(file), hash_of_file(tmp_path / kind / file), len(content))
        return SetRow(
            id=name,
            kind="synthetic" if kind == "virtual" else "real",
            medium="clip",
            origin="",
            subject=f"utd:{name}",
            trial="1",
            labels=tuple(LabelSpan(label, float(index), index + 1.0) for index, label in enumerate(labels)),
            licence="",
            seed=None,
            seconds=1.0,
            samples=100,
            rate_hz=100.0,
            sites=("right_thigh",),
            stages=(StageRecord(stage, "k", {}, output),),
        )

    write_manifest(tmp_path / "virtual", [row("s1", "virtual", "imu", 1, "squat"), row("s2", "virtual", "imu", 2)])
    write_manifest(tmp_path / "real", [row(n, "real", "recording", 3, *x) for n, x in (("s1", ()), ("s2", ("a", "b")))])
    found = read_pairs(tmp_path / "virtual", tmp_path / "real")
    assert [(pair.person, pair.activity) for pair in found.pairs] == [("utd:s1", "squat"), ("utd:s2", "")]
    with pytest.raises(ValueError, match="real is a data set without virtual sensors; its rows have no stage 'imu'"):
        read_pairs(tmp_path / "real", tmp_path / "virtual")


def test_whose_it_is_and_where_it_sits_must_be_known(tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.csv" for name in ("virtual", "real", "two")}
    write_imu_csv(files["virtual"], table(1))
    write_imu_csv(files["real"], table(2, "ben"))
    with pytest.raises(ValueError, match="the files say anna and ben; give --person"):
        read_pairs(files["virtual"], files["real"])
    assert read_pairs(files["virtual"], files["real"], person="cleo").pairs[0].person == "cleo"
    write_imu_csv(files["virtual"], table(1, "person"))
    write_imu_csv(files["real"], table(2, "person"))
    with pytest.raises(ValueError, match="no file says whose it is; give --person"):
        read_pairs(files["virtual"], files["real"])
    both = recording(3, ("head", "pelvis"))
    write_imu_csv(files["two"], ImuTable("anna", both, unknown_placement(("head", "pelvis"))))
    unnamed = replace(recording(4), sites=("sensor",))
    write_imu_csv(files["real"], ImuTable("anna", unnamed, unknown_placement(("",))))
    with pytest.raises(ValueError, match="does not name its sensor; give --site, one of head, pelvis"):
        read_pairs(files["two"], files["real"])
    assert read_pairs(files["two"], files["real"], site="pelvis").pairs[0].sites == ("pelvis",)


def test_one_name_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "virtual").mkdir()
    write_imu_csv(tmp_path / "virtual" / "a.csv", table(1))
    write_imu_npz(tmp_path / "virtual" / "a.npz", table(2))
    with pytest.raises(ValueError, match=r"holds a twice \(a.csv, a.npz\); keep one of them"):
        read_pairs(tmp_path / "virtual", tmp_path / "virtual")
