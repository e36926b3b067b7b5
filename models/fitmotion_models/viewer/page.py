"""A web page of a running test: the body in its room, the score and why, camera, buttons, sensors, nodes.

`Page` serves it and knows neither ROS nor where its values come from. Nothing is sent while no browser looks.
"""

import contextlib
import errno
import io
import socket
import time
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import viser

from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.page_controls import ChooseSensor, Command, Controls, PersonChoice
from fitmotion_models.viewer.page_files import PageFiles
from fitmotion_models.viewer.page_guard import guarded
from fitmotion_models.viewer.page_guide import GuidePanel, PersonForm, ScreenPanel
from fitmotion_models.viewer.page_guide_html import guidance_html
from fitmotion_models.viewer.page_html import (
    alerts_html,
    block,
    criteria_html,
    nodes_html,
    score_html,
    screen_html,
    timeline_html,
)
from fitmotion_models.viewer.page_motion import Generate, MotionPanel, StopGenerating
from fitmotion_models.viewer.scene import VIEWS, BodyFigure, add_floor, view_from
from fitmotion_models.viewer.terminal import words
from fitmotion_models.viewer.watch import Watch

Motion = Literal["", "beside", "alone"]
LEFT_WIDTH, RIGHT_WIDTH = 400, 360  # pixels
# How often the slower parts are looked at, seconds: nobody reads numbers faster, and browsers draw them anew each time.
_TEXT_S, _CURVE_S, _NODES_S = 0.1, 0.25, 1.0
BACK = 1.6  # times as far away the camera stands where generated bodies move beside the person
_NO_SENSOR = "none"  # first, as a hundred samples a second cost more than the rest of the page
# A picture of a telephone held upright would push the buttons off the page. It is viser's only image without a name.
_PICTURE_STYLE = (
    "<style>img[src^='blob:']{max-height:min(36vh,300px)!important;width:100%!important;object-fit:contain;"
    "background:#0006}</style>"
)
_AXIS_COLOURS = ("#ff6b6b", "#51cf66", "#4dabf7")  # x, y, z as everywhere: red, green, blue


class PageError(ValueError):
    """The page cannot be served; the text is one sentence."""


class _Server(viser.ViserServer):
    """A server that stays where it was put: viser's own would open a tunnel to the internet when any browser asks."""

    def request_share_url(self, verbose: bool = True) -> str | None:
        """Refuse: the page shows a person."""
        return None


class Page:
    """Serves the page. Call `update` from one thread at a steady rate while `clients` is not 0.

    on_command: hears the buttons. on_clients: hears that somebody came or went. Both from threads of the page.
    sensor_s: seconds of a sensor that are drawn. form: the page leads through a screen, which begins with this form;
    None: it shows single tests. files: what is handed out beside the page. motion: whether the motion generator's
    controls are there too, or alone; prompts: what can be picked there. Raises PageError when host or port cannot be
    had.
    """

    def __init__(
        self,
        host: str,
        port: int,
        on_command: Callable[[Command | Generate | StopGenerating], None],
        on_clients: Callable[[], None],
        *,
        sensor_s: float = 5.0,
        form: PersonForm | None = None,
        files: PageFiles | None = None,
        motion: Motion = "",
        prompts: Sequence[str] = (),
    ) -> None:
        _check_address(host, port)
        self._files = files or PageFiles()
        with (
            guarded(self._files.answer),
            contextlib.redirect_stdout(io.StringIO()),
        ):  # viser tells the address in a box of its own
            self._server = _Server(host=host, port=port, label="FitMotion", verbose=False)
        self.host, self.port = host, self._server.get_port()
        if port and self.port != port:  # taken between the check and the start: viser went on to the next one
            self._server.stop()
            raise PageError(_taken(host, port))
        self._on_command, self._sensor_s, self._form = on_command, sensor_s, form
        self._motion, self._prompts = motion, prompts
        self._figures: dict[str, BodyFigure] = {}
        self._generated: dict[str, BodyFigure] = {}
        self._due: dict[str, float] = {}
        self._pictures, self._sensor_seen = -1, float("nan")
        self._topics: dict[str, str] = {}
        self._watch: Watch | None = None
        self._build()
        self._server.on_client_connect(lambda client: on_clients())
        self._server.on_client_disconnect(lambda client: on_clients())

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        return f"http://{'localhost' if self.host in ('127.0.0.1', 'localhost', '0.0.0.0') else self.host}:{self.port}"

    @property
    def clients(self) -> int:
        """How many browsers look."""
        return len(self._server.get_clients())

    def close(self) -> None:
        """Serve no more."""
        with contextlib.redirect_stdout(io.StringIO()):  # viser says goodbye on the terminal
            self._server.stop()

    def answer(self, text: str, *, good: bool) -> None:
        """What became of the last button, for the person who pressed it."""
        if self._motion_panel is not None:
            self._motion_panel.answer(text, good=good)
        if self._guide is not None:
            self._guide.answer(text, good=good)
        if self._controls is not None:
            self._controls.answer(text, good=good)

    @property
    def _back(self) -> float:
        return BACK if self._motion == "beside" else 1.0

    # ---- what is on it ----

    def _build(self) -> None:
        server = self._server
        server.gui.configure_theme(dark_mode=True, show_logo=False, show_share_button=False, control_width="large")
        add_floor(server.scene)
        position, look_at = view_from(None, "corner", back=self._back)
        server.initial_camera.position, server.initial_camera.look_at = tuple(position), tuple(look_at)
        server.initial_camera.fov = float(np.deg2rad(42.0))
        self._build_reading()
        self._build_acting()

    def _build_reading(self) -> None:
        gui, form = self._server.gui, self._form
        panel = gui.add_panel()
        self._guide: GuidePanel | None = None
        self._screen_panel: ScreenPanel | None = None
        self._controls: Controls | None = None
        if form is not None:
            with panel.add_tab("Guide", viser.Icon.ROUTE):
                self._guide = GuidePanel(self._server, self._on_command, form)
        elif self._motion != "alone":
            with panel.add_tab("Score", viser.Icon.CLIPBOARD_CHECK):
                self._add_score()
            with panel.add_tab("Screen", viser.Icon.LIST_CHECK):
                self._screen = gui.add_html("")
        self._motion_panel: MotionPanel | None = None
        if self._motion:
            with panel.add_tab("Motion", viser.Icon.WALK):
                self._motion_panel = MotionPanel(self._server, self._on_command, self._prompts)
        panel.dock_left()
        panel.set_width(LEFT_WIDTH)

    def _add_score(self) -> None:
        self._score, self._criteria, self._timeline = (self._server.gui.add_html("") for _ in range(3))

    def _build_acting(self) -> None:
        gui = self._server.gui
        gui.main_panel.dock_right()
        gui.main_panel.set_width(RIGHT_WIDTH)
        gui.add_html(_PICTURE_STYLE)
        self._picture = gui.add_image(np.zeros((2, 2, 3), np.uint8), visible=False)
        self._no_picture = gui.add_html(block('<div style="opacity:.65">No camera picture.</div>', "8px 14px"))
        self._no_picture.visible = self._motion != "alone"
        self._guidance, self._alerts = (gui.add_html("", visible=False) for _ in range(2))
        self._person = PersonChoice(self._server, self._on_command)
        views = gui.add_button_group("View", tuple(VIEWS))
        views.on_click(self._on_view)
        tabs = gui.add_tab_group()
        if self._form is not None:
            with tabs.add_tab("Score", viser.Icon.CLIPBOARD_CHECK):
                self._add_score()
            with tabs.add_tab("Screen", viser.Icon.LIST_CHECK):
                self._screen_panel = ScreenPanel(self._server, self._on_command)
        else:
            if self._motion != "alone":
                with tabs.add_tab("Test", viser.Icon.RUN):
                    self._controls = Controls(self._server, self._on_command)
            with tabs.add_tab("Sensor", viser.Icon.ACTIVITY):
                self._build_sensor()
        with tabs.add_tab("System", viser.Icon.HEARTBEAT):
            self._nodes = gui.add_html("")

    def _build_sensor(self) -> None:
        gui = self._server.gui
        self._sensor = gui.add_dropdown("Sensor", (_NO_SENSOR,))
        self._sensor.on_update(lambda event: self._on_command(ChooseSensor(self._sensor_topic())))
        empty = tuple(np.zeros(1) for _ in range(4))
        axis = viser.uplot.Axis(stroke="#9aa0a6", grid={"stroke": "#ffffff18"}, size=42)
        self._plots = [
            gui.add_uplot(
                empty,
                (
                    viser.uplot.Series(label="s"),
                    *(
                        viser.uplot.Series(label=name, stroke=colour, width=1.4)
                        for name, colour in zip("xyz", _AXIS_COLOURS, strict=True)
                    ),
                ),
                title=title,
                scales={"x": viser.uplot.Scale(time=False, range=(-self._sensor_s, 0.0))},
                axes=(axis, axis),
                height=190,
            )
            for title in ("specific force, m/s²", "angular velocity, rad/s")
        ]

    def _on_view(self, event: viser.GuiEvent[viser.GuiButtonGroupHandle]) -> None:
        """Put the camera of the browser that asked in front of, beside or at the corner of the person."""
        if event.client is None:
            return
        watch = self._watch
        pose = watch.people[watch.shown].pose if watch is not None and watch.shown else None
        if pose is None and watch is not None:
            pose = next(iter(watch.generated.values()), None)
        position, look_at = view_from(pose, event.target.value, back=self._back)
        with event.client.atomic():
            event.client.camera.up_direction = (0.0, 0.0, 1.0)
            event.client.camera.position = position
            event.client.camera.look_at = look_at

    # ---- what changes ----

    def update(self, watch: Watch) -> None:
        """Show what was heard; what has not changed is not sent."""
        self._watch = watch
        with self._server.atomic():
            self._show_bodies(watch)
            self._show_generated(watch)
            self._show_picture(watch)
            if self._is_due("text", _TEXT_S) and self._motion != "alone":
                self._show_test(watch)
            if self._is_due("curve", _CURVE_S):
                self._show_curves(watch)
            if self._is_due("nodes", _NODES_S):
                self._show_nodes(watch)
            self._show_guide(watch)

    def _show_nodes(self, watch: Watch) -> None:
        self._nodes.content, self._alerts.content = nodes_html(watch.nodes), alerts_html(watch.nodes)
        self._guidance.content = guidance_html(watch.guidance)
        for part in (self._alerts, self._guidance):
            part.visible = bool(part.content)
        self._person.show(tuple(watch.people))
        if self._motion_panel is not None:
            self._motion_panel.update(watch.generation)

    def _show_guide(self, watch: Watch) -> None:
        person = watch.people.get(watch.shown)
        if self._guide is not None and self._is_due("guide", _TEXT_S):
            self._guide.update(person, self._files.links)
        if self._screen_panel is not None and self._is_due("tests", _CURVE_S):
            self._screen_panel.update(person, self._files.links)

    def _is_due(self, part: str, period: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(part, 0.0):
            return False
        self._due[part] = now + period
        return True

    def _show_bodies(self, watch: Watch) -> None:
        for subject in [name for name in self._figures if name not in watch.people]:
            self._figures.pop(subject).remove()
        for subject, person in watch.people.items():
            if person.pose is not None and watch.in_view(person):
                if subject not in self._figures:
                    self._figures[subject] = BodyFigure(self._server.scene, subject)
                self._figures[subject].show(person.pose, person.test)
            elif subject in self._figures:
                self._figures[subject].hide()

    def _show_generated(self, watch: Watch) -> None:
        moving = watch.generated
        for subject, pose in moving.items():
            if subject not in self._generated:
                self._generated[subject] = BodyFigure(self._server.scene, subject)
            prompt, score = watch.generation.bodies.get(subject, ("", "")) if watch.generation else ("", "")
            text = f"generated: {score}" if prompt and score.isdecimal() else "generated"
            self._generated[subject].show_generated(pose, text, int(score) if score.isdecimal() else None)
        for subject in set(self._generated) - set(moving):
            self._generated[subject].hide()

    def _show_picture(self, watch: Watch) -> None:
        if watch.picture is None:
            self._picture.visible, self._no_picture.visible = False, self._motion != "alone"
        elif watch.pictures != self._pictures:
            # as it came: decoding and encoding it again would cost more than all the rest
            self._picture._data, self._picture._format = watch.picture[0], watch.picture[1]
            self._picture.visible, self._no_picture.visible = True, False
        self._pictures = watch.pictures

    def _show_test(self, watch: Watch) -> None:
        if not watch.shown:
            self._score.content = score_html("", LiveTest(), seen=False)
            return
        person = watch.people[watch.shown]
        self._score.content = score_html(watch.shown, person.test, seen=watch.in_view(person))
        self._criteria.content = criteria_html(person.test)

    def _show_curves(self, watch: Watch) -> None:
        if watch.shown and self._motion != "alone":
            person = watch.people[watch.shown]
            self._timeline.content = timeline_html(person.timeline)
            if self._form is None:
                self._screen.content = screen_html(person.screen)
        if self._form is not None:
            return
        samples = watch.sensor.samples
        for plot in self._plots:
            plot.visible = bool(samples)
        if samples and samples[-1][0] != self._sensor_seen:
            self._sensor_seen = samples[-1][0]
            values = watch.sensor.newest(self._sensor_s)
            for plot, first in zip(self._plots, (1, 4), strict=True):
                plot.data = (values[:, 0], *values[:, first : first + 3].T)

    def show_sensors(self, topics: tuple[str, ...]) -> None:
        """The inertial sensors' topics to choose from, `.../imu_<site>/data_raw`."""
        self._topics = {words(topic.split("/")[-2].removeprefix("imu_")): topic for topic in topics}
        options = (_NO_SENSOR, *self._topics)
        if self._form is None and self._sensor.options != options:
            self._sensor.options = options

    def _sensor_topic(self) -> str:
        return self._topics.get(self._sensor.value, "")


def _check_address(host: str, port: int) -> None:
    """Raise PageError where nobody can listen: viser would look for another port, or try for ever."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise PageError(f"host={host} is no address of this machine; use 127.0.0.1, or 0.0.0.0 for everybody") from None
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except PermissionError:
            raise PageError(f"port={port} needs rights that this process lacks; use a port above 1023") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PageError(_taken(host, port)) from None
            raise PageError(f"host={host} is no address of this machine; use 127.0.0.1") from None


def _taken(host: str, port: int) -> str:
    return f"port={port} on {host} is taken by another program; give another port, or 0 for any free one"
