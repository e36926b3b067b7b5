"""Pictures for somebody's eyes: strips of every action beside a recording, and a blind sheet that mixes both."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.evaluation.fms_judges import ACTIONS, GRADES
from fitmotion_models.evaluation.motion_requests import Model, as_recorded, held_out_requests, label_of, spread
from fitmotion_models.viewer.canvas import Image
from fitmotion_models.viewer.strips import draw_strip, stack_strips

Progress = Callable[[int, int | None], None] | None

STRIPS_A_PAGE = 6
KEY = "key.csv"
_KEY_COLUMNS = ("number", "page", "what", "text", "score", "from")


def write_strips(
    folder: Path, rows: Sequence[MotionRow], model: Model, *, seed: int = 0, progress: Progress = None
) -> list[Path]:
    """A picture of each action (and style and side): recordings of the rows, and what the model makes of their texts.

    Graded actions at 1, 2 and 3. Returns the files. Raises ValueError without recordings, OSError on writing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, 5])
    recorded = as_recorded(rows)
    labels = sorted({label_of(row) for row in recorded})
    if not labels:
        raise ValueError("no recordings to draw beside generated motion")
    written = []
    for number, label in enumerate(labels, start=1):
        found = [row for row in recorded if label_of(row) == label]
        strips: list[Image] = []
        for score in GRADES[::-1] if found[0].action in ACTIONS else (None,):
            strips += _beside(found, score, model, rng)
        written.append(folder / f"{label.replace(', ', '-')}.png")
        _write(written[-1], stack_strips(strips))
        if progress is not None:
            progress(number, len(labels))
    return written


def _beside(found: Sequence[MotionRow], score: int | None, model: Model, rng: np.random.Generator) -> list[Image]:
    """A recording of this score, if there is one, and a generated motion of its length."""
    same = [row for row in found if row.score == score]
    row = (same or list(found))[int(rng.integers(len(same) or len(found)))]
    (request,) = held_out_requests([row], rng)
    # a text that was trained on: strips are for the motion, the sheet is for words too
    request = replace(request, score=score, text=str(rng.choice(row.texts)))
    words = "" if score is None else f", FMS score {score}"
    strips = [draw_strip(row.load(), title=f"recorded ({row.person}){words}: {request.text}")] if same else []
    return [*strips, draw_strip(model.clips([request])[0], title=f"generated{words}: {request.text}")]


def write_blind_sheet(
    folder: Path, rows: Sequence[MotionRow], model: Model, count: int = 24, *, seed: int = 0, progress: Progress = None
) -> list[Path]:
    """Pages of numbered strips, recorded and generated mixed at random, and the key, which is not to be opened first.

    Every text is there once. Returns the files: pages, then the key. Raises ValueError without recordings, OSError on
    writing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, 6])
    recorded = as_recorded(rows)
    if not recorded:
        raise ValueError("no recordings to mix with generated motion")
    per_label = -(-count // max(len({label_of(row) for row in recorded}), 1))
    chosen = spread(recorded, per_label, rng)
    chosen = [chosen[index] for index in rng.permutation(len(chosen))[:count]]
    requests = held_out_requests(chosen, rng)
    generated = set(rng.permutation(len(chosen))[: len(chosen) // 2].tolist())
    strips, key = [], []
    for index, (row, request) in enumerate(zip(chosen, requests, strict=True)):
        made = index in generated
        clip = model.clips([request])[0] if made else row.load()
        strips.append(draw_strip(clip, title=f"{index + 1}: {request.text}"))
        page, score = index // STRIPS_A_PAGE + 1, "" if request.score is None else request.score
        what, source = ("generated", f"seed {request.seed}") if made else ("recorded", row.id)
        key.append((index + 1, page, what, request.text, score, source))
        if progress is not None:
            progress(index + 1, len(chosen))
    pages = [strips[first : first + STRIPS_A_PAGE] for first in range(0, len(strips), STRIPS_A_PAGE)]
    written = [folder / f"sheet-{number}.png" for number in range(1, len(pages) + 1)]
    for path, rows_of_page in zip(written, pages, strict=True):
        _write(path, stack_strips(rows_of_page))
    with (folder / KEY).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows((_KEY_COLUMNS, *key))
    return [*written, folder / KEY]


def _write(path: Path, image: Image) -> None:
    if not cv2.imwrite(str(path), image):
        raise OSError(f"cannot write the picture {path}")
