"""`prompts.yaml`: which motions are generated for a data set, of whom, how often.

    seed: 7                       # of everything random; the same file gives the same data set
    subjects:                     # who they are of: names with statures (metres), or a number of persons of one body
      anna: {stature: 1.62}
      ben: {stature: 1.85}
    defaults: {seconds: 6, count: 2}
    prompts:
      - prompt: a person performs a deep squat with heels on the floor
        label: deep_squat         # default: the prompt's own words
        fms: [1, 2, 3]            # scores of the Functional Movement Screen, one or a list; default: none is asked for
        count: 4                  # motions of every subject and score
        seconds: [4, 8]           # a length, or from-to; default: as long as such motions are
      - prompt: a person walks
        path: way.csv             # way of the pelvis, as of `generate --path`; files lie beside this one
        keyframes: walk.npz       # bodies that are passed through, as of `generate --keyframes`
        keyframe_at: [0, 2.5]
        conditioning: textual     # numerical, textual, token or default
        text_guidance: 2.0
        score_guidance: 1.5
        subject: anna             # only this one of the subjects
        trial: walk_3             # default: a number

What an entry has not takes the value of `defaults`.
"""

import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
from fitmotion_models.datasets.synthesis.sources import (
    STATURE_RANGE_M,
    Annotation,
    LabelSpan,
    PromptSource,
    checked_ids,
    slug,
)
from fitmotion_models.exchange.condition_files import read_keyframes, read_path
from fitmotion_models.motion.condition import Conditioning, MotionCondition

TOP = ("seed", "subjects", "licence", "defaults", "prompts")
ENTRY = (
    *("prompt", "label", "fms", "count", "seconds", "path", "keyframes", "keyframe_at", "conditioning"),
    *("text_guidance", "score_guidance", "subject", "trial"),
)
MOST_PROMPTED = 100_000
"""Motions of one file; more is a slip."""

_LARGEST_SEED = 2**32
_LABEL_CHARACTERS = 48


def prompt_sources(path: Path, settings: SynthesisSettings) -> list[PromptSource]:
    """The motions of a file, each with a seed of its own that depends on its id and the file's seed alone.

    Raises ValueError, one sentence naming the file, the entry and what is wrong, before anything is generated.
    """
    content = _content(path)
    subjects = _subjects(path, content.get("subjects", 1))
    seed = _whole(path, "seed", content.get("seed", 0), low=0)
    defaults = _entry(path, "defaults", content.get("defaults", {}))
    entries = content["prompts"]
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{path}: prompts is no list; give one or more entries such as '- prompt: a person walks'")
    licence = str(content.get("licence") or _licence(settings))
    found: list[PromptSource] = []
    for number, given in enumerate(entries, start=1):
        entry = {**defaults, **_entry(path, f"entry {number}", given)}
        try:
            found += _sources(path, entry, subjects, seed, licence)
        except (ValueError, OSError) as error:
            raise ValueError(f"{path}, entry {number}: {error}") from error
        if len(found) > MOST_PROMPTED:
            raise ValueError(f"{path} asks for more than {MOST_PROMPTED} motions; make it several files")
    return checked_ids(found)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}; give a prompts.yaml") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or "prompts" not in content:
        raise ValueError(f"{path} has no prompts; `fitmotion synthesize --help` shows what such a file looks like")
    _refuse_unknown(path, "", content, TOP)
    return content


def _subjects(path: Path, given: Any) -> dict[str, float | None]:
    """Names and statures."""
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return {f"generated_{number}": None for number in range(1, given + 1)}
    if isinstance(given, list) and given and all(isinstance(name, str) for name in given):
        return dict.fromkeys(given)
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"{path}: subjects is {given!r}; give a number, a list of names, or names with statures")
    found: dict[str, float | None] = {}
    low, high = STATURE_RANGE_M
    for name, entry in given.items():
        row = entry or {}
        if not isinstance(row, Mapping) or set(row) - {"stature"}:
            raise ValueError(f"{path}: subject {name} is {entry!r}; allowed: {{stature: METRES}}")
        stature = row.get("stature")
        if stature is not None and not (_is_number(stature) and low <= stature <= high):
            raise ValueError(f"{path}: subject {name} has the stature {stature!r}; allowed: {low:g} to {high:g} m")
        found[str(name)] = None if stature is None else float(stature)
    return found


def _entry(path: Path, name: str, given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        given = {"prompt": given}
    if not isinstance(given, Mapping):
        raise ValueError(f"{path}: {name} is {given!r}; give fields such as prompt, label, count")
    _refuse_unknown(path, f"{name}: ", given, ENTRY)
    return dict(given)


def _refuse_unknown(path: Path, where: str, given: Mapping[Any, Any], allowed: tuple[str, ...]) -> None:
    unknown = sorted(str(key) for key in given if key not in allowed)
    if unknown:
        raise ValueError(f"{path}: {where}unknown field {', '.join(unknown)}; allowed: {', '.join(allowed)}")


def _sources(
    path: Path, entry: Mapping[str, Any], subjects: Mapping[str, float | None], seed: int, licence: str
) -> list[PromptSource]:
    """The motions of one entry."""
    if "prompt" not in entry:
        raise ValueError("it has no prompt; say what the person does")
    count = _whole(path, "count", entry.get("count", 1), low=1)
    scores = _scores(entry.get("fms"))
    chosen = _chosen(entry, subjects)
    wish = _wish(path.parent, entry)
    label = str(entry.get("label") or slug(str(entry["prompt"]))[:_LABEL_CHARACTERS])
    found = []
    for subject, stature in chosen.items():
        for score in scores:
            for number in range(1, count + 1):
                trial = str(entry.get("trial") or number) if count == 1 else f"{entry.get('trial', '')}{number}"
                words = (label, "" if score is None else f"fms{score}", subject, trial)
                id = "prompt_" + "_".join(slug(word) for word in words if word)
                random = np.random.default_rng([seed, zlib.crc32(id.encode()), zlib.crc32(str(entry).encode())])
                condition = MotionCondition(
                    score=score, seconds=_seconds(entry.get("seconds"), random), seed=_drawn(random), **wish
                )
                about = Annotation(subject, trial, (LabelSpan(label),), licence)
                found.append(PromptSource(id, str(path), about, condition, stature))
    return found


def _chosen(entry: Mapping[str, Any], subjects: Mapping[str, float | None]) -> Mapping[str, float | None]:
    if "subject" not in entry:
        return subjects
    name = str(entry["subject"])
    # a person whom only this entry knows, such as the one of a described video, has the generator's body
    return {name: subjects.get(name)}


def _wish(folder: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What a condition has beside score, length and seed; files are read once."""
    conditioning = str(entry.get("conditioning", "default"))
    if conditioning.upper() not in Conditioning.__members__:
        known = ", ".join(one.lower() for one in Conditioning.__members__)
        raise ValueError(f"conditioning '{conditioning}' unknown; known: {known}")
    at = entry.get("keyframe_at", [])
    at = list(at) if isinstance(at, list) else [at]
    if at and "keyframes" not in entry:
        raise ValueError("keyframe_at says which bodies of a clip bind; name the clip with keyframes")
    return {
        "prompt": entry["prompt"],
        "conditioning": Conditioning[conditioning.upper()],
        "text_guidance": entry.get("text_guidance"),
        "score_guidance": entry.get("score_guidance"),
        "path": read_path(folder / str(entry["path"])) if "path" in entry else None,
        "keyframes": read_keyframes(folder / str(entry["keyframes"]), at) if "keyframes" in entry else (),
    }


def _scores(given: Any) -> list[int | None]:
    return list(given) if isinstance(given, list) and given else [given]


def _seconds(given: Any, random: np.random.Generator) -> float | None:
    """A length, drawn where it is a range; to the twentieth of a second, a frame of the generator."""
    if given is None or _is_number(given):
        return given
    if isinstance(given, list) and len(given) == 2 and all(_is_number(one) for one in given) and given[0] <= given[1]:
        return round(float(random.uniform(*given)) * 20.0) / 20.0
    raise ValueError(f"seconds is {given!r}; give a number, or two, from and to")


def _drawn(random: np.random.Generator) -> int:
    return int(random.integers(_LARGEST_SEED))


def _licence(settings: SynthesisSettings) -> str:
    """What holds for generated motion: the licence of the weights."""
    if settings.generator == "kimodo":
        return f"as {settings.kimodo_model}'s"
    from fitmotion_models.motion.sampler import load_sampler

    return load_sampler(settings.weights, threads=1).card.licence or "not said"


def _whole(path: Path, name: str, value: Any, *, low: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ValueError(f"{path}: {name} is {value!r}; give a whole number from {low}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
