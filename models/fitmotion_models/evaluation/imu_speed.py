"""What virtual sensors of recorded motion cost, beside two others' ways on the same motion in the same run."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fitmotion_models.evaluation.imu_methods import Method, double_gradient, quintic_smoothing_spline
from fitmotion_models.evaluation.imu_noise import with_noise
from fitmotion_models.imu import SiteMotion, select_sites, virtual_imu
from fitmotion_models.imu.offline import sample_times
from fitmotion_models.imu.site_motion import SiteFrames
from fitmotion_models.imu.streamed import virtual_imu_in_pieces
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.motion_clip import MotionClip

FPS, RATE_HZ = 30.0, 100.0
SITES = 13
REPEATS = 5  # the fastest counts: what else the machine does only ever adds
# what optical capture leaves, so that FITPACK's smoothing has something to smooth: metres and radians
POSITION_NOISE_M, ROTATION_NOISE_RAD = 0.0005, 0.005
_FITPACK_S = 20.0  # of the clip that FITPACK is given: its search for knots is slow
MINUTES = (6, 60)  # through which the memory is measured

Progress = Callable[[int, int | None], None]


def speed_figures(progress: Progress | None = None) -> dict[str, Any]:
    """Times real time on one core, and the peak of memory over minutes and an hour in pieces, for JSON.

    Costs are processor seconds, from bodies to readings of 13 sensors at 100 Hz; each way's own, of the same positions
    and rotations of sensors, which all of them need first, and those.
    """
    tick = iter(range(1, 5 + len(MINUTES)))

    def done() -> None:
        if progress is not None:
            progress(next(tick), 4 + len(MINUTES))

    clip = squat_clip(SquatParameters(repetitions=20), fps=FPS)
    sites = select_sites(["all"])[:SITES]
    length = float(clip.stamps[-1] - clip.stamps[0])
    ours = length / _cost(lambda: virtual_imu(clip, sites, rate_hz=RATE_HZ), REPEATS)
    done()
    frames = SiteFrames(sites)
    poses = SiteMotion(clip.stamps, *frames(clip.positions, clip.rotations, clip.confidence, clip.bone_offsets))
    posing = _cost(lambda: frames(clip.positions, clip.rotations, clip.confidence, clip.bone_offsets), REPEATS) / length
    done()
    noisy = with_noise(poses, POSITION_NOISE_M, ROTATION_NOISE_RAD, seed=0)
    gradient = _times_real_time(double_gradient, noisy, posing, REPEATS)
    done()
    short = round(_FITPACK_S * FPS)
    first = SiteMotion(*(array[:short] for array in (noisy.stamps, noisy.positions, noisy.rotations)))
    spline = _times_real_time(quintic_smoothing_spline, first, posing, 1)
    done()
    memory = {}
    for minutes in MINUTES:
        memory[f"{minutes}"] = _memory(clip, minutes)
        done()
    return {
        "sites": SITES,
        "rate_hz": RATE_HZ,
        "times_real_time": round(ours),
        "others": {
            "quintic smoothing spline": {"times_real_time": round(spline, 1), "ratio": round(ours / spline, 1)},
            "double gradient": {"times_real_time": round(gradient), "ratio": round(ours / gradient, 2)},
        },
        "peak_mb_by_minutes": memory,
    }


def _cost(work: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the fastest of some runs."""
    work()  # what is imported and looked up once does not count
    costs = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        costs.append(time.process_time() - start)
    return min(costs)


def _times_real_time(method: Method, motion: SiteMotion, posing: float, repeats: int) -> float:
    samples = sample_times(motion.stamps, RATE_HZ)
    length = float(motion.stamps[-1] - motion.stamps[0])
    return 1.0 / (_cost(lambda: method(motion, samples, samples), repeats) / length + posing)


def _memory(clip: MotionClip, minutes: int) -> float:
    """Peak of what Python and NumPy hold while a clip is repeated for so long and read in pieces, MB."""
    tracemalloc.start()
    try:
        samples = sum(
            len(part)
            for part in virtual_imu_in_pieces(_repeated(clip, minutes), select_sites(["all"])[:SITES], rate_hz=RATE_HZ)
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if samples < 0.99 * 60.0 * minutes * RATE_HZ:
        raise RuntimeError(f"{samples} samples came of {minutes} minutes; some are missing")
    return round(peak / 1e6, 1)


def _repeated(clip: MotionClip, minutes: int) -> Iterator[MotionClip]:
    length = len(clip) / FPS
    for number in range(int(np.ceil(60.0 * minutes / length))):
        yield replace(clip, stamps=clip.stamps + number * length)
