"""Tests told apart, sitting down let go, a stream and a file the same; on movers and on real recordings."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fitmotion_models.datasets.concatenated import concatenate
from fitmotion_models.fms.moment import body_from_pose
from fitmotion_models.fms.recogniser import Recogniser
from fitmotion_models.fms.squat_gate import default_squat_gate, fit_squat_gate, gate_as_json
from fitmotion_models.fms.values import Movement, Side
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.mover.squat import squat_clip
from fitmotion_models.mover.squat_parameters import SquatParameters
from fitmotion_models.skeleton.frames import mirror_clip

DATA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data"))
THREE = (Movement.DEEP_SQUAT, Movement.HURDLE_STEP, Movement.INLINE_LUNGE)
SQUAT, HURDLE, LUNGE = THREE


def said(clip, movements=THREE):
    recogniser = Recogniser(movements)
    found = [recogniser.update(body_from_pose(pose)).finished for pose in clip]
    return [(one.movement, one.side) for one in (*found, recogniser.finish()) if one is not None]


@pytest.fixture(scope="module")
def mixed():
    """A squat, a hurdle step with the left leg and a lunge with the right one in front, and where they lie."""
    clips = [
        squat_clip(SquatParameters(repetitions=1)),
        hurdle_step_clip(HurdleStepParameters(side="left")),
        inline_lunge_clip(InlineLungeParameters(side="right")),
    ]
    return concatenate([replace(clip, labels=()) for clip in clips])


def test_tests_in_any_order_are_told_apart_and_mirrored_sides_exchange(mixed):
    clip, _ = mixed
    assert said(clip) == [(SQUAT, Side.BOTH), (HURDLE, Side.LEFT), (LUNGE, Side.RIGHT)]
    assert said(mirror_clip(clip)) == [(SQUAT, Side.BOTH), (HURDLE, Side.RIGHT), (LUNGE, Side.LEFT)]


def test_what_is_not_armed_is_none(mixed):
    clip, _ = mixed
    assert said(clip, (HURDLE,)) == [(HURDLE, Side.LEFT)]


def test_concatenated_recordings_keep_their_frames_and_nothing_jumps(mixed):
    clip, spans = mixed
    squat = squat_clip(SquatParameters(repetitions=1))
    first = round(spans[0].start * clip.fps)
    np.testing.assert_array_equal(clip.positions[first : first + len(squat)], squat.positions)
    assert spans[0].end == pytest.approx((first + len(squat) - 1) / clip.fps)
    assert np.linalg.norm(np.diff(clip.positions, axis=0), axis=-1).max() < 0.15
    np.testing.assert_allclose(np.linalg.norm(clip.rotations, axis=-1), 1.0, atol=1e-5)


def test_what_cannot_be_put_together_or_recognised_is_named():
    with pytest.raises(ValueError, match="nothing to put together"):
        concatenate([])
    with pytest.raises(ValueError, match="above 0 s"):
        concatenate([squat_clip(SquatParameters(repetitions=1))], 0.0)
    with pytest.raises(ValueError, match="UNKNOWN can't be recognised; known: DEEP_SQUAT"):
        Recogniser([Movement.UNKNOWN])
    with pytest.raises(ValueError, match="deep squats and other"):
        fit_squat_gate(np.zeros((3, 5)), [True, True, True])


def test_the_gate_is_the_logistic_that_fits():
    """Two groups one spread apart: the best boundary is half-way, by symmetry."""
    rng = np.random.default_rng(0)
    apart = rng.normal(size=(400, 5)) * 0.1
    apart[:200, 0] += 1.0
    gate = fit_squat_gate(apart, [True] * 200 + [False] * 200)
    middle = np.append(0.5, apart[:, 1:].mean(axis=0))[None]
    assert gate.probabilities(middle)[0] == pytest.approx(0.5, abs=0.05)
    assert (gate.probabilities(apart)[:200] > 0.5).mean() > 0.99
    assert '"centre_of_mass_ahead"' in gate_as_json(gate)


@pytest.mark.slow
@pytest.mark.parametrize(("movement", "least", "most"), [("m01", 9, 10), ("m05", 0, 1)])
def test_a_real_person_squats_and_sits_down(movement, least, most):
    from fitmotion_models.evaluation.recognition import recognised_in, uiprmd_streams

    uiprmd_archive = DATA / "uiprmd-s01-s08.tar.xz"
    if not uiprmd_archive.is_file():
        pytest.skip(f"no UI-PRMD recordings at {uiprmd_archive}; set FITMOTION_DATA to the folder that holds them")
    assert "s03" in default_squat_gate().persons
    correct = next(uiprmd_streams(uiprmd_archive, movement, ["s03"], mirrored=False))
    found = recognised_in(correct.bodies, correct.spans)
    assert least <= sum(one.movement is SQUAT for one in found) <= most
