"""`./fitmotion up`: check everything, start the graph, show it, and write down what it found."""

import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from fitmotion_models.fms.assess import AssessmentReport, report_as_dict
from fitmotion_models.viewer.terminal import assessments_view
from fitmotion_nodes.child_process import NotBuiltError
from fitmotion_nodes.domain_lock import DomainLock, DomainTakenError, somebody_is_on
from fitmotion_nodes.graph import Graph, GraphOptions, build_graph, recording_into
from fitmotion_nodes.live_view import make_view
from fitmotion_nodes.monitor import MONITOR, GraphMonitor, MonitorError, Observations
from fitmotion_nodes.parameters import PoseParameters
from fitmotion_nodes.places import config_dir, default_out
from fitmotion_nodes.recording_thread import finish_recordings
from fitmotion_nodes.run_folder import RunFolder, RunFolderError
from fitmotion_nodes.shared_memory import remove_dead_ports, remove_dead_segments
from fitmotion_nodes.sources import Choice, choose
from fitmotion_nodes.supervisor import Outcome, Result, Supervisor

BAD_INPUT_EXIT_CODE = 2
FAILED_EXIT_CODE = 1
RECORDING = "recording.mcap"
MAX_DOMAIN = 232  # beyond it the port numbers that DDS makes of a domain end
_DISCOVERY_S = 3.5  # in which other nodes have been heard of: DDS announces them every three seconds
_LAST_WORDS_S = 5.0  # for the scorer to answer the last frame after the source has ended
_LAST_SAMPLES_S = 20.0  # for the virtual sensors to come to the end of a recording
_POLL_S = 0.02


@dataclass(frozen=True)
class UpOptions:
    """What the command line says; see `GraphOptions`. tilt_deg: degrees, NaN: measured. domain: None: ROS_DOMAIN_ID."""

    source: str = ""
    sources: tuple[str, ...] = ()
    calibration: str = ""
    replay: str = ""
    mover: str = ""
    lossless: bool = False
    loop: bool = False
    record: bool = False
    movement: str = ""
    variation: str = ""
    subject: str = ""
    tilt_deg: float = math.nan
    generate: bool = False
    prompt: str = ""
    fms_score: str = ""
    imu: str = ""
    imu_preset: str = ""
    visualize: bool = False
    dashboard: bool = False
    domain: int | None = None
    namespace: str = ""
    params_file: Path | None = None
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    out: Path | None = None
    keep_faces: bool = False
    log_level: str = "info"


def up(options: UpOptions) -> int:
    """Run the graph until its source ends or Ctrl-C; returns the exit code.

    0: the run is complete or was ended by Ctrl-C. 1: a node fails at every start. 2: something given cannot be used.
    """
    return run_live(options, LiveRun)


def run_live(options: UpOptions, make: "Callable[[UpOptions, Choice, Graph, RunFolder, StopSignal], LiveRun]") -> int:
    """Check everything, then run what `make` gives; returns the exit code as `up`."""
    stop = StopSignal()
    try:
        domain = ros_domain(options.domain)
        choice = choose(options.source, options.replay, options.mover, options.sources, generate=options.generate)
        graph = build_graph(_graph_options(options, choice), config_dir())
        os.environ.update(graph.environment)
        os.environ["ROS_DOMAIN_ID"] = str(domain)
        with DomainLock(domain) as lock:
            if lock.abandoned_since is not None:
                _clean_up_since(lock.abandoned_since)
            folder = RunFolder(options.out or default_out(), datetime.now())
            return make(options, choice, recording_into(graph, folder.path.resolve()), folder, stop).run()
    except (ValueError, DomainTakenError, RunFolderError, NotBuiltError, MonitorError) as error:
        return _fail(str(error), BAD_INPUT_EXIT_CODE)


class StopSignal:
    """Ctrl-C, kill and a closed terminal ask for the same; asking twice makes no difference.

    But for what is marked as `skippable`: being asked during it ends it.
    """

    def __init__(self) -> None:
        self.asked = False
        self._skippable = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True
        if self._skippable:
            self._skippable = False
            raise SkippedError

    @contextmanager
    def skippable(self) -> Iterator[None]:
        """What is done in here ends with SkippedError when the person asks to stop meanwhile."""
        self._skippable = True
        try:
            yield
        finally:
            self._skippable = False


class SkippedError(Exception):
    """The person did not want to wait for it."""


class LiveRun:
    """One run of a graph in front of a person."""

    def __init__(self, options: UpOptions, choice: Choice, graph: Graph, folder: RunFolder, stop: StopSignal) -> None:
        self._options, self._choice, self._folder, self._stop = options, choice, folder, stop
        self._began = time.time()
        self._graph = graph
        domain, near = int(os.environ["ROS_DOMAIN_ID"]), os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE") == "LOCALHOST"
        self._has_company = not near or somebody_is_on(domain)
        self._supervisor = Supervisor(
            graph,
            work_dir=folder.parameters,
            on_line=self._on_line,
            on_event=self._on_event,
            on_restart=lambda: self._monitor.start_over(),
        )
        self._monitor = GraphMonitor(
            graph,
            lossless=options.lossless,
            on_assessment=lambda assessment, new: self._view.assessed(assessment, new),
            remember=True,
        )
        mode = "lossless" if options.lossless else "live"
        title = f"FitMotion, {choice.title}, {mode}, ROS domain {os.environ['ROS_DOMAIN_ID']}, log in {folder.path}"
        self._view = make_view(title, self._supervisor.statuses, self._monitor.observations)

    def run(self) -> int:
        """Start, watch, stop, report; returns the exit code."""
        outcome: Outcome | None = None
        try:
            self._check_domain_is_free()
            with self._view:
                if self._choice.notice:
                    self._view.say(self._choice.notice)
                self._supervisor.start()
                outcome = self._watch()
                self._supervisor.stop()
        finally:
            self._supervisor.stop()
            self._leave()
            self._monitor.close()
            self._folder.close()
            finish_recordings(self._folder.path / RECORDING)  # a recorder that was killed at the end leaves it open
            _clean_up_since(self._began)
        if outcome is not None and outcome.result is not Result.COMPLETE:
            return _fail(outcome.text, BAD_INPUT_EXIT_CODE if outcome.result is Result.REFUSED else FAILED_EXIT_CODE)
        return self._report()

    def _check_domain_is_free(self) -> None:
        end = time.monotonic() + (_DISCOVERY_S if self._has_company else 0.0)
        while not (foreign := self._monitor.foreign_nodes()) and time.monotonic() < end and not self._stop.asked:
            time.sleep(_POLL_S)
        if foreign:
            domain = os.environ["ROS_DOMAIN_ID"]
            raise MonitorError(
                f"ROS domain {domain} already has a node {' and '.join(foreign)}, started by somebody else; "
                f"choose another domain, for instance --domain {(int(domain) + 1) % 100}, or a --namespace"
            )

    def _watch(self) -> Outcome | None:
        """Until the source ends, something is wrong, or the person has had enough (None)."""
        outcome = None
        while outcome is None and not self._stop.asked:
            outcome = self._supervisor.poll()
            self._look_after()
            self._view.refresh()
            time.sleep(_POLL_S)
        if outcome is not None and outcome.result is Result.COMPLETE:
            self._let_finish(self._monitor.observations.is_answered, _LAST_WORDS_S)
            for spec in self._graph.nodes:
                # the scorer's answers are what a lossless source waits for, so that the sensors may be behind
                if self._options.lossless and spec.executable == "virtual_imu":
                    self._let_finish(partial(self._monitor.observations.is_done, spec.name), _LAST_SAMPLES_S)
        return outcome

    def _let_finish(self, done: Callable[[], bool], patience_s: float) -> None:
        """Until it is done, takes too long, or the person has had enough."""
        end = time.monotonic() + patience_s
        while not done() and time.monotonic() < end and not self._stop.asked:
            self._view.refresh()
            time.sleep(_POLL_S)

    def _look_after(self) -> None:
        """Called many times a second while the graph runs."""

    def _leave(self) -> None:
        """The nodes are gone, however the run ended."""

    def _on_line(self, name: str, line: str) -> None:
        self._folder.log(name, line)
        if "[WARN]" in line or "[ERROR]" in line or "[FATAL]" in line:
            self._view.say(f"{name}: {_message_of(line)}")

    def _on_event(self, text: str) -> None:
        self._folder.log("up", f"{datetime.now().isoformat(timespec='milliseconds')} {text}")
        self._view.say(text)

    def _report(self) -> int:
        observations = self._monitor.observations
        if not self._choice.watches:
            Console().print(f"{observations.generated} poses were generated", highlight=False)
            return 0
        zero = 0.0 if self._options.lossless else self._began
        report = assessment_report(observations, self._subject(), zero)
        seconds = report.frames / report.fps if report.fps else 0.0
        Console().print(assessments_view(report.assessments, seconds=seconds, poses=report.poses))
        status = self._write_assessment(report)
        return status or (self._write_page(report, zero) if report.assessments else 0)

    def _write_assessment(self, report: AssessmentReport) -> int:
        """The results for programs; printed where they cannot be written."""
        content = report_as_dict(report)
        try:
            path = self._folder.write_assessment(content)
        except RunFolderError as error:
            sys.stdout.write(json.dumps(content, indent=2) + "\n")
            return _fail(f"{error}; the assessment is printed above", FAILED_EXIT_CODE)
        Console().print(f"written to {path}", highlight=False, soft_wrap=True)
        return 0

    def _write_page(self, report: AssessmentReport, zero: float) -> int:
        """The report as a page, for people; the results are safe already."""
        from fitmotion_nodes.run_report import save_run_report

        seconds = report.frames / report.fps if report.fps else 0.0
        began = datetime.fromtimestamp(self._began)
        path = self._folder.path / "report.html"
        try:
            with self._stop.skippable():
                save_run_report(
                    path,
                    self._monitor.observations.results(),
                    self._monitor.memory,
                    title=report.subject,
                    facts=f"{began:%Y-%m-%d %H:%M}, {self._choice.short_title}, {seconds:.0f} s",
                    zero=zero,
                    keep_faces=self._options.keep_faces,
                )
        except SkippedError:
            Console().print("the report is left out", highlight=False)
            return 0
        except OSError as error:
            return _fail(f"cannot write {path}: {error.strerror or error}", FAILED_EXIT_CODE)
        Console().print(f"report in {path}", highlight=False, soft_wrap=True)
        return 0

    def _subject(self) -> str:
        with self._monitor.observations.lock:
            seen = sorted(self._monitor.observations.pose_stamps)
        named = [spec.parameters["subject"] for spec in self._graph.nodes if "subject" in spec.parameters]
        return ", ".join(seen or named) or PoseParameters().subject


def _clean_up_since(began: float) -> None:
    """Remove what the processes of a run that began then left in shared memory; none of them lives any more."""
    remove_dead_segments(began, time.time() + 1.0)
    remove_dead_ports(began, time.time() + 1.0)


def assessment_report(observations: Observations, subject: str, zero: float) -> AssessmentReport:
    """What was heard, in the form of `assess`. zero: the stamp that becomes 0; live stamps are times of day."""
    assessments = tuple(
        replace(item, stamp=item.stamp - zero, start=item.start - zero, end=item.end - zero)
        for item in observations.results()
    )
    with observations.lock:
        frames, poses = observations.frames, observations.poses
    return AssessmentReport(assessments, subject, observations.measured_fps(), frames, poses)


def _graph_options(options: UpOptions, choice: Choice) -> GraphOptions:
    return GraphOptions(
        source=choice.source,
        sources=choice.sources,
        calibration=options.calibration,
        replay=choice.replay,
        mover=choice.mover,
        lossless=options.lossless,
        loop=options.loop,
        record=RECORDING if options.record else "",
        movement=options.movement,
        variation=options.variation,
        subject=options.subject,
        tilt=math.radians(options.tilt_deg),
        generate=options.generate,
        prompt=options.prompt,
        fms_score=options.fms_score,
        imu=options.imu,
        imu_preset=options.imu_preset,
        visualize=options.visualize,
        dashboard=options.dashboard,
        monitor=MONITOR,
        namespace=options.namespace,
        params_file=options.params_file,
        log_level=options.log_level,
        parameters=options.parameters,
    )


def ros_domain(asked: int | None) -> int:
    """The ROS domain asked for, else ROS_DOMAIN_ID's, else 0. Raises ValueError for what is none."""
    text = str(asked) if asked is not None else os.environ.get("ROS_DOMAIN_ID", "") or "0"
    with suppress(ValueError):
        if 0 <= int(text) <= MAX_DOMAIN:
            return int(text)
    where = "--domain" if asked is not None else "ROS_DOMAIN_ID"
    raise ValueError(f"{where}={text} is no ROS domain; allowed: 0 to {MAX_DOMAIN}, best below 102")


def _message_of(line: str) -> str:
    """`[WARN] [1732.5] [camera]: text` as text."""
    head, separator, text = line.partition("]: ")
    return text if separator and head.startswith("[") else line


def _fail(text: str, code: int) -> int:
    sys.stderr.write(f"fitmotion: {text}\n")
    return code
