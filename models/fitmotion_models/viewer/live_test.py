"""What to tell about one person's movement test at this instant: phase, score, repetitions and what fails now."""

from dataclasses import replace

from fitmotion_models.fms.values import Assessment, AssessmentState, Criterion, Movement, Phase, Side, Verdict
from fitmotion_models.viewer.terminal import measurement, words

# A criterion has to fail for this long, seconds, before it is shown, and stays shown this long: a single frame of
# noise at a threshold neither flashes up nor hides a fault.
SHOW_AFTER_S = 0.12
SHOW_FOR_S = 0.3

# A score is given for the lowest point, so a fault is one there and is shown from there on; near standing the same
# rules mean nothing. Exceptions: what must hold all the time, and what only has to be reached once.
HOLDS_ALL_THE_TIME = ("heels_down",)
REACHED_ONCE = ("femur_below_horizontal",)

_MOVING = (Phase.DESCENDING, Phase.BOTTOM, Phase.ASCENDING)


class LiveTest:
    """Follows one subject. Knows nothing of pictures; markers, overlays and pages ask it what to show."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.movement, self.side = Movement.UNKNOWN, Side.BOTH
        self.phase, self.progress = Phase.UNKNOWN, 0.0
        self.criteria: tuple[Criterion, ...] = ()
        self.assessment: Assessment | None = None
        self._to_come: list[Assessment] = []
        self._stamp = float("-inf")
        self._begin()

    def _begin(self) -> None:
        """A new repetition: nothing has failed and nothing was reached in it."""
        self._failing_since: dict[str, float] = {}
        self._failed_at: dict[str, float] = {}
        self._reached: set[str] = set()
        self._judged: dict[str, Criterion] = {}
        self._failed: dict[str, Criterion] = {}
        self._lowest_at = float("-inf")

    # ---- what comes in ----

    def update(self, state: AssessmentState) -> None:
        """Take the next live state. One that is older than the last starts all over: a recording was rewound."""
        if state.stamp < self._stamp or (self.movement, self.side) != (state.movement, state.side):
            self._forget()
        if state.phase in _MOVING and self.phase not in _MOVING:
            self._begin()
        self.movement, self.side = state.movement, state.side
        self.phase, self.progress, self.criteria = state.phase, state.progress, state.criteria
        self._stamp = state.stamp
        if state.phase is Phase.BOTTOM:
            self._lowest_at = state.stamp
        for criterion in state.criteria:
            self._judge(criterion)
        self._take_results()

    def assessed(self, assessment: Assessment) -> None:
        """Take the result of a repetition; a result of the same repetition again (pain, an own grade) replaces it.

        A result that overtook the states on its way is told when the state of its instant is here.
        """
        if (assessment.movement, assessment.side) != (self.movement, self.side):
            self._forget()
            self.movement, self.side = assessment.movement, assessment.side
        self._to_come.append(assessment)
        self._take_results()

    def _take_results(self) -> None:
        waiting = []
        for assessment in self._to_come:
            if self._stamp == float("-inf") or assessment.stamp <= self._stamp:
                self.assessment = assessment
            else:
                waiting.append(assessment)
        self._to_come = waiting

    def _judge(self, criterion: Criterion) -> None:
        name = criterion.name
        if name in self._reached or not (name in HOLDS_ALL_THE_TIME or self.phase is Phase.BOTTOM):
            return
        self._judged[name] = criterion
        if criterion.verdict is Verdict.MET and name in REACHED_ONCE:
            self._reached.add(name)
        if criterion.verdict is not Verdict.NOT_MET:
            self._failing_since.pop(name, None)
            return
        since = self._failing_since.setdefault(name, self._stamp)
        if self._stamp - since >= SHOW_AFTER_S:
            self._failed_at[name], self._failed[name] = self._stamp, criterion

    # ---- what to tell ----

    @property
    def is_assessed(self) -> bool:
        """Whether the scorer looks at this person; false for somebody else in view, of whom it says nothing at all."""
        says_nothing = self.movement is Movement.UNKNOWN and self.phase is Phase.UNKNOWN and not self.criteria
        return self._stamp == float("-inf") or not says_nothing

    @property
    def faults(self) -> tuple[Criterion, ...]:
        """What fails: in this repetition, while the person moves; in the last one, while they stand after it."""
        if self.phase in _MOVING:
            names = (criterion.name for criterion in self.criteria)
            return tuple(self._failed[name] for name in names if self._is_shown(name))
        if self.phase is Phase.STANDING and self.assessment is not None:
            return tuple(one for one in self.assessment.criteria if one.verdict is Verdict.NOT_MET)
        return ()

    @property
    def verdicts(self) -> tuple[Criterion, ...]:
        """Every criterion: as judged so far in this repetition, of the last one while the person stands after it."""
        if self.phase not in _MOVING and self.assessment is not None:
            return self.assessment.criteria
        return tuple(
            self._judged.get(one.name) or replace(one, verdict=Verdict.NOT_SEEN, advice="") for one in self.criteria
        )

    @property
    def score(self) -> int | None:
        """The score of the last repetition, -1 when it could not be scored, None before the first."""
        return None if self.assessment is None else self.assessment.score

    @property
    def repetitions(self) -> int:
        """How many repetitions of this trial are done."""
        return 0 if self.assessment is None else self.assessment.repetition

    @property
    def title(self) -> str:
        """The movement as a heading: `Deep squat`, with its side where it has one."""
        name = "movement" if self.movement is Movement.UNKNOWN else words(self.movement.name)
        return (name if self.side is Side.BOTH else f"{name}, {words(self.side.name)}").capitalize()

    @property
    def status(self) -> str:
        """Repetitions and phase: `2 repetitions, descending`."""
        count = f"{self.repetitions} repetition{'' if self.repetitions == 1 else 's'}"
        phase = "stand still to begin" if self.phase is Phase.UNKNOWN else words(self.phase.name)
        return f"{count}, {phase}"

    def _is_shown(self, name: str) -> bool:
        if name in self._reached:
            return False
        latest = self._stamp if name in HOLDS_ALL_THE_TIME else self._lowest_at
        return latest - self._failed_at.get(name, float("-inf")) <= SHOW_FOR_S


def fault_text(criterion: Criterion) -> str:
    """A failing criterion as people read it: `Heels down: 5.1 cm, limit 3.0 cm`."""
    value, limit = (measurement(number, criterion.unit) for number in (criterion.value, criterion.threshold))
    return f"{words(criterion.name).capitalize()}: {value}, limit {limit}"
