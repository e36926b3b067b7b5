"""The report of a recording that has been scored: its key frames are read again and shown."""

from pathlib import Path

import numpy as np

from fitmotion_models.fms.assess import CLIP_SUFFIX, AssessmentReport
from fitmotion_models.pose.backends import BackendChoice, make_backend
from fitmotion_models.pose.image_source import open_source
from fitmotion_models.viewer.report import key_stamps, save_report
from fitmotion_models.viewer.report_pictures import Picture


def check_report_path(path: str | Path) -> None:
    """See before any work that a report can be written there. Raises ValueError saying what to choose instead."""
    target = Path(path)
    if target.suffix != ".html":
        raise ValueError(f"report {path}: a report is a web page; give a name that ends in .html")
    if target.exists():
        raise ValueError(f"report {path} exists already; choose another name or remove it")
    if not target.absolute().parent.is_dir():
        raise ValueError(f"report {path}: there is no folder {target.absolute().parent}; make it first")


def report_recording(
    path: str | Path,
    spec: str,
    report: AssessmentReport,
    *,
    backend: str | BackendChoice = "mediapipe",
    keep_faces: bool = False,
) -> Path:
    """Write the report of `assess(spec)` to an .html file; a clip without pictures is shown as stick figures.

    backend: finds the face that is to be blurred. Raises ValueError for a path that cannot be used or a recording in
    which nobody was seen, OSError when the file cannot be written.
    """
    check_report_path(path)
    if report.clip is None:
        raise ValueError(f"{spec}: no person was seen, so there is nothing to report")
    pictures = [] if Path(spec).suffix == CLIP_SUFFIX else _pictures(spec, report, backend)
    return save_report(path, report.assessments, report.clip, pictures=pictures, keep_faces=keep_faces)


def _pictures(spec: str, report: AssessmentReport, backend: str | BackendChoice) -> list[Picture]:
    """The frames at the moments that the report shows, with their landmarks."""
    assert report.clip is not None
    wanted = sorted(key_stamps(report.assessments, report.clip))
    source, find = open_source(spec), make_backend(backend)
    pictures: list[Picture] = []
    try:
        while wanted and (frame := source.read()) is not None:
            if frame.stamp < wanted[0] - 0.5 / source.fps:
                continue
            keypoints = find(np.ascontiguousarray(frame.image_bgr[:, :, ::-1]), frame.stamp)
            pictures.append(Picture(frame.stamp, frame.image_bgr, keypoints))
            wanted = [stamp for stamp in wanted if stamp > frame.stamp + 0.5 / source.fps]
    finally:
        source.close()
        find.close()
    return pictures
