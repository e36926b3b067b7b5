"""What the motion generator does now, and how a page tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from fitmotion_models.motion.condition import SCORES
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.page_html import block, css


@dataclass(frozen=True)
class Generation:
    """What is generated now, for people.

    bodies: subject -> (prompt, score as a word), the prompt empty while it stands. engine: what does it.
    chunk_ms: how long a piece of the future takes, the middle and the slow end. following: whether the watched person's
    score decides.
    """

    bodies: Mapping[str, tuple[str, str]]
    engine: str = ""
    chunk_ms: tuple[str, str] = ("", "")
    following: bool = False


def generation_html(generation: Generation | None) -> str:
    """What every generated body does, at which score, and how fast that is made."""
    if generation is None:
        return block('<div style="opacity:.65">The motion generator has not reported yet.</div>', "10px 14px 8px")
    rows = "".join(_body_html(name, *told) for name, told in generation.bodies.items())
    p50, p95 = generation.chunk_ms
    speed = f", {p50} ms a chunk (p95 {p95})" if p50 else ""
    follows = "<div>follows the score of the person in view</div>" if generation.following else ""
    foot = f'<div style="opacity:.65;font-size:12px">{follows}{escape(generation.engine + speed)}</div>'
    return block(rows + foot, "10px 14px 8px")


def _body_html(name: str, prompt: str, score: str) -> str:
    colour = css(palette.score_colour(int(score) if score.isdecimal() and int(score) in SCORES else None))
    does = escape(prompt) or "stands"
    return (
        f'<div class="fm-generated" data-subject="{escape(name)}" data-score="{escape(score)}" '
        'style="display:flex;gap:10px;align-items:center;margin-bottom:6px">'
        f'<div style="flex:none;min-width:34px;height:34px;border-radius:8px;background:{colour};color:#101418;'
        f'text-align:center;font-size:{20 if len(score) < 2 else 13}px;font-weight:700;line-height:34px">'
        f"{escape(score) or '–'}</div>"
        f'<div><div style="font-weight:600">{does}</div><div style="opacity:.65;font-size:12px">{escape(name)}</div>'
        "</div></div>"
    )
