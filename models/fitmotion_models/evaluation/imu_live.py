"""What live sensors read beside what the same poses give when all of them are known."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.evaluation.imu_analytic import time_shift
from fitmotion_models.imu import ImuRecording, Site, SiteFrames, SiteMotion, cutoffs_for, imu_from_motion
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.rotations import Float64

_STILL = {"specific_force": 0.05, "angular_velocity": 0.02}  # m/s2, rad/s: a range below this has no shape to compare


def recorded_from(poses: Sequence[BodyPose], sites: Sequence[Site], rate_hz: float) -> ImuRecording:
    """What sensors at these sites read of poses of one person, in rising order, with the cut-offs that suit them."""
    positions, rotations, confidence = (
        np.stack([getattr(pose, name) for pose in poses]) for name in ("positions", "rotations", "confidence")
    )
    stamps = np.array([pose.stamp for pose in poses])
    motion = SiteMotion(stamps, *SiteFrames(sites)(positions, rotations, confidence, poses[0].bone_offsets))
    names = tuple(site.name for site in sites)
    return imu_from_motion(motion, names, rate_hz=rate_hz, cutoffs=cutoffs_for(poses[0].views))


def live_difference(recorded: ImuRecording, live: ImuRecording) -> dict[str, Any]:
    """How live readings differ from the recording of the same poses, over all sites.

    rms: m/s2 and rad/s. percent_of_range: that of each site's widest axis, median and worst of the sites that move. r:
    Pearson's, median of the axes that do. shift_ms: by how much the angular velocities are late against their own
    stamps. missing: samples from the first to the last, counted for every site that lacks one.
    Raises ValueError where they share no sample.
    """
    rows = np.rint(recorded.rate_hz * (live.stamps - recorded.stamps[0])).astype(int)
    inside = (rows >= 0) & (rows < len(recorded))
    if not inside.any():
        raise ValueError("the live sensors and the recording share no sample; were the poses heard?")
    rows = rows[inside]
    result: dict[str, Any] = {"samples": len(rows)}
    missing = np.isnan(live.specific_force[inside]).any(axis=-1)
    result["missing"] = int(missing.sum())
    for key, name in (("force", "specific_force"), ("rate", "angular_velocity")):
        result[key] = _figures(getattr(recorded, name)[rows], getattr(live, name)[inside], _STILL[name])
    whole = ~missing.any(axis=1)
    result["shift_ms"] = 1e3 * time_shift(_rows(live, np.flatnonzero(inside)[whole]), _rows(recorded, rows[whole]))
    return result


def _figures(offline: Float64, heard: Float64, still: float) -> dict[str, float]:
    seen = np.asarray(np.isfinite(heard + offline).all(axis=-1))
    percents, correlations, squares = [], [], []
    for site in range(offline.shape[1]):
        there, here = offline[seen[:, site], site], heard[seen[:, site], site]
        square = (here - there) ** 2
        squares.append(square)
        moving = np.ptp(there, axis=0) > still
        if moving.any():
            percents.append(100.0 * np.sqrt(square.mean()) / np.ptp(there, axis=0).max())
        correlations += [np.corrcoef(pair)[0, 1] for pair in zip(there.T[moving], here.T[moving], strict=True)]
    return {
        "rms": float(np.sqrt(np.concatenate(squares).mean())),
        "percent_of_range": float(np.median(percents or [np.nan])),
        "percent_of_range_worst": float(np.max(percents or [np.nan])),
        "r": float(np.median(correlations or [np.nan])),
    }


def _rows(recording: ImuRecording, rows: NDArray[np.intp]) -> ImuRecording:
    return ImuRecording(
        sites=recording.sites,
        rate_hz=recording.rate_hz,
        stamps=recording.stamps[rows],
        specific_force=recording.specific_force[rows],
        angular_velocity=recording.angular_velocity[rows],
        rotations=recording.rotations[rows],
    )
