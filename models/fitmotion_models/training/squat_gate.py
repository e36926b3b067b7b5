"""The recipe of the gate that tells deep squats from sitting down: UI-PRMD's m01 against m05.

    python -m fitmotion_models.training.squat_gate UIPRMD

writes weights/deep_squat_gate.json and prints how the gate does on each person when it is fitted on the others.
"""

import sys
from importlib import resources
from pathlib import Path

import numpy as np

from fitmotion_models.evaluation.recognition import GATE_OTHERS, GATE_SQUATS, Source, gate_features, uiprmd_streams
from fitmotion_models.fms.squat_gate import WEIGHTS_FILE, SquatGate, fit_squat_gate, gate_as_json


def train_squat_gate(source: Source) -> tuple[SquatGate, float, float]:
    """The gate of all persons of a source, and leaving one person out: squats told, sitting down taken for a squat."""
    rows = [
        (features, movement == GATE_SQUATS, stream.person)
        for movement in (GATE_SQUATS, GATE_OTHERS)
        for stream in uiprmd_streams(source, movement, None, mirrored=False)
        for features in gate_features(stream)
    ]
    features = np.array([row[0] for row in rows])
    squats, persons = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    chances = np.zeros(len(rows))
    for person in np.unique(persons):
        own = persons == person
        chances[own] = fit_squat_gate(features[~own], squats[~own].tolist()).probabilities(features[own])
    taken = chances >= 0.5
    gate = fit_squat_gate(features, squats.tolist(), persons.tolist())
    return gate, float(taken[squats].mean()), float(taken[~squats].mean())


def main() -> None:
    """Train on the source that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("give UI-PRMD's folder or archive: python -m fitmotion_models.training.squat_gate UIPRMD")
    gate, told, mistaken = train_squat_gate(sys.argv[1])
    file = Path(str(resources.files("fitmotion_models.weights").joinpath(WEIGHTS_FILE)))
    file.write_text(gate_as_json(gate), encoding="utf-8")
    sys.stdout.write(f"leaving one person out: {told:.1%} of squats told, {mistaken:.1%} of others taken for squats\n")


if __name__ == "__main__":
    main()
