"""The stream model's recipe from a motion set to weights, on a set of made motion with known properties."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is installed by the first command that trains")

from fitmotion_models.motion.features import LAYOUT, anchor_of, anchored, clip_of, features_of, mirrored_features
from fitmotion_models.motion.sides import swap_sides
from fitmotion_models.training.motion_data import _walks
from fitmotion_models.training.motion_recipe import Stage, WindowRecipe, recipe_for
from fitmotion_models.training.motion_windows import Sample, WindowSampler, whitening


def walk(speed: float = 1.0, frames: int = 60, turn: float = 0.0) -> np.ndarray:
    """Features of a stiff body gliding along its heading."""
    features = np.zeros((frames, LAYOUT.size), np.float32)
    heading = turn + np.zeros(frames)
    way = np.arange(frames) * speed / 20.0
    features[:, LAYOUT["root_position"]] = np.stack([way * np.cos(turn), way * np.sin(turn), 0 * way + 0.93], -1)
    features[:, LAYOUT["heading"]] = np.stack([np.cos(heading), np.sin(heading)], -1)
    features[:, LAYOUT["rotations"]] = np.tile((1.0, 0, 0, 0, 1.0, 0), 22)
    return features_of(clip_of(features))


def sampler(recipe: WindowRecipe, *samples: Sample, seed: int = 0) -> WindowSampler:
    return WindowSampler(samples, walk(0.0), recipe, seed=seed)


def sample(features: np.ndarray, score: int | None = None, endless: bool = False) -> Sample:
    return Sample(features, ("a person glides",), score, 1.0, endless)


def test_windows_go_on_within_a_clip_and_do_not_know_where_it_is() -> None:
    recipe = WindowRecipe(free=0.0, transition=0.0, path=0.0, keyframes=0.0)
    windows = sampler(recipe, sample(walk(turn=2.0))).draw(32)
    np.testing.assert_allclose(windows.history[:, -1, :2], 0.0, atol=1e-5)
    np.testing.assert_allclose(windows.future[:, 0, 0], 0.05, atol=1e-5)
    np.testing.assert_allclose(windows.future[..., 1], 0.0, atol=1e-4)
    np.testing.assert_allclose(windows.future[..., LAYOUT["heading"]], np.broadcast_to((1, 0), (32, 20, 2)), atol=1e-5)
    # what lies behind the clip's end is not learned from
    assert (windows.valid.sum(axis=1) >= 3).all()
    assert (windows.valid < 1).any()


def test_a_transition_begins_where_the_history_ends_and_comes_to_the_clip() -> None:
    recipe = WindowRecipe(free=0.0, transition=1.0, standing=1.0, blend_frames=(8, 8), path=0.0, keyframes=0.0)
    crouched = walk(2.0)
    crouched[:, 2] = 0.5
    windows = sampler(recipe, sample(crouched)).draw(16)
    np.testing.assert_allclose(windows.history[..., 2], 0.93, atol=1e-5)
    height = windows.future[..., 2]
    assert (np.diff(height, axis=1) <= 1e-6).all()
    np.testing.assert_allclose(height[:, 8:], 0.5, atol=1e-5)
    assert (np.abs(height[:, 0] - 0.93) < 0.05).all()
    assert (windows.blended[:, :6] == 1).all() and (windows.blended[:, 8:] == 0).all()


def test_progress_tells_how_far_a_motion_is_and_not_of_endless_ones() -> None:
    recipe = WindowRecipe(free=1.0, transition=0.0, progress_dropout=0.0)
    windows = sampler(recipe, sample(walk(frames=60))).draw(4)
    np.testing.assert_allclose(windows.progress, np.tile((0.0, 0.3, 1.0), (4, 1)))
    assert (windows.has_history == 0).all()
    assert not sampler(recipe, sample(walk(), endless=True)).draw(4).progress.any()


def test_windows_of_the_right_side_are_told_and_seen_as_those_of_the_left() -> None:
    turning = walk(turn=0.5)
    turning[:, LAYOUT["heading"]] = np.stack([np.cos(np.arange(60) / 30), np.sin(np.arange(60) / 30)], -1)
    texts = ("a person turns to the right", "a right turn")
    recipe = WindowRecipe(free=0.5, transition=0.0, path=1.0, keyframes=0.0)
    right = Sample(mirrored_features(turning), texts, None, 1.0, side="right")
    left = Sample(turning, tuple(map(swap_sides, texts)), None, 1.0, side="left")
    unsided = Sample(mirrored_features(turning), ("a person turns",), None, 1.0, side="right")
    of_right, of_left, of_none = (sampler(recipe, one, seed=3).draw(32) for one in (right, left, unsided))
    for seen, wanted in zip(of_right, of_left, strict=True):
        np.testing.assert_allclose(seen, wanted, atol=1e-6) if isinstance(seen, np.ndarray) else None
    assert of_right.texts == of_left.texts and set(of_right.texts) == set(left.texts)
    assert of_right.target_mask.min() == 0 and of_right.target_mask.max() == 1
    # what names no side may be either
    assert (of_left.future[:, -1, 4] > 0).all() and (of_none.future[:, -1, 4] < 0).all()


def turning(first: int, frames: int) -> np.ndarray:
    """A walk that turns by 2 degrees a frame from its frame `first` on."""
    angles = np.radians(2.0) * np.maximum(np.arange(frames) - first, 0)
    features = walk(frames=frames)
    features[:, LAYOUT["heading"]] = np.stack([np.cos(angles), np.sin(angles)], -1)
    return features_of(clip_of(features))


def test_a_walk_that_turns_is_told_its_way_and_its_straight_part_is_not() -> None:
    straight = Sample(walk(frames=50), ("a person walks",), None, 1.0, endless=True)
    assert _walks(straight) == [straight]
    short = replace(straight, features=turning(0, 50))
    assert [one.turns for one in _walks(short)] == [True]
    told, free = _walks(replace(straight, features=turning(40, 80)))
    assert told.turns and len(told.features) == 80 and told.weight < free.weight
    assert not free.turns and 40 <= len(free.features) <= 60
    recipe = WindowRecipe(free=0.0, transition=0.0, path=0.0, keyframes=0.0)
    windows = sampler(recipe, told).draw(16)
    known = windows.valid > 0
    for part, given in (("root_position", [1, 1, 0]), ("heading", [1, 1]), ("rotations", [0] * 132)):
        assert (windows.target_mask[..., LAYOUT[part]][known] == given).all()
        assert not windows.target_mask[~known].any()
    assert not sampler(recipe, free).draw(16).target_mask.any()


def test_given_frames_are_only_known_ones() -> None:
    recipe = WindowRecipe(free=0.0, transition=0.0, path=0.5, keyframes=0.5)
    windows = sampler(recipe, sample(walk(frames=30))).draw(64)
    assert windows.target_mask.any(axis=(1, 2)).mean() > 0.9
    assert not (windows.target_mask.any(axis=2) & (windows.valid == 0)).any()


def test_the_kinematics_of_the_losses_are_the_skeletons() -> None:
    import torch

    from fitmotion_models.motion.stream_network import ROOT
    from fitmotion_models.skeleton.rotations import from_rotvec
    from fitmotion_models.training.motion_losses import bodies_of

    features = walk()
    random = np.random.default_rng(0)
    turned = features_of(clip_of(features))
    from fitmotion_models.motion.features import rotation_6d
    from fitmotion_models.skeleton.rotations import to_matrix

    turned[:, LAYOUT["rotations"]] = rotation_6d(to_matrix(from_rotvec(random.normal(0, 0.7, (60, 22, 3))))).reshape(
        60, -1
    )
    expected = clip_of(turned)
    values = torch.tensor(turned)[None]
    found = bodies_of(values[..., :ROOT], values)
    np.testing.assert_allclose(found.joints[0].numpy(), expected.positions, atol=1e-5)
    np.testing.assert_allclose(found.feet[0].numpy(), expected.feet, atol=1e-5)


class TwoPrompts:
    """Slow or fast, as a first number; the score as a second."""

    embeddings = np.eye(2, 384, dtype=np.float32)

    def by_meaning(self):
        return self.embeddings, np.arange(2)

    def plain(self, texts):
        return np.array([[float(text == "fast")] + [0.0] * 383 for text in texts], np.float32)

    def scored(self, texts, scores, forms):
        return self.plain(texts)


@pytest.mark.slow
def test_training_goes_on_where_it_stopped_and_ends_in_weights(tmp_path: Path) -> None:
    import torch

    from fitmotion_models.motion.stream_network import ChunkSampler, StreamConfig
    from fitmotion_models.training.motion_export import load_checkpoint
    from fitmotion_models.training.motion_training import train_stage

    # two threads that wait for each other are a hundred times slower where others compute
    torch.set_num_threads(1)
    network = StreamConfig(width=32, layers=2, heads=2, root_width=32, root_layers=2, root_heads=2)
    windows = WindowRecipe(progress_dropout=1.0, path=0.0, keyframes=0.0, free=1.0, transition=0.0, text_dropout=0.0)
    windows = replace(windows, text_noise=0.0)
    fast, slow = (Sample(walk(speed), (text,), None, 1.0) for speed, text in ((3.0, "fast"), (0.5, "slow")))
    recipe = replace(
        recipe_for(Stage.BASE, steps=150, batch=32), network=network, windows=windows, rate=3e-3, warmup=10
    )

    first = train_stage(replace(recipe, steps=100), sampler(windows, fast, slow), TwoPrompts(), tmp_path)
    assert load_checkpoint(first)[1]["step"] == 100
    path = train_stage(recipe, sampler(windows, fast, slow), TwoPrompts(), tmp_path)
    model, held = load_checkpoint(path)
    assert held["step"] == 150
    with (tmp_path / "base.csv").open() as file:
        totals = [float(row["total"]) for row in csv.DictReader(file)]
    assert len(totals) == 3 and totals[-1] < 0.5 * totals[0]

    asked = {name: torch.zeros(1, *shape) for name, shape in SHAPES.items()}
    asked["guidance"] += 1.0
    asked["score"][0, 0] = 1.0
    ways = {}
    for text in ("fast", "slow"):
        asked["text"] = torch.tensor(TwoPrompts().plain([text]))
        torch.manual_seed(0)
        asked["noise"] = torch.randn(1, 20, LAYOUT.size)
        with torch.no_grad():
            ways[text] = float(ChunkSampler(model.eval(), guided=True)(**asked)[0, -1, 0])
    # 19 frames at 3 and at 0.5 m/s
    assert ways["fast"] == pytest.approx(2.85, abs=0.6)
    assert ways["slow"] == pytest.approx(0.475, abs=0.5)


SHAPES = {
    "history": (20, LAYOUT.size),
    "has_history": (1,),
    "text": (384,),
    "plain_text": (384,),
    "score": (5,),
    "progress": (3,),
    "target": (20, LAYOUT.size),
    "target_mask": (20, LAYOUT.size),
    "noise": (20, LAYOUT.size),
    "guidance": (2,),
}


def wordings(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two meanings a little apart along the third axis, in wordings that differ widely along the first two."""
    meanings = np.arange(4000) % 2
    embeddings = (
        random.normal(size=(4000, 3)) * (1.0, 0.5, 0.02) + np.outer(meanings, (0.0, 0.0, 0.1)) + (3.0, 0.0, 1.0)
    )
    return embeddings.astype(np.float32), meanings


def test_wordings_of_one_meaning_differ_equally_in_every_way_and_meanings_stay_apart() -> None:
    embeddings, meanings = wordings(np.random.default_rng(0))
    mean, matrix = whitening(embeddings, meanings, floor=1e-6)
    white = (embeddings - mean) @ matrix
    for one in (0, 1):
        np.testing.assert_allclose(np.cov(white[meanings == one], rowvar=False), np.eye(3), atol=0.1)
    apart = white[meanings == 1].mean(axis=0) - white[meanings == 0].mean(axis=0)
    np.testing.assert_allclose(apart, (0.0, 0.0, 5.0), atol=0.2)


def test_with_one_text_for_every_meaning_texts_are_read_as_they_are() -> None:
    _, matrix = whitening(np.eye(2, 4, dtype=np.float32), np.arange(2))
    np.testing.assert_array_equal(matrix, np.eye(4))


def test_a_recipe_says_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="small"):
        recipe_for(Stage.BASE, "huge")
    with pytest.raises(ValueError, match="stepz"):
        recipe_for(Stage.BASE, stepz=3)
    assert anchored(walk(), anchor_of(walk()[3])).shape == (60, LAYOUT.size)


def test_a_step_of_the_student_ends_where_the_teachers_do() -> None:
    import torch

    from fitmotion_models.motion.stream_network import ChunkSampler, StreamConfig, StreamNetwork
    from fitmotion_models.training.motion_steps import BatchMaker, _taught

    torch.manual_seed(0)
    teacher = StreamNetwork(StreamConfig(width=16, layers=1, heads=2, root_width=16, root_layers=1, root_heads=2))
    for parameter in teacher.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    teacher.deviation[:] = 0.1
    recipe = replace(recipe_for(Stage.DISTILLED), network=teacher.config)
    windows = replace(recipe.windows, path=0.0, keyframes=0.0, history_noise=0.0, text_dropout=0.0)
    recipe = replace(recipe, windows=windows)
    batch = BatchMaker(recipe, TwoPrompts(), teacher, torch.device("cpu")).make(
        sampler(windows, sample(walk(), 2)).draw(1)
    )
    guidance, noise = torch.tensor([[2.0, 3.0]]), torch.randn(1, 20, LAYOUT.size)
    with torch.no_grad():
        x, time = noise[..., :5], torch.ones(1, 1)
        for _ in range(2):
            clean = _taught(teacher, x, time, batch, guidance, None, 0.5)
            x = clean + (x - clean) * ((time - 0.5) / time)[..., None]
            time = time - 0.5
        asked = batch.conditions
        history = teacher.restored(asked.history)
        zeros = torch.zeros(1, 20, LAYOUT.size)
        whole = ChunkSampler(teacher, guided=True)(
            history, asked.has_history, asked.text, batch.plain_text, asked.score, asked.progress, zeros, zeros, noise,
            guidance,
        )  # fmt: skip
    np.testing.assert_allclose(teacher.normalized(whole)[..., :5].numpy(), x.numpy(), atol=1e-4)
