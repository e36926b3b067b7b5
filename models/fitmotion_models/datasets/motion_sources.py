"""The sets that motion is prepared from, by name."""

from pathlib import Path

from fitmotion_models.datasets import amass, bandai, xing_fms
from fitmotion_models.datasets.further_recordings import (
    amass_recordings,
    bandai_recordings,
    humanml3d_recordings,
    xing_recordings,
)
from fitmotion_models.datasets.recordings import cmu_recordings, hdm05_recordings, uiprmd_recordings
from fitmotion_models.datasets.takes import MotionSource

SOURCES: dict[str, MotionSource] = {
    source.name: source
    for source in (
        MotionSource("uiprmd", uiprmd_recordings, "uiprmd*", "PDDL"),
        MotionSource("hdm05", hdm05_recordings, "hdm05*", "CC BY-SA 3.0"),
        MotionSource("cmu", cmu_recordings, "cmu*", "CMU: free for all uses, no resale of the data"),
        MotionSource("xing", xing_recordings, "", xing_fms.LICENCE),
        MotionSource("bandai", bandai_recordings, "", bandai.LICENCE, non_commercial=True),
        # its motions are AMASS's
        MotionSource("humanml3d", humanml3d_recordings, "", amass.LICENCE, non_commercial=True),
        MotionSource("amass", amass_recordings, "", amass.LICENCE, non_commercial=True),
    )
}
"""A further set is its recordings and one more entry."""


def default_sources(folder: Path) -> dict[str, Path]:
    """The sets that lie in the folder of data, by name; those that have to be asked for are left out."""
    found = {}
    for source in SOURCES.values():
        paths = sorted(folder.glob(source.pattern)) if source.pattern else []
        if paths:
            found[source.name] = paths[0]
    return found
