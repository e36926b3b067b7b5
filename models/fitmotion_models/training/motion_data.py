"""What the stream model is trained on: the motion set's clips of the generating persons, and their prompts."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.impaired_gait import Impairment
from fitmotion_models.datasets.motion_set import MotionRow, read_motion_set
from fitmotion_models.datasets.splits import rows_for
from fitmotion_models.motion.condition import Conditioning
from fitmotion_models.motion.features import LAYOUT, features_of
from fitmotion_models.motion.sides import named_side
from fitmotion_models.motion.text import TextEncoder, scored_prompt
from fitmotion_models.training.motion_windows import ENDLESS, Sample, balanced

Progress = Callable[[int, int | None], None] | None

# action, with its style where it has one -> how much more often it is drawn than its seconds say. The movements that
# are graded are what the scores are learned from; of even walking there is little and much is asked; which side limps
# shows in a few frames of a step only; most of the climbing is on playground equipment that nobody sees
OFTEN = {"deep_squat": 3.0, "hurdle_step": 3.0, "inline_lunge": 3.0, "walk": 4.0, "walk_turn": 2.0, "climb": 0.3}
OFTEN |= {f"walk {impairment}": 3.0 for impairment in Impairment}
_LEAST_FRAMES = 24
# of a walk, between the headings of its frames; hips swing by a third of it
_STRAIGHT = np.radians(30.0)
# how often a walk that turns is drawn, against a straight one
_TURNING = 0.4
# frames, a step and a half: fewer may be a part of a turn
_LEAST_STRAIGHT = 32
_FORMS = {1: Conditioning.NUMERICAL, 2: Conditioning.TEXTUAL}
_SCORES = (1, 2, 3)


def generator_rows(folder: Path, fold: str, *, non_commercial: bool = False) -> list[MotionRow]:
    """The rows that a generator of this fold may be trained on. Raises ValueError where there are none."""
    rows = [
        row
        for row in rows_for(read_motion_set(folder), "generator", fold)
        if (non_commercial or not row.non_commercial) and row.frames >= _LEAST_FRAMES
    ]
    if not rows:
        raise ValueError(f"motion set {folder} holds no clip of the persons that generate in fold {fold!r}")
    return rows


def samples_of(rows: Sequence[MotionRow], progress: Progress = None) -> list[Sample]:
    """The rows' clips as weighted samples; of a walk that turns also its straight part, if there is one."""
    samples: list[Sample] = []
    actions = []
    for done, row in enumerate(rows):
        endless = any(word in row.action for word in ENDLESS)
        whole = Sample(features_of(row.load()), tuple(row.texts), row.score, 1.0, endless, _side(row))
        parts = _walks(whole) if row.action == "walk" else [whole]
        samples += parts
        actions += [row.action if row.style is None else f"{row.action} {row.style}"] * len(parts)
        if progress is not None:
            progress(done + 1, len(rows))
    return balanced(samples, actions, OFTEN)


def _walks(walk: Sample) -> list[Sample]:
    """A walk, and its straight part: people in a lab turn at the walls, which no text says."""
    straight = _straight_part(walk.features)
    if straight == slice(0, len(walk.features)):
        return [walk]
    told = replace(walk, turns=True, weight=_TURNING)
    if straight.stop - straight.start < _LEAST_STRAIGHT:
        return [told]
    return [told, replace(walk, features=walk.features[straight])]


def _straight_part(features: NDArray[np.float32]) -> slice:
    """The longest run of frames between whose headings lie at most `_STRAIGHT`."""
    heading = features[:, LAYOUT["heading"]].astype(np.float64)
    angles = np.unwrap(np.arctan2(heading[:, 1], heading[:, 0]))
    longest, start = slice(0, 0), 0
    for stop in range(1, len(angles) + 1):
        while np.ptp(angles[start:stop]) > _STRAIGHT:
            start += 1
        if stop - start > longest.stop - longest.start:
            longest = slice(start, stop)
    return longest


def _side(row: MotionRow) -> str | None:
    """As the set says; of what only a recording's description names, as that is read when it is asked for."""
    return row.side or Counter(map(named_side, row.texts)).most_common(1)[0][0]


class EncodedPrompts:
    """Embeddings of all texts of a set and of their scored forms, made once.

    texts: of every clip those that say the same of it. kept: file (.npz) that holds the embeddings of an earlier run,
    and is written where it does not hold the same.
    """

    def __init__(self, encoder: TextEncoder, texts: Iterable[Sequence[str]], kept: Path | None = None) -> None:
        self._meanings = sorted({tuple(one) for one in texts})
        self._rows: dict[str, int] = {}
        for text in sorted({text for one in self._meanings for text in one}):
            for form in (text, *(scored_prompt(text, score, way) for way in _FORMS.values() for score in _SCORES)):
                self._rows.setdefault(form, len(self._rows))
        self.embeddings = self._encoded(encoder, kept)

    def _encoded(self, encoder: TextEncoder, kept: Path | None) -> NDArray[np.float32]:
        texts = np.array(list(self._rows))
        if kept is not None and kept.exists():
            with np.load(kept) as held:
                if str(held["encoder"]) == encoder.name and np.array_equal(held["texts"], texts):
                    return held["embeddings"]
        embeddings = encoder.encode(list(self._rows))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept, encoder=encoder.name, texts=texts, embeddings=embeddings)
        return embeddings

    def by_meaning(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Embeddings (N, E) of the texts alone, and (N,) a number for each, the same where they say the same."""
        numbers = np.repeat(np.arange(len(self._meanings)), [len(one) for one in self._meanings])
        return self.plain([text for one in self._meanings for text in one]), numbers

    def plain(self, texts: list[str]) -> NDArray[np.float32]:
        """(B, E) of the texts alone."""
        return self.embeddings[[self._rows[text] for text in texts]]

    def scored(self, texts: list[str], scores: list[int], forms: list[int]) -> NDArray[np.float32]:
        """(B, E) with the scores in words: forms 1 numerical, 2 textual; others are the text alone."""
        chosen = [
            scored_prompt(text, score, _FORMS[form]) if form in _FORMS else text
            for text, score, form in zip(texts, scores, forms, strict=True)
        ]
        return self.embeddings[[self._rows[text] for text in chosen]]
