"""Judges of generated motion: networks that learn our rubric's grades from persons whom no generator of a fold saw.

"lstm" is the published scorer, settings and all. "second" is of another kind: dilated convolutions over time, several
seeds that vote, grades drawn equally often, noise on the frames. Both read one repetition on the canonical body, so
that nothing of a person's build tells the grade.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from pickle import UnpicklingError
from types import MappingProxyType
from typing import Any

import numpy as np

from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.datasets.splits import rows_for
from fitmotion_models.evaluation.fms_judges import ACTIONS, GRADES, Grades, JudgedMotion
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.training.scorer_frames import INPUTS, frame_sequence
from fitmotion_models.training.scorer_lstm import LstmScorer, LstmSettings, lstm_network

Progress = Callable[[int, int | None], None] | None

EPOCHS_ON_GENERATED = 512
"""Of the published protocol that trains on generated motion and tests on real."""
_BATCH_ON_GENERATED = 64  # not stated; twice the other one's, as there are eight times the epochs

_DILATIONS = (1, 2, 4, 8)
_DROPOUT = 0.3


def convolution_network(width: int) -> Any:
    """Dilated convolutions over time, then mean and maximum: (N, T, 360) -> (N, 3) before the softmax."""
    import torch

    class Convolutions(torch.nn.Module):
        """Sees patterns of up to a second wherever in the repetition they are."""

        def __init__(self) -> None:
            super().__init__()
            layers: list[Any] = [torch.nn.Conv1d(INPUTS, width, 1)]
            for dilation in _DILATIONS:
                layers += [torch.nn.GELU(), torch.nn.Dropout(_DROPOUT)]
                layers += [torch.nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)]
            self.body = torch.nn.Sequential(*layers)
            self.linear = torch.nn.Linear(2 * width, len(GRADES))

        def forward(self, frames: Any) -> Any:
            """(N, T, 360) -> (N, 3) before the softmax."""
            found = self.body(frames.transpose(1, 2))
            return self.linear(torch.cat([found.mean(dim=2), found.amax(dim=2)], dim=1))

    return Convolutions()


@dataclass(frozen=True)
class JudgeRecipe:
    """How a judge is made. network: see `_NETWORKS`. seeds: so many networks vote."""

    network: str
    settings: LstmSettings = field(default_factory=LstmSettings)
    seeds: int = 1

    def as_dict(self) -> dict[str, Any]:
        """For files and reports."""
        return asdict(self)


_NETWORKS: Mapping[str, Callable[[int], Any]] = MappingProxyType(
    {"lstm": lstm_network, "convolutions": convolution_network}
)

JUDGES: Mapping[str, JudgeRecipe] = MappingProxyType(
    {
        "lstm": JudgeRecipe("lstm"),
        "second": JudgeRecipe(
            "convolutions",
            LstmSettings(hidden=64, learning_rate=1e-3, weight_decay=1e-4, epochs=40, balanced=True, noise=0.5),
            seeds=3,
        ),
    }
)


class NetworkJudge:
    """A trained judge; see `FmsJudge`."""

    def __init__(self, recipe: JudgeRecipe, networks: Sequence[LstmScorer]) -> None:
        self.recipe, self._networks = recipe, tuple(networks)

    def __call__(self, motions: Sequence[JudgedMotion]) -> Grades:
        """(N,) 1, 2 or 3: the likeliest."""
        frames = np.stack([motion.frames for motion in motions])
        chances = np.mean([network.chances(frames) for network in self._networks], axis=0)
        return np.asarray(chances.argmax(axis=1) + GRADES[0], dtype=np.int64)

    def save(self, path: Path, **more: Any) -> Path:
        """Write the networks, their recipe and what else is to be known of them; returns the path."""
        import torch

        partial = path.with_suffix(".part")
        states = [network.state() for network in self._networks]
        torch.save({"recipe": self.recipe.as_dict(), "networks": states, **more}, partial)
        partial.replace(path)
        return path


def load_judge(path: Path) -> tuple[NetworkJudge, dict[str, Any]]:
    """A judge that `save` wrote, and all that its file holds. Raises ValueError for a file that is none."""
    import torch

    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
        said = dict(held["recipe"])
        recipe = JudgeRecipe(said["network"], LstmSettings(**said["settings"]), said["seeds"])
        make = _NETWORKS[recipe.network]
        networks = [LstmScorer(recipe.settings, network=make).restored(state) for state in held["networks"]]
    except (OSError, RuntimeError, UnpicklingError, KeyError, TypeError, EOFError, ValueError) as error:
        raise ValueError(f"judge {path} can't be read, or is none; make it again with `train judges`") from error
    return NetworkJudge(recipe, networks), held


def train_judge(motions: Sequence[JudgedMotion], recipe: JudgeRecipe, seed: int = 0) -> NetworkJudge:
    """A judge from graded motions. Raises ValueError where a grade is missing."""
    grades = np.array([motion.score for motion in motions], dtype=np.int64)
    missing = [one for one in GRADES if one not in grades]
    if missing:
        raise ValueError(f"no motion of grade {missing[0]} to learn from; a judge needs all of {GRADES}")
    frames = np.stack([motion.frames for motion in motions])
    make = _NETWORKS[recipe.network]
    scorers = [
        LstmScorer(recipe.settings, seed * recipe.seeds + number, make).fit(frames, grades)
        for number in range(recipe.seeds)
    ]
    return NetworkJudge(recipe, scorers)


def train_on_generated(motions: Sequence[JudgedMotion], epochs: int = EPOCHS_ON_GENERATED) -> NetworkJudge:
    """The published protocol's judge, which learns from generated motion to be tested on real."""
    recipe = JUDGES["lstm"]
    settings = replace(recipe.settings, epochs=epochs, batch=_BATCH_ON_GENERATED)
    return train_judge(motions, replace(recipe, settings=settings))


def motion_frames(clip: MotionClip) -> np.ndarray:
    """(T, 360) of a clip as judges read it."""
    return frame_sequence(clip)


def graded_rows(rows: Iterable[MotionRow], *, mirrored: bool) -> list[MotionRow]:
    """Recordings of the screen's tests that have a grade, as recorded and, if wanted, mirrored."""
    return [
        row
        for row in rows
        if row.action in ACTIONS and row.score is not None and row.speed == 1.0 and (mirrored or not row.mirrored)
    ]


def judged_rows(rows: Sequence[MotionRow], progress: Progress = None) -> list[JudgedMotion]:
    """The rows' motions with what judges read."""
    found = []
    for number, row in enumerate(rows, start=1):
        clip = row.load()
        found.append(JudgedMotion(clip, row.action, row.side, int(row.score or 0), row.person, frame_sequence(clip)))
        if progress is not None:
            progress(number, len(rows))
    return found


def train_judges(
    rows: Sequence[MotionRow], fold: str, out: Path, *, seed: int = 0, progress: Progress = None
) -> dict[str, NetworkJudge]:
    """All judges of a fold from its judging persons, by name, kept in `out`; one that is there already is read.

    A judge is there where its file has the same recipe, seed and recordings. progress: of reading recordings.
    """
    chosen = graded_rows(rows_for(rows, "judge", fold), mirrored=True)
    if not chosen:
        raise ValueError(f"no graded repetition of {', '.join(ACTIONS)} by the persons who judge in fold {fold!r}")
    made_from = {"hashes": sorted(f"{row.id} {row.hash} {row.score}" for row in chosen), "seed": seed}
    out.mkdir(parents=True, exist_ok=True)
    motions: list[JudgedMotion] = []
    judges = {}
    for name, recipe in JUDGES.items():
        path = out / f"fms_judge_{name}_{fold}.pt"
        kept = _kept(path, recipe, made_from)
        if kept is None:
            motions = motions or judged_rows(chosen, progress)
            kept = train_judge(motions, recipe, seed)
            kept.save(path, **made_from)
        judges[name] = kept
    return judges


def _kept(path: Path, recipe: JudgeRecipe, made_from: dict[str, Any]) -> NetworkJudge | None:
    if not path.exists():
        return None
    try:
        judge, held = load_judge(path)
    except ValueError:
        return None  # of an earlier version: made again
    same = judge.recipe == recipe and all(held.get(name) == value for name, value in made_from.items())
    return judge if same else None
