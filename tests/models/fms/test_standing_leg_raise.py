"""The standing leg raise: every criterion on both sides of its threshold, repetitions, other movements, recordings."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.fms import score_clip
from fitmotion_models.fms.values import Movement, Side, Variation, Verdict
from fitmotion_models.mover import make_mover
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.mover.noise import add_camera_noise
from fitmotion_models.mover.standing_raise import standing_leg_raise_clip, standing_leg_raise_truth
from fitmotion_models.mover.standing_raise_parameters import StandingLegRaiseParameters

RAISE = Movement.STANDING_LEG_RAISE

# criterion, the mover's parameter, its values: just met, just lost; the score of a repetition that has lost it
SWEEPS = [
    ("leg_raised", "leg_deg", (70.3, 69.7), 1),
    ("raised_knee_straight", "knee_deg", (29.7, 30.3), 2),
    ("standing_knee_straight", "standing_knee_deg", (29.7, 30.3), 2),
    ("trunk_still", "trunk_lean_deg", (9.8, 10.2), 2),
    ("trunk_still", "trunk_side_deg", (-9.8, -10.2), 2),
    ("pelvis_level", "pelvis_tilt_deg", (9.8, 10.2), 2),
    ("standing_foot_still", "stance_slip_m", (0.049, 0.051), 1),
]


def assessments_of(clip):
    return score_clip(clip, movement=RAISE)


def clip_of(**given):
    return standing_leg_raise_clip(StandingLegRaiseParameters(**given), fps=20.0)


@pytest.mark.parametrize(("name", "parameter", "values", "lost_score"), SWEEPS, ids=str)
def test_each_fault_turns_its_own_criterion_at_the_threshold(name, parameter, values, lost_score):
    for side, value, lost in (("left", values[0], False), ("right", values[1], True)):
        (one,) = assessments_of(clip_of(**{"side": side, parameter: value, "stance_s": 0.6}))
        failed = [criterion.name for criterion in one.criteria if criterion.verdict is not Verdict.MET]
        assert failed == ([name] if lost else []), value
        assert (one.side, one.score) == (Side[side.upper()], lost_score if lost else 3)
        assert one.variation is Variation.NONE


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("fps", [15.0, 40.0])
def test_raises_are_counted_with_their_times(side, fps):
    parameters = StandingLegRaiseParameters(side=side, repetitions=3)
    found = assessments_of(standing_leg_raise_clip(parameters, fps=fps))
    assert [one.repetition for one in found] == [1, 2, 3]
    for one, times in zip(found, standing_leg_raise_truth(parameters).repetitions, strict=True):
        assert times.start - 0.25 < one.start < times.lift + 0.1
        assert times.down - 0.2 < one.end < times.end + 0.45


def test_noise_loses_few_raises_and_no_side():
    clip = clip_of(repetitions=3, side="right")
    found = [one for seed in range(2) for one in assessments_of(add_camera_noise(clip, 5.0, seed=seed))]
    assert len(found) in (5, 6)
    assert {one.side for one in found} == {Side.RIGHT}


def test_other_movements_are_no_raises():
    hurdles = hurdle_step_clip(HurdleStepParameters(repetitions=2))
    lunges = inline_lunge_clip(InlineLungeParameters(repetitions=2))
    for clip in (make_mover("subject", fps=20.0), hurdles, lunges):
        assert assessments_of(clip) == []
    raises = clip_of(repetitions=2)
    for movement in (Movement.DEEP_SQUAT, Movement.HURDLE_STEP, Movement.INLINE_LUNGE):
        assert score_clip(raises, movement=movement) == []


def test_a_kick_is_no_raise():
    clip = clip_of(raise_s=0.9)
    kick = replace(clip, stamps=clip.stamps / 4.0, fps=120.0)
    assert assessments_of(kick) == []


@pytest.fixture(scope="module")
def recordings():
    """Every raise of three persons of UI-PRMD, standing still for half a second before and after."""
    import os
    from pathlib import Path

    from fitmotion_models.datasets.uiprmd import read_uiprmd

    archive = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data"))
    archive = archive / "uiprmd-s01-s08.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no UI-PRMD recordings at {archive}; set FITMOTION_DATA to the folder that holds them")
    read = read_uiprmd(archive, movements=["m06"], persons=["s03", "s05", "s07"])
    return [(name, held(clip)) for name, clip in read]


def held(clip, frames=15):
    index = np.r_[np.zeros(frames, int), np.arange(len(clip)), np.full(frames, len(clip) - 1)]
    names = ("positions", "rotations", "confidence", "feet", "feet_confidence", "view_direction")
    return replace(
        clip, stamps=np.arange(len(index)) / clip.fps, **{name: getattr(clip, name)[index] for name in names}
    )


@pytest.mark.slow
def test_recorded_raises_are_found_once_on_their_side(recordings):
    found = {str(name): [one.side for one in assessments_of(clip)] for name, clip in recordings}
    sides = {str(name): Side.LEFT if "left" in clip.labels else Side.RIGHT for name, clip in recordings}
    wrong = [name for name, side in sides.items() if found[name] != [side]]
    print(f"\nraises of UI-PRMD, s03, s05, s07, not found once on their side: {wrong} of {len(sides)}")
    # bad ones bend the knee or never come back; all good ones are found
    assert len(wrong) <= 0.05 * len(sides)
    assert all(name.endswith("_inc") for name in wrong)


@pytest.mark.slow
def test_good_recorded_raises_score_better_than_bad_ones(recordings):
    scores = {True: [], False: []}
    for name, clip in recordings:
        scores[name.correct].extend(one.score for one in assessments_of(clip))
    assert np.mean(scores[True]) > np.mean(scores[False]) + 0.2
