"""Impaired gaits made from CMU's real walks: what a gait laboratory would measure on them, against the healthy walk."""

import numpy as np
import pytest

from fitmotion_models.datasets.asf_amc import read_asf_amc
from fitmotion_models.datasets.canonical import to_canonical
from fitmotion_models.datasets.gait_phases import gait_of, stances_of
from fitmotion_models.datasets.impaired_gait import Impairment, impaired
from fitmotion_models.motion.features import features_of
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, REST_OFFSETS, forward_kinematics

OTHER = {"left": "right", "right": "left"}


@pytest.fixture(scope="module")
def walk(cmu):
    """Subject 2's walk, 2.9 s and three strides, at 60 frames a second."""
    return read_asf_amc(cmu / "02.asf", cmu / "02_01.amc", target_fps=60.0)


@pytest.fixture(scope="module")
def made(walk):
    """Every impairment on either side, at 60 frames a second: times are then told to 17 ms."""
    return {(kind, side): impaired(walk, kind, side, fps=60.0) for kind in Impairment for side in OTHER}


def knee_flexion(clip, side):
    """(T,) degrees."""
    hip, knee, ankle = (clip.positions[:, SMPL22.index(f"{side}_{joint}")] for joint in ("hip", "knee", "ankle"))
    thigh, shank = knee - hip, ankle - knee
    cosine = (thigh * shank).sum(-1) / np.linalg.norm(thigh, axis=-1) / np.linalg.norm(shank, axis=-1)
    return np.rad2deg(np.arccos(cosine))


def temporal_symmetry(clip, side):
    """Swing over stance time of one side over that of the other (Patterson et al. 2008): healthy .9 to 1.1."""
    gait = gait_of(clip)
    own, other = gait[side], gait[OTHER[side]]
    return (own.swing_s / own.stance_s) / (other.swing_s / other.stance_s)


def lean_while_standing(clip, side):
    """How far the neck is toward a side of the pelvis while that foot stands, degrees, median over mid-stances."""
    trunk = clip.positions[:, SMPL22.index("neck")] - clip.positions[:, 0]
    left = clip.positions[:, SMPL22.index("left_hip")] - clip.positions[:, SMPL22.index("right_hip")]
    left = left[:, :2] / np.linalg.norm(left[:, :2], axis=-1, keepdims=True)
    aside = np.rad2deg(np.arctan2((trunk[:, :2] * left).sum(-1), trunk[:, 2])) * (1 if side == "left" else -1)
    middles = [(stance.start + stance.end) // 2 for stance in stances_of(clip) if stance.side == side and stance.whole]
    return float(np.median(aside[middles]))


def test_the_healthy_walk_is_what_the_literature_calls_healthy(walk):
    """Two thirds of a stride in stance (Perry: 60 %; slow), .5 s and .6 m a step, symmetry within .9 to 1.1."""
    gait = gait_of(to_canonical(walk, 60.0))
    for side in OTHER:
        assert 0.57 < gait[side].stance_s / (gait[side].stance_s + gait[side].swing_s) < 0.68
        assert gait[side].step_s == pytest.approx(0.55, abs=0.04)
        assert gait[side].step_m == pytest.approx(0.61, abs=0.05)
        assert 0.85 < temporal_symmetry(to_canonical(walk, 60.0), side) < 1.15


@pytest.mark.parametrize("kind", list(Impairment))
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_named_side_is_the_affected_one(made, kind, side):
    """It stands shorter, swings longer and its step takes longer than the other's."""
    gait = gait_of(made[kind, side])
    own, other = gait[side], gait[OTHER[side]]
    assert own.stance_s < other.stance_s - 0.03
    assert own.swing_s > other.swing_s + 0.03
    assert own.step_s > other.step_s + 0.02
    assert {side, kind.value, "severity 1"} <= set(made[kind, side].labels)


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        # severe is above 1.5 (Patterson et al. 2008); a limp and short steps are milder
        (Impairment.HEMIPARETIC, 1.5, 2.6),
        (Impairment.ANTALGIC, 1.5, 2.9),
        (Impairment.LIMP, 1.15, 2.0),
        (Impairment.SHORT_STEP, 1.05, 1.6),
    ],
)
def test_times_are_as_uneven_as_in_patients(made, kind, least, most):
    for side in OTHER:
        assert least < temporal_symmetry(made[kind, side], side) < most


def test_steps(made, walk):
    """Antalgic: the healthy side's is short. Hemiparetic: both, the affected one less. Short: most on its side."""
    healthy = gait_of(to_canonical(walk, 60.0))
    for side, other in OTHER.items():
        share = {
            kind: [gait_of(made[kind, side])[one].step_m / healthy[one].step_m for one in (side, other)]
            for kind in Impairment
        }
        assert share[Impairment.ANTALGIC] == pytest.approx([0.9, 0.6], abs=0.08)
        assert share[Impairment.HEMIPARETIC] == pytest.approx([0.75, 0.55], abs=0.08)
        assert share[Impairment.SHORT_STEP] == pytest.approx([0.4, 0.6], abs=0.08)
        assert share[Impairment.LIMP] == pytest.approx([1.0, 0.85], abs=0.08)


@pytest.mark.parametrize("side", ["left", "right"])
def test_posture(made, walk, side):
    """A stiff knee and a foot that goes round; the trunk over the painful or weak leg; a hip that drops."""
    before = to_canonical(walk, 60.0)
    stiff = made[Impairment.HEMIPARETIC, side]
    assert knee_flexion(stiff, side).max() < knee_flexion(before, side).max() - 20.0
    assert knee_flexion(stiff, OTHER[side]).max() > knee_flexion(before, OTHER[side]).max() - 5.0
    leans = {
        kind: lean_while_standing(made[kind, side], side) - lean_while_standing(before, side) for kind in Impairment
    }
    assert leans[Impairment.LIMP] > 5.0 and leans[Impairment.ANTALGIC] > 2.5
    elbow = [SMPL22.index(f"{side}_{joint}") for joint in ("shoulder", "elbow", "wrist")]
    upper, lower = (stiff.positions[:, elbow[i + 1]] - stiff.positions[:, elbow[i]] for i in (0, 1))
    cosine = (upper * lower).sum(-1) / np.linalg.norm(upper, axis=-1) / np.linalg.norm(lower, axis=-1)
    assert np.rad2deg(np.arccos(cosine)).min() > 60.0


@pytest.mark.parametrize("kind", list(Impairment))
def test_feet_are_planted_and_bones_constant(walk, kind):
    """No foot in the floor; what rests slides no more than in the recording; exactly the canonical bones."""
    clip = impaired(walk, kind, "left")
    assert clip.feet[..., 2].min() > -1e-3
    lowest = [clip.feet[stance.start : stance.end, :, 2].min() for stance in stances_of(clip)]
    assert np.max(lowest) < 0.03
    again = forward_kinematics(clip.positions[:, 0], clip.rotations, REST_OFFSETS)
    assert again == pytest.approx(clip.positions, abs=1e-5)
    lengths = np.linalg.norm(clip.positions - clip.positions[:, list(PARENTS)], axis=-1)[:, 1:]
    assert np.ptp(lengths, axis=0).max() < 1e-5
    assert np.isfinite(features_of(clip)).all()
    assert slide(clip) < 1.1 * slide(to_canonical(walk)) + 0.01


def slide(clip):
    """Metres a second of the toes in the middle half of their stances, mean."""
    speeds = []
    for stance in stances_of(clip):
        quarter = (stance.end - stance.start) // 4
        toe = clip.feet[stance.start + quarter : stance.end - quarter, {"left": 1, "right": 3}[stance.side]]
        if len(toe) > 1:
            speeds.append(np.linalg.norm(np.diff(toe, axis=0), axis=-1).mean() * clip.fps)
    return float(np.mean(speeds))


@pytest.mark.slow
def test_severity_goes_from_nothing_to_the_whole(walk):
    symmetry = [
        temporal_symmetry(impaired(walk, "antalgic", "left", severity, fps=60.0), "left")
        for severity in (0.02, 0.5, 1.0)
    ]
    assert symmetry[0] == pytest.approx(1.0, abs=0.12)
    assert symmetry[0] + 0.2 < symmetry[1] < symmetry[2] - 0.2


@pytest.mark.slow
def test_what_is_uneven_in_the_recording_is_taken_out_first(made):
    """Who limped on the right limps on the left afterwards."""
    clip = impaired(made[Impairment.ANTALGIC, "right"], "limp", "left", fps=60.0)
    assert temporal_symmetry(clip, "left") > 1.1


@pytest.mark.slow
def test_the_other_side_of_the_mirrored_walk_is_the_mirrored_clip(walk):
    mirrored = impaired(mirror_clip(walk), "hemiparetic", "right")
    expected = mirror_clip(impaired(walk, "hemiparetic", "left"))
    assert mirrored.positions == pytest.approx(expected.positions, abs=2e-3)


def test_what_is_no_walk_is_refused(walk, cmu):
    run = read_asf_amc(cmu / "02.asf", cmu / "02_03.amc", target_fps=60.0)
    with pytest.raises(ValueError, match="both feet are in the air in (2|3)[0-9]% of its frames; give a walk"):
        impaired(run, "limp", "left")
    with pytest.raises(ValueError, match="'wobble' unknown; known: limp, hemiparetic, antalgic, short_step"):
        impaired(walk, "wobble", "left")
    with pytest.raises(ValueError, match="side is 'both'; allowed: left or right"):
        impaired(walk, "limp", "both")
    for severity in (0.0, 1.2, float("nan")):
        with pytest.raises(ValueError, match="allowed: above 0 and up to 1"):
            impaired(walk, "limp", "left", severity)
    short = to_canonical(walk, 20.0)
    parts = {name: getattr(short, name)[:12] for name in ("stamps", "positions", "rotations", "confidence", "feet")}
    parts |= {name: getattr(short, name)[:12] for name in ("feet_confidence", "view_direction")}
    with pytest.raises(ValueError, match="is no walk: its left foot stands 1 times"):
        impaired(type(short)(**{**short.__dict__, **parts}), "limp", "left")
