"""The part of a page that leads through a screen: the form at the start, the card of the step and its buttons."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import viser

from fitmotion_models.fms.screen import title
from fitmotion_models.fms.values import NOT_SCORABLE, Side
from fitmotion_models.viewer.page_controls import Command, FinishScreen, ReportPain, SetGrade, StartScreen
from fitmotion_models.viewer.page_guide_html import (
    beginning_html,
    consent_html,
    finished_html,
    notes_html,
    reports_html,
    seven_tests_html,
    step_html,
)
from fitmotion_models.viewer.page_html import answer_html
from fitmotion_models.viewer.screen_guide import FORMS, Step
from fitmotion_models.viewer.screen_lead import Lead, LeadSettings, Move
from fitmotion_models.viewer.watch import Person

_MOVES = {"‹ Back": Move.BACK, "Repeat": Move.REPEAT, "Skip test": Move.SKIP}
_SEXES = {"not said": "", "female": "female", "male": "male"}
_COUNTS, _BESIDE = "counts instead of ours", "beside ours, which counts"


@dataclass(frozen=True)
class PersonForm:
    """What the form begins with. Lengths in metres, 0: not entered. sex: "female", "male" or empty.

    recognise: whatever the person does is scored as the test that it is.
    """

    person: str = ""
    measured_by: str = ""
    stature_m: float = 0.0
    hand_length_m: float = 0.0
    sex: str = ""
    recognise: bool = False


class GuidePanel:
    """The form, the step and its buttons. Calls `on_command` from viser's threads."""

    def __init__(self, server: viser.ViserServer, on_command: Callable[[Command], None], form: PersonForm) -> None:
        self._server, self._on_command = server, on_command
        self._answer = server.gui.add_html("")
        self._form_parts = self._add_form(form)
        self._step_parts = self._add_step(form)
        self._shown: Person | None = None
        self._step: Step | None = None

    # ---- what is on it ----

    def _add_form(self, form: PersonForm) -> tuple[Any, ...]:
        gui = self._server.gui
        self._head = gui.add_html(beginning_html())
        self._name = gui.add_text("Name or code", form.person)
        self._measured_by = gui.add_text("Measured by", form.measured_by)
        self._stature = gui.add_number("Stature, cm", round(100 * form.stature_m, 1), min=0.0, max=260.0, step=0.5)
        self._hand = gui.add_number(
            "Hand, cm",
            round(100 * form.hand_length_m, 1),
            min=0.0,
            max=30.0,
            step=0.5,
            hint="From the wrist crease to the tip of the middle finger; 0: taken from the stature.",
        )
        sex = next((words for words, value in _SEXES.items() if value == form.sex), "not said")
        self._sex = gui.add_dropdown("Sex", tuple(_SEXES), initial_value=sex)
        self._consent = gui.add_checkbox("Consent", False)
        agrees = gui.add_html(consent_html())
        begin = gui.add_button("Begin the screen", icon=viser.Icon.PLAYER_PLAY, color="blue")
        begin.on_click(lambda event: self._begin(resume=False))
        go_on = gui.add_button("Go on with an open screen", icon=viser.Icon.PLAYER_TRACK_NEXT, color="gray")
        go_on.on_click(lambda event: self._begin(resume=True))
        fields = (self._name, self._measured_by, self._stature, self._hand, self._sex, self._consent)
        return self._head, *fields, agrees, begin, go_on

    def _begin(self, *, resume: bool) -> None:
        if resume and not self._name.value.strip():
            self.answer("whose screen goes on? Give the name or code", good=False)
            return
        self._on_command(
            StartScreen(
                person=self._name.value.strip(),
                measured_by=self._measured_by.value.strip(),
                consent=self._consent.value,
                stature_m=self._stature.value / 100.0,
                hand_length_m=self._hand.value / 100.0,
                sex=_SEXES[self._sex.value],
                resume=resume,
            )
        )

    def _add_step(self, form: PersonForm) -> tuple[Any, ...]:
        gui = self._server.gui
        self._card = gui.add_html("")
        self._no_pain = gui.add_button("No pain", icon=viser.Icon.CHECK, color="green")
        self._no_pain.on_click(lambda event: self._report(pain=False))
        self._next = gui.add_button("Next", icon=viser.Icon.PLAYER_TRACK_NEXT, color="blue")
        self._next.on_click(lambda event: self._on_command(Lead(Move.NEXT)))
        moves = gui.add_button_group("", tuple(_MOVES))
        moves.on_click(lambda event: self._on_command(Lead(_MOVES[event.target.value])))
        self._pain = gui.add_button("Pain", icon=viser.Icon.ALERT_TRIANGLE, color="red")
        self._pain.on_click(lambda event: self._report(pain=True))
        self._steps = gui.add_dropdown("Go to", ("–",))
        self._steps.on_update(self._on_step)
        self._recognise = gui.add_checkbox(
            "Recognise", form.recognise, hint="Whatever test the person does, on whatever side, is scored as that."
        )
        self._by_itself = gui.add_checkbox(
            "By itself", True, hint="After three attempts, or the best score, the next step comes by itself."
        )
        for box in (self._recognise, self._by_itself):
            box.on_update(lambda event: self._set())
        return self._card, self._next, moves, self._steps, self._recognise, self._by_itself

    def _set(self) -> None:
        self._on_command(LeadSettings(self._recognise.value, self._by_itself.value))

    def _on_step(self, event: Any) -> None:
        person = self._shown
        if event.client is None or person is None:
            return  # we have shown another step
        for step in person.lead.guide.plan:
            if step.title == self._steps.value:
                self._on_command(Lead(step))

    def _report(self, *, pain: bool) -> None:
        if self._shown is None:
            return
        guide = self._shown.lead.guide
        asked = guide.question
        if asked is not None:
            self._on_command(ReportPain(asked.clearing, pain, ""))
        elif guide.step is not None:
            self._on_command(ReportPain(None, pain, "", guide.step.movement, guide.step.side))

    # ---- what changes ----

    def answer(self, text: str, *, good: bool) -> None:
        """What became of the last button."""
        self._answer.content = answer_html(text, good=good)

    def update(self, person: Person | None, links: Sequence[tuple[str, str]]) -> None:
        """Show where the screen of this person is; the form while none is begun, after one with what came of it.

        links: words and addresses of reports.
        """
        self._shown = person
        is_open = person is not None and person.screen is not None and person.screen.open
        for part in self._form_parts:
            part.visible = not is_open
        for part in self._step_parts:
            part.visible = is_open
        if person is None or not is_open:
            done = None if person is None else person.screen
            self._head.content = finished_html(done, links) + beginning_html()
            self._no_pain.visible = self._pain.visible = False
            return
        lead = person.lead
        self._card.content = step_html(lead.guide, lead.sex, lead.waiting_s(time.monotonic()))
        self._show_buttons(person)

    def _show_buttons(self, person: Person) -> None:
        guide = person.lead.guide
        asked, step = guide.question, guide.step
        hurts = step is not None and step.clearing is None and guide.score(step.movement, step.side) == 0
        self._no_pain.visible = asked is not None or hurts
        self._no_pain.label = "No pain" if asked is not None else "No pain after all"
        self._pain.visible = step is not None and not hurts
        self._pain.label = "Pain" if asked is not None else "Pain in this test"
        titles = tuple(one.title for one in guide.plan)
        if self._steps.options != titles:
            self._steps.options = titles
        if step is not None and self._steps.value != step.title and step != self._step:
            self._steps.value = step.title  # type: ignore[misc]  # as for texts: the setter's annotation is wrong
        self._step = step


class ScreenPanel:
    """The seven tests, the clinician's own grades, the end of the screen and its report."""

    def __init__(self, server: viser.ViserServer, on_command: Callable[[Command], None]) -> None:
        self._server, self._on_command = server, on_command
        self._person: Person | None = None
        self._step: Step | None = None
        self._tests = server.gui.add_html("")
        self._reports = server.gui.add_html("")
        self._finish = server.gui.add_button("Finish the screen", icon=viser.Icon.FLAG, color="green")
        self._finish.on_click(lambda event: self._confirm_finish(event.client))
        self._notes = server.gui.add_html("")
        with server.gui.add_folder("Your own grade", expand_by_default=False):
            self._add_grade()

    def _add_grade(self) -> None:
        gui = self._server.gui
        names = {_test_title(movement, side): (movement, side) for movement, side in FORMS}
        self._test = test = gui.add_dropdown("Test", tuple(names))
        score = gui.add_dropdown("Grade", ("3", "2", "1", "0"))
        weight = gui.add_dropdown("Weight", (_COUNTS, _BESIDE))
        reason = gui.add_text("Reason", "")

        def grade(value: int) -> None:
            movement, side = names[test.value]
            beside = weight.value == _BESIDE
            self._on_command(SetGrade(value, reason.value.strip(), movement, side, beside))

        gui.add_button("Set grade", icon=viser.Icon.PENCIL).on_click(lambda event: grade(int(score.value)))
        gui.add_button("Withdraw grade", color="gray").on_click(lambda event: grade(NOT_SCORABLE))

    def _show_step(self, step: Step | None) -> None:
        """A grade is most often for the test that was just done."""
        if step is None or step == self._step:
            return
        self._step = step
        if step.clearing is None:
            self._test.value = _test_title(step.movement, step.side)  # type: ignore[misc]  # as for the step above

    def _confirm_finish(self, client: Any) -> None:
        """What is still open is named before the screen is closed."""
        person = self._person
        missing = [] if person is None else [step.title for step in person.lead.guide.open_steps]
        if not missing:
            self._on_command(FinishScreen())
            return
        gui = self._server.gui if client is None else client.gui
        with gui.add_modal("Finish the screen as it is?") as modal:
            gui.add_markdown(f"Still open: {', '.join(missing)}.")
            yes = gui.add_button("Finish it", color="green")
            no = gui.add_button("Go on with it", color="gray")

        def finish(event: Any) -> None:
            modal.close()
            self._on_command(FinishScreen())

        yes.on_click(finish)
        no.on_click(lambda event: modal.close())

    def update(self, person: Person | None, links: Sequence[tuple[str, str]]) -> None:
        """Show a person's screen. links: words and addresses of reports."""
        if person is not None:
            self._person = person
            self._tests.content = seven_tests_html(person.screen, person.lead.guide)
            self._notes.content = notes_html(person.screen)
            self._show_step(person.lead.guide.step)
            self._finish.visible = person.screen is not None and person.screen.open
        self._reports.content = reports_html(links)


def _test_title(movement: Any, side: Side) -> str:
    return title(movement).capitalize() + ("" if side is Side.BOTH else f", {title(side)}")
