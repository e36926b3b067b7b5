"""The colours that a body and its score have in every picture of them, red, green, blue in 0 to 1."""

from fitmotion_models.fms.values import NOT_SCORABLE, Verdict

Rgb = tuple[float, float, float]

# Left and right differ in blue against orange, which people with any kind of colour vision tell apart (Okabe & Ito
# 2008); red stays for faults alone.
LEFT: Rgb = (0.34, 0.71, 0.97)
RIGHT: Rgb = (0.98, 0.70, 0.26)
MIDDLE: Rgb = (0.93, 0.94, 0.96)
JOINT: Rgb = (1.0, 1.0, 1.0)
ANGLE: Rgb = (0.62, 0.90, 0.78)
FAULT: Rgb = (0.96, 0.20, 0.24)
GOOD: Rgb = (0.22, 0.76, 0.42)
FAIR: Rgb = (0.93, 0.62, 0.13)
UNKNOWN: Rgb = (0.55, 0.58, 0.62)
TEXT: Rgb = (1.0, 1.0, 1.0)
QUIET_TEXT: Rgb = (0.78, 0.80, 0.84)
PANEL: Rgb = (0.07, 0.08, 0.10)

VERDICTS: dict[Verdict, Rgb] = {Verdict.MET: GOOD, Verdict.NOT_MET: FAULT, Verdict.NOT_SEEN: UNKNOWN}
_SCORES: dict[int, Rgb] = {NOT_SCORABLE: UNKNOWN, 0: FAULT, 1: FAULT, 2: FAIR, 3: GOOD}


def score_colour(score: int | None) -> Rgb:
    """The colour of a score 0 to 3; grey for one that could not be given and for none yet."""
    return UNKNOWN if score is None else _SCORES[score]


def on_paper(colour: Rgb) -> Rgb:
    """A colour of the palette, which is for dark pages, as it is drawn on white ones."""
    red, green, blue = (0.72 * part for part in colour)
    return red, green, blue
