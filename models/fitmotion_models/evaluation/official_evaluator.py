"""The official evaluator of HumanML3D (Guo et al. 2022) from its own files, which the user provides; runs in torch.

Needed somewhere in the folder: `text_mot_match/model/finest.tar`, the GloVe files `our_vab_data.npy`,
`our_vab_words.pkl`, `our_vab_idx.pkl`, and the normalisation that it was trained with, `mean.npy` and `std.npy` (in the
published checkpoints `Comp_v6_KLD01/meta/`).
"""

import pickle
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.evaluation.motion_evaluator import whole_tokens
from fitmotion_models.skeleton.rotations import Float64

LONGEST_TEXT = 20
"""Words of a text that are read."""
_BATCH = 32

TAGS = ("VERB", "NOUN", "DET", "ADP", "NUM", "AUX", "PRON", "ADJ", "ADV")
SPECIAL_TAGS = {
    "Loc_VIP": "left right clockwise counterclockwise anticlockwise forward back backward up down straight curve",
    "Body_VIP": "arm chin foot feet face hand mouth leg waist eye knee shoulder thigh",
    "Obj_VIP": "stair dumbbell chair window floor car ball handrail baseball basketball",
    "Act_VIP": "walk run swing pick bring kick put squat throw hop dance jump turn stumble stop sit lift lower raise "
    "wash stand kneel stroll rub bend balance flap jog shuffle lean rotate spin spread climb",
    "Desc_VIP": "slowly carefully fast careful slow quickly happy angry sad happily angrily sadly",
}
"""Words that have a tag of their own, whatever their part of speech: a table of the published evaluator."""
ALL_TAGS = (*TAGS, *SPECIAL_TAGS, "OTHER")
_SPECIAL = {word: tag for tag, words in SPECIAL_TAGS.items() for word in words.split()}

TaggedWords = Sequence[tuple[str, str]]


class OfficialEvaluator:
    """The official evaluator. name, comparable: see `MotionEvaluator`."""

    def __init__(self, folder: str | Path) -> None:
        """Raises ValueError for files that are missing, are something else or of other sizes."""
        try:
            import torch
        except ImportError as error:
            raise ValueError("the official evaluator needs torch; install it with `pip install torch`") from error
        from fitmotion_models.evaluation.evaluator_network import official_networks

        where = Path(folder)
        self.name, self.comparable = "official (Guo et al. 2022)", True
        checkpoint = _find(where, "finest.tar", "text_mot_match/model")
        try:
            held = torch.load(checkpoint, map_location="cpu", weights_only=True)
        except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
            raise ValueError(f"{checkpoint} is no checkpoint that torch can read: {error}") from error
        mean, deviation = (torch.from_numpy(_normalisation(where, name)) for name in ("mean", "std"))
        self._motion, self._text = official_networks(held, mean, deviation)
        self._words = WordVectors(where)

    def motions(self, features: Sequence[NDArray[np.floating]]) -> Float64:
        """(N, 512) of motions' features (T, 263), T at least 4."""
        import torch

        cut = [whole_tokens(one) for one in features]
        found = [np.zeros((0, 512))]
        for start in range(0, len(cut), _BATCH):
            part = cut[start : start + _BATCH]
            lengths = np.array([len(one) for one in part])
            batch = np.zeros((len(part), lengths.max(), part[0].shape[1]), np.float32)
            for row, one in zip(batch, part, strict=True):
                row[: len(one)] = one
            with torch.no_grad():
                found.append(self._motion(torch.from_numpy(batch), torch.from_numpy(lengths)).numpy())
        return np.concatenate(found).astype(np.float64)

    def texts(self, texts: Sequence[str]) -> Float64:
        """(N, 512) of sentences; "a/DET man/NOUN walk/VERB" is read as tagged, others are tagged by spaCy."""
        return self.tagged_texts([tagged(text) for text in texts])

    def tagged_texts(self, texts: Sequence[TaggedWords]) -> Float64:
        """(N, 512) of texts as words with their parts of speech, as HumanML3D's files have them."""
        import torch

        found = [np.zeros((0, 512))]
        for words in texts:
            vectors, tags = self._words.inputs(words)
            with torch.no_grad():
                found.append(self._text(torch.from_numpy(vectors)[None], torch.from_numpy(tags)[None]).numpy())
        return np.concatenate(found).astype(np.float64)


class WordVectors:
    """The evaluator's vocabulary with its GloVe vectors."""

    def __init__(self, folder: Path) -> None:
        """Raises ValueError where the files are missing, do not belong together or hold more than plain data."""
        vectors = np.load(_find(folder, "our_vab_data.npy"), allow_pickle=False)
        words, rows = (_unpickled(_find(folder, f"our_vab_{name}.pkl")) for name in ("words", "idx"))
        self._vectors = {word: vectors[rows[word]].astype(np.float32) for word in words}
        if missing := {"unk", "sos", "eos"} - self._vectors.keys():
            raise ValueError(
                f"the vocabulary in {folder} lacks {', '.join(sorted(missing))}; it is not the evaluator's"
            )

    def inputs(self, words: TaggedWords) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Vectors (L, 300) and one-hot tags (L, 15) of a text, at most 20 words, with its start and end."""
        whole = [("sos", "OTHER"), *list(words)[:LONGEST_TEXT], ("eos", "OTHER")]
        vectors = np.stack([self._vectors.get(word, self._vectors["unk"]) for word, _ in whole])
        tags = np.zeros((len(whole), len(ALL_TAGS)), np.float32)
        for row, (word, tag) in zip(tags, whole, strict=True):
            known = _SPECIAL.get(word, tag if tag in TAGS else "OTHER") if word in self._vectors else "OTHER"
            row[ALL_TAGS.index(known)] = 1.0
        return vectors, tags


def tagged(text: str) -> list[tuple[str, str]]:
    """The words of a text with their parts of speech, nouns and verbs in their base form, as the set was prepared.

    Raises ValueError where the text is not tagged yet and spaCy with its small English model is not installed.
    """
    if all(word.rpartition("/")[1] for word in text.split()):
        return [(word.rpartition("/")[0], word.rpartition("/")[2]) for word in text.split()]
    if find_spec("spacy") is None or find_spec("en_core_web_sm") is None:
        raise ValueError(
            'the official evaluator reads tagged words; give them as "a/DET man/NOUN walk/VERB", or install spaCy and '
            "its model en_core_web_sm"
        )
    read = import_module("spacy").load("en_core_web_sm")
    words = []
    for token in read(text.replace("-", "")):
        if token.text.isalpha():
            base = token.pos_ in ("NOUN", "VERB") and token.text != "left"
            words.append((token.lemma_ if base else token.text, token.pos_))
    return words


def _find(folder: Path, name: str, parent: str = "") -> Path:
    found = sorted(path for path in folder.rglob(name) if path.parent.as_posix().endswith(parent))
    if not found:
        raise ValueError(
            f"{folder} holds no {parent + '/' if parent else ''}{name}; put the official evaluator's there"
        )
    return found[0]


def _normalisation(folder: Path, name: str) -> NDArray[np.float32]:
    metas = sorted(folder.rglob(f"meta/{name}.npy")) or sorted(folder.rglob(f"{name}.npy"))
    # generators have normalisations of their own beside the evaluator's
    metas = [path for path in metas if "Comp_v6_KLD01" in path.parts] or metas
    if len(metas) != 1:
        raise ValueError(
            f"{folder} holds {len(metas)} files {name}.npy; leave only the evaluator's, Comp_v6_KLD01/meta/{name}.npy"
        )
    values = np.load(metas[0], allow_pickle=False).astype(np.float32)
    if values.shape != (263,):
        raise ValueError(f"{metas[0]} has shape {values.shape}; expected (263,), HumanML3D's")
    return values


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dictionaries, strings and numbers; a file that wants any code is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _unpickled(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file).load()
    except (pickle.UnpicklingError, EOFError) as error:
        raise ValueError(f"{path} is not the evaluator's vocabulary: {error}") from error
