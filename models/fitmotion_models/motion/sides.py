"""Left and right in a sentence: the mirror image of what it says, and which side it is about."""

import re
from typing import NamedTuple

LEFT, RIGHT = "left", "right"

OTHER_SIDE = {LEFT: RIGHT, RIGHT: LEFT}
"""The side across."""

_TURNS = {"clockwise": "counterclockwise", "counterclockwise": "clockwise", "anticlockwise": "clockwise"}
_TURNS |= {"counter-clockwise": "clockwise", "anti-clockwise": "clockwise"}
# "lefthanded" and "leftward" name a side as well; "brightly", "upright", "right-angled" and "right down" do not
_WORDS = re.compile(
    r"(?<![A-Za-z])(?:(?:left|right)(?=\b|_|ward|most|hand)(?!-angle| angle| (?:down|away|here|there|now)\b)|"
    r"(?:counter-?|anti-?)?clockwise)",
    re.IGNORECASE,
)


class _Cue(NamedTuple):
    """weight: how much a match speaks for the side beside it, or against."""

    weight: int
    pattern: re.Pattern[str]


def _cues(*table: tuple[int, str], end: str = r"\b") -> tuple[_Cue, ...]:
    """Cues of lines of words; in a word * stands for any ending, _ for a space."""
    return tuple(
        _Cue(weight, re.compile(rf"\b(?:{'|'.join(words.split())})".replace("*", r"\w*").replace("_", " ") + end))
        for weight, words in table
    )


# Roles in a sentence that names both sides. What a body rests on, or what comes second, is not what the sentence is
# about: "balancing on the right foot, she lifts the left". The weights were set by hand on this project's own texts.
_BREAKS = re.compile(r"[,;:.]|\b(?:while|then|as|so|but|and)\b")
_BEFORE = (
    *_cues(
        (6, "behind"),
        (-6, "front_of ahead_of before beside next_to past than towards?"),
        end=r"(?: (?:the|a|an|his|her|their|your|its|my|one's))?$",
    ),
    *_cues(
        (-4, "weight"),
        (-3, "stand* stood balanc* support* rest rests rested resting poised stance plant* rear trailing back_leg"),
        (-3, "steady* steadies stable stabil* himself herself themselves yourself itself oneself back_knee opposite"),
        (-3, "healthy good sound strong* from_below under* base pillar anchor* remain* keep* kept favor* favour*"),
        (-3, "hurr*_onto hurr*_back_onto shift*_onto push*_off lean* load* not n't never"),
        (-1, "on leave leaves leaving bear* drop* lower*"),
        (2, "lift* rais* step* swing* kick* bring* pass* mov* clear* stretch* bent reach* fold*"),
        (3, "hurt* sore pain* injur* bad affected weak* lead* over onto forward lunge_to lunge_on"),
    ),
)
_KNEE_DOWN = "floor|ground|surface|beam|board|mat|line|descend*|hover*|lower*|drop*|touch*|kneel*|dip*|down"
_AFTER = _cues(
    (-4, rf"knee\b[\w\s]{{0,}}\b(?:{_KNEE_DOWN})"),
    (-4, "behind posterior backwards? rear trail* stance stand* planted support* carr* bears? bearing never n't not"),
    (-3, "back stays? staying remain* keep* kept still hold* rests? resting below under* bottom low lower"),
    (-3, "(?:knee|leg)_(?:is_|kept_)?(?:straight|locked|extended) takes?_the_weight fine healthy floor ground"),
    (2, "lift* rais* step* swing* up travel* moves moving bend* bent comes? goes"),
    (3, "over across above top overhead upper* high clears? clearing kick* strik* aches? limp* weak*"),
    (4, "front forwards? ahead lead* first anterior hurdle bar barrier obstacle fence"),
    (4, "hurt* sore pain* injur* killing sprain*"),
)
_ARM = re.compile(r"\W*(?:\w+ )?(?:arm|hand|fist|fingers|elbow|palm)s?\b")
_LEG = re.compile(r"\W*(?:\w+ )?(?:leg|foot|knee|thigh)s?\b")
# of two arms behind the back: the upper one's words and the lower one's
_UPPER_ARM = _cues(
    (3, "above top over* high upper* neck shoulder down first"),
    (-3, "below bottom low* up upwards? waist under* beneath behind_the_back"),
)
# an arm that goes with a leg gives the side its name, unless it is leant on
_ARM_WEIGHT, _LEANT_ON = 6, -3


def swap_sides(text: str) -> str:
    """The text of the mirror image: left and right change places, clockwise and counterclockwise too."""
    return _WORDS.sub(lambda match: _like(match[0], _swapped(match[0])), text)


def named_side(text: str) -> str | None:
    """The side that a sentence is about: LEFT, RIGHT, or None where it names none.

    Where it names both, the moving or leading limb's, the affected side of a gait, the upper hand's, the elbow's that
    meets a knee; where its words leave that open, the one named first. Of the mirror image it is always the other one.
    """
    found = list(_WORDS.finditer(text))
    if not found:
        return None
    sides = [_side(match[0]) for match in found]
    if len(set(sides)) == 1:
        return sides[0]
    roles = _roles(text.lower(), found)
    balance = sum(role if side == LEFT else -role for side, role in zip(sides, roles, strict=True))
    if not balance:
        return sides[0]
    return LEFT if balance > 0 else RIGHT


def _roles(text: str, found: list[re.Match[str]]) -> list[int]:
    """Of each side's mention how much speaks for it."""
    arms = [bool(_ARM.match(text, match.end())) for match in found]
    legs = [bool(_LEG.match(text, match.end())) for match in found]
    roles = []
    for index, match in enumerate(found):
        begin = found[index - 1].end() if index else 0
        end = found[index + 1].start() if index + 1 < len(found) else len(text)
        before = _BREAKS.split(text[begin : match.start()])[-1].strip()
        after = _BREAKS.split(text[match.end() : end])[0].strip()
        role = _strongest(_BEFORE, before, last=True) + _strongest(_AFTER, after, last=False)
        if all(arms):
            role = _strongest(_UPPER_ARM, after, last=False)
        elif arms[index] and any(legs) and role > _LEANT_ON:
            role += _ARM_WEIGHT
        roles.append(role)
    return roles


def _strongest(cues: tuple[_Cue, ...], words: str, *, last: bool) -> int:
    """The weight of the heaviest cue in some words; of equal ones the one that is nearest, at their end or start."""
    hits = [
        (abs(cue.weight), match.start() if last else -match.start(), cue.weight)
        for cue in cues
        for match in cue.pattern.finditer(words)
    ]
    return max(hits)[2] if hits else 0


def _side(word: str) -> str:
    lower = word.lower()
    if lower in OTHER_SIDE:
        return lower
    return RIGHT if lower == "clockwise" else LEFT


def _swapped(word: str) -> str:
    lower = word.lower()
    return OTHER_SIDE.get(lower) or _TURNS[lower]


def _like(word: str, other: str) -> str:
    """`other`, with capitals as `word` has them."""
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other
