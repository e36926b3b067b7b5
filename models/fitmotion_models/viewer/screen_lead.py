"""A guided screen of one person as it is led: the guide, what the buttons do with it, and when it goes on by itself."""

from dataclasses import dataclass
from enum import Enum

from fitmotion_models.viewer.screen_guide import ScreenGuide, Step

GO_ON_AFTER_S = 4.0  # long enough to read a score, or to say "once more"


class Move(Enum):
    """What a button does with the guide."""

    NEXT = "next"
    BACK = "back"
    REPEAT = "repeat"
    SKIP = "skip"
    END = "end"


@dataclass(frozen=True)
class Lead:
    """Move through the screen, or go to one step."""

    move: Move | Step


@dataclass(frozen=True)
class LeadSettings:
    """recognise: whatever the person does is scored as the test that it is. by_itself: the next step comes alone."""

    recognise: bool = False
    by_itself: bool = True


class ScreenLead:
    """Leads one person. Times are seconds on any steady clock."""

    def __init__(self, settings: LeadSettings | None = None) -> None:
        self.guide = ScreenGuide()
        self.settings = settings or LeadSettings()
        self.guide.recognise = self.settings.recognise
        self.sex = ""  # "male", "female" or empty: for the words of the push-up
        self._over: tuple[Step, float] | None = None  # the step that is over, and since when
        self._stays: Step | None = None  # somebody came back to it: it does not go on by itself

    def obey(self, lead: Lead) -> Step | None:
        """Move; the step that the scorer is to start, None for nothing. Raises ValueError as `ScreenGuide.go_to`."""
        guide, self._over = self.guide, None
        if isinstance(lead.move, Step):
            started = guide.go_to(lead.move)
        elif lead.move is Move.END:
            guide.end()
            started = None
        else:
            moves = {Move.NEXT: guide.next, Move.BACK: guide.back, Move.REPEAT: guide.repeat, Move.SKIP: guide.skip}
            started = moves[lead.move]()
        self._stays = guide.step if guide.is_over else None
        return started

    def tick(self, now: float) -> Step | None:
        """Go on when the step has been over for long enough; the step that the scorer is to start."""
        guide = self.guide
        if not guide.is_over or guide.step is None or guide.step.clearing is not None or guide.step == self._stays:
            if not guide.is_over:
                self._stays = None
            self._over = None
            return None
        if self._over is None or self._over[0] != guide.step:
            self._over = guide.step, now
        if self.waiting_s(now) != 0.0:
            return None
        self._over = None
        return guide.next()

    def waiting_s(self, now: float) -> float | None:
        """Seconds until it goes on by itself; None when it does not."""
        if self._over is None or not self.settings.by_itself or self.settings.recognise:
            return None
        return max(self._over[1] + GO_ON_AFTER_S - now, 0.0)
