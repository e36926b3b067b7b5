"""What the records hold, as values."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry, Sex
from fitmotion_models.fms.trial import Trial
from fitmotion_models.fms.values import Movement, Side


@dataclass(frozen=True)
class Person:
    """name: or a code. height_m, hand_length_m: metres. consent: to being kept, since or until its date."""

    id: int
    name: str
    birth_year: int | None
    height_m: float | None
    consent: bool
    consent_date: date | None
    sessions: int
    hand_length_m: float | None = None
    sex: Sex = Sex.UNKNOWN

    @property
    def body(self) -> Anthropometry:
        """The entered measures, as scores use them."""
        return Anthropometry(self.height_m, self.hand_length_m, self.sex)


@dataclass(frozen=True)
class Session:
    """One visit, and its screen. Times are UTC.

    measured_by: who measured. device: with what. finished: None while the screen is open. abandoned: begun anew before
    it was complete. subject: the person's name in the body poses, empty until they were seen. body: the measures that
    its scores used. trial: what was under way last. runner: the process that began it, for whoever takes its place.
    """

    id: int
    person: str
    started: datetime
    measured_by: str
    device: str
    finished: datetime | None = None
    abandoned: bool = False
    subject: str = ""
    body: Anthropometry = UNKNOWN_BODY
    trial: Trial | None = None
    runner: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the screen goes on."""
        return self.finished is None


@dataclass(frozen=True)
class Grade:
    """An operator's own grade; -1 withdraws the one before. beside: ours goes on counting. given: UTC."""

    movement: Movement
    side: Side
    score: int
    reason: str
    graded_by: str
    given: datetime
    beside: bool = False


@dataclass(frozen=True)
class Removal:
    """files: what was deleted from the disk. wiped: nothing of it is left in the database's free space either."""

    files: tuple[Path, ...]
    wiped: bool
