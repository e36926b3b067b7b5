"""Stamps of frames at a steady rate, whatever the thread that sends them is kept from."""

from fitmotion_nodes.conversions import NANOSECONDS

# Stamps that are due are all given, so that the stream has no gap; after a longer absence (a machine that slept) what
# nobody could have looked at is left out.
MOST_BEHIND_S = 2.0
# A timer may fire a moment early: the next stamp is given then, and not with the one after it a period later.
LEAD = 0.5  # periods


class FrameClock:
    """Gives every stamp once, in order: start + k / rate, each rounded to a nanosecond on its own."""

    def __init__(self, rate_hz: float) -> None:
        self._rate = rate_hz
        self._period = NANOSECONDS / rate_hz
        self._start: int | None = None
        self._next = self.skipped = 0

    def due(self, now: int) -> list[int]:
        """The stamps whose time has come, nanoseconds on the clock of `now`; a clock that was set back begins anew."""
        if self._start is None or now < self._stamp(self._next) - 2.0 * self._period:
            self._start, self._next = now, 0
        passed = int((now - self._start) // self._period)  # the last one that is not ahead
        behind = passed - self._next - int(MOST_BEHIND_S * self._rate)
        if behind > 0:
            self.skipped += behind
            self._next += behind
        stamps = [self._stamp(number) for number in range(self._next, passed + 1)]
        if not stamps and self._stamp(self._next) - now <= LEAD * self._period:
            stamps = [self._stamp(self._next)]
        self._next += len(stamps)
        return stamps

    def _stamp(self, number: int) -> int:
        assert self._start is not None
        return self._start + round(number * self._period)
