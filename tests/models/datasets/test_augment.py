"""Mirror images and other speeds of a step over a hurdle whose side and length are known."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.datasets import uiprmd_sides
from fitmotion_models.datasets.augment import at_speed, mirrored
from fitmotion_models.datasets.canonical import to_canonical
from fitmotion_models.fms.values import Side
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip
from fitmotion_models.skeleton.kinematics import PARENTS, REST_OFFSETS


@pytest.fixture(scope="module")
def clip():
    """A step over the hurdle with the left leg, on the canonical bones, at 20 frames a second."""
    step = hurdle_step_clip(HurdleStepParameters(side="left"))
    return replace(to_canonical(step), labels=("hurdle_step", "left", "m02_left_leg"))


def test_a_mirror_image_is_done_on_the_other_side(clip):
    image = mirrored(clip)
    assert uiprmd_sides.tested_side("m02", clip) is Side.LEFT
    assert uiprmd_sides.tested_side("m02", image) is Side.RIGHT
    assert image.labels == ("hurdle_step", "right", "m02_right_leg")
    np.testing.assert_array_equal(mirrored(image).rotations, clip.rotations)
    assert mirrored(image).labels == clip.labels


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_another_speed_is_the_same_way_in_another_time(clip, speed):
    changed = at_speed(clip, speed)
    assert changed.fps == clip.fps
    assert changed.stamps[-1] == pytest.approx(clip.stamps[-1] / speed, abs=1.01 / clip.fps)
    # a point of it is where it was at that moment of the recording, within what 20 frames a second miss between two
    for joint in range(22):
        for axis in range(3):
            expected = np.interp(changed.stamps * speed, clip.stamps, clip.positions[:, joint, axis])
            np.testing.assert_allclose(changed.positions[:, joint, axis], expected, atol=0.01)
    lengths = np.linalg.norm(changed.positions[:, 1:] - changed.positions[:, list(PARENTS[1:])], axis=-1)
    np.testing.assert_allclose(
        lengths, np.tile(np.linalg.norm(REST_OFFSETS[1:], axis=-1), (len(changed), 1)), atol=1e-5
    )


def test_the_speed_of_the_recording_changes_nothing(clip):
    same = at_speed(clip, 1.0)
    np.testing.assert_allclose(same.positions, clip.positions, atol=1e-5)
    np.testing.assert_allclose(same.feet, clip.feet, atol=1e-5)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_that_is_none_is_refused(clip, speed):
    with pytest.raises(ValueError, match="speed is"):
        at_speed(clip, speed)
