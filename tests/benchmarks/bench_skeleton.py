"""What the body fit costs: one frame as in the live graph, and a frame of a long recording."""

import argparse
import json
import sys
import timeit
from collections.abc import Callable

import numpy as np

from fitmotion_models.skeleton import REST_OFFSETS, feet_from_pose, fit_body, forward_kinematics, to_smpl22
from fitmotion_models.skeleton.rotations import from_rotvec


def _microseconds(call: Callable[[], object], rounds: int, calls: int) -> dict[str, float]:
    """Time of one call: the best round (the machine undisturbed) and the median one."""
    times = np.array(timeit.repeat(call, number=calls, repeat=rounds)) / calls * 1e6
    return {"best_us": round(float(times.min()), 1), "median_us": round(float(np.median(times)), 1)}


def measure(frames: int = 1000, rounds: int = 20) -> dict[str, dict[str, float]]:
    """Times by name, microseconds a frame; bodies in random poses, everything seen."""
    rng = np.random.default_rng(0)
    rotations = from_rotvec(0.4 * rng.normal(size=(frames, 22, 3)))
    positions = forward_kinematics(rng.normal(size=(frames, 3)), rotations, REST_OFFSETS)
    feet = feet_from_pose(positions, rotations, REST_OFFSETS)
    seen, feet_seen = np.ones((frames, 22)), np.ones((frames, 4))
    one = (positions[0], seen[0], feet[0], feet_seen[0], REST_OFFSETS)
    landmarks = rng.normal(size=(33, 3))
    whole = _microseconds(lambda: fit_body(positions, seen, feet, feet_seen, REST_OFFSETS), max(rounds // 4, 1), 1)
    return {
        "fit_body, one frame": _microseconds(lambda: fit_body(*one), rounds, 50),
        f"fit_body, a frame of {frames}": {name: round(value / frames, 1) for name, value in whole.items()},
        "to_smpl22, one frame": _microseconds(lambda: to_smpl22(landmarks, np.ones(33), "blazepose33"), rounds, 50),
        "forward_kinematics, one frame": _microseconds(
            lambda: forward_kinematics(positions[0, 0], rotations[0], REST_OFFSETS), rounds, 50
        ),
    }


def main() -> None:
    """Print the times as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1000, help="length of the recording")
    parser.add_argument("--rounds", type=int, default=20, help="repetitions")
    arguments = parser.parse_args()
    json.dump(measure(arguments.frames, arguments.rounds), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
