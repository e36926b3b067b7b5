"""Who trains, who validates and who is judged: every person is in one split alone, with all recordings, real or not."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class SplitSettings:
    """shares: of the persons that train, validate and are judged. named: persons whose split is given. seed: of chance.

    Raises ValueError for shares that do not make 1 and for splits that are unknown.
    """

    shares: tuple[float, float, float] = (0.7, 0.15, 0.15)
    named: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.shares) != len(SPLITS) or not all(0.0 <= share <= 1.0 for share in self.shares):
            raise ValueError(f"shares are {self.shares}; give three from 0 to 1, for {', '.join(SPLITS)}")
        if abs(sum(self.shares) - 1.0) > 1e-6:
            raise ValueError(f"shares of the splits make {sum(self.shares):g}; they have to make 1")
        if unknown := sorted(set(self.named.values()) - set(SPLITS)):
            raise ValueError(f"split '{unknown[0]}' unknown; known: {', '.join(SPLITS)}")


def split_subjects(
    subjects: Iterable[str],
    settings: SplitSettings,
    *,
    before: Mapping[str, str] | None = None,
    fitted: Iterable[str] = (),
    force: bool = False,
) -> dict[str, str]:
    """The split of every person.

    before: splits that persons had; they keep them, so that a data set that grows judges nobody it has trained on.
    fitted: persons that a calibration was fitted on: they train. The others come by chance, each to the split that
    lacks most of its share. force: let persons that a calibration knows be judged where they are named for it.

    Raises ValueError where somebody is named for another split than training whom the calibration was fitted on.
    """
    people, known = sorted(set(subjects)), set(fitted)
    leak = [name for name in people if name in known and settings.named.get(name, TRAIN) != TRAIN]
    if leak and not force:
        raise ValueError(
            f"{', '.join(leak)}: the calibration was fitted on them, so that they can't be in the split "
            f"{settings.named[leak[0]]}; fit it on others, or use --force"
        )
    found: dict[str, str] = {}
    for name in people:
        if name in settings.named:
            found[name] = settings.named[name]
        elif name in known:
            found[name] = TRAIN
        elif before and before.get(name) in SPLITS:
            found[name] = before[name]
    for name in sorted(set(people) - set(found), key=lambda name: zlib.crc32(f"{settings.seed} {name}".encode())):
        found[name] = _neediest(list(found.values()), settings.shares)
    return {name: found[name] for name in people}


def _neediest(taken: list[str], shares: tuple[float, float, float]) -> str:
    """The split that lacks most persons of its share when one more comes."""
    lacks = [share * (len(taken) + 1) - taken.count(split) for split, share in zip(SPLITS, shares, strict=True)]
    return max(zip(lacks, (2, 0, 1), SPLITS, strict=True))[2]  # of two that lack as much: train, test, validation
