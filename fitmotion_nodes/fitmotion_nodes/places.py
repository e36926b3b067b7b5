"""Where things lie: the graph's configuration, the folder for runs."""

import os
from collections.abc import Mapping
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]


def config_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Bringup's config: of the checkout, else of the installed package fitmotion_bringup.

    Raises ValueError when neither is there.
    """
    shared = [
        Path(prefix, "share", "fitmotion_bringup") for prefix in environment.get("AMENT_PREFIX_PATH", "").split(":")
    ]
    candidates = [_CHECKOUT / "launch" / "config", *(folder / "config" for folder in shared)]
    for candidate in candidates:
        if (candidate / "live.yaml").is_file():
            return candidate
    raise ValueError("live.yaml of fitmotion_bringup is nowhere on AMENT_PREFIX_PATH; run ./fitmotion build")


def default_out(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder in which every run gets one of its own: runs/ of the checkout, without one of the current folder."""
    return Path(environment.get("FITMOTION_ROOT", "")) / "runs"
