"""Evaluators: the official one against the published code's own figures, and what both refuse."""

import pickle

import numpy as np
import pytest

from fitmotion_models.evaluation.motion_evaluator import load_motion_evaluator, whole_tokens
from fitmotion_models.evaluation.official_evaluator import WordVectors, tagged

WORDS = ("sos", "eos", "unk", "a", "man", "walk", "slowly", "left")
CAPTIONS = ("a/DET man/NOUN walk/VERB slowly/ADV", "the/DET man/NOUN walk/VERB to/ADP left/NOUN xyz/NOUN")

# What the code published with HumanML3D (EricGuo5513/text-to-motion, networks/modules.py and utils/word_vectorizer.py,
# commit 72df96e) gives for `official_folder`, `motions` and `CAPTIONS`: the first four of 512 numbers.
PUBLISHED_MOTIONS = (
    (-0.27274695, -0.01042596, 0.10677421, 0.11680727),
    (-0.26958007, -0.00740512, 0.10348673, 0.1139175),
    (-0.26909196, -0.00717738, 0.10298949, 0.11370952),
)
PUBLISHED_TEXTS = (
    (-0.12783675, 0.02493927, 0.12074804, 0.13263749),
    (-0.12965281, 0.02311829, 0.11892271, 0.1308088),
)

_GRU = [f"gru.{kind}_l0{way}" for way in ("", "_reverse") for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
_HEAD = [f"output_net.{part}.{kind}" for part in (0, 1, 3) for kind in ("weight", "bias")]


def sequence_shapes(size, hidden, embedding):
    """Names and shapes of a recurrent encoder's weights after its `hidden`, in their order in the checkpoint."""
    shapes = [(hidden, size), (hidden,)]
    shapes += [(3 * hidden, hidden), (3 * hidden, hidden), (3 * hidden,), (3 * hidden,)] * 2
    shapes += [(hidden, 2 * hidden), (hidden,), (hidden,), (hidden,), (embedding, hidden), (embedding,)]
    return list(zip(("input_emb.weight", "input_emb.bias", *_GRU, *_HEAD), shapes, strict=True))


MOVEMENT = [
    ("main.0.weight", (512, 259, 4)),
    ("main.0.bias", (512,)),
    ("main.3.weight", (512, 512, 4)),
    ("main.3.bias", (512,)),
    ("out_net.weight", (512, 512)),
    ("out_net.bias", (512,)),
]
TAG = [("pos_emb.weight", (300, 15)), ("pos_emb.bias", (300,))]
TEXT = [("hidden", (2, 1, 512)), *TAG, *sequence_shapes(300, 512, 512)]
MOTION = [("hidden", (2, 1, 1024)), *sequence_shapes(512, 1024, 512)]


def filled(shapes, seed):
    """Weights without random numbers, so that another program can have the same."""
    import torch

    made = {}
    for number, (name, shape) in enumerate(shapes):
        index = torch.arange(int(np.prod(shape)), dtype=torch.float64)
        scale = 1.0 / np.sqrt(shape[-1]) if len(shape) > 1 else 0.3
        made[name] = (torch.sin(index * (0.37 + 0.01 * number) + seed + number) * scale).reshape(shape).float()
    return made


def write_vocabulary(folder):
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "our_vab_data.npy", np.sin(np.arange(len(WORDS) * 300.0)).reshape(-1, 300).astype(np.float32))
    (folder / "our_vab_words.pkl").write_bytes(pickle.dumps(list(WORDS), 2))
    (folder / "our_vab_idx.pkl").write_bytes(pickle.dumps({word: row for row, word in enumerate(WORDS)}, 2))
    return folder


@pytest.fixture(scope="module")
def official_folder(tmp_path_factory):
    """A folder of the published form whose weights nobody trained."""
    torch = pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("official")
    model, meta = folder / "t2m/text_mot_match/model", folder / "t2m/Comp_v6_KLD01/meta"
    for one in (model, meta):
        one.mkdir(parents=True)
    parts = {"movement_encoder": MOVEMENT, "text_encoder": TEXT, "motion_encoder": MOTION}
    held = {name: filled(shapes, seed) for seed, (name, shapes) in enumerate(parts.items())}
    torch.save({**held, "opt_text_encoder": {}, "epoch": 3, "iter": 7}, model / "finest.tar")
    np.save(meta / "mean.npy", np.cos(np.arange(263.0)).astype(np.float32) * 0.1)
    np.save(meta / "std.npy", (1 + 0.5 * np.sin(np.arange(263.0))).astype(np.float32))
    # a generator's normalisation beside it is not taken for the evaluator's
    other = folder / "t2m/Decomp_SP001_SM001_H512/meta"
    other.mkdir(parents=True)
    np.save(other / "mean.npy", np.zeros(263, np.float32))
    np.save(other / "std.npy", np.ones(263, np.float32))
    write_vocabulary(folder / "glove")
    return folder


def motions():
    found = []
    for seed, frames in enumerate((60, 120, 196)):
        index = np.arange(frames * 263.0).reshape(frames, 263)
        found.append((np.sin(0.01 * index + seed) + 0.3 * np.cos(0.1 * index * index / 1000 + seed)).astype(np.float32))
    return found


@pytest.mark.slow
def test_official_evaluator_gives_what_the_published_code_gives(official_folder):
    evaluator = load_motion_evaluator(official_folder)
    assert evaluator.comparable
    embeddings = evaluator.motions(motions())
    assert embeddings.shape == (3, 512)
    assert embeddings[:, :4] == pytest.approx(np.array(PUBLISHED_MOTIONS), abs=3e-5)
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx([5.0337143, 5.039329, 5.0392447], rel=1e-5)
    assert evaluator.texts(CAPTIONS)[:, :4] == pytest.approx(np.array(PUBLISHED_TEXTS), abs=3e-5)
    # a motion's embedding is its own in any company; frames behind 196 and behind the last whole token are not seen
    longer = np.concatenate([motions()[2], motions()[0]])
    alone = evaluator.motions([longer])
    assert alone == pytest.approx(embeddings[2:], abs=1e-5)
    assert evaluator.motions([motions()[0][:59]]) == pytest.approx(evaluator.motions([motions()[0][:56]]), abs=1e-6)


@pytest.mark.slow
def test_official_checkpoint_of_other_sizes_is_refused(official_folder, tmp_path):
    import shutil

    torch = pytest.importorskip("torch")
    folder = tmp_path / "kit"
    shutil.copytree(official_folder, folder)
    path = folder / "t2m/text_mot_match/model/finest.tar"
    held = torch.load(path, weights_only=True)
    held["movement_encoder"]["main.0.weight"] = torch.zeros(512, 247, 4)  # KIT-ML's 251 features
    torch.save(held, path)
    with pytest.raises(ValueError, match="movement_encoder is not the published evaluator's for 263 features"):
        load_motion_evaluator(folder)
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match="no checkpoint that torch can read"):
        load_motion_evaluator(folder)


def test_words_have_the_published_tags(tmp_path):
    vocabulary = WordVectors(write_vocabulary(tmp_path))
    vectors, tags = vocabulary.inputs(tagged(CAPTIONS[1]))
    # start, the (unknown), man, walk (an act), to (unknown), left (a place), xyz (unknown), end
    assert tags.argmax(axis=1).tolist() == [14, 14, 1, 12, 14, 9, 14, 14]
    rows = [0, 2, 4, 5, 2, 7, 2, 1]
    expected = np.sin(np.arange(len(WORDS) * 300.0)).reshape(-1, 300)[rows]
    assert vectors == pytest.approx(expected, abs=1e-6)
    assert len(vocabulary.inputs([("walk", "VERB")] * 50)[0]) == 22


def test_a_vocabulary_with_code_in_it_is_refused(tmp_path):
    folder = write_vocabulary(tmp_path)
    (folder / "our_vab_words.pkl").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(ValueError, match=r"our_vab_words.pkl is not the evaluator's vocabulary: it asks for os.system"):
        WordVectors(folder)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match="motion evaluator 'other' unknown; known: first, swapped"):
        load_motion_evaluator("other")
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"holds no text_mot_match/model/finest.tar"):
        load_motion_evaluator(tmp_path)


def test_motions_are_cut_to_whole_tokens():
    assert len(whole_tokens(np.zeros((203, 263)))) == 196
    assert len(whole_tokens(np.zeros((43, 263)))) == 40
    with pytest.raises(ValueError, match=r"shape \(3, 263\); expected \(frames, 263\), with at least 4"):
        whole_tokens(np.zeros((3, 263)))
    with pytest.raises(ValueError, match=r"shape \(40, 204\)"):
        whole_tokens(np.zeros((40, 204)))


@pytest.mark.parametrize("fold", ["first", "swapped"])
def test_shipped_evaluators_have_seen_judges_only(fold):
    import re
    from importlib.resources import files

    import yaml

    from fitmotion_models import weights
    from fitmotion_models.datasets.splits import role_of

    card = yaml.safe_load((files(weights) / f"motion_evaluator_{fold}.yaml").read_text(encoding="utf-8"))
    persons = re.findall(r"\b\w+:\w+\b", card["data"].replace("data:", ""))
    assert len(persons) >= 6
    assert {role_of(person, fold) for person in persons} == {"judge"}
    assert card["comparable"].startswith("No")
    assert (files(weights) / f"motion_evaluator_{fold}.onnx").stat().st_size < 4 * 2**20


@pytest.mark.slow
@pytest.mark.parametrize("fold", ["first", "swapped"])
def test_made_motion_is_nearest_to_the_words_for_it(fold):
    from fitmotion_models.datasets.canonical import to_canonical
    from fitmotion_models.evaluation.motion_metrics import pairwise_distances
    from fitmotion_models.motion.humanml3d import to_humanml3d
    from fitmotion_models.mover.hurdle_step import HurdleStepParameters, hurdle_step_clip
    from fitmotion_models.mover.squat import squat_clip
    from fitmotion_models.mover.squat_parameters import SquatParameters

    # neither the parametric body nor these words were trained on
    words = (
        "a person crouches down low with both feet flat and then stands back up",
        "someone clears a hurdle with the left leg and then returns to standing",
        "a person lies down on the ground",
        "a person lifts the right arm out to the side",
    )
    made = [squat_clip(SquatParameters()), hurdle_step_clip(HurdleStepParameters())]
    evaluator = load_motion_evaluator(fold)
    motions = evaluator.motions([to_humanml3d(to_canonical(clip)) for clip in made])
    assert pairwise_distances(motions, evaluator.texts(words)).argmin(axis=1).tolist() == [0, 1]
