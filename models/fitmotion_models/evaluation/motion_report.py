"""`evaluate motion`: the field's measures and the screen's grades, of a generator and of real motion beside it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fitmotion_models.datasets.motion_grades import severity_medians
from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.datasets.splits import rows_for
from fitmotion_models.evaluation.fms_judges import ACTIONS, CHANCE, FmsJudge, JudgedMotion, RulesJudge
from fitmotion_models.evaluation.fms_judges import consistency as consistency_of
from fitmotion_models.evaluation.gait_report import gait_figures
from fitmotion_models.evaluation.motion_grades_report import (
    Figures,
    Learn,
    Persons,
    ceiling_figures,
    collapse_figures,
    judged_figures,
    judged_requests,
    side_figures,
    with_share_of_ceiling,
)
from fitmotion_models.evaluation.motion_requests import (
    Model,
    as_recorded,
    generated_samples,
    graded_requests,
    held_out_requests,
    real_samples,
    spread,
)
from fitmotion_models.evaluation.motion_samples import GeneratedSample, MotionEvaluator
from fitmotion_models.evaluation.motion_tables import BOOTSTRAPS, REPETITIONS, motion_metrics, physical_figures, plain
from fitmotion_models.skeleton.motion_clip import MotionClip

Bar = Callable[[str], AbstractContextManager[Callable[[int, int | None], None] | None]]

MODELS = ("base", "numerical", "textual", "direct")
"""The rows of the published tables beside "real": no score; the score in words at the end, in front, as a token."""
MOCAP = ("hdm05", "cmu")
"""Sets recorded by marker-based motion capture: what skating, jerk and penetration are measured against."""


@dataclass(frozen=True)
class EvaluationSizes:
    """How much is made and measured.

    per_grade: motions of each test and grade. per_label: held-out recordings of each action, style and side, and as
    many motions. per_gait: walks of each impairment and side, and healthy ones. epochs: of the judge that learns from
    generated motion; 0: none.
    """

    per_grade: int = 50
    per_gait: int = 12
    per_label: int = 12
    repetitions: int = REPETITIONS
    bootstraps: int = BOOTSTRAPS
    epochs: int = 512


QUICK = EvaluationSizes(per_grade=6, per_gait=2, per_label=2, repetitions=3, bootstraps=20, epochs=32)
"""To see that everything runs; the figures say little."""


@dataclass(frozen=True, eq=False)
class MotionEvaluation:
    """What is evaluated, of one fold.

    rows: the motion set. models: by the names of MODELS. judges: learned from the judging persons. development: those
    by which guidance was chosen, which learned from the generator's own persons; they are no evidence. learn: trains
    the published protocol's judge; None: left out. read: recordings as judges take them. frames: of a clip, likewise.
    """

    rows: Sequence[MotionRow]
    fold: str
    models: Mapping[str, Model]
    judges: Mapping[str, FmsJudge]
    development: Mapping[str, FmsJudge]
    learn: Learn | None
    read: Callable[[Sequence[MotionRow], Any], list[JudgedMotion]]
    frames: Callable[[MotionClip], Any]
    evaluator: MotionEvaluator
    sizes: EvaluationSizes = EvaluationSizes()
    seed: int = 0

    def run(self, bar: Bar) -> Figures:
        """All figures, ready for JSON. Raises ValueError where the set lacks what is needed."""
        consistency, development, collapse, sides = self._grades(bar)
        found = {
            "fold": self.fold,
            "seed": self.seed,
            "sizes": asdict(self.sizes),
            "graded_by": "our rubric: 3 is labelled correct; 2 and 1 part at the median severity of what is incorrect",
            "fms_consistency": consistency,
            "fms_consistency_in_development": development,
            "within_grades": collapse,
            "sides": sides,
            "gait": self._gait(bar),
            "motion": self._motion(bar),
        }
        return {name: plain(value) for name, value in found.items()}

    def _grades(self, bar: Bar) -> tuple[Figures, Figures, Figures, Figures]:
        rng = np.random.default_rng([self.seed, 1])
        persons, rules = self._persons(bar), self._rules()
        with bar("judges") as progress:
            real = ceiling_figures(self.judges, rules, persons, self.learn, rng)
            if progress is not None:
                progress(1, 1)
        ceiling = {name: {part: real[name][part] for part in ("accuracy", "ci95")} for name in self.judges}
        consistency: Figures = {"ceiling": ceiling, "chance": CHANCE, "real": real}
        development = {
            "ceiling": {name: consistency_of(one, persons.held_out, rng) for name, one in self.development.items()}
        }
        collapse: Figures = {}
        sides: Figures = {"real": side_figures(persons.held_out)}
        held_out = as_recorded(rows_for(self.rows, "judge", self.fold))
        requests = graded_requests(held_out, self.sizes.per_grade, np.random.default_rng([self.seed, 2]))
        for name, model in self.models.items():
            with bar(f"grades, {name}") as progress:
                clips = model.clips(requests, progress)
            motions = judged_requests(requests, clips, self.frames)
            row = judged_figures(self.judges, rules, motions, persons, self.learn, rng)
            consistency[name] = with_share_of_ceiling(real, row)
            development[name] = {one: consistency_of(judge, motions, rng) for one, judge in self.development.items()}
            collapse[name] = collapse_figures(motions, persons.held_out, self.evaluator, rng)
            sides[name] = side_figures(motions)
        return consistency, development, collapse, sides

    def _gait(self, bar: Bar) -> Figures:
        """Of the base model and, where that is another one, of the model that is told scores: walks have none."""
        figures: Figures = {}
        for name in ("base", "direct"):
            model = self.models[name]
            if figures and model.generator is self.models["base"].generator:
                continue
            with bar(f"gait, {name}") as progress:
                figures[name] = gait_figures(
                    model, self.sizes.per_gait, np.random.default_rng([self.seed, 5]), progress
                )
        return figures

    def _persons(self, bar: Bar) -> Persons:
        graded = as_recorded([row for row in self.rows if row.action in ACTIONS and row.score is not None])
        learned, held = rows_for(graded, "generator", self.fold), rows_for(graded, "judge", self.fold)
        if not (learned and held):
            raise ValueError(f"the motion set has no graded repetitions of {', '.join(ACTIONS)} in fold {self.fold!r}")
        with bar("recordings") as progress:
            motions = self.read([*learned, *held], progress)
        return Persons(unseen=motions[: len(learned)], held_out=motions[len(learned) :])

    def _rules(self) -> FmsJudge:
        """Our rules with the rubric's medians, which are those of the first fold's generating persons."""
        recorded = as_recorded([row for row in self.rows if row.action in ACTIONS])
        return RulesJudge(severity_medians(recorded, {row.person for row in rows_for(recorded, "generator", "first")}))

    def _motion(self, bar: Bar) -> Figures:
        """The field's measures of every model, real data's beside every figure."""
        draw = np.random.default_rng([self.seed, 3])
        held = spread(as_recorded(rows_for(self.rows, "judge", self.fold)), self.sizes.per_label, draw)
        learned = spread(as_recorded(rows_for(self.rows, "generator", self.fold)), self.sizes.per_label, draw)
        real, training = real_samples(held), real_samples(learned)
        mocap = real_samples(spread([row for row in as_recorded(self.rows) if row.source in MOCAP], 4, draw))
        requests = held_out_requests(held, draw)
        figures: Figures = {}
        for name, model in self.models.items():
            with bar(f"motion, {name}") as progress:
                samples = generated_samples(requests, model.clips(requests, progress))
            rng = np.random.default_rng([self.seed, 4])
            figures[name] = motion_metrics(
                samples,
                real,
                self.evaluator,
                self.sizes.repetitions,
                rng,
                training=training,
                bootstraps=self.sizes.bootstraps,
            )
            figures[name]["physical_against_mocap"] = self._against_mocap(samples, mocap, rng)
        return figures

    def _against_mocap(self, samples: Sequence[GeneratedSample], mocap: Sequence[Any], rng: Any) -> Figures:
        """Physical measures of all clips, beside those of recordings by markers."""
        figures = physical_figures(samples, mocap, self.sizes.bootstraps, rng)
        for name, one in figures.items():
            if isinstance(one, dict) and one.get("real") and (one["real"]["value"] or 0.0) > 0.0:
                figures[name]["over_real"] = one["value"] / one["real"]["value"]
        return figures
