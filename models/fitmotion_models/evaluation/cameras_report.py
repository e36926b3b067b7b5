"""`fitmotion evaluate cameras`: the figures of a rig as text and as JSON-ready values."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitmotion_models.evaluation.camera_angles import MEDIAN_OF_NORMAL, TOLERANCE, Stated, stated_against_measured
from fitmotion_models.evaluation.cameras import CamerasReport, Spread, pooled
from fitmotion_models.mover.noise import FOUR_CAMERAS_SD_DEG, ONE_CAMERA_SD_DEG


@dataclass(frozen=True)
class NoiseCheck:
    """A noise that movers are given and tables rest on, beside what was measured; degrees."""

    name: str
    stated_deg: float
    measured_deg: float

    @property
    def too_optimistic(self) -> bool:
        """Whether less noise is assumed than there is."""
        return self.measured_deg > TOLERANCE * self.stated_deg


def noise_checks(report: CamerasReport) -> list[NoiseCheck]:
    """The standard deviations of joint angles that `mover.noise` states, for one camera and for four."""
    one = pooled([angles["all"] for angles in report.one_camera.values()]) / MEDIAN_OF_NORMAL
    checks = [NoiseCheck("one camera", ONE_CAMERA_SD_DEG, one)]
    if report.halves:
        # two halves differ by the errors of both: by twice the whole's, where errors are independent
        whole = pooled(list(report.halves.values())) / MEDIAN_OF_NORMAL / 2.0
        checks.append(NoiseCheck("four cameras", FOUR_CAMERAS_SD_DEG, whole))
    return checks


def criteria_checks(report: CamerasReport) -> list[Stated]:
    """Every criterion's stated standard deviation beside the measured one."""
    return stated_against_measured(report.bodies, list(report.single.values()), report.half_bodies)


def as_dict(report: CamerasReport) -> dict[str, Any]:
    """JSON-ready; pixels, millimetres, degrees, percent; null for what could not be measured."""
    return {
        "frames": report.frames,
        "poses": report.poses,
        "reprojection_px": {
            camera: {joint: _spread(spread) for joint, spread in joints.items()}
            for camera, joints in report.reprojection_px.items()
        },
        "sides_exchanged_share": {camera: round(share, 3) for camera, share in report.exchanged.items()},
        "leave_one_camera_out": {
            camera: {
                "moved_mm": _spread(left.moved_mm),
                "angles_deg": {name: _spread(spread) for name, spread in left.angles_deg.items()},
                "reprojection_px": _spread(left.reprojection_px),
            }
            for camera, left in report.left_out.items()
        },
        "bone_length_sd_percent": {
            bone: {"fitted": _number(report.bones_fitted[bone]), "raw": _number(report.bones_raw[bone])}
            for bone in report.bones_fitted
        },
        "one_camera_against_all_deg": {
            camera: {"poses": report.one_camera_poses[camera]}
            | {name: _spread(spread) for name, spread in angles.items()}
            for camera, angles in report.one_camera.items()
        },
        "joint_angle_noise": [
            {
                "of": check.name,
                "stated_sd_deg": check.stated_deg,
                "measured_sd_deg": _number(check.measured_deg),
                "too_optimistic": check.too_optimistic,
            }
            for check in noise_checks(report)
        ],
        "criteria": [
            {
                "criterion": row.criterion,
                "seen_by": row.kind,
                "unit": row.unit,
                "stated_sd": _number(row.stated),
                "measured_sd": _number(row.measured),
                "samples": row.samples,
                "too_optimistic": row.too_optimistic,
            }
            for row in criteria_checks(report)
        ],
    }


def _spread(spread: Spread) -> dict[str, float | None]:
    return {"median": _number(spread.median), "p95": _number(spread.p95)}


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def as_text(report: CamerasReport) -> str:
    """The same for people."""
    parts = [
        f"{report.frames} instants, a body in {report.poses}",
        _reprojection_text(report),
        _left_out_text(report),
        _bones_text(report),
        _one_camera_text(report),
        _noise_text(report),
        _criteria_text(report),
    ]
    return "\n\n".join(part for part in parts if part)


def _reprojection_text(report: CamerasReport) -> str:
    lines = ["reprojection error, pixels, median (95 %); share of instants with left and right exchanged"]
    joints = [name for name in next(iter(report.reprojection_px.values())) if name != "all"]
    for camera, found in report.reprojection_px.items():
        parts = ", ".join(f"{name} {found[name].median:.0f}" for name in joints)
        lines.append(f"  {camera:8} {_both(found['all'])}   {parts}; exchanged {100 * report.exchanged[camera]:.0f} %")
    return "\n".join(lines)


def _left_out_text(report: CamerasReport) -> str:
    if not report.left_out:
        return ""
    lines = ["one camera left out: points move (mm), angles change (deg), reprojection into that camera (px)"]
    for camera, left in report.left_out.items():
        lines.append(
            f"  {camera:8} {_both(left.moved_mm)} mm  {_both(left.angles_deg['all'], 1)} deg  "
            f"{_both(left.reprojection_px)} px"
        )
    return "\n".join(lines)


def _bones_text(report: CamerasReport) -> str:
    raw = list(report.bones_raw.values())
    return (
        "bone lengths, standard deviation over time: after the fit, once they are learned (1 s), at most "
        f"{max(report.bones_fitted.values()):.2g} % (bar: 1 %), of the cameras' points {np.nanmedian(raw):.1f} % "
        f"(median), {np.nanmax(raw):.1f} % (worst)"
    )


def _one_camera_text(report: CamerasReport) -> str:
    names = list(next(iter(report.one_camera.values())))
    heads = "".join(f"{camera:>16}" for camera in report.one_camera)
    lines = ["one camera against all: degrees, median (95 %)", f"  {'':16}{heads}"]
    for name in names:
        cells = "".join(f"{_both(angles[name]):>16}" for angles in report.one_camera.values())
        lines.append(f"  {name.replace('_', ' '):16}{cells}")
    return "\n".join(lines)


def _noise_text(report: CamerasReport) -> str:
    lines = ["standard deviation of joint angles: stated (what rules and movers assume), measured"]
    for check in noise_checks(report):
        lines.append(
            f"  {check.name:16} {check.stated_deg:6.1f} {check.measured_deg:6.1f} deg  {_verdict(check.too_optimistic)}"
        )
    return "\n".join(lines)


def _criteria_text(report: CamerasReport) -> str:
    lines = ["criteria: stated standard deviation (what NOT_SEEN follows), measured, instants"]
    for row in criteria_checks(report):
        lines.append(
            f"  {row.criterion:52} {row.kind:11} {row.stated:7.3f} {row.measured:7.3f} {row.unit:12} {row.samples:4}  "
            f"{_verdict(row.too_optimistic)}"
        )
    return "\n".join(lines)


def _verdict(too_optimistic: bool) -> str:
    return "TOO OPTIMISTIC" if too_optimistic else "holds"


def _both(spread: Spread, digits: int = 0) -> str:
    return f"{spread.median:.{max(digits, 1)}f} ({spread.p95:.{digits}f})"
