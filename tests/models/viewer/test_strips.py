"""Strips: bodies where the geometry says, the same scale for all, and clear words for what can't be drawn."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.viewer.clip_scene import same_scale, scene_of
from fitmotion_models.viewer.strips import HEIGHT, draw_strip, stack_strips

CLIP = squat_clip(SquatParameters(repetitions=1), fps=20.0)


def moved(clip, offset):
    shift = np.asarray(offset, np.float32)
    return replace(clip, positions=clip.positions + shift, feet=clip.feet + shift)


def blue(image):
    """Pixels of the left arm's and leg's colour."""
    blue, green, red = (image[..., channel].astype(int) for channel in range(3))
    return (blue > 150) & (red < 120) & (green < blue)


def test_every_joint_is_inside_of_its_picture():
    scene = scene_of(CLIP)
    for index in range(0, len(CLIP), 10):
        points = CLIP.positions[index].astype(float) - [*scene.centres[index], 0.0]
        pixels, _ = scene.view.project(points, scene.camera(300, round(300 / scene.aspect)))
        assert (pixels > 0).all() and (pixels[:, 0] < 300).all() and (pixels[:, 1] < 300 / scene.aspect).all()


def test_the_left_side_is_blue_where_it_is_projected_and_no_strip_depends_on_place():
    strip = draw_strip(CLIP, frames=4)
    assert strip.shape[0] > HEIGHT and strip.shape[1] % 4 == 0
    scene = scene_of(CLIP)
    width = strip.shape[1] // 4
    wrist = CLIP.positions[0, SMPL22.index("left_wrist")].astype(float) - [*scene.centres[0], 0.0]
    x, y = scene.view.project(wrist, scene.camera(width, HEIGHT))[0].round().astype(int)
    assert blue(strip)[y, x]
    elsewhere = draw_strip(moved(CLIP, (1.0, -2.0, 0.0)), frames=4)  # by whole squares of the grid: the same picture
    assert np.abs(elsewhere.astype(int) - strip.astype(int)).mean() < 0.5


def test_a_body_that_walks_away_stays_in_the_picture():
    way = np.linspace(0.0, 6.0, len(CLIP), dtype=np.float32)
    shift = np.stack([way, 0 * way, 0 * way], axis=1)[:, None]
    walking = replace(CLIP, positions=CLIP.positions + shift, feet=CLIP.feet + shift)
    scene = scene_of(walking)
    assert scene.half_width < scene_of(CLIP).half_width + 0.3
    assert np.linalg.norm(scene.centres - walking.positions[:, 0, :2], axis=1).max() < 0.5


def test_clips_beside_each_other_have_one_scale():
    small = replace(CLIP, positions=0.5 * CLIP.positions, feet=0.5 * CLIP.feet)
    scenes = same_scale([scene_of(CLIP), scene_of(small)])
    cameras = [scene.camera(400, 400) for scene in scenes]
    assert cameras[0] == cameras[1] and scenes[0].view.aim == scenes[1].view.aim


def test_a_title_and_stacked_strips_keep_all_rows():
    titled, plain = draw_strip(CLIP, frames=2, title="deep squat, FMS score 3"), draw_strip(CLIP, frames=3)
    stacked = stack_strips([titled, plain])
    assert stacked.shape == (titled.shape[0] + plain.shape[0], plain.shape[1], 3)
    np.testing.assert_array_equal(stacked[titled.shape[0] :], plain)
    assert (titled[: titled.shape[0] - plain.shape[0]] < 100).any()  # the words


def test_what_cannot_be_drawn_is_said():
    positions = CLIP.positions.copy()
    positions[:, 5] = np.nan
    with pytest.raises(ValueError, match="never seen"):
        draw_strip(replace(CLIP, positions=positions))
    with pytest.raises(ValueError, match="at least one frame, not 0"):
        draw_strip(CLIP, frames=0)
    positions = CLIP.positions.copy()
    positions[3:6, 5] = np.nan  # a gap is drawn where the joint was between
    assert draw_strip(replace(CLIP, positions=positions), frames=2).shape == draw_strip(CLIP, frames=2).shape
