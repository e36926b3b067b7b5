"""What is tuned in the activity benchmark, and what is not: as many settings and as many windows in every arm."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fitmotion_models.evaluation.activity_report import BOTH, REAL, VIRTUAL
from fitmotion_models.training.activity_windows import Augmentation

WINDOWS = 8
"""Of every repetition that is learned from, in every arm; with real and virtual ones half of them are virtual."""

DECAYS = (0.3, 1.0, 3.0)
"""Weight decays of the readout, each tried with every setting below."""

AUGMENTATIONS: Mapping[str, Augmentation] = MappingProxyType(
    {
        "none": Augmentation(),
        "weak": Augmentation(mount_deg=12.0, scale=0.05, noise=0.03, warp=0.05),
        "middle": Augmentation(mount_deg=25.0, scale=0.1, noise=0.05, warp=0.1),
        "strong": Augmentation(mount_deg=40.0, scale=0.2, noise=0.1, warp=0.15),
    }
)


@dataclass(frozen=True)
class Setting:
    """One of an arm's settings.

    augmentation: of the real windows, and of the virtual ones where there are no others. share: how much all virtual
    windows count, of all windows.
    """

    augmentation: str
    share: float = 0.0

    def __str__(self) -> str:
        return f"augmentation {self.augmentation}, virtual share {self.share:g}"


# from weak to strong: of settings that are equally good the last is taken
SETTINGS: Mapping[str, tuple[Setting, ...]] = MappingProxyType(
    {
        REAL: tuple(Setting(name) for name in AUGMENTATIONS),
        VIRTUAL: tuple(Setting(name, 1.0) for name in AUGMENTATIONS),
        BOTH: tuple(Setting(name, share) for name in ("weak", "middle") for share in (0.2, 0.4)),
    }
)
