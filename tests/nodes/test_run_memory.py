"""What is remembered of a run for its report, and the report made of it; without ROS."""

import base64
import re
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fitmotion_models.fms import score_clip
from fitmotion_models.mover import make_mover
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.viewer.report_pictures import Picture, common_crop
from fitmotion_nodes.run_memory import MOST_REPETITIONS, RunMemory, repetition_key
from fitmotion_nodes.run_report import save_run_report
from fitmotion_nodes.sources import Choice

CLIP = make_mover("squat_heels_up", fps=30.0)
ASSESSMENTS = score_clip(CLIP)


def skeleton(stamp: float, width: int = 1280) -> SimpleNamespace:
    """A message of a person who stands in the middle of an image, nose at 3/8 of its height."""
    names = np.array([[0.5, 0.375]] * 5 + [[0.45, 0.45], [0.55, 0.45]] + [[0.5, 0.6]] * 4 + [[0.5, 0.7]] * 6)
    height = width * 3 // 4
    return SimpleNamespace(stamp=stamp, width=width, height=height, pixels=(names * [width, height]))


def landmarks(message: SimpleNamespace) -> Keypoints:
    return Keypoints("coco17", message.pixels.astype(np.float32), np.ones(17, np.float32), None)


def noise(stamp: float) -> bytes:
    image = np.random.default_rng(round(1e3 * stamp)).integers(0, 256, (480, 640, 3), np.uint8)
    return cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 90))[1].tobytes()


def memory() -> RunMemory:
    return RunMemory(lambda message: message, landmarks)


def play(kept: RunMemory, *, picture_every: int = 0, shift: float = 0.0, until: float = np.inf) -> None:
    """Hear the clip as the graph would say it: picture, skeleton, body, and the result when it is due."""
    results = {one.stamp: one for one in ASSESSMENTS}
    for number, pose in enumerate(CLIP):
        if pose.stamp > until:
            return
        stamp = pose.stamp + shift
        if picture_every and number % picture_every == 0:
            kept.hear_picture(stamp, noise(stamp))
        kept.hear_skeleton(stamp, skeleton(stamp))
        kept.hear_pose(CLIP.subject, stamp, replace(pose, stamp=stamp))
        if pose.stamp in results:
            kept.hear_assessment(moved(results[pose.stamp], shift))


def moved(one, shift: float):
    return replace(one, stamp=one.stamp + shift, start=one.start + shift, end=one.end + shift)


def test_the_bodies_around_a_repetition_are_kept_and_no_others() -> None:
    kept = memory()
    play(kept)
    for one in ASSESSMENTS:
        clip = kept.repetitions()[repetition_key(one)].clip
        there = (CLIP.stamps >= one.start - 0.6) & (CLIP.stamps <= one.end + 0.6)
        np.testing.assert_allclose(clip.stamps, CLIP.stamps[there])
        np.testing.assert_array_equal(clip.positions, CLIP.positions[there])
        assert clip.fps == pytest.approx(30.0)


def test_pictures_of_the_moments_are_kept_and_those_that_show_something_else_are_not() -> None:
    kept = memory()
    play(kept, picture_every=6)  # five a second
    for one in ASSESSMENTS:
        pictures = kept.repetitions()[repetition_key(one)].pictures
        assert set(pictures) == {"start", "lowest point", "end"}
        assert abs(pictures["start"].stamp - one.start) <= 0.1 + 1e-9
    sparse = memory()
    play(sparse, picture_every=60)
    for item in sparse.repetitions().values():
        assert len(item.pictures) < 3


def test_a_picture_without_landmarks_is_none() -> None:
    """Whoever's face is in it could not be covered."""
    kept = memory()
    for pose in CLIP:
        kept.hear_picture(pose.stamp, noise(0.0))
        kept.hear_pose(CLIP.subject, pose.stamp, pose)
    kept.hear_assessment(ASSESSMENTS[0])
    assert kept.repetitions()[repetition_key(ASSESSMENTS[0])].pictures == {}


def test_a_run_that_ends_right_after_a_result_has_it_too() -> None:
    kept = memory()
    play(kept, until=ASSESSMENTS[0].stamp)
    clip = kept.repetitions()[repetition_key(ASSESSMENTS[0])].clip
    assert clip.stamps[-1] == ASSESSMENTS[0].stamp


def test_memory_is_bounded_whatever_is_heard() -> None:
    kept = memory()
    for number in range(3000):
        kept.hear_pose(f"stranger_{number}", 1e12 - number, None)
        kept.hear_picture(float(number), bytes(20_000))
        kept.hear_skeleton(-float(number), None)
    for round_ in range(MOST_REPETITIONS):
        play(kept, shift=100.0 * round_)
    assert len(kept.repetitions()) == MOST_REPETITIONS
    assert len(kept._poses) <= 8 and len(kept._skeletons) <= 60
    assert sum(len(one.data) for one in kept._pictures.values()) <= 32_000_000
    last = kept.repetitions()[repetition_key(moved(ASSESSMENTS[-1], 100.0 * (MOST_REPETITIONS - 1)))]
    assert len(last.clip) > 60


def test_a_body_that_cannot_be_read_is_left_out() -> None:
    def refuse_one(message):
        if message.stamp == CLIP.stamps[80]:
            raise ValueError("no body")
        return message

    kept = RunMemory(refuse_one, landmarks)
    play(kept)
    assert CLIP.stamps[80] not in kept.repetitions()[repetition_key(ASSESSMENTS[0])].clip.stamps


@pytest.mark.parametrize("keep_faces", [False, True])
def test_the_report_of_a_run_counts_from_its_start_and_covers_faces(tmp_path, keep_faces: bool) -> None:
    began = 1.7e9
    kept = memory()
    play(kept, picture_every=6, shift=began)
    results = [moved(one, began) for one in ASSESSMENTS]
    results[0] = replace(results[0], score=2, overridden=True, override_reason="seen by the trainer")
    path = save_run_report(
        tmp_path / "report.html", results, kept, title="anna", facts="today", zero=began, keep_faces=keep_faces
    )
    html = path.read_text()
    assert "Movement report: anna" in html and "not a medical device" in html
    assert f"{ASSESSMENTS[0].start:.2f} to {ASSESSMENTS[0].end:.2f} s" in html
    assert "seen by the trainer" in html  # as it counts at the end, not as it was first
    data = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    # landmarks were in an image of twice the width: the nose is in the middle of it, at 3/8 of its height
    image = np.zeros((480, 640, 3), np.uint8)
    found = landmarks(skeleton(0.0, width=640))
    left, top, right, bottom = common_crop([Picture(0.0, image, found)])
    x, y = (round((at - first) * 640 / (bottom - top)) for at, first in ((320, left), (180, top)))
    patch = shown[y - 12 : y + 13, x - 12 : x + 13, 1].astype(float)
    detail = np.median(np.abs(patch - np.median(patch)))
    assert (detail > 20) == keep_faces
    assert np.asarray(shown[500:620, 20:100, 1], float).std() > 30  # the rest is as it was


def test_of_an_endless_run_the_last_repetitions_are_told(tmp_path) -> None:
    kept, results = memory(), []
    for round_ in range(MOST_REPETITIONS):
        play(kept, shift=100.0 * round_)
        results += [moved(one, 100.0 * round_) for one in ASSESSMENTS]
    html = save_run_report(tmp_path / "report.html", results, kept, title="anna", facts="today").read_text()
    assert f"the last {MOST_REPETITIONS} of {len(results)} repetitions" in html
    assert html.count("<section") == MOST_REPETITIONS


def test_a_report_names_no_folder_and_no_password() -> None:
    assert Choice(source="/home/anna/secret/squat.mp4").short_title == "squat.mp4"
    assert Choice(source="rtsp://anna:secret@10.0.0.1/stream").short_title == "rtsp://10.0.0.1/stream"
    assert Choice(source="0").short_title == "webcam 0"
    assert Choice(mover="subject").short_title == "built-in subject subject"
