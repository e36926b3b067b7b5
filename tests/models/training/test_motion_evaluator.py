"""Training of evaluators: the loss by its definition, whose motion is learned from, and the graph that is written."""

import numpy as np
import pytest

from fitmotion_models.datasets.motion_set import MotionRow, write_manifest
from fitmotion_models.evaluation.motion_evaluator import SmallEvaluator
from fitmotion_models.motion.features import LAYOUT, clip_of
from fitmotion_models.motion.humanml3d import to_humanml3d
from fitmotion_models.skeleton.clip_file import save_clip
from fitmotion_models.skeleton.joint_sets import SMPL22

MOTIONS = {
    "raise_left_arm": ("a person lifts the left arm", "the left hand goes up"),
    "raise_right_arm": ("a person lifts the right arm", "the right hand goes up"),
    "walk": ("a person walks ahead", "somebody strolls forward"),
    "squat": ("a person squats", "bending the knees and getting up again"),
}


def motion(action, seed, frames=48):
    rng = np.random.default_rng(seed)
    features = np.zeros((frames, LAYOUT.size))
    rise = np.sin(np.linspace(0.0, np.pi, frames)) * rng.uniform(0.8, 1.2)
    features[:, 2] = 0.935 - (0.3 * rise if action == "squat" else 0.0)
    features[:, LAYOUT["heading"]] = (1.0, 0.0)
    rotations = np.tile((1.0, 0, 0, 0, 1.0, 0), (frames, 22, 1))
    if "arm" in action:
        joint = SMPL22.index("left_shoulder" if "left" in action else "right_shoulder")
        angle = 1.4 * rise * (1.0 if "left" in action else -1.0)
        rotations[:, joint, 1:3] = np.stack([0 * angle, 0 * angle], -1)
        rotations[:, joint, 4:6] = np.stack([np.cos(angle), np.sin(angle)], -1)
    features[:, LAYOUT["rotations"]] = rotations.reshape(frames, -1)
    if action == "walk":
        features[:, 0] = np.linspace(0.0, 2.4 * rng.uniform(0.8, 1.2), frames)
    return clip_of(features)


@pytest.fixture(scope="module")
def motion_set(tmp_path_factory):
    """Four kinds of motion of two persons who judge in the first fold (s06, s07) and two who judge in the other."""
    folder = tmp_path_factory.mktemp("set")
    rows = []
    for number, person in enumerate(("s06", "s07", "s01", "s02")):
        for kind, (action, texts) in enumerate(MOTIONS.items()):
            for take in range(3):
                name = f"{action}_{person}_{take}"
                path = folder / "clips" / f"{name}.npz"
                path.parent.mkdir(exist_ok=True)
                save_clip(path, motion(action, 100 * number + 10 * kind + take))
                rows.append(
                    MotionRow(
                        id=name,
                        file=f"clips/{name}.npz",
                        frames=48,
                        seconds=2.4,
                        source="uiprmd",
                        person=f"uiprmd:{person}",
                        licence="PDDL",
                        non_commercial=person == "s02",
                        action=action,
                        style=None,
                        side=None,
                        score=None,
                        correct=None,
                        severity=None,
                        texts=texts[:1],
                        held_out_texts=texts[1:],
                        mirrored=False,
                        speed=1.0,
                        made_from=None,
                        hash=name,
                    )
                )
    write_manifest(folder, rows)
    return folder


@pytest.mark.slow
def test_the_loss_is_the_contrastive_one():
    torch = pytest.importorskip("torch")
    from fitmotion_models.training.motion_evaluator import contrastive_loss

    rng = np.random.default_rng(0)
    motions, texts = 6 * rng.normal(size=(2, 4, 3))
    meanings = [0, 1, 0, 2]
    # Hadsell et al. 2006, pair by pair; two motions of one meaning are no negatives of each other
    together = np.mean([np.sum((motions[i] - texts[i]) ** 2) for i in range(4)])
    gaps = [
        max(0.0, 10.0 - np.linalg.norm(motions[i] - texts[j])) ** 2
        for i in range(4)
        for j in range(4)
        if meanings[i] != meanings[j]
    ]
    found = contrastive_loss(*(torch.tensor(one) for one in (motions, texts, meanings)), 10.0)
    assert float(found) == pytest.approx(together + np.mean(gaps), rel=1e-6)


@pytest.mark.slow
def test_an_evaluator_learns_from_judges_and_ships_as_a_graph(motion_set, tmp_path):
    torch = pytest.importorskip("torch")
    import yaml

    from fitmotion_models.evaluation.evaluator_network import MotionSizes
    from fitmotion_models.motion.text import load_text_encoder
    from fitmotion_models.training.evaluator_export import EvaluatorJob, make_evaluator
    from fitmotion_models.training.motion_evaluator import (
        DescribedMotions,
        EvaluatorRecipe,
        judge_rows,
        train_evaluator,
    )

    recipe = EvaluatorRecipe(fold="swapped", steps=60, batch=8, sizes=MotionSizes(263, 24, 24, 24, 8))
    persons = {row.person for row in judge_rows(motion_set, recipe)}
    assert persons == {"uiprmd:s01"}  # s02's licence forbids commercial use
    written = make_evaluator(EvaluatorJob(motion_set, recipe, tmp_path))
    card = yaml.safe_load(written[1].read_text(encoding="utf-8"))
    assert "s06" not in card["data"] and "s02" not in card["data"] and card["recipe"]["steps"] == 60
    # persons and words that it never saw: four kinds of motion that a child can tell apart
    unseen = card["measured"]["unseen_persons"]
    assert unseen["persons"] == 2 and unseen["distinct_actions"]["batch"] == 4
    assert unseen["distinct_actions"]["top_1"]["value"] > 0.7 > 2 * unseen["distinct_actions"]["top_1"]["chance"]

    # the graph gives what torch gives, whatever a motion's length
    encoder = load_text_encoder()
    network = train_evaluator(DescribedMotions(judge_rows(motion_set, recipe), encoder), recipe)
    evaluator = SmallEvaluator(written[0], encoder)
    motions = [to_humanml3d(motion("squat", 7, frames)) for frames in (13, 45, 90)]
    lengths = torch.tensor([len(one) // 4 * 4 for one in motions])
    batch = torch.zeros(3, 196, 263)
    for row, one, length in zip(batch, motions, lengths.tolist(), strict=True):
        row[:length] = torch.from_numpy(one[:length])
    with torch.no_grad():
        expected = network.motion(batch, lengths).numpy()
        words = network.text(torch.from_numpy(encoder.encode(["a person squats", "squatting down low"]))).numpy()
    assert evaluator.motions(motions) == pytest.approx(expected, abs=1e-4)
    assert evaluator.texts(["a person squats", "squatting down low"]) == pytest.approx(words, abs=1e-4)
    # words that it does not know are where the known ones lie that they are most like
    assert np.linalg.norm(words[1] - words[0]) < 0.2 * np.linalg.norm(words[0] - evaluator.texts([MOTIONS["walk"][0]]))
    assert not evaluator.comparable


@pytest.mark.slow
def test_a_set_without_judges_is_refused(motion_set):
    pytest.importorskip("torch")
    from dataclasses import replace

    from fitmotion_models.datasets.motion_set import read_motion_set
    from fitmotion_models.training.motion_evaluator import EvaluatorRecipe, judge_rows

    with pytest.raises(ValueError, match="fold 'third' unknown; known: first, swapped"):
        judge_rows(motion_set, EvaluatorRecipe(fold="third"))
    generators = [replace(row, person="uiprmd:s03") for row in read_motion_set(motion_set)]
    write_manifest(motion_set, generators)
    with pytest.raises(ValueError, match="holds no clip of the persons that judge in fold 'first'"):
        judge_rows(motion_set, EvaluatorRecipe())
