"""What a generator is asked for when it is measured: texts that nobody trained on, lengths of held-out recordings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.evaluation.fms_judges import ACTIONS, GRADES
from fitmotion_models.evaluation.motion_samples import GeneratedSample, RealSample
from fitmotion_models.motion.condition import Conditioning, MotionCondition
from fitmotion_models.motion.generate import Generator
from fitmotion_models.skeleton.motion_clip import MotionClip

Progress = Callable[[int, int | None], None] | None

_LARGEST_SEED = 2**32


@dataclass(frozen=True)
class Request:
    """One motion to make. label: tells motions apart that must not be confused. score: None for any."""

    text: str
    action: str
    side: str | None
    label: str
    score: int | None
    seconds: float
    seed: int


@dataclass(frozen=True)
class Model:
    """A generator and how it is asked.

    scored: False: it is not told the score at all (the base model). text_guidance, score_guidance: None: the weights'
    own.
    """

    generator: Generator
    conditioning: Conditioning = Conditioning.TOKEN
    scored: bool = True
    text_guidance: float | None = None
    score_guidance: float | None = None

    def clips(self, requests: Sequence[Request], progress: Progress = None) -> list[MotionClip]:
        """The motions that are asked for, one by one."""
        made = []
        for number, request in enumerate(requests, start=1):
            made.append(self.generator(self._condition(request)).clip)
            if progress is not None:
                progress(number, len(requests))
        return made

    def _condition(self, request: Request) -> MotionCondition:
        return MotionCondition(
            request.text,
            score=request.score if self.scored else None,
            conditioning=self.conditioning,
            seconds=request.seconds,
            seed=request.seed,
            text_guidance=self.text_guidance,
            score_guidance=self.score_guidance,
        )


def as_recorded(rows: Sequence[MotionRow]) -> list[MotionRow]:
    """The recordings themselves: neither mirrored nor at another speed nor made from others."""
    return [row for row in rows if row.made_from is None and not row.mirrored and row.speed == 1.0]


def label_of(row: MotionRow) -> str:
    """What must not be confused: action, style and side."""
    return ", ".join(word for word in (row.action, row.style, row.side) if word)


def spread(rows: Sequence[MotionRow], per_label: int, rng: np.random.Generator) -> list[MotionRow]:
    """At most so many rows of each label, drawn at random, in turns of the persons and grades that there are."""
    by_label: dict[str, list[MotionRow]] = {}
    for index in rng.permutation(len(rows)):
        by_label.setdefault(label_of(rows[index]), []).append(rows[index])
    chosen = []
    for _, found in sorted(by_label.items()):
        turns: dict[tuple[str, int | None], int] = {}
        ranks = []
        for row in found:
            key = (row.person, row.score)
            turns[key] = turns.get(key, -1) + 1
            ranks.append(turns[key])
        order = np.argsort(ranks, kind="stable")
        chosen += [found[index] for index in order[:per_label]]
    return chosen


def held_out_requests(rows: Sequence[MotionRow], rng: np.random.Generator) -> list[Request]:
    """A request for each recording: one of its held-out texts, its grade if it has one, its length.

    Recordings without held-out texts are asked for by the texts that they have.
    """
    return [
        Request(
            text=str(rng.choice(row.held_out_texts or row.texts)),
            action=row.action,
            side=row.side,
            label=label_of(row),
            score=row.score,
            seconds=row.seconds,
            seed=int(rng.integers(_LARGEST_SEED)),
        )
        for row in rows
    ]


def graded_requests(rows: Sequence[MotionRow], count: int, rng: np.random.Generator) -> list[Request]:
    """So many motions of every test and grade: its texts and sides in turns.

    Texts are those that are trained on, so that it is the grade that is judged: how well other words are understood is
    measured by itself. Lengths are those of recordings of the test, whatever their grade, so that a length tells no
    judge what was asked for.
    """
    requests = []
    for action in ACTIONS:
        found = [row for row in rows if row.action == action]
        if not found:
            continue
        lengths = [row.seconds for row in found]
        wordings: list[tuple[str, str | None]] = []
        for row in found:
            wordings += [(text, row.side) for text in row.texts]
        wordings = list(dict.fromkeys(wordings))
        for score in GRADES:
            order = rng.permutation(len(wordings))
            for number in range(count):
                text, side = wordings[order[number % len(wordings)]]
                label = action if side is None else f"{action}, {side}"
                seconds, seed = float(rng.choice(lengths)), int(rng.integers(_LARGEST_SEED))
                requests.append(Request(text, action, side, label, score, seconds, seed))
    return requests


def generated_samples(requests: Sequence[Request], clips: Sequence[MotionClip]) -> list[GeneratedSample]:
    """Clips that were made, as the measures take them."""
    return [GeneratedSample(clip, request.text, request.label) for request, clip in zip(requests, clips, strict=True)]


def real_samples(rows: Sequence[MotionRow]) -> list[RealSample]:
    """Recordings with the texts that nobody trained on, as the measures take them."""
    return [RealSample(row.load(), row.held_out_texts or row.texts, label_of(row), row.person) for row in rows]
