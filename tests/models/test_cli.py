"""The command line without ROS: what it says of bad input, and what it prints."""

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.mover import SquatParameters, seen_from, squat_clip
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.skeleton import save_clip
from fitmotion_models.viewer.mannequin import Viewpoint, write_clip_video


def run(*arguments):
    return CliRunner().invoke(app, ["assess", *map(str, arguments)])


def video(path, images):
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30.0, (width, height))
    for image in images:
        writer.write(image)
    writer.release()
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path / "none.mp4", "no such file"),
        (lambda path: (path / "text.mp4").write_text("hello") and path / "text.mp4", "not a video"),
        (lambda path: (path / "empty").mkdir() or path / "empty", "no images"),
        (lambda path: (path / "clip.npz").write_bytes(b"nothing") and path / "clip.npz", "clip.npz"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, make, said):
    result = run(make(tmp_path))
    assert result.exit_code == 2
    assert said in result.stderr and result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_unknown_movement_names_the_known(tmp_path):
    result = run(tmp_path / "any.mp4", "--movement", "cartwheel")
    assert result.exit_code == 2 and "deep_squat" in result.stderr


def test_an_empty_room_is_said_and_no_success(tmp_path):
    path = video(tmp_path / "black.mp4", [np.zeros((240, 320, 3), np.uint8)] * 5)
    result = run(path, "--json")
    assert result.exit_code == 1 and "no person" in result.stderr
    assert json.loads(result.stdout) == {
        "assessments": [],
        "subject": "person",
        "fps": 30.0,
        "frames": 5,
        "guidance": "",
    }


def test_a_clip_is_scored_and_said_in_words_and_in_json(tmp_path):
    path = tmp_path / "clip.npz"
    save_clip(path, squat_clip(SquatParameters(repetitions=1, arm_drop_deg=70), subject="anna"))
    words = run(path)
    assert words.exit_code == 0 and "score 1" in words.stdout and "not met" in words.stdout
    report = json.loads(run(path, "--json").stdout)
    (assessment,) = report["assessments"]
    assert report["subject"] == "anna" and assessment["score"] == 1 and assessment["movement"] == "deep_squat"
    assert {"name", "value", "threshold", "unit", "verdict"} <= set(assessment["criteria"][0])


def test_a_report_is_written_beside_the_result_and_never_over_another(tmp_path):
    clip, page = tmp_path / "clip.npz", tmp_path / "report.html"
    save_clip(clip, squat_clip(SquatParameters(repetitions=1, arm_drop_deg=70)))
    assert run(clip, "--report", page).exit_code == 0
    text = page.read_text()
    assert "not a medical device" in text.lower() and "<svg" in text and "dowel over feet" in text.lower()
    again = run(clip, "--report", page)
    assert again.exit_code == 2 and "exists already" in again.stderr
    assert page.read_text() == text


def test_a_report_of_a_video_shows_its_key_frames(tmp_path):
    path, page = tmp_path / "squat.mp4", tmp_path / "report.html"
    parameters = SquatParameters(repetitions=1, stance_s=0.4, descent_s=0.8, hold_s=0.1, ascent_s=0.8, arm_drop_deg=75)
    write_clip_video(path, squat_clip(parameters), view=Viewpoint(azimuth=1.4))
    assert run(path, "--report", page).exit_code == 0
    assert page.read_text().count("data:image/") >= 3


@pytest.mark.parametrize(("name", "said"), [("report.pdf", ".html"), ("nowhere/report.html", "no folder")])
def test_a_report_that_cannot_be_written_is_said_before_any_work(tmp_path, name, said):
    result = run(tmp_path / "none.mp4", "--report", tmp_path / name)
    assert result.exit_code == 2 and said in result.stderr


def test_any_test_is_recognised_in_a_clip_with_what_was_entered(tmp_path):
    path = tmp_path / "clip.npz"
    save_clip(path, inline_lunge_clip(InlineLungeParameters(repetitions=1, side="right"), subject="anna"))
    (found,) = json.loads(run(path, "--movement", "auto", "--trial", 2, "--json").stdout)["assessments"]
    assert (found["movement"], found["side"], found["trial"], found["score"]) == ("inline_lunge", "right", 2, 3)
    (other,) = json.loads(run(path, "--movement", "inline_lunge", "--side", "left", "--json").stdout)["assessments"]
    assert (other["side"], other["score"]) == ("right", -1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--movement", "squat"], "movement 'squat' can't be scored; known: auto, deep_squat"),
        (["--side", "up"], "side 'up' is unknown; allowed: both, left, right"),
        (["--side", "left"], "side LEFT does not belong to DEEP_SQUAT"),
        (["--movement", "inline_lunge", "--board"], "--board belongs to the deep squat, not to inline_lunge"),
        (["--stature", "170"], "stature_m is 170 m; it can be 0.4 to 2.6 m"),
        (["--sex", "f"], "sex 'f' is unknown; allowed: unknown, female, male"),
    ],
)
def test_what_does_not_fit_together_is_said_before_any_work(tmp_path, options, said):
    result = run(tmp_path / "none.npz", *options)
    assert result.exit_code == 2 and said in result.stderr


def test_what_is_wrong_with_the_picture_is_said_once_and_not_in_the_json(tmp_path):
    path = video(tmp_path / "dark.mp4", [np.full((240, 320, 3), 20, np.uint8)] * 45)
    too_dark = "The picture is too dark: turn on more light."
    assert run(path).stdout.count(too_dark) == 1
    result = run(path, "--json")
    assert result.stderr.count(too_dark) == 1 and too_dark not in result.stdout
    assert "camera" not in json.loads(result.stdout)


def test_a_camera_in_the_wrong_place_is_said(tmp_path):
    path = tmp_path / "clip.npz"
    save_clip(path, seen_from(squat_clip(SquatParameters(repetitions=1)), (1.0, 0.0, 0.1)))
    assert "Deep squat: film from the side; from here" in run(path).stdout.replace("\n", " ")
    assert json.loads(run(path, "--json").stdout)["guidance"].startswith("Deep squat: film from the side")
