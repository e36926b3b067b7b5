"""Evaluators: what puts motions and texts into one space, for R-precision, FID and the like; see `motion_samples`.

This project's own are small, trained on the field's protocol (`fitmotion train evaluator`) on persons whom the
generator of the same fold never saw, and run without torch; their figures are not comparable with published ones. The
official one's figures are; its files are not free to ship, and are loaded from the user's folder.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitmotion_models import weights
from fitmotion_models.evaluation.motion_samples import MotionEvaluator
from fitmotion_models.motion.humanml3d import HUMANML3D_FEATURES
from fitmotion_models.motion.text import TextEncoder, check_encoder, load_text_encoder
from fitmotion_models.runtime.session import Model, load_model
from fitmotion_models.skeleton.rotations import Float64

FOLDS = ("first", "swapped")
LONGEST_FRAMES = 196
"""The field's evaluators see at most so many frames, the first 9.8 s."""
FRAMES_A_TOKEN = 4


def weights_name(fold: str) -> str:
    """Name of a fold's evaluator and of its card, without their endings."""
    return f"motion_evaluator_{fold}"


def load_motion_evaluator(which: str | Path = "first") -> MotionEvaluator:
    """An evaluator: "first" or "swapped" of those that ship, a network's file, or a folder with the official one.

    Of a generator of fold "first" the evaluator "first" has seen nobody. Raises ValueError for anything else and for
    files that are no evaluator.
    """
    if which in FOLDS:
        path = Path(str(files(weights) / f"{weights_name(str(which))}.onnx"))
        if not path.is_file():
            raise ValueError(
                f"motion evaluator '{which}' is not among the weights; make it with "
                f"`fitmotion train evaluator --set DIR --fold {which}`"
            )
        return SmallEvaluator(path)
    path = Path(which)
    if path.suffix == ".onnx" and path.is_file():
        return SmallEvaluator(path)
    if path.is_dir():
        from fitmotion_models.evaluation.official_evaluator import OfficialEvaluator

        return OfficialEvaluator(path)
    raise ValueError(
        f"motion evaluator '{which}' unknown; known: {', '.join(FOLDS)}, an .onnx file, or a folder that holds the "
        "official text_mot_match/model/finest.tar"
    )


class SmallEvaluator:
    """This project's own evaluator, by ONNX Runtime. name, comparable: see `MotionEvaluator`; size: of an embedding."""

    def __init__(self, path: str | Path, encoder: TextEncoder | None = None) -> None:
        """encoder: what sentences are read by; by default the one that it was trained with, loaded when first needed.

        Raises ValueError for a file that is no evaluator of this form, or that was trained with another encoder.
        """
        self._model: Model = load_model(path, providers="cpu")
        named = {tensor.name: tensor for tensor in (*self._model.inputs, *self._model.outputs)}
        if set(named) != {"motion", "text", "motion_embedding", "text_embedding"}:
            raise ValueError(f"{path} is no motion evaluator: it has {', '.join(sorted(named))}")
        self.name = f"FitMotion's own ({self._model.path.stem})"
        self.comparable = False
        self.size = int(named["text_embedding"].shape[-1] or 0)
        self.text_size = int(named["text"].shape[-1] or 0)
        self._encoder_name = self._model.metadata.get("encoder", "minilm")
        self._encoder = encoder
        if encoder is not None:
            check_encoder(encoder, self._encoder_name, self.text_size, self._model.path.name)

    def motions(self, features: Sequence[NDArray[np.floating]]) -> Float64:
        """(N, size) of motions' features (T, 263), T at least 4."""
        nothing = np.zeros((1, self.text_size), np.float32)
        found = [
            self._model.run({"motion": whole_tokens(one)[None], "text": nothing})["motion_embedding"][0]
            for one in features
        ]
        return np.array(found, dtype=np.float64).reshape(len(features), self.size)

    def texts(self, texts: Sequence[str]) -> Float64:
        """(N, size) of sentences."""
        if self._encoder is None:
            self._encoder = load_text_encoder(self._encoder_name)
        if not texts:
            return np.zeros((0, self.size))
        return self.embeddings(self._encoder.encode(texts))

    def embeddings(self, sentences: NDArray[np.float32]) -> Float64:
        """(N, size) of the encoder's embeddings (N, E) of sentences."""
        nothing = np.zeros((1, FRAMES_A_TOKEN, HUMANML3D_FEATURES), np.float32)
        return np.asarray(self._model.run({"motion": nothing, "text": sentences})["text_embedding"], np.float64)


def whole_tokens(features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Features (T, 263) as evaluators take them: at most 196 frames, a multiple of 4. Raises ValueError below 4."""
    values = np.asarray(features, dtype=np.float32)
    if values.ndim != 2 or values.shape[1] != HUMANML3D_FEATURES or len(values) < FRAMES_A_TOKEN:
        raise ValueError(
            f"a motion's features have shape {values.shape}; expected (frames, {HUMANML3D_FEATURES}), with at least "
            f"{FRAMES_A_TOKEN} frames"
        )
    return values[: min(len(values), LONGEST_FRAMES) // FRAMES_A_TOKEN * FRAMES_A_TOKEN]
