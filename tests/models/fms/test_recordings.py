"""Real recordings: squats where there are squats, none where there are none."""

import os
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from fitmotion_models.datasets import read_asf, read_asf_amc
from fitmotion_models.fms.moment import body_from_pose
from fitmotion_models.fms.movements import MOVEMENTS
from fitmotion_models.fms.scorer import score_clip
from fitmotion_models.fms.values import Movement
from fitmotion_models.skeleton.motion_clip import MotionClip

LONG = os.environ.get("FITMOTION_TEST_LONG") == "1"
DATA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data"))
HDM05, CMU = DATA / "hdm05-cuts.tar.xz", DATA / "cmu-01-03.tar.xz"
SQUATS = "squat1Reps"
# Share of the clips without a squat in which one may be reported.
ALLOWED = 0.02


def recordings(archive: Path, wanted: str = r"\.amc$") -> Iterator[tuple[str, MotionClip]]:
    """Name and clip of every recording whose file name matches."""
    if not archive.exists():
        pytest.skip(f"no recordings at {archive}; set FITMOTION_DATA to the folder that holds them")
    with tarfile.open(archive) as files:
        contents = {
            Path(member.name).name: files.extractfile(member).read()  # type: ignore[union-attr]
            for member in files.getmembers()
            if member.name.endswith(".asf") or re.search(wanted, Path(member.name).name)
        }
    skeletons = {name[:-4]: read_asf(BytesIO(data)) for name, data in contents.items() if name.endswith(".asf")}
    for name, data in sorted(contents.items()):
        if name.endswith(".amc"):
            skeleton = next(value for key, value in skeletons.items() if name.startswith(f"{key}_"))
            yield name[:-4], read_asf_amc(skeleton, BytesIO(data))


def action_of(name: str) -> str:
    match = re.fullmatch(r"HDM_.._(.*?)_\d+_120", name)
    return match[1] if match else "CMU"


def assert_none(counts: dict[str, int]) -> None:
    found = sorted(name for name, count in counts.items() if count)
    print(f"\nsquats reported in {len(found)} of {len(counts)} clips without any: {', '.join(found) or '-'}")
    assert len(found) <= ALLOWED * len(counts)


@pytest.mark.slow
def test_one_clip_of_every_hdm05_action_of_one_person():
    """Quick: squats are found in squats only."""
    cuts = (
        "squat1Reps_013|depositFloorR_007|grabHighR_005|hopBothLegs1hops_013|jogLeftCircle4StepsRstart_003"
        "|kickLFront1Reps_007|lieDownFloor_005|sneak2StepsLStart_004|throwBasketball_004"
    )
    found = {action_of(name): len(score_clip(clip)) for name, clip in recordings(HDM05, f"^HDM_bk_({cuts})_120")}
    assert len(found) == 9
    assert found.pop(SQUATS) == 1
    assert set(found.values()) == {0}


@pytest.mark.slow
def test_no_squat_in_the_other_actions_of_hdm05():
    """Of two of the five persons; of all at full length."""
    wanted = r"\.amc$" if LONG else r"^HDM_(dg|mm)_.*\.amc$"
    counts = {name: len(score_clip(clip)) for name, clip in recordings(HDM05, wanted) if SQUATS not in name}
    print("\nclips:", dict(Counter(map(action_of, counts))))
    assert_none(counts)


@pytest.mark.slow
def test_who_lies_down_is_on_the_back_and_does_none_of_the_tests_on_the_floor():
    """HDM05's actors lie down on their backs; the start posture of the leg raise is found, nothing else."""
    tests = (Movement.ACTIVE_STRAIGHT_LEG_RAISE, Movement.TRUNK_STABILITY_PUSH_UP, Movement.ROTARY_STABILITY)
    on_the_back = dict.fromkeys(tests, 0)
    for _, clip in recordings(HDM05, "lieDownFloor"):
        bodies = [body_from_pose(pose) for pose in list(clip)[::4]]
        for movement in tests:
            steps = list(map(MOVEMENTS[movement].repetitions().update, bodies))
            on_the_back[movement] += any(step.stance for step in steps)
            assert not any(step.finished for step in steps)
    print(f"\non the back: {on_the_back[tests[0]]} of 20 clips")
    assert on_the_back[tests[0]] >= 18
    assert on_the_back[tests[1]] == on_the_back[tests[2]] == 0


@pytest.mark.slow
def test_no_squat_in_cmu():
    assert_none({name: len(score_clip(clip)) for name, clip in recordings(CMU)})


@pytest.mark.slow
def test_hdm05_squats_are_counted_once():
    """The cuts begin with the movement: where no instant of standing is left before it, there is no stance."""
    counts = {name: len(score_clip(clip)) for name, clip in recordings(HDM05, SQUATS)}
    recall = sum(count == 1 for count in counts.values()) / len(counts)
    print(f"\nsquats of HDM05 counted once: {recall:.0%} of {len(counts)}; counts: {dict(Counter(counts.values()))}")
    assert max(counts.values()) == 1
    assert recall >= 0.7
