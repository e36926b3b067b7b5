"""Words as numbers: sentence embeddings by a frozen encoder, and the score of the screen put into the words."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple, Protocol

import numpy as np

from fitmotion_models.motion.condition import SCORES, Conditioning
from fitmotion_models.skeleton.body_pose import Float32

DEFAULT_ENCODER = "minilm"

TEXT_ENCODERS = {
    "minilm": "fitmotion_models.motion.minilm:load_minilm",
    "clip": "fitmotion_models.motion.transformers_encoder:load_clip",
    "sentence-t5": "fitmotion_models.motion.transformers_encoder:load_sentence_t5",
    "sentence": "fitmotion_models.motion.transformers_encoder:load_sentence_model",
}
"""Kind -> the function that loads it, given what stands after the colon in its name (minilm: nothing does)."""

CACHED_PROMPTS = 1024

LEVEL_WORDS = {1: ("an", "injured"), 2: ("a", "moderately fit"), 3: ("a", "very athletic")}
"""Score -> article and words in front of the person, as in the paper on FMS-conditioned motion that this follows."""

# A prompt's subject: "a person", "the old man", "standing, a person"; at most three words lie between article and noun.
_SUBJECT = re.compile(
    r"(?P<before>(?:[^,]{1,40},\s+)?)(?P<article>an?|the|this|one)\s+(?P<between>(?:[\w-]+\s+){0,3}?)"
    r"(?P<noun>person|human|man|woman|boy|girl|figure|character|individual|subject|athlete|patient|someone|somebody)\b",
    re.IGNORECASE,
)
_BARE_SUBJECT = re.compile(r"(?P<noun>person|human|man|woman|someone|somebody|he|she|they)\b", re.IGNORECASE)
_PRONOUNS = ("someone", "somebody", "he", "she", "they")
# "walks", "standing": what can follow a person; not these, which end likewise
_PREDICATE = re.compile(r"(?!(?:his|its|this|as|always|cross|press|thing)\b)[a-z]+(?:[^s\W]s|ing)\b", re.IGNORECASE)


class TextEncoder(Protocol):
    """Sentence embeddings of one frozen model."""

    @property
    def name(self) -> str:
        """Which one, as on the cards of networks trained with it; see `short_name`."""
        ...

    @property
    def size(self) -> int:
        """Numbers in an embedding."""
        ...

    def encode(self, texts: Sequence[str]) -> Float32:
        """Embeddings (N, size) of N texts."""
        ...


class CachedEncoder:
    """An encoder that keeps the embeddings of the texts it read last. May be used by several threads."""

    def __init__(self, name: str, size: int, read: Callable[[Sequence[str]], Float32]) -> None:
        """read: embeddings (N, size) of N texts, N at least 1."""
        self.name, self.size = name, size
        self._read = read
        self._kept: OrderedDict[str, Float32] = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Float32:
        """Embeddings (N, size) of N texts."""
        with self._lock:
            found = {text: self._kept[text] for text in texts if text in self._kept}
            new = list(dict.fromkeys(text for text in texts if text not in found))
            if new:
                found |= dict(zip(new, self._read(new), strict=True))
            for text, embedding in found.items():
                self._kept[text] = embedding
                self._kept.move_to_end(text)
            while len(self._kept) > CACHED_PROMPTS:
                self._kept.popitem(last=False)
        return np.stack([found[text] for text in texts]) if texts else np.zeros((0, self.size), np.float32)


class TextInputs(NamedTuple):
    """What a chunk is told of prompt and score. text, plain_text: (size,). score: (5,) one of none, 0, 1, 2, 3."""

    text: Float32
    plain_text: Float32
    score: Float32


def load_text_encoder(name: str = DEFAULT_ENCODER) -> TextEncoder:
    """Load a frozen text encoder; nothing else of it is loaded before.

    name: "minilm" (all-MiniLM-L6-v2, installed, needs no torch), "clip:NAME" (a CLIP text model, such as
    "clip:openai/clip-vit-base-patch32"), "sentence-t5:NAME" or "sentence:NAME" (any sentence-transformers model);
    NAME is a folder or a name on the Hugging Face hub. All but the first need `transformers` and torch.
    Raises ValueError for an unknown name and for files that are no such model.
    """
    kind, _, model = name.partition(":")
    if kind not in TEXT_ENCODERS:
        known = ", ".join(one if one == DEFAULT_ENCODER else f"{one}:NAME" for one in TEXT_ENCODERS)
        raise ValueError(f"text encoder '{name}' unknown; known: {known}")
    if bool(model) == (kind == DEFAULT_ENCODER):
        form = f"'{kind}'" if kind == DEFAULT_ENCODER else f"'{kind}:NAME', NAME a folder or a name on the hub"
        raise ValueError(f"text encoder '{name}': write {form}")
    module, _, function = TEXT_ENCODERS[kind].partition(":")
    load: Callable[[str], TextEncoder] = getattr(import_module(module), function)
    return load(model)


def short_name(name: str) -> str:
    """An encoder's name as cards have it, without where a model's folder lies: that differs between machines."""
    kind, colon, model = name.partition(":")
    return f"{kind}{colon}{model.rstrip('/').rpartition('/')[2]}"


def check_encoder(encoder: TextEncoder, trained_with: str, size: int, network: str) -> None:
    """Refuse an encoder that a network was not trained with (ValueError): its embeddings would mean nothing to it."""
    if encoder.name != short_name(trained_with) or encoder.size != size:
        raise ValueError(
            f"{network} was trained with the text encoder '{trained_with}' ({size} numbers); got '{encoder.name}' "
            f"({encoder.size}): load the encoder '{trained_with}', or train with the other one"
        )


def learned_score(score: int | None) -> int | None:
    """The score as which the model generates it: 0 as 1.

    A clinician gives 0 for pain alone, which no recording shows: a movement in pain is asked for as one that cannot be
    done without losing its form.
    """
    if score is not None and score not in SCORES:
        raise ValueError(f"score {score!r} is none; give {SCORES[0]} to {SCORES[-1]}, or None for any")
    return None if score is None else max(int(score), 1)


def scored_prompt(prompt: str, score: int | None, conditioning: Conditioning) -> str:
    """The prompt with the score in its words, where the conditioning is numerical or textual; else as it is.

    NUMERICAL: "a person squats, FMS score 2". TEXTUAL: "an injured person squats" (1), "a moderately fit person ..."
    (2), "a very athletic person ..." (3). 0 is asked for as 1, see `learned_score`. Raises ValueError for DEFAULT,
    which a network's card resolves.
    """
    if conditioning is Conditioning.DEFAULT:
        raise ValueError("conditioning 'default' is decided by a network's card; give numerical, textual or token")
    level = learned_score(score)
    if level is None or conditioning is Conditioning.TOKEN:
        return prompt
    if conditioning is Conditioning.NUMERICAL:
        return f"{prompt.rstrip(' .,;!')}, FMS score {level}"
    return _with_level(prompt, *LEVEL_WORDS[level])


def _with_level(prompt: str, article: str, words: str) -> str:
    """Put the words in front of the person that the prompt is about; where it names none, a person is put first."""
    subject = _SUBJECT.match(prompt)
    if subject:
        chosen = "the" if subject["article"].lower() in ("the", "this") else article
        return f"{subject['before']}{chosen} {words} {subject['between']}{subject['noun']}{prompt[subject.end() :]}"
    bare = _BARE_SUBJECT.match(prompt)
    if bare:
        noun = bare["noun"].lower()
        noun = "person" if noun in _PRONOUNS else noun
        return f"{article} {words} {noun}{prompt[bare.end() :]}"
    between = " " if _PREDICATE.match(prompt) else ": "
    return f"{article} {words} person{between}{prompt}"


def text_inputs(encoder: TextEncoder, prompt: str, score: int | None, conditioning: Conditioning) -> TextInputs:
    """What a network is given for a prompt and a score: one way carries the score, the others say "none"."""
    text, plain = encoder.encode([scored_prompt(prompt, score, conditioning), prompt])
    level = learned_score(score)
    token = np.zeros(1 + len(SCORES), np.float32)
    token[1 + level if level is not None and conditioning is Conditioning.TOKEN else 0] = 1.0
    return TextInputs(text, plain, token)
