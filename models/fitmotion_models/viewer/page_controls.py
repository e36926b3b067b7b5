"""The buttons of a page, and what they ask for as plain values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import viser

from fitmotion_models.fms.movements import MOVEMENTS
from fitmotion_models.fms.screen import ClearingTest, title
from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_models.viewer.page_html import answer_html
from fitmotion_models.viewer.screen_lead import Lead, LeadSettings
from fitmotion_models.viewer.terminal import words

IN_THE_TEST = "in the test itself"
WHOEVER = "whoever is in view"


@dataclass(frozen=True)
class StartTest:
    """Repetitions from now on count for this movement, form, side and trial; 0: the next one."""

    movement: Movement
    variation: Variation
    side: Side
    trial: int = 0


@dataclass(frozen=True)
class ReportPain:
    """What the person says. clearing: the clearing test it was in, None for a test.

    movement UNKNOWN: the test under way.
    """

    clearing: ClearingTest | None
    pain: bool
    note: str
    movement: Movement = Movement.UNKNOWN
    side: Side = Side.BOTH


@dataclass(frozen=True)
class SetGrade:
    """The operator's own grade, 0 to 3; -1 withdraws it. movement UNKNOWN: for the test under way.

    beside: it is kept beside ours, which goes on counting.
    """

    score: int
    reason: str
    movement: Movement = Movement.UNKNOWN
    side: Side = Side.BOTH
    beside: bool = False


@dataclass(frozen=True)
class StartScreen:
    """Begin a person's screen, or go on with it (resume). Lengths in metres, 0: as the records say.

    person: empty: it is not kept in the records. sex: "female", "male" or empty.
    """

    person: str
    measured_by: str
    consent: bool
    stature_m: float
    hand_length_m: float
    sex: str
    resume: bool


@dataclass(frozen=True)
class FinishScreen:
    """Close the person's screen and write its report."""


@dataclass(frozen=True)
class ResetScreen:
    """Forget the person's screen."""


@dataclass(frozen=True)
class ChoosePerson:
    """Show this subject and mean them with every button; empty: whoever is in view."""

    subject: str


@dataclass(frozen=True)
class ChooseSensor:
    """Show this inertial sensor's topic."""

    topic: str


Asked = StartTest | ReportPain | SetGrade | ResetScreen | StartScreen | FinishScreen
"""What the fms node is asked for."""
Command = Asked | ChoosePerson | ChooseSensor | Lead | LeadSettings


def _forms() -> dict[str, tuple[Movement, Variation]]:
    """Every form of a movement that can be scored, by the name that is shown."""
    return {
        words(variation.name).capitalize(): (movement, variation)
        for movement, rules in MOVEMENTS.items()
        for variation in rules.variations
    }


class PersonChoice:
    """Whose test is shown and meant by the buttons, where there is a choice."""

    def __init__(self, server: viser.ViserServer, on_command: Callable[[Command], None]) -> None:
        self._person = server.gui.add_dropdown("Person", (WHOEVER,), visible=False)
        self._person.on_update(lambda event: on_command(ChoosePerson(self._chosen())))

    def _chosen(self) -> str:
        return "" if self._person.value == WHOEVER else str(self._person.value)

    def show(self, subjects: tuple[str, ...]) -> None:
        """The names to choose from."""
        options = (WHOEVER, *subjects)
        if self._person.options != options:
            self._person.options = options
        self._person.visible = len(subjects) > 1


class Controls:
    """Test, pain, own grade and reset. Calls `on_command` from viser's threads."""

    def __init__(self, server: viser.ViserServer, on_command: Callable[[Command], None]) -> None:
        self._server, self._on_command = server, on_command
        gui = server.gui
        self._answer = gui.add_html("")
        with gui.add_folder("Test"):
            self._add_test()
        with gui.add_folder("Pain, as the person says"):
            self._add_pain()
        with gui.add_folder("Your own grade"):
            self._add_grade()
        reset = gui.add_button("Reset the screen…", icon=viser.Icon.REFRESH, color="gray")
        reset.on_click(lambda event: self._confirm_reset(event.client))

    def _add_test(self) -> None:
        gui, forms = self._server.gui, _forms()
        form = gui.add_dropdown("Movement", tuple(forms))
        sides = {words(side.name).capitalize(): side for side in Side}
        side = gui.add_dropdown("Side", self._sides_of(forms[form.value][0]))

        def choose(event: Any) -> None:
            side.options = self._sides_of(forms[form.value][0])

        def start(event: Any) -> None:
            movement, variation = forms[form.value]
            self._on_command(StartTest(movement, variation, sides[side.value]))

        form.on_update(choose)
        gui.add_button("Start test", icon=viser.Icon.PLAYER_PLAY, color="blue").on_click(start)

    @staticmethod
    def _sides_of(movement: Movement) -> tuple[str, ...]:
        return tuple(words(side.name).capitalize() for side in MOVEMENTS[movement].sides)

    def _add_pain(self) -> None:
        gui = self._server.gui
        places: dict[str, ClearingTest | None] = {IN_THE_TEST: None}
        places |= {f"clearing test: {title(test)}": test for test in ClearingTest}
        place = gui.add_dropdown("Where", tuple(places))
        note = gui.add_text("Words", "")

        def report(pain: bool) -> None:
            self._on_command(ReportPain(places[place.value], pain, note.value.strip()))
            note.value = ""  # type: ignore[misc]  # it can be set; viser's annotation of the setter says otherwise

        gui.add_button("Pain", icon=viser.Icon.ALERT_TRIANGLE, color="red").on_click(lambda event: report(True))
        gui.add_button("No pain", color="gray").on_click(lambda event: report(False))

    def _add_grade(self) -> None:
        gui = self._server.gui
        score = gui.add_dropdown("Grade", ("3", "2", "1", "0"))
        reason = gui.add_text("Reason", "")

        def grade(value: int) -> None:
            self._on_command(SetGrade(value, reason.value.strip()))

        gui.add_button("Set grade", icon=viser.Icon.PENCIL).on_click(lambda event: grade(int(score.value)))
        gui.add_button("Withdraw grade", color="gray").on_click(lambda event: grade(-1))

    def _confirm_reset(self, client: Any) -> None:
        """A screen is minutes of somebody's work: one more click, in the browser that asked."""
        gui = self._server.gui if client is None else client.gui
        with gui.add_modal("Forget this person's screen?") as modal:
            gui.add_markdown("All scores, pain reports and own grades of this person are forgotten.")
            yes = gui.add_button("Forget them", color="red")
            no = gui.add_button("Keep them", color="gray")

        def forget(event: Any) -> None:
            modal.close()
            self._on_command(ResetScreen())

        yes.on_click(forget)
        no.on_click(lambda event: modal.close())

    def answer(self, text: str, *, good: bool) -> None:
        """What became of the last button."""
        self._answer.content = answer_html(text, good=good)
