"""A picture of what several cameras are worth: reprojection, one camera left out, one against all, bone lengths."""

from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.evaluation.camera_angles import MEDIAN_OF_NORMAL
from fitmotion_models.evaluation.cameras import CamerasReport
from fitmotion_models.evaluation.cameras_report import noise_checks
from fitmotion_models.viewer.agreement_picture import check_picture_path
from fitmotion_models.viewer.palette import LEFT, RIGHT, on_paper


def save_cameras_picture(path: Path, report: CamerasReport) -> None:
    """Write the picture. Raises ValueError as `check_picture_path`, OSError while writing."""
    from matplotlib.figure import Figure

    check_picture_path(path)
    figure = Figure(figsize=(11.0, 8.0), layout="constrained")
    panels = figure.subplots(2, 2)
    _reprojection(panels[0, 0], report)
    _left_out(panels[0, 1], report)
    _one_camera(panels[1, 0], report)
    _bones(panels[1, 1], report)
    figure.savefig(path, dpi=130)


def _reprojection(axes: Any, report: CamerasReport) -> None:
    joints = [name for name in next(iter(report.reprojection_px.values())) if name != "all"]
    width = 0.8 / len(report.reprojection_px)
    for index, (camera, found) in enumerate(report.reprojection_px.items()):
        places = np.arange(len(joints)) + (index + 0.5) * width - 0.4
        axes.bar(places, [found[joint].median for joint in joints], width * 0.92, label=camera, color=f"C{index}")
    axes.set_xticks(range(len(joints)), [joint.replace("_", " ") for joint in joints], rotation=30, ha="right")
    axes.set(ylabel="pixels, median", title="Reprojection error")
    axes.legend(fontsize=8, frameon=False)


def _left_out(axes: Any, report: CamerasReport) -> None:
    cameras = list(report.left_out)
    for shift, pick, label, colour in (
        (-0.2, "median", "median", on_paper(LEFT)),
        (0.2, "p95", "95 %", on_paper(RIGHT)),
    ):
        values = [getattr(report.left_out[camera].moved_mm, pick) for camera in cameras]
        axes.bar(np.arange(len(cameras)) + shift, values, 0.36, label=label, color=colour)
    for index, camera in enumerate(cameras):
        turned = report.left_out[camera].angles_deg["all"].median
        axes.annotate(
            f"{turned:.1f} deg",
            (index - 0.2, report.left_out[camera].moved_mm.median),
            fontsize=8,
            ha="center",
            va="bottom",
        )
    axes.set_xticks(range(len(cameras)), [f"without {camera}" for camera in cameras])
    axes.set(ylabel="millimetres", title="One camera left out: points move, angles change")
    axes.legend(fontsize=8, frameon=False)


def _one_camera(axes: Any, report: CamerasReport) -> None:
    angles = [name for name in next(iter(report.one_camera.values())) if name != "all"]
    for index, (camera, found) in enumerate(report.one_camera.items()):
        place = np.arange(len(angles)) + (index - (len(report.one_camera) - 1) / 2) * 0.16
        low, high = [found[name].median for name in angles], [found[name].p95 for name in angles]
        axes.vlines(place, low, high, color=f"C{index}", linewidth=1.5, alpha=0.5)
        axes.plot(place, low, "o", color=f"C{index}", markersize=4, label=camera)
    stated = noise_checks(report)[0].stated_deg
    axes.axhline(
        stated * MEDIAN_OF_NORMAL, color="#555", linewidth=0.9, linestyle="--", label=f"stated, SD {stated:.0f} deg"
    )
    axes.set_xticks(
        range(len(angles)), [name.replace("_", " ") for name in angles], rotation=35, ha="right", fontsize=8
    )
    axes.set(ylabel="degrees, median to 95 %", title="One camera against all")
    axes.legend(fontsize=8, frameon=False)


def _bones(axes: Any, report: CamerasReport) -> None:
    bones = [bone for bone, raw in report.bones_raw.items() if np.isfinite(raw)]
    axes.barh(range(len(bones)), [report.bones_raw[bone] for bone in bones], color="#bbb", label="the cameras' points")
    axes.barh(
        range(len(bones)),
        [report.bones_fitted[bone] for bone in bones],
        color=on_paper(LEFT),
        label=f"after the fit (at most {max(report.bones_fitted.values()):.0e} %)",
    )
    axes.axvline(1.0, color="#555", linewidth=0.9, linestyle="--")
    axes.set_yticks(range(len(bones)), [bone.replace("_", " ") for bone in bones], fontsize=7)
    axes.set(xlabel="standard deviation of the length, percent (bar: 1 %)", title="Bone lengths")
    axes.legend(fontsize=8, frameon=False)
