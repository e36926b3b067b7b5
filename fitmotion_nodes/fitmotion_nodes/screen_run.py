"""`./fitmotion screen`: the graph with the guided page, keys in the terminal, pictures into the records, the report."""

import sqlite3
import threading
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

from rich.console import Console

from fitmotion_models.fms.records import Records
from fitmotion_models.fms.records.database import RecordsError
from fitmotion_models.fms.screen import ScreenResult
from fitmotion_models.fms.values import Assessment
from fitmotion_models.viewer.page_controls import StartScreen
from fitmotion_models.viewer.screen_table import screen_table
from fitmotion_nodes.graph import Graph
from fitmotion_nodes.keys import Keys
from fitmotion_nodes.run_folder import RunFolder
from fitmotion_nodes.run_memory import Key, repetition_key
from fitmotion_nodes.screen_client import ScreenClient
from fitmotion_nodes.screen_pictures import ScreenPictures
from fitmotion_nodes.sources import Choice
from fitmotion_nodes.up import LiveRun, SkippedError, StopSignal, UpOptions, assessment_report, run_live

REPORTS = ("screen.html", "screen.pdf")
KEYS = {"n": "next", "b": "back", "r": "repeat", "s": "skip", "p": "pain", "o": "no_pain"}
KEYS_TOLD = "keys: n next, b back, r repeat, s skip the test, p pain, o no pain, f finish; Ctrl-C leaves, to be resumed"
_LOOK_S = 0.5  # how often pictures and screens are looked after
_LAST_PICTURES_S = 1.5


@dataclass(frozen=True)
class ScreenOptions:
    """Whose screen.

    records: the database. form: what is known of the person; consent and measures are in the records. begin: at once,
    for whoever comes into view; else the page's form, filled with it, is waited for. recognise: tests are recognised
    instead of led through.
    """

    records: Path
    form: StartScreen
    begin: bool = False
    recognise: bool = False


def screen(options: UpOptions, wanted: ScreenOptions) -> int:
    """Run a guided screen until Ctrl-C or the end of its source; returns the exit code as `up`."""
    form = wanted.form
    dashboard = {
        "guided": True,
        "recognise": wanted.recognise,
        "person": form.person,
        "measured_by": form.measured_by,
        "stature_m": form.stature_m,
        "hand_length_m": form.hand_length_m,
        "sex": form.sex,
        "reports": ",".join(REPORTS),
    }
    fms: dict[str, Any] = {"records": str(wanted.records.absolute()), "measured_by": form.measured_by}
    if wanted.begin:
        fms |= {"person": form.person, "resume": form.resume}
    given = {name: dict(values) for name, values in options.parameters.items()}
    parameters = {**given, "dashboard": dashboard | given.get("dashboard", {}), "fms": fms | given.get("fms", {})}
    movement = "auto" if wanted.recognise else options.movement
    return run_live(
        replace(options, dashboard=True, movement=movement, parameters=parameters), partial(ScreenRun, wanted)
    )


class ScreenRun(LiveRun):
    """A run in which a person is led through a screen."""

    def __init__(
        self,
        wanted: ScreenOptions,
        options: UpOptions,
        choice: Choice,
        graph: Graph,
        folder: RunFolder,
        stop: StopSignal,
    ) -> None:
        super().__init__(options, choice, _handing_out(graph, folder.path.resolve()), folder, stop)
        self._said: deque[tuple[str, bool]] = deque()
        self._client = ScreenClient(graph.nodes[0].namespace, lambda text, good: self._said.append((text, good)))
        self._pictures = ScreenPictures(wanted.records, self._monitor.memory)
        self._look_at, self._head = 0.0, ""
        self._wanted = wanted
        # of this run, as they stand, by session, of those that are not kept by subject
        self._screens: dict[int | str, ScreenResult] = {}
        self._of: dict[Key, tuple[int, Assessment]] = {}
        self._reported: dict[int, ScreenResult] = {}
        self._writer: threading.Thread | None = None
        self._context = ExitStack()
        self._keys = self._context.enter_context(Keys())

    # ---- while it runs ----

    def _look_after(self) -> None:
        for key in self._keys.pressed():
            if key in KEYS:
                self._client.trigger(KEYS[key])
            elif key == "f":
                self._client.finish()
        while self._said:
            text, good = self._said.popleft()
            self._view.say(text if good else f"not done: {text}")
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_S
        self._hear_screens()
        self._keep_pictures()
        self._tell_step(self._client.step or "no screen is under way; the form on the page begins one")

    def _tell_step(self, step: str) -> None:
        """On a terminal all of it with the keys; in a log the sentences once for each step."""
        if self._keys.are_read:
            self._view.tell(f"{step}\n{KEYS_TOLD}")
            return
        head = step.partition(":")[0]
        title = head.partition(" (")[0]
        if head != self._head:
            same = title == self._head.partition(" (")[0]
            self._view.tell(head if same else step)
        self._head = head

    def _hear_screens(self) -> None:
        # somebody who was resumed under another name in the poses is heard of under both: the last word counts
        newest = {result.session or result.subject: result for result in self._client.screens.values()}
        for key, result in newest.items():
            known = self._screens.get(key)
            if known is None and not result.open:
                continue  # single tests of somebody whose screen was not begun
            self._screens[key] = result
            if known is None and result.session:
                where = f"session {result.session} in {self._wanted.records}"
                self._view.say(f"the screen of {result.person} is under way, {where}")
                self._register(result)
            elif known is not None and known.open and not result.open and result.session:
                self._write_in_background(result)

    def _register(self, result: ScreenResult) -> None:
        """The run's folder goes when the person is removed from the records."""
        try:
            with Records(self._wanted.records) as records:
                session = records.session(result.session)
                if self._folder.path.absolute() not in records.files(session.person):
                    records.add_file(session, self._folder.path)
        except (RecordsError, sqlite3.Error) as error:
            self._view.say(f"{self._folder.path} could not be entered into the records: {error}")

    def _keep_pictures(self) -> None:
        sessions = {result.subject: result.session for result in self._screens.values() if result.session}
        for one in self._monitor.observations.results():
            if one.subject in sessions:
                self._of[repetition_key(one)] = sessions[one.subject], one
        try:
            self._pictures.keep(self._of)
        except (RecordsError, sqlite3.Error) as error:
            self._view.say(f"pictures could not be kept: {error}")

    # ---- reports ----

    def _write_in_background(self, result: ScreenResult) -> None:
        """The report of a finished screen, for the page; a second one waits for the first."""
        before = self._writer

        def write() -> None:
            if before is not None:
                before.join()
            self._said.append((self._write(result), True))

        self._writer = threading.Thread(target=write, name="screen_report", daemon=True)
        self._writer.start()

    def _write(self, result: ScreenResult) -> str:
        """Write the report of a session; what became of it."""
        from fitmotion_models.viewer.screen_report import write_screen_report

        try:
            with Records(self._wanted.records) as records:
                paths = write_screen_report(records, records.session(result.session), self._folder.path)
        except (RecordsError, sqlite3.Error, OSError) as error:
            return f"the report could not be written: {error}"
        self._reported[result.session] = result
        return f"report in {' and '.join(str(path) for path in paths)}"

    def _write_unless_skipped(self, result: ScreenResult) -> str:
        """The same, in front of somebody who may not want to wait: a second Ctrl-C leaves it out."""
        try:
            with self._stop.skippable():
                return self._write(result)
        except SkippedError:
            return "the report is left out"

    # ---- the end ----

    def _leave(self) -> None:
        end = time.monotonic() + _LAST_PICTURES_S
        while self._screens and time.monotonic() < end and self._has_pictures_to_come():
            self._keep_pictures()
            time.sleep(0.1)
        self._context.close()
        self._client.close()

    def _has_pictures_to_come(self) -> bool:
        return any(key not in self._monitor.memory.complete() for key in self._of)

    def _report(self) -> int:
        """The table of every screen of this run, the results for programs, and the report."""
        self._hear_screens()
        console = Console()
        zero = 0.0 if self._options.lossless else self._began
        status = self._write_assessment(assessment_report(self._monitor.observations, self._subject(), zero))
        if not self._screens:
            told = "no screen was begun: the form on the page, or --person NAME --consent, begins one"
            console.print(told, highlight=False, soft_wrap=True)
            return status
        if self._writer is not None:
            self._writer.join()
        for result in self._screens.values():
            console.print(screen_table(result))
            if not result.session:
                console.print("this screen is not kept: it was begun without a name", highlight=False)
                continue
            if self._reported.get(result.session) != result:
                console.print(self._write_unless_skipped(result), highlight=False, soft_wrap=True)
            if result.open:
                again = f"./fitmotion screen --person {quote(result.person)} --resume"
                console.print(f"the screen is still open; {again} goes on with it", highlight=False, soft_wrap=True)
        return status


def _handing_out(graph: Graph, folder: Path) -> Graph:
    """The graph whose page hands out the reports in this folder."""

    def in_folder(parameters: Any) -> Any:
        paths = (str(folder / name) for name in str(parameters.get("reports", "")).split(",") if name)
        return {**parameters, "reports": ",".join(paths)}

    nodes = tuple(
        replace(spec, parameters=in_folder(spec.parameters)) if spec.executable == "dashboard" else spec
        for spec in graph.nodes
    )
    return replace(graph, nodes=nodes)
