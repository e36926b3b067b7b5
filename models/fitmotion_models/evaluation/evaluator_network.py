"""The networks that put motions and texts into one space, in torch: imported only to train or to run the official one.

Architecture of Guo et al. 2022: motion -> two convolutions of stride 2 -> bidirectional GRU -> embedding; words ->
bidirectional GRU -> embedding. The same classes hold the official sizes and this project's small ones.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.rnn import pack_padded_sequence

FRAMES_A_TOKEN = 4
CONTACTS = 4
"""The last features of a frame, which evaluators do not see: they say nothing that the joints do not."""
_SLOPE = 0.2  # of the leaky ReLUs
_DROPOUT = 0.2
LIKENESS_TEMPERATURE = 0.005
"""Of the attention over known sentences: the nearest few count. Half or twice as much makes little difference."""


@dataclass(frozen=True)
class MotionSizes:
    """Numbers in a frame, in the convolutions, in a token, in the GRU, in the embedding. The default is this project's.

    The embedding has 64, so that FID is in 64 dimensions without a projection.
    """

    features: int = 263
    convolution: int = 128
    token: int = 128
    hidden: int = 128
    embedding: int = 64


OFFICIAL_MOTION = MotionSizes(263, 512, 512, 1024, 512)
OFFICIAL_WORD, OFFICIAL_TAGS, OFFICIAL_TEXT_HIDDEN = 300, 15, 512


class MotionTokens(nn.Module):
    """Normalised frames (B, T, F) without contacts -> a token for every four frames (B, T // 4, K)."""

    def __init__(self, features: int, convolution: int, token: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(features, convolution, kernel_size=4, stride=2, padding=1)
        self.second = nn.Conv1d(convolution, token, kernel_size=4, stride=2, padding=1)
        self.last = nn.Linear(token, token)
        self.activation = nn.Sequential(nn.Dropout(_DROPOUT), nn.LeakyReLU(_SLOPE))

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        hidden = self.activation(self.first(frames.transpose(1, 2)))
        tokens: Tensor = self.last(self.activation(self.second(hidden)).transpose(1, 2))
        return tokens


class SequenceEmbedding(nn.Module):
    """A sequence (B, L, I) -> the embedding (B, D) of what a GRU has seen after its end, from both sides."""

    def __init__(self, size: int, hidden: int, embedding: int) -> None:
        super().__init__()
        self.enter = nn.Linear(size, hidden)
        self.recurrent = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.start = nn.Parameter(torch.randn(2, 1, hidden))
        self.head = nn.Sequential(
            nn.Linear(2 * hidden, hidden), nn.LayerNorm(hidden), nn.LeakyReLU(_SLOPE), nn.Linear(hidden, embedding)
        )

    def forward(self, sequence: Tensor, lengths: Tensor | None = None) -> Tensor:
        """lengths: (B,) of the sequences where they differ; what lies behind them has no influence."""
        entered = self.enter(sequence)
        start = self.start.expand(-1, sequence.shape[0], -1).contiguous()
        if lengths is not None:
            entered = pack_padded_sequence(entered, lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, last = self.recurrent(entered, start)
        embedding: Tensor = self.head(torch.cat([last[0], last[1]], dim=-1))
        return embedding


class WordsEmbedding(nn.Module):
    """Words' vectors (B, L, 300) and their parts of speech, one-hot (B, L, 15) -> embedding (B, D)."""

    def __init__(self, word: int, tags: int, hidden: int, embedding: int) -> None:
        super().__init__()
        self.tags = nn.Linear(tags, word)
        self.sequence = SequenceEmbedding(word, hidden, embedding)

    def forward(self, words: Tensor, tags: Tensor, lengths: Tensor | None = None) -> Tensor:
        """See the class; lengths as in SequenceEmbedding."""
        embedding: Tensor = self.sequence(words + self.tags(tags), lengths)
        return embedding


class MotionEmbedding(nn.Module):
    """Features (B, T, 263) as they are -> embedding (B, D). T is a multiple of 4, frames behind lengths are zero."""

    def __init__(self, sizes: MotionSizes, mean: Tensor, deviation: Tensor) -> None:
        """mean, deviation: (263,) what features are normalised by."""
        super().__init__()
        self.register_buffer("mean", mean.clone())
        self.register_buffer("deviation", deviation.clone())
        self.tokens = MotionTokens(sizes.features - CONTACTS, sizes.convolution, sizes.token)
        self.sequence = SequenceEmbedding(sizes.token, sizes.hidden, sizes.embedding)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """lengths: (B,) frames, multiples of 4, where they differ.

        As in the published code the end of a motion is followed by zeros after normalisation, which the last token's
        convolutions see.
        """
        frames = ((features - self.mean) / self.deviation)[..., :-CONTACTS]
        if lengths is not None:
            there = torch.arange(frames.shape[1], device=frames.device)[None, :] < lengths[:, None].to(frames.device)
            frames = frames * there[..., None]
        tokens = self.tokens(pad(frames, (0, 0, 0, FRAMES_A_TOKEN)))[:, :-1]
        embedding: Tensor = self.sequence(tokens, None if lengths is None else lengths // FRAMES_A_TOKEN)
        return embedding


class KnownSentences(nn.Module):
    """A sentence (B, E), unit length -> where the known sentences (S, E) that are most like it lie, (B, D).

    Attention by the cosine. Two layers that have learned some hundred sentences know these by heart, and place words
    that are new to them worse than the nearest known sentence does.
    """

    def __init__(self, known: Tensor, places: Tensor) -> None:
        """places: (S, D) of the known sentences."""
        super().__init__()
        self.register_buffer("known", known.clone())
        self.register_buffer("places", places.clone())

    def forward(self, sentences: Tensor) -> Tensor:
        """See the class."""
        places: Tensor = (sentences @ self.known.T / LIKENESS_TEMPERATURE).softmax(dim=-1) @ self.places
        return places


class EvaluatorNetwork(nn.Module):
    """This project's small evaluator: motion as published, a text by its frozen sentence embedding (B, E).

    A GRU over words learns what words mean from the texts themselves; the field has 45,000, there are some hundred
    here. A frozen sentence encoder knows English already.
    """

    def __init__(self, sizes: MotionSizes, text_size: int, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.sizes, self.text_size = sizes, text_size
        self.motion = MotionEmbedding(sizes, mean, deviation)
        self.text: nn.Module = nn.Sequential(
            nn.Linear(text_size, sizes.hidden),
            nn.LayerNorm(sizes.hidden),
            nn.LeakyReLU(_SLOPE),
            nn.Dropout(_DROPOUT),
            nn.Linear(sizes.hidden, sizes.embedding),
        )

    def keep_sentences(self, known: Tensor) -> None:
        """After training: texts are placed from now on by the sentences (S, E) that were trained on."""
        self.eval()
        with torch.no_grad():
            self.text = KnownSentences(known, self.text(known)).eval()

    def forward(self, motion: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings of one motion's features (1, T, 263) and of texts (N, E): what the exported graph holds."""
        return self.motion(motion), self.text(text)

    def description(self) -> dict[str, Any]:
        """Sizes, for the card."""
        known = {"known_sentences": len(self.text.known)} if isinstance(self.text, KnownSentences) else {}
        return {**asdict(self.sizes), "text": self.text_size, **known}


# Names in the state dicts of `text_mot_match/model/finest.tar` -> names here.
_MOVEMENT_NAMES = {"main.0": "first", "main.3": "second", "out_net": "last"}
_SEQUENCE_NAMES = {
    "input_emb": "enter",
    "gru": "recurrent",
    "hidden": "start",
    "output_net.0": "head.0",
    "output_net.1": "head.1",
    "output_net.3": "head.3",
}
_TEXT_NAMES = {"pos_emb": "tags", **{name: f"sequence.{ours}" for name, ours in _SEQUENCE_NAMES.items()}}


def official_networks(
    checkpoint: Mapping[str, Mapping[str, Tensor]], mean: Tensor, deviation: Tensor
) -> tuple[MotionEmbedding, WordsEmbedding]:
    """The official evaluator's networks with a checkpoint's weights, ready to run.

    checkpoint: `movement_encoder`, `motion_encoder` and `text_encoder`, state dicts as published. Raises ValueError,
    naming the part, where names or sizes are others.
    """
    motion = MotionEmbedding(OFFICIAL_MOTION, mean, deviation)
    text = WordsEmbedding(OFFICIAL_WORD, OFFICIAL_TAGS, OFFICIAL_TEXT_HIDDEN, OFFICIAL_MOTION.embedding)
    parts: tuple[tuple[str, nn.Module, Mapping[str, str]], ...] = (
        ("movement_encoder", motion.tokens, _MOVEMENT_NAMES),
        ("motion_encoder", motion.sequence, _SEQUENCE_NAMES),
        ("text_encoder", text, _TEXT_NAMES),
    )
    for name, module, names in parts:
        try:
            module.load_state_dict({_renamed(key, names): value for key, value in checkpoint[name].items()})
        except (KeyError, RuntimeError, AttributeError) as error:
            raise ValueError(
                f"the checkpoint's {name} is not the published evaluator's for 263 features: {error}"
            ) from error
    return motion.eval(), text.eval()


def _renamed(key: str, names: Mapping[str, str]) -> str:
    for name, ours in names.items():
        if key == name or key.startswith(f"{name}."):
            return ours + key[len(name) :]
    return key
