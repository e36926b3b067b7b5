"""What a page shows, gathered as it is heard: people, the camera's picture, an inertial sensor, nodes. Newest wins."""

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.fms.screen import ScreenResult
from fitmotion_models.fms.values import Assessment, AssessmentState
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.viewer.generation import Generation
from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.page_html import NodeLine
from fitmotion_models.viewer.screen_lead import LeadSettings, ScreenLead
from fitmotion_models.viewer.timeline import Timeline

PictureKind = Literal["jpeg", "png"]

PEOPLE_KEPT = 20
OUT_OF_VIEW_S = 1.5  # without a pose for so long a person is out of view
MOST_SAMPLES = 4000  # of a sensor: twenty seconds at 200 Hz
NODE_GONE_S = 30.0  # a node silent for so long was not meant to stay
NODES_KEPT = 40
GENERATED_KEPT = 8


@dataclass(eq=False)
class Person:
    """One subject. pose: the newest, None while out of view. seen_at: time.monotonic()."""

    test: LiveTest
    timeline: Timeline
    lead: ScreenLead = field(default_factory=ScreenLead)
    screen: ScreenResult | None = None
    pose: BodyPose | None = None
    seen_at: float = float("-inf")

    @property
    def rank(self) -> tuple[bool, float]:
        """Who has the least is forgotten first."""
        return self.test.assessment is not None or self.screen is not None, self.seen_at


@dataclass(eq=False)
class Sensor:
    """The last seconds of one inertial sensor: (stamp, specific force xyz in m/s2, angular velocity xyz in rad/s)."""

    topic: str = ""
    samples: deque[tuple[float, ...]] = field(default_factory=lambda: deque(maxlen=MOST_SAMPLES))

    def add(self, sample: tuple[float, ...]) -> None:
        """Take a sample; one that is older than the last begins anew: a recording was rewound."""
        if self.samples and sample[0] < self.samples[-1][0]:
            self.samples.clear()
        self.samples.append(sample)

    def newest(self, seconds: float) -> NDArray[np.float64]:
        """(N, 7) samples of the last seconds, the first column seconds before the newest (0 or less)."""
        if not self.samples:
            return np.zeros((0, 7))
        values = np.array(self.samples)
        values[:, 0] -= values[-1, 0]
        return values[values[:, 0] >= -seconds]


class Watch:
    """What was heard so far. timeline_s: seconds of a test that are kept for its curve.

    settings: how everybody's screen is led at first.
    """

    def __init__(self, timeline_s: float, settings: LeadSettings | None = None) -> None:
        self._timeline_s, self._settings = timeline_s, settings or LeadSettings()
        self.people: OrderedDict[str, Person] = OrderedDict()
        self.chosen = ""  # the subject that is shown; empty: who is in view, the one who came first
        self.picture: tuple[bytes, PictureKind] | None = None  # an encoded image
        self.pictures = 0
        self.sensor = Sensor()
        self.generation: Generation | None = None  # what the motion generator says of itself
        self._generated: dict[str, tuple[BodyPose, float]] = {}
        self._nodes: dict[str, tuple[NodeLine, float]] = {}

    # ---- what comes in ----

    def person(self, subject: str) -> Person:
        """What is known of a subject. Raises ValueError for one more when a page is full of people in view."""
        if subject not in self.people:
            if len(self.people) >= PEOPLE_KEPT:
                self._make_room(subject)
            self.people[subject] = Person(LiveTest(), Timeline(self._timeline_s), ScreenLead(self._settings))
        return self.people[subject]

    def _make_room(self, subject: str) -> None:
        """Let go of somebody out of view, of those without a result first."""
        away = [name for name, person in self.people.items() if not self.in_view(person) and name != self.chosen]
        if not away:
            raise ValueError(
                f"{subject!r} is not shown: {PEOPLE_KEPT} people are in view, which is the most there can be"
            )
        del self.people[min(away, key=lambda name: self.people[name].rank)]

    def hear_pose(self, pose: BodyPose) -> None:
        """A body."""
        person = self.person(pose.subject)
        person.pose, person.seen_at = pose, time.monotonic()

    def hear_generated(self, pose: BodyPose) -> None:
        """A body that nobody filmed."""
        self._generated.pop(pose.subject, None)
        self._generated[pose.subject] = pose, time.monotonic()
        if len(self._generated) > GENERATED_KEPT:
            del self._generated[next(iter(self._generated))]

    def hear_state(self, state: AssessmentState) -> None:
        """The live state of a test."""
        person = self.person(state.subject)
        person.test.update(state)
        person.timeline.update(state)
        person.lead.guide.hear_test(state.movement, state.side)

    def hear_test(self, state: AssessmentState) -> None:
        """Which test a subject is at, of the live state nothing else."""
        self.person(state.subject).lead.guide.hear_test(state.movement, state.side)

    def hear_assessment(self, assessment: Assessment) -> None:
        """The result of a repetition, new or changed."""
        person = self.person(assessment.subject)
        person.test.assessed(assessment)
        person.timeline.assessed(assessment)
        person.lead.guide.hear_assessment(assessment)

    def hear_screen(self, screen: ScreenResult) -> None:
        """A person's screen; one of another visit, or begun anew, is led from its first step."""
        person = self.person(screen.subject)
        known = person.screen
        if known is not None and screen.open and (screen.session, True) != (known.session, known.open):
            person.lead.guide.restart()
        person.screen = screen
        person.lead.guide.hear_screen(screen)

    def hear_picture(self, data: bytes, kind: PictureKind) -> None:
        """An encoded picture of the camera."""
        self.picture, self.pictures = (data, kind), self.pictures + 1

    def hear_node(self, line: NodeLine) -> None:
        """What a node says of itself; its age is counted from now."""
        self._nodes.pop(line.name, None)
        self._nodes[line.name] = line, time.monotonic()
        if len(self._nodes) > NODES_KEPT:
            del self._nodes[next(iter(self._nodes))]  # whoever was silent the longest

    def begin_trial(self, subject: str) -> None:
        """A test was started for a subject (empty: the one shown), or the screen reset: repetitions count anew."""
        name = subject or self.shown
        if name in self.people:
            person = self.people[name]
            person.test = LiveTest()
            person.timeline.begin_trial()

    def forget_live(self) -> None:
        """Nobody looks any more: what was seen last would be old when somebody comes. Results are kept."""
        for person in self.people.values():
            person.pose, person.seen_at = None, float("-inf")
        self._generated.clear()
        self.picture = None
        self.sensor.samples.clear()

    # ---- what is told ----

    @property
    def shown(self) -> str:
        """The subject whose test is shown; empty while there is nobody."""
        if self.chosen in self.people:
            return self.chosen
        in_view = (name for name, person in self.people.items() if self.in_view(person))
        return next(in_view, next(iter(self.people), ""))

    @staticmethod
    def in_view(person: Person) -> bool:
        """Whether a pose of them came just now."""
        return person.pose is not None and time.monotonic() - person.seen_at < OUT_OF_VIEW_S

    @property
    def generated(self) -> dict[str, BodyPose]:
        """The generated bodies that move now, by subject."""
        now = time.monotonic()
        return {name: pose for name, (pose, at) in self._generated.items() if now - at < OUT_OF_VIEW_S}

    @property
    def nodes(self) -> list[NodeLine]:
        """The nodes by name, each with its age; those that went long ago are left out."""
        now = time.monotonic()
        self._nodes = {name: pair for name, pair in self._nodes.items() if now - pair[1] < NODE_GONE_S}
        lines = (replace(line, age=now - heard) for line, heard in self._nodes.values())
        return sorted(lines, key=lambda line: line.name)

    @property
    def guidance(self) -> tuple[str, ...]:
        """What to change about the camera, each sentence once."""
        said = (sentence.strip() for line in self.nodes for sentence in line.guidance.split(";"))
        return tuple(dict.fromkeys(sentence for sentence in said if sentence))
