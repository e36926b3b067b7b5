"""A trained evaluator as it ships: one graph, and the card with real motion's own figures on persons it never saw."""

import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from fitmotion_models import weights as shipped
from fitmotion_models.datasets.motion_set import MotionRow, read_motion_set
from fitmotion_models.datasets.splits import rows_for
from fitmotion_models.evaluation.evaluator_network import FRAMES_A_TOKEN, EvaluatorNetwork
from fitmotion_models.evaluation.motion_evaluator import SmallEvaluator, weights_name
from fitmotion_models.evaluation.motion_samples import RealSample, embed
from fitmotion_models.evaluation.motion_tables import retrieval_of
from fitmotion_models.motion.text import load_text_encoder
from fitmotion_models.training.motion_card import CITATIONS
from fitmotion_models.training.motion_evaluator import (
    DescribedMotions,
    EvaluatorRecipe,
    Progress,
    judge_rows,
    meaning_of,
    train_evaluator,
)

OPSET = 17
_MEASURED = 6
LICENCE, NON_COMMERCIAL_LICENCE = "CC BY-SA 4.0", "CC BY-NC 4.0 (non-commercial)"

Bar = Callable[[str], AbstractContextManager[Progress]]


def _no_bar(label: str) -> AbstractContextManager[Progress]:
    return nullcontext()


@dataclass(frozen=True)
class EvaluatorJob:
    """What `fitmotion train evaluator` was asked for; out: a folder, None for the weights that ship."""

    motion_set: Path
    recipe: EvaluatorRecipe
    out: Path | None = None
    seconds: float | None = None


def make_evaluator(job: EvaluatorJob, bar: Bar = _no_bar) -> list[Path]:
    """Train an evaluator, write its graph and its card, and return both. Raises ValueError for a set without judges.

    bar: a progress bar by its label.
    """
    rows = judge_rows(job.motion_set, job.recipe)
    encoder = load_text_encoder()
    with bar("reading") as progress:
        motions = DescribedMotions(rows, encoder, progress)
    with bar("steps") as progress:
        network = train_evaluator(motions, job.recipe, progress, job.seconds)
    folder = job.out or Path(str(shipped.__path__[0]))
    folder.mkdir(parents=True, exist_ok=True)
    name = weights_name(job.recipe.fold)
    licence = NON_COMMERCIAL_LICENCE if any(row.non_commercial for row in rows) else LICENCE
    path = export_evaluator(network, folder / f"{name}.onnx", {"encoder": encoder.name, "licence": licence})
    unseen = [
        row
        for row in rows_for(read_motion_set(job.motion_set), "generator", job.recipe.fold)
        if row.made_from is None and (job.recipe.non_commercial or not row.non_commercial)
    ]
    card = {"name": name, **_card(network, job.recipe, rows, licence)}
    card["measured"] = measure(SmallEvaluator(path, encoder), rows, unseen) if unseen else "nobody else in the set"
    path.with_suffix(".yaml").write_text(
        yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=118), encoding="utf-8"
    )
    return [path, path.with_suffix(".yaml")]


def export_evaluator(network: EvaluatorNetwork, path: Path, metadata: dict[str, str]) -> Path:
    """Write both halves as one graph: motion (1, T, 263) and text (N, E) -> motion_embedding, text_embedding."""
    import onnx
    from onnx import helper

    example = (
        torch.zeros(1, 10 * FRAMES_A_TOKEN, network.sizes.features),
        torch.zeros(2, network.text_size),
    )
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    with warnings.catch_warnings(), torch.no_grad():
        # the exporter that torch has replaced needs one package less; it warns that the GRU's batch is fixed: it is
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            example,
            str(partial),
            dynamo=False,
            opset_version=OPSET,
            input_names=["motion", "text"],
            output_names=["motion_embedding", "text_embedding"],
            dynamic_axes={"motion": {1: "frames"}, "text": {0: "texts"}, "text_embedding": {0: "texts"}},
        )
    model = onnx.load(str(partial))
    helper.set_model_props(model, metadata)
    model.producer_name, model.producer_version = "fitmotion", ""
    onnx.checker.check_model(model)
    onnx.save(model, str(partial))
    partial.replace(path)
    return path


def action_of(row: MotionRow) -> str:
    """What must not be confused: the action and its side, in whatever style."""
    return ", ".join(word for word in (row.action, row.side) if word)


def real_samples(rows: Sequence[MotionRow], *, held_out: bool = True) -> list[RealSample]:
    """The rows as real motion to measure; held_out: with the texts that were never trained on."""
    return [
        RealSample(row.load(), row.held_out_texts if held_out else row.texts, action_of(row), row.person)
        for row in rows
        if not held_out or row.held_out_texts
    ]


def measure(evaluator: SmallEvaluator, learned: Sequence[MotionRow], unseen: Sequence[MotionRow]) -> dict[str, Any]:
    """Real motion's own figures, of persons and with texts that the evaluator never saw, and of its own persons.

    Once with the kinds of motion that it learned, once with all that there are.
    """
    known = {meaning_of(row) for row in learned}
    own = _some([row for row in learned if row.made_from is None])
    others = _some([row for row in unseen if row.held_out_texts])
    embedded = embed(real_samples(others), evaluator)
    familiar = embedded.of(np.flatnonzero([meaning_of(row) in known for row in others]))
    sets = {"unseen_persons": familiar, "unseen_persons_all_actions": embedded}
    return {
        "how": "R-precision of real motion, at most 6 clips of a person and kind, with texts never trained on, 20 "
        "repetitions; random batches of 32 hold many "
        "clips of the same action, batches of distinct actions none",
        **{name: _rounded(retrieval_of(samples)) for name, samples in sets.items() if len(samples)},
        "own_persons": _rounded(retrieval_of(embed(real_samples(own), evaluator))),
    }


def _some(rows: Sequence[MotionRow]) -> list[MotionRow]:
    """The first of each person's clips of each kind of motion: enough to measure by."""
    counts: Counter[tuple[str, str]] = Counter()
    chosen = []
    for row in rows:
        counts[row.person, meaning_of(row)] += 1
        if counts[row.person, meaning_of(row)] <= _MEASURED:
            chosen.append(row)
    return chosen


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


def _card(
    network: EvaluatorNetwork, recipe: EvaluatorRecipe, rows: Sequence[MotionRow], licence: str
) -> dict[str, Any]:
    sources = sorted({row.source for row in rows})
    persons = sorted({row.person for row in rows})
    return {
        "what": "Puts motions (HumanML3D's 263 features) and English sentences into one space of "
        f"{network.sizes.embedding} dimensions, for R-precision, FID, KID, diversity and multimodality.",
        "comparable": "No. Figures of this evaluator do not stand beside published ones; the official one can be "
        "loaded from its files.",
        "fold": recipe.fold,
        "data": f"{', '.join(sources)}: the judging persons {', '.join(persons)}, {len(rows)} clips with mirror "
        "images. A generator of the same fold never saw them.",
        "actions": sorted({meaning_of(row) for row in rows}),
        "citations": [CITATIONS[source] for source in sources if source in CITATIONS],
        "data_licences": sorted({row.licence for row in rows}),
        "licence": licence,
        "command": f"./fitmotion train evaluator --set runs/motion_set --fold {recipe.fold}"
        + (" --non-commercial" if recipe.non_commercial else ""),
        "architecture": "The field's (Guo et al. 2022), smaller: 259 of the features, two convolutions of stride 2, "
        "bidirectional GRU. Texts: the frozen sentence embedding all-MiniLM-L6-v2 and two layers in training, in "
        "place of GloVe and a GRU, which would have to learn English from some hundred sentences; then attention to "
        "the sentences that were trained on, at the places which they have learned.",
        "sizes": network.description(),
        "parameters": int(np.sum([one.numel() for one in network.parameters()])),
        "recipe": recipe.as_dict(),
        "unknown": "Kinds of motion that no judging person did (see actions) it places by the words of others: figures "
        "of such motion mean little.",
    }
