"""The environment of a graph's processes: which middleware profile, how many threads, who may hear them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Fast DDS 2.14 (Jazzy) reads the first name; 3.2 (Kilted) the second, and each process warns of the first
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
_DISTROS_OF_THE_FIRST = ("", "jazzy")

_THIS_MACHINE = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
# a graph is many processes already: helper threads, which wait in a busy loop, cost a tenth of its load and win nothing
_ONE_THREAD = {"OPENCV_FOR_THREADS_NUM": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Place:
    """Where a graph is built: the folder of the YAML and XML files, and the environment it will inherit."""

    config_dir: Path
    environment: Mapping[str, str]


def shared_environment(place: Place) -> dict[str, str]:
    """Be found at once, keep to one thread a process, and stay on this machine; what the user has set is respected."""
    known = place.environment
    near = {} if "ROS_AUTOMATIC_DISCOVERY_RANGE" in known or "ROS_LOCALHOST_ONLY" in known else _THIS_MACHINE
    threads = {name: value for name, value in _ONE_THREAD.items() if name not in known}
    return {**near, **threads, **_profile(place, "quick_discovery.xml")}


def large_image_environment(place: Place) -> dict[str, str]:
    """The environment of a process that publishes raw images: the large shared-memory profile."""
    return _profile(place, "large_shared_memory.xml")


def _profile(place: Place, name: str) -> dict[str, str]:
    """The variables that make Fast DDS read a profile of ours.

    Empty where the user has a profile or another middleware of their own.
    """
    middleware = place.environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    if any(place.environment.get(key) for key in PROFILE_VARIABLES) or not middleware.startswith("rmw_fastrtps"):
        return {}
    first = 0 if place.environment.get("ROS_DISTRO", "") in _DISTROS_OF_THE_FIRST else 1
    return dict.fromkeys(PROFILE_VARIABLES[first:], str(place.config_dir / name))
