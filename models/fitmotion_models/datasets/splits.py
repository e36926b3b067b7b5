"""Who generates and who judges: no person is in both, in any set, in either fold."""

import zlib
from collections.abc import Iterable
from typing import Literal, Protocol, TypeVar

from fitmotion_models.datasets.uiprmd import SPLITS

Fold = Literal["first", "swapped"]
Role = Literal["generator", "judge"]

FOLDS: tuple[Fold, ...] = ("first", "swapped")

# who generates in the first fold; all others of the set judge there. Of UI-PRMD the one published split; of HDM05 and
# CMU this project's: CMU's second person is the one who walks and runs on even ground.
_FIRST_GENERATORS: dict[str, frozenset[str]] = {
    "uiprmd": frozenset(SPLITS["first"].generator),
    "hdm05": frozenset(("bd", "bk", "dg")),
    "cmu": frozenset(("01", "02")),
    # by the set's own split, not by person: it does not say who is in a recording
    "humanml3d": frozenset(("train", "val")),
}
# share of the persons who generate in the first fold where a set has no row above
_GENERATORS_SHARE = 5.0 / 8.0


class OfPerson(Protocol):
    """What belongs to somebody: person is "uiprmd:s01" and the like."""

    @property
    def person(self) -> str:
        """Set and name."""


_Row = TypeVar("_Row", bound=OfPerson)


def role_of(person: str, fold: str = "first") -> Role:
    """Whether a person ("uiprmd:s01", set and name) generates or judges in a fold.

    Sets without a table here are split by a hash of the person, the same everywhere. Raises ValueError for an unknown
    fold and for a person without a set.
    """
    if fold not in FOLDS:
        raise ValueError(f"fold '{fold}' unknown; known: {', '.join(FOLDS)}")
    source, separator, name = person.partition(":")
    if not separator:
        raise ValueError(f"person '{person}' names no set; expected a form like uiprmd:s01")
    if source in _FIRST_GENERATORS:
        generates = name in _FIRST_GENERATORS[source]
    else:
        generates = zlib.crc32(person.encode()) / 2**32 < _GENERATORS_SHARE
    return "generator" if generates == (fold == "first") else "judge"


def other_fold(fold: str) -> Fold:
    """The fold in which the halves of the persons change places. Raises ValueError for an unknown one."""
    if fold not in FOLDS:
        raise ValueError(f"fold '{fold}' unknown; known: {', '.join(FOLDS)}")
    return FOLDS[1 - FOLDS.index(fold)]


def rows_for(rows: Iterable[_Row], role: Role, fold: str = "first") -> list[_Row]:
    """The rows of those who have this role in a fold."""
    return [row for row in rows if role_of(row.person, fold) == role]
