"""What the motion generator says of its bodies in its diagnostics, and how that is read."""

from diagnostic_msgs.msg import DiagnosticStatus

from fitmotion_models.viewer.generation import Generation

FOLLOWING = "following"
_PROMPT, _SCORE = ".prompt", ".score"  # keys after the body's name


def generation_of(status: DiagnosticStatus) -> Generation:
    """What the motion generator's diagnostics say of its bodies."""
    values = {item.key: item.value for item in status.values}
    names = [key.removesuffix(_PROMPT) for key in values if key.endswith(_PROMPT)]
    bodies = {name: (values[name + _PROMPT], values.get(name + _SCORE, "")) for name in names}
    return Generation(
        bodies,
        engine=values.get("engine", ""),
        chunk_ms=(values.get("chunk_p50_ms", ""), values.get("chunk_p95_ms", "")),
        following=values.get(FOLLOWING, "") == "true",
    )


def told_of_body(subject: str, prompt: str, score: str) -> dict[str, str]:
    """A body's part of the diagnostics that `generation_of` reads."""
    return {subject + _PROMPT: prompt, subject + _SCORE: score}
