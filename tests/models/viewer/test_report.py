"""The report: everything that was measured, in one file that fetches nothing, and no face that can be recognised."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from fitmotion_models.fms import score_clip
from fitmotion_models.fms.values import Movement, Verdict
from fitmotion_models.mover import SquatParameters, make_mover, squat_clip
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.joint_sets import JOINT_SETS, SMPL22
from fitmotion_models.viewer.mannequin import Viewpoint, render_pose
from fitmotion_models.viewer.report import (
    Reported,
    decisive_stamp,
    key_stamps,
    repetitions_html,
    report_html,
    save_report,
)
from fitmotion_models.viewer.report_curves import AROUND_S, curves_svg, shown_lines
from fitmotion_models.viewer.report_pictures import Picture, blur_face, common_crop, stick_figure
from fitmotion_models.viewer.terminal import measurement

CLIP = make_mover("squat_heels_up", fps=20.0)
ASSESSMENTS = score_clip(CLIP)[:2]
CAMERA = CameraModel.guess(480, 640)
VIEW = Viewpoint(azimuth=0.5)


def picture_at(stamp: float) -> Picture:
    """A mannequin's picture with the joints of COCO-17 where the camera sees them, the face from the head's place."""
    pose = CLIP.frame(int(np.argmin(np.abs(CLIP.stamps - stamp))))
    names = JOINT_SETS["coco17"].joints
    face = pose.positions[SMPL22.index("head")] + [0.08, 0.0, 0.08]
    places = np.array([face if i < 5 else pose.positions[SMPL22.index(name)] for i, name in enumerate(names)])
    pixels, _ = VIEW.project(places.astype(float), CAMERA)
    keypoints = Keypoints("coco17", pixels.astype(np.float32), np.ones(17, np.float32), None)
    return Picture(pose.stamp, render_pose(pose, CAMERA, VIEW), keypoints)


class Reader(HTMLParser):
    """Collects the texts and every address that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.addresses: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    def handle_starttag(self, tag: str, attrs) -> None:
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href", "action")]


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_everything_that_was_measured_is_there() -> None:
    text = " ".join(read(report_html(ASSESSMENTS, CLIP)).words)
    assert "FitMotion is not a medical device." in text
    for one in ASSESSMENTS:
        assert f"repetition {one.repetition}" in text and one.reason in text
        for criterion in one.criteria:
            assert measurement(criterion.value, criterion.unit) in text and criterion.advice in text
    assert "2 repetitions, best score 1" in text


def test_nothing_is_fetched() -> None:
    html = report_html(ASSESSMENTS, CLIP, pictures=[picture_at(stamp) for stamp in key_stamps(ASSESSMENTS, CLIP)])
    assert html.count('src="data:image/jpeg;base64,') == 6
    assert all(address.startswith(("data:", "#")) for address in read(html).addresses)
    assert not re.search(r"@import|url\((?!#)|<script|<link", html)


def test_names_do_not_meet_and_the_report_is_the_same_again() -> None:
    html = report_html(ASSESSMENTS, CLIP)
    assert html == report_html(ASSESSMENTS, CLIP)
    names = re.findall(r'\bid="([^"]+)"', html)
    assert len(names) == len(set(names)) == len(ASSESSMENTS)
    assert set(re.findall(r'href="#([^"]+)"', html)) == set(names)


def test_the_lowest_point_is_where_the_hips_are_lowest() -> None:
    one = ASSESSMENTS[0]
    lowest = decisive_stamp(one, CLIP)
    inside = [pose for pose in CLIP if one.start <= pose.stamp <= one.end]
    assert one.start < lowest < one.end
    assert min(pose.positions[0, 2] for pose in inside) == next(
        pose.positions[0, 2] for pose in inside if pose.stamp == lowest
    )
    assert list(key_stamps([one], CLIP).values()) == ["start", "lowest point", "end"]


def test_the_curves_are_those_of_the_mover() -> None:
    lean = 31.0
    clip = squat_clip(SquatParameters(trunk_lean_deg=lean, repetitions=1), fps=20.0)
    one = score_clip(clip)[0]
    stamps, panels = shown_lines(clip, Movement.DEEP_SQUAT, one.start, one.end)
    lines = {line.name: line.values for panel in panels for line in panel}
    assert lines["trunk lean"].max() == pytest.approx(lean, abs=0.5)
    assert stamps[0] == one.start and stamps[-1] == one.end
    hip, knee, ankle = (
        clip.positions[:, SMPL22.index(f"left_{name}")].astype(float) for name in ("hip", "knee", "ankle")
    )
    thigh, shank = hip - knee, ankle - knee
    cosine = (thigh * shank).sum(-1) / np.linalg.norm(thigh, axis=-1) / np.linalg.norm(shank, axis=-1)
    inside = (clip.stamps >= one.start) & (clip.stamps <= one.end)
    np.testing.assert_allclose(lines["left knee bend"], 180.0 - np.rad2deg(np.arccos(cosine))[inside], atol=0.05)


def test_a_face_is_made_unrecognisable_and_nothing_else_is_touched() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (640, 480, 3), np.uint8)
    picture = picture_at(CLIP.stamps[0])
    covered = blur_face(noise, picture.keypoints)
    middle = picture.keypoints.pixels[:5].mean(axis=0)
    rows, columns = np.mgrid[:640, :480]
    distance = np.hypot(columns - middle[0], rows - middle[1])
    changed = (covered != noise).any(axis=-1)
    radius = distance[changed].max()
    head, neck = VIEW.project(CLIP.positions[0, [15, 12]].astype(float), CAMERA)[0]
    assert radius > 1.2 * np.linalg.norm(head - neck)  # all of the head
    assert (distance[changed] <= radius).all() and radius < 0.15 * 640
    inside = covered[distance < 0.95 * radius].astype(float)
    assert inside.std() < 0.15 * noise.std()  # noise was nothing but detail: it is gone


def test_without_landmarks_the_whole_picture_is_covered() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (640, 480, 3), np.uint8)
    assert blur_face(noise, None).std() < 0.15 * noise.std()
    pixels, confidence = np.full((17, 2), np.nan, np.float32), np.zeros(17, np.float32)
    assert blur_face(noise, Keypoints("coco17", pixels, confidence, None)).std() < 0.15 * noise.std()


def test_a_head_without_face_landmarks_is_covered_where_it_must_be() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (640, 480, 3), np.uint8)
    keypoints = picture_at(CLIP.stamps[0]).keypoints
    pixels, face = keypoints.pixels.copy(), keypoints.pixels[0].copy()
    pixels[:5] = np.nan
    confidence = np.r_[np.zeros(5), np.ones(12)].astype(np.float32)
    covered = blur_face(noise, Keypoints("coco17", pixels, confidence, None))
    changed = (covered != noise).any(axis=-1)
    assert changed[round(float(face[1])), round(float(face[0]))]


@pytest.mark.parametrize("keep", [False, True])
def test_faces_are_kept_only_on_request(keep: bool) -> None:
    picture = picture_at(ASSESSMENTS[0].start)
    noise = np.random.default_rng(4).integers(0, 256, picture.image.shape, np.uint8)
    html = report_html(ASSESSMENTS[:1], CLIP, pictures=[replace(picture, image=noise)], keep_faces=keep)
    data = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    left, top, _, bottom = common_crop([picture])
    x, y = (
        round(float(part)) for part in (picture.keypoints.pixels[:5].mean(axis=0) - (left, top)) * 640 / (bottom - top)
    )
    # by the median, as the skeleton is drawn over it
    patch = shown[y - 20 : y + 21, x - 20 : x + 21, 1].astype(float)
    detail = np.median(np.abs(patch - np.median(patch)))
    assert (detail > 25) == keep


def test_the_person_fills_the_picture_and_stays_at_one_place() -> None:
    pictures = [picture_at(stamp) for stamp in key_stamps(ASSESSMENTS[:1], CLIP)]
    left, top, right, bottom = common_crop(pictures)
    assert 0 <= left < right <= 480 and 0 <= top < bottom <= 640
    pixels = np.concatenate([picture.keypoints.pixels for picture in pictures])
    assert (pixels > (left, top)).all() and (pixels < (right, bottom)).all()
    assert np.ptp(pixels[:, 1]) > 0.6 * (bottom - top)
    assert common_crop([]) is None and common_crop([replace(pictures[0], keypoints=None)]) is None


def test_the_figure_shows_what_failed_and_faces_as_it_should() -> None:
    one = ASSESSMENTS[0]
    failing = [criterion for criterion in one.criteria if criterion.verdict is Verdict.NOT_MET]
    pose = CLIP.frame(int(np.searchsorted(CLIP.stamps, decisive_stamp(one, CLIP))))
    red = "#f5333d"
    drawn = stick_figure(pose, failing, from_front=False)
    assert drawn.count(red) == 2  # the two feet
    assert re.findall(r">(\d)</text>", drawn) == ["1"]
    assert stick_figure(pose, (), from_front=False).count(red) == 0
    # from the left the person looks to the left: toes are left of heels
    line = drawn.split(red)[0].rsplit("<line", 1)[1]
    x1, x2 = (float(re.search(rf'{name}="([\d.]+)"', line)[1]) for name in ("x1", "x2"))
    assert x2 < x1
    hidden = replace(pose, positions=np.full((22, 3), np.nan), confidence=np.zeros(22))
    assert "nan" not in stick_figure(hidden, failing, from_front=True)


def test_what_failed_is_told_at_the_figure_and_at_a_glance() -> None:
    html = report_html(ASSESSMENTS, CLIP)
    for one in ASSESSMENTS:
        failing = next(item for item in one.criteria if item.verdict is Verdict.NOT_MET)
        told = f"Heels down: {measurement(failing.value, 'm')}, limit {measurement(failing.threshold, 'm')}"
        assert html.count(told) >= 2  # in the overview and under the figure


def test_a_repetition_whose_poses_were_not_kept_is_told_without_figures() -> None:
    html = repetitions_html([Reported(ASSESSMENTS[0], None)], title="anna", facts="")
    assert ASSESSMENTS[0].reason in html and "<svg" not in html


def test_the_curve_is_where_its_axes_say() -> None:
    """The highest hip angle read off the drawing, with the marks of the axis as the only scale."""
    one = ASSESSMENTS[0]
    drawing = curves_svg(CLIP, one, decisive_stamp(one, CLIP))
    first = drawing.split("trunk lean and")[0]
    found = re.findall(r'y2="([\d.]+)" stroke="#d9dde2"[^>]*/><text[^>]*>(\d+)</text>', first)
    marks = {float(value): float(y) for y, value in found}
    per_degree = (marks[0.0] - marks[90.0]) / 90.0
    hip = re.findall(r'<polyline points="([^"]+)"[^>]*stroke-dasharray="6 3"', drawing)[0]
    highest = min(float(point.split(",")[1]) for point in hip.split())
    _, panels = shown_lines(CLIP, Movement.DEEP_SQUAT, one.start - AROUND_S, one.end + AROUND_S)
    values = next(line.values for line in panels[0] if line.name == "left hip bend")
    assert (marks[0.0] - highest) / per_degree == pytest.approx(np.nanmax(values), abs=1.0)


def test_too_close_to_tell_is_not_called_unseen() -> None:
    criteria = tuple(replace(one, verdict=Verdict.NOT_SEEN) for one in ASSESSMENTS[0].criteria)
    unseen = tuple(replace(one, value=float("nan")) for one in criteria)
    for given, words in ((criteria, "too close to tell"), (unseen, "not seen")):
        text = " ".join(read(report_html([replace(ASSESSMENTS[0], criteria=given, score=-1)], CLIP)).words)
        assert text.count(words) == len(given)


def test_a_recording_without_a_repetition_has_a_report_too(tmp_path) -> None:
    path = save_report(tmp_path / "report.html", [], CLIP)
    assert "No repetition was found" in path.read_text()
    with pytest.raises(FileExistsError, match="exists; choose another name"):
        save_report(path, [], CLIP)
    save_report(path, ASSESSMENTS, CLIP, overwrite=True)
    assert "repetition 1" in path.read_text() and list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match="must be named"):
        save_report(tmp_path / "report.pdf", [], CLIP)


def test_nothing_from_outside_becomes_markup() -> None:
    evil = "<img src=http://x onerror=alert(1)>"
    criteria = tuple(replace(one, name=evil, advice=evil, unit=evil) for one in ASSESSMENTS[0].criteria)
    broken = replace(ASSESSMENTS[0], reason=evil, overridden=True, override_reason=evil, scorer=evil, criteria=criteria)
    html = report_html([broken], replace(CLIP, subject=evil))
    assert "<img" not in html and all(address.startswith("#") for address in read(html).addresses)
