"""Weights of the stream model as they ship: two graphs and the card that says where they come from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.training.motion_export import export_sampler, load_checkpoint
from fitmotion_models.training.motion_recipe import Stage

START = "start.pt"
"""Checkpoint of weights that a training went on from, in the folder of its own checkpoints."""
FEWER_STEPS = 2
"""Euler steps of the graph that runs by default: half of the network's, at times that it was trained at."""
WEIGHTS = Path(__file__).resolve().parents[1] / "weights"

# by the small sweeps on a development judge; a user's own choice goes over them
_DEFAULTS = {"text_guidance": 2.0, "score_guidance": 2.0, "conditioning": "token"}
CITATIONS = {
    "uiprmd": "Vakanski A, Jun H, Paul D, Baker R (2018) A data set of human body movements for physical "
    "rehabilitation exercises. Data 3(1):2.",
    "hdm05": "Mueller M, Roeder T, Clausen M, Eberhardt B, Krueger B, Weber A (2007) Documentation Mocap Database "
    "HDM05. Universitaet Bonn, CG-2007-2.",
    "cmu": "The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding "
    "from NSF EIA-0196217.",
    "bandai": "Kobayashi M et al. (2023) Motion Capture Dataset for Practical Use of AI-based Motion Editing and "
    "Stylization. arXiv:2306.08861.",
}


def write_weights(folder: Path, rows: Sequence[MotionRow], name: str, out: Path | None = None) -> list[Path]:
    """Write `<name>.onnx`, `<name>_guided.onnx` and `<name>.yaml` from a folder of checkpoints; returns their paths.

    The second is the network in all its steps with guidance, the first what is faster: the distilled network where
    there is one, else the same in `FEWER_STEPS`. rows: what was trained on.
    """
    target = out or WEIGHTS
    target.mkdir(parents=True, exist_ok=True)
    last = next((one for one in (Stage.SCORES, Stage.BASE) if (folder / f"{one}.pt").exists()), None)
    if last is None:
        raise ValueError(f"{folder} holds no checkpoint of the base or scores stage; train one first")
    card = _card(folder, rows, name)
    metadata = {"name": name, "licence": card["licence"]}
    network, _ = load_checkpoint(folder / f"{last}.pt")
    written = [export_sampler(network.eval(), target / f"{name}_guided.onnx", guided=True, metadata=metadata)]
    fast = target / f"{name}.onnx"
    if (folder / f"{Stage.DISTILLED}.pt").exists():
        network, _ = load_checkpoint(folder / f"{Stage.DISTILLED}.pt")
        written.append(export_sampler(network.eval(), fast, guided=False, metadata=metadata))
    else:
        written.append(export_sampler(network.eval(), fast, guided=True, steps=FEWER_STEPS, metadata=metadata))
    path = target / f"{name}.yaml"
    path.write_text(yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=118), encoding="utf-8")
    return [*written, path]


def _card(folder: Path, rows: Sequence[MotionRow], name: str) -> dict[str, Any]:
    sources = sorted({row.source for row in rows})
    limited = sorted({row.source for row in rows if row.non_commercial})
    stages = {}
    for stage in Stage:
        if (folder / f"{stage}.pt").exists():
            held = load_checkpoint(folder / f"{stage}.pt")[1]
            recipe = held["recipe"]
            stages[str(stage)] = {"steps": held["step"], "hours": round(held["seconds"] / 3600.0, 2), "recipe": recipe}
    first = next(iter(stages.values()))["recipe"]
    earlier, option = {}, ""
    if (folder / START).exists():
        held = load_checkpoint(folder / START)[1]
        earlier = {"started_from": {"weights": held["weights"], **held["made"]}}
        option = f" --start {held['weights']}"
    return {
        "name": name,
        "what": "Human motion from words and a score of the Functional Movement Screen, 20 frames a call. Grades 1 "
        "and 2 are graded by our rubric: UI-PRMD knows only correct and incorrect.",
        "encoder": first["network"]["encoder"],
        "defaults": _DEFAULTS,
        "data": {
            source: {
                "licence": next(row.licence for row in rows if row.source == source),
                "persons": sorted({row.person for row in rows if row.source == source}),
                "minutes": round(sum(row.seconds for row in rows if row.source == source) / 60.0, 1),
                "clips": sum(row.source == source for row in rows),
                "citation": CITATIONS.get(source, ""),
            }
            for source in sources
        },
        "licence": f"non-commercial use only ({', '.join(limited)})" if limited else "CC BY-SA 4.0",
        "split": f"fold {first['fold']} of datasets/splits.py: judges' persons were never trained on",
        "command": f"./fitmotion train motion --set runs/motion_set --name {name} --fold {first['fold']} "
        f"--seed {first['seed']}{option}",
        "stages": _plain(stages),
        **earlier,
    }


def _plain(value: Any) -> Any:
    """The same with lists for tuples, which YAML has no plain word for."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
