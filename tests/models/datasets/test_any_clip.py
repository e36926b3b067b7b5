"""Whatever file a motion is in: clips, BVH, AMC with its skeleton; and what is said of others."""

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from fitmotion_models.datasets.any_clip import read_any_clip
from fitmotion_models.evaluation.imu_analytic import rigid_clip
from fitmotion_models.exchange.bvh import write_bvh
from fitmotion_models.skeleton.clip_file import save_clip

DATA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data"))


def taken(archive: str, wanted: tuple[str, ...], folder: Path) -> list[Path]:
    """Files of an archive, by the ends of their names."""
    if not (DATA / archive).exists():
        pytest.skip(f"{DATA / archive} is missing; set FITMOTION_DATA")
    found = []
    with tarfile.open(DATA / archive) as tar:
        for member in tar:
            if member.name.endswith(wanted):
                found.append(folder / Path(member.name).name)
                found[-1].write_bytes(tar.extractfile(member).read())
            if len(found) == len(wanted):
                break
    return sorted(found)


def test_a_clip_and_a_bvh_are_the_same_motion(tmp_path) -> None:
    times = np.arange(30) / 30.0
    clip = rigid_clip(times, np.broadcast_to((0.2, 0.0, 1.0), (30, 3)), np.tile((0, 0, 0, 1.0), (30, 1)), 30.0, "anna")
    save_clip(tmp_path / "one.npz", clip)
    write_bvh(tmp_path / "two.bvh", clip)
    one, two = (read_any_clip(str(tmp_path / name)) for name in ("one.npz", "two.bvh"))
    np.testing.assert_allclose(one.positions, two.positions, atol=1e-4)
    assert one.subject == "anna" and read_any_clip(str(tmp_path / "two.bvh"), subject="ben").subject == "ben"


def test_an_amc_finds_the_skeleton_beside_it_and_keeps_its_rate(tmp_path) -> None:
    paths = taken("cmu-01-03.tar.xz", ("cmu/02.asf", "cmu/02_01.amc"), tmp_path)
    clip = read_any_clip(str(paths[1]))
    assert clip.fps == 120.0 and clip.subject == "02" and len(clip) == 343
    # a walk: the pelvis goes on at a person's pace
    way = np.linalg.norm(clip.positions[-1, 0, :2] - clip.positions[0, 0, :2]) / clip.stamps[-1]
    assert 0.8 < way < 2.0
    paths[0].unlink()
    with pytest.raises(ValueError, match="needs its skeleton, and 0 .asf files beside it"):
        read_any_clip(str(paths[1]))


def test_files_that_are_not_there_or_no_motion_are_refused(tmp_path) -> None:
    for name in ("none.npz", "none.bvh", "none.amc"):
        with pytest.raises(ValueError, match="does not exist; give a clip"):
            read_any_clip(str(tmp_path / name))
    (tmp_path / "notes.txt").write_text("squats")
    with pytest.raises(ValueError, match=r"notes.txt"):
        read_any_clip(str(tmp_path / "notes.txt"))
