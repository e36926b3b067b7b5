"""What virtual sensors cost, live and offline; how true they are: `fitmotion evaluate imu-analytic`.

Beside other ways, and memory over an hour: `fitmotion evaluate imu --only speed`.
"""

import argparse
import json
import sys
import time

from fitmotion_models.imu import LiveImu, select_sites, virtual_imu
from fitmotion_models.mover import SquatParameters, squat_clip


def costs(seconds: int) -> dict[str, float]:
    """Processor time: live as share of a core, offline as how many times faster than the motion."""
    clip = squat_clip(SquatParameters(repetitions=max(1, seconds // 4)), fps=30.0)
    length = float(clip.stamps[-1] - clip.stamps[0])
    poses, results = list(clip), {}
    for names, rate in ((["pelvis", "left_wrist", "right_thigh"], 100.0), (["all"], 100.0), (["all"], 200.0)):
        imu = LiveImu(select_sites(names), rate_hz=rate)
        start = time.process_time()
        for pose in poses:
            imu.update(pose)
        share = (time.process_time() - start) / length
        results[f"live, {len(imu.sites)} sites at {rate:g} Hz, percent of a core"] = round(100.0 * share, 2)
    sites = select_sites(["all"])
    virtual_imu(clip, sites)  # what is imported once does not count
    start = time.process_time()
    virtual_imu(clip, sites)
    results["offline, 13 sites at 100 Hz, times real time"] = round(length / (time.process_time() - start))
    return results


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="of motion that costs are measured on")
    arguments = parser.parse_args()
    json.dump(costs(arguments.seconds), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
