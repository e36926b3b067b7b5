"""What is said of recorded motion: several texts for each action, from a table, and others kept for evaluation."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from fitmotion_models.fms.values import Variation
from fitmotion_models.motion.sides import OTHER_SIDE


class MotionTexts(NamedTuple):
    """train: texts that are trained on. held_out: others of the same meaning, which never are."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]


class RecordingText(NamedTuple):
    """What a set publishes about one recording: its action here, and its description."""

    action: str
    text: str


class RecordingPart(NamedTuple):
    """A part of a recording in which something else is done: from and to in seconds, its action and side."""

    start: float
    end: float
    action: str
    side: str | None


@cache
def _table() -> dict[str, Any]:
    content = files("fitmotion_models.datasets").joinpath("motion_texts.yaml").read_text(encoding="utf-8")
    table: dict[str, Any] = yaml.safe_load(content)
    return table


def known_actions() -> tuple[str, ...]:
    """The actions that have texts."""
    return tuple(_table()["actions"])


def known_styles() -> tuple[str, ...]:
    """The styles that any action can be said to be done in."""
    return tuple(_table()["styles"])


def texts_of(action: str, *, style: str | None = None, side: str | None = None) -> MotionTexts:
    """The texts of an action.

    style: one that the action has texts of its own for ("limp" of "walk"), or one of `known_styles`. side: "left" or
    "right", where the texts name one. Raises ValueError for an unknown action or style and where a side is missing.
    """
    table = _table()
    own = table["styled"].get(f"{action}/{style}")
    if own is None:
        _check_known("action", action, table["actions"])
    texts = {part: [_sided(text, action, side) for text in (own or table["actions"][action])[part]] for part in _PARTS}
    if style is not None and own is None:
        _check_known("style", style, table["styles"])
        texts = {part: _in_style(texts[part], table["styles"][style][part]) for part in _PARTS}
    return MotionTexts(*(tuple(texts[part]) for part in _PARTS))


_PARTS = ("train", "held_out")


def _check_known(kind: str, word: str, known: Iterable[str]) -> None:
    if word not in known:
        raise ValueError(f"{kind} '{word}' has no texts; known: {', '.join(known)}. Add it to motion_texts.yaml")


def _sided(text: str, action: str, side: str | None) -> str:
    if "{" not in text:
        return text
    if side not in OTHER_SIDE:
        raise ValueError(f"action '{action}' is done on a side, got {side!r}; give 'left' or 'right'")
    return text.format(side=side, other=OTHER_SIDE[side])


def _in_style(texts: list[str], forms: list[str]) -> list[str]:
    """Each text in one of the style's forms, which take turns."""
    return [forms[index % len(forms)].format(text=text) for index, text in enumerate(texts)]


def screen_descriptions() -> dict[Variation, str]:
    """One description for each of the fifteen movements of the Functional Movement Screen."""
    return {Variation[name]: text for name, text in _table()["screen"].items()}


def recording_text(source: str, name: str) -> RecordingText | None:
    """What the set `source` ("cmu") publishes about its recording `name` ("02_01"); None where nothing is known."""
    found = _table()["recordings"].get(source, {}).get(name)
    return None if found is None else RecordingText(*found)


def recording_parts(source: str, name: str) -> tuple[RecordingPart, ...]:
    """The parts found in the recording `name` ("01_02") of the set `source` ("cmu")."""
    return tuple(RecordingPart(*part) for part in _table()["parts"].get(source, {}).get(name, ()))
