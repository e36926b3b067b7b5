"""The part of a page that asks for motion: words, score, what carries it, how strongly; and what is generated now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import viser

from fitmotion_models.motion.condition import GUIDANCE_RANGE, SCORES, Conditioning, MotionCondition
from fitmotion_models.viewer.generation import Generation, generation_html
from fitmotion_models.viewer.page_html import answer_html

ANY = "any"
OWN_WORDS = "in your own words"
LONGEST_S = 30.0  # of one motion, as the page asks for it; 0 lets the model choose
_CARRIERS = {
    "as the model does best": Conditioning.DEFAULT,
    "a number in the words": Conditioning.NUMERICAL,
    "words in front": Conditioning.TEXTUAL,
    "an input of its own": Conditioning.TOKEN,
}
_MODELS_OWN = 0.0  # of a weight of guidance
_STEP = 0.25


@dataclass(frozen=True, eq=False)
class Generate:
    """Generate this from now on."""

    condition: MotionCondition


@dataclass(frozen=True)
class StopGenerating:
    """Let the body come to a stand."""


class MotionPanel:
    """Controls of the motion generator. Calls `on_command` from viser's threads.

    prompts: what can be picked.
    """

    def __init__(
        self,
        server: viser.ViserServer,
        on_command: Callable[[Generate | StopGenerating], None],
        prompts: Sequence[str],
    ) -> None:
        self._on_command = on_command
        self._score: int | None = None
        gui = server.gui
        self._now = gui.add_html(generation_html(None))
        self._answer = gui.add_html("")
        self._pick = gui.add_dropdown("Pick", (OWN_WORDS, *prompts))
        self._pick.on_update(self._on_pick)
        self._prompt = gui.add_text("Words", prompts[0] if prompts else "", multiline=True)
        scores = gui.add_button_group("FMS score", (ANY, *(str(score) for score in SCORES)))
        scores.on_click(self._on_score)
        go = gui.add_button("Generate", icon=viser.Icon.PLAYER_PLAY, color="blue")
        go.on_click(lambda event: self._ask())
        stop = gui.add_button("Stop", icon=viser.Icon.PLAYER_STOP, color="gray")
        stop.on_click(lambda event: on_command(StopGenerating()))
        with gui.add_folder("How", expand_by_default=False):
            self._add_how(gui)

    def _add_how(self, gui: viser.GuiApi) -> None:
        self._carrier = gui.add_dropdown("Score as", tuple(_CARRIERS), hint="What carries the score into the model.")
        highest = GUIDANCE_RANGE[1]
        hint = "1: none; higher: more strictly; 0: the model's own."
        self._text_guidance = gui.add_slider("Words' weight", 0.0, highest, _STEP, _MODELS_OWN, hint=hint)
        self._score_guidance = gui.add_slider("Score's weight", 0.0, highest, _STEP, _MODELS_OWN, hint=hint)
        self._seconds = gui.add_slider("Length, s", 0.0, LONGEST_S, 0.5, 0.0, hint="0: the model's choice, repeated.")
        for part in (self._carrier, self._text_guidance, self._score_guidance, self._seconds):
            part.on_update(self._on_how)

    # ---- what is asked for ----

    def _on_pick(self, event: viser.GuiEvent[viser.GuiDropdownHandle[str]]) -> None:
        if event.client is not None and self._pick.value != OWN_WORDS:
            self._prompt.value = self._pick.value  # type: ignore[misc]  # as for other texts: the annotation is wrong
            self._ask()

    def _on_score(self, event: viser.GuiEvent[viser.GuiButtonGroupHandle]) -> None:
        self._score = None if event.target.value == ANY else int(event.target.value)
        self._ask()

    def _on_how(self, event: object) -> None:
        if self._prompt.value.strip():
            self._ask()

    def _ask(self) -> None:
        try:
            condition = MotionCondition(
                prompt=self._prompt.value,
                score=self._score,
                conditioning=_CARRIERS[self._carrier.value],
                seconds=self._seconds.value or None,
                text_guidance=self._text_guidance.value or None,
                score_guidance=self._score_guidance.value or None,
            )
        except ValueError as error:
            self.answer(str(error), good=False)
            return
        self.answer("", good=True)
        self._on_command(Generate(condition))

    # ---- what is told ----

    def answer(self, text: str, *, good: bool) -> None:
        """What became of the last button."""
        self._answer.content = answer_html(text, good=good)

    def update(self, generation: Generation | None) -> None:
        """Show what is generated now; None: nothing has been heard of the generator."""
        self._now.content = generation_html(generation)
