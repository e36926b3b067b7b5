"""The last seconds of one person's test: how deep they were and when, and the repetitions with their scores."""

from collections import OrderedDict, deque

from fitmotion_models.fms.values import Assessment, AssessmentState, Phase

REPETITIONS_KEPT = 30
STEPS = 240  # points of a drawn curve at most: about one a pixel


class Timeline:
    """Follows one subject. Times are stamps, seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._depths: deque[tuple[float, float]] = deque()
        self._repetitions: OrderedDict[tuple[object, ...], Assessment] = OrderedDict()

    def update(self, state: AssessmentState) -> None:
        """Take the next live state; one that is older than the last begins anew: a recording was rewound."""
        if self._depths and state.stamp < self._depths[-1][0]:
            self.clear()
        self._depths.append((state.stamp, _depth(state)))
        while self._depths[0][0] < state.stamp - self.seconds:
            self._depths.popleft()

    def assessed(self, assessment: Assessment) -> None:
        """Take a result; the same repetition again (pain, an own grade) replaces it, another trial begins anew."""
        last = self.last
        if last is not None and _trial(last) != _trial(assessment):
            self._repetitions.clear()
        self._repetitions[assessment.repetition, assessment.start] = assessment
        if len(self._repetitions) > REPETITIONS_KEPT:
            self._repetitions.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._depths.clear()
        self.begin_trial()

    def begin_trial(self) -> None:
        """Forget the repetitions, not the movement."""
        self._repetitions.clear()

    @property
    def last(self) -> Assessment | None:
        """The last result of the trial."""
        return next(reversed(self._repetitions.values()), None)

    @property
    def repetitions(self) -> tuple[Assessment, ...]:
        """The results of the trial under way, oldest first."""
        return tuple(self._repetitions.values())

    @property
    def end(self) -> float:
        """The newest time there is anything of."""
        ends = [self._depths[-1][0]] if self._depths else []
        return max([*ends, *(one.end for one in self._repetitions.values())], default=0.0)

    @property
    def depths(self) -> list[tuple[float, float]]:
        """(stamp, depth 0 to 1) of the last seconds, oldest first, thinned out to what can be seen."""
        step = 1 + len(self._depths) // STEPS
        # counted from the newest, so that the end of the curve is where the person is now
        return list(self._depths)[::-1][::step][::-1]


def _depth(state: AssessmentState) -> float:
    """How deep the person is, 0 standing to 1 at the lowest point; on the way up progress counts upwards."""
    if state.phase is Phase.ASCENDING:
        return 1.0 - state.progress
    return state.progress if state.phase in (Phase.DESCENDING, Phase.BOTTOM) else 0.0


def _trial(assessment: Assessment) -> tuple[object, ...]:
    return assessment.movement, assessment.variation, assessment.side, assessment.trial
