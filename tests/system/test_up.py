"""`up` on real processes: results, ends, bad input."""

import base64
import json
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rclpy.serialization import serialize_message

from fitmotion_models.exchange.mcap_files import RecordedTopic, Recording
from fitmotion_models.fms.assess import AssessmentReport, report_as_dict
from fitmotion_models.fms.scorer import score_clip
from fitmotion_models.mover import SquatParameters, make_mover, squat_clip
from fitmotion_models.skeleton.clip_file import save_clip
from fitmotion_models.skeleton.motion_clip import clip_from_poses
from fitmotion_models.viewer.mannequin import Viewpoint, write_clip_video
from fitmotion_nodes.conversions import body_pose_to_msg
from fitmotion_nodes.recorder_topics import definition_of
from fitmotion_nodes.recordings import BODY_POSE

from .conftest import LONG, MEDIA, Command, once_unless_long, write_video

Start = Callable[..., Command]
once = pytest.mark.one_distribution
LONGER = ("7027", "7034") if LONG else ()
clean = pytest.mark.usefixtures("nothing_left_in_shared_memory")
TOLERANCE = 1e-3


def same_assessments(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Same count and verdicts, values within the tolerance."""
    assert (one["subject"], one["frames"]) == (other["subject"], other["frames"])
    assert one["fps"] == pytest.approx(other["fps"], rel=1e-4)
    assert len(one["assessments"]) == len(other["assessments"])
    for left, right in zip(one["assessments"], other["assessments"], strict=True):
        for name in ("movement", "variation", "side", "repetition", "score", "reason"):
            assert left[name] == right[name]
        for name in ("confidence", "start_s", "end_s"):
            assert left[name] == pytest.approx(right[name], abs=TOLERANCE)
        assert [item["name"] for item in left["criteria"]] == [item["name"] for item in right["criteria"]]
        for mine, theirs in zip(left["criteria"], right["criteria"], strict=True):
            assert mine["verdict"] == theirs["verdict"]
            assert mine["value"] == pytest.approx(theirs["value"], abs=TOLERANCE)
            assert mine["threshold"] == pytest.approx(theirs["threshold"], abs=TOLERANCE)


@clean
def test_lossless_replay_gives_what_the_scorer_gives_without_ros(fitmotion: Start) -> None:
    run = fitmotion("up", "--mover", "subject", "--lossless")
    assert run.wait() == 0, run.stderr
    clip = make_mover("subject")
    expected = report_as_dict(AssessmentReport(tuple(score_clip(clip)), clip.subject, clip.fps, len(clip), len(clip)))
    assert len(expected["assessments"]) > 3
    same_assessments(run.assessment(), expected)
    assert "repetition 1" in run.stdout
    page = run.report()
    assert page.count("<section") == len(expected["assessments"]) and "not a medical device" in page
    assert page.count('class="curves"') == len(expected["assessments"]) and "data:image" not in page
    for item in expected["assessments"]:
        assert f"{item['start_s']:.2f} to {item['end_s']:.2f} s" in page and item["reason"] in page


def test_a_recorded_clip_under_another_name(fitmotion: Start, tmp_path: Path) -> None:
    clip = make_mover("squat_heels_up")
    save_clip(tmp_path / "clip.npz", clip)
    run = fitmotion(
        "up", "--replay", str(tmp_path / "clip.npz"), "--lossless", "--subject", "anna", "--namespace", "rig_1"
    )
    assert run.wait() == 0, run.stderr
    written = run.assessment()
    assert written["subject"] == "anna"
    assert [item["score"] for item in written["assessments"]] == [item.score for item in score_clip(clip)]


@pytest.mark.parametrize("movement", ["deep_squat", "auto"])
def test_a_recording_that_ends_with_the_last_upright_frame(fitmotion: Start, tmp_path: Path, movement: str) -> None:
    """A stream has no end to hear of but its source's: `up` finds the repetition that `assess` finds."""
    clip = make_mover("subject")
    heights = clip.positions[:, 0, 2]
    first = score_clip(clip)[0]
    lowest = int(np.where((clip.stamps >= first.start) & (clip.stamps <= first.end), heights, np.inf).argmin())
    back = heights[lowest] + 0.97 * (heights[0] - heights[lowest])
    upright = lowest + int((heights[lowest:] >= back).argmax())
    save_clip(tmp_path / "cut.npz", clip_from_poses(list(clip)[: upright + 1], clip.fps))
    assess = fitmotion("assess", str(tmp_path / "cut.npz"), "--movement", movement, "--json")
    assert assess.wait() == 0, assess.stderr
    expected = json.loads(assess.stdout)
    assert len(expected["assessments"]) == 1
    run = fitmotion("up", "--replay", str(tmp_path / "cut.npz"), "--lossless", "--movement", movement)
    assert run.wait() == 0, run.stderr
    same_assessments(run.assessment(), expected)


@once_unless_long
def test_a_video_that_ends_with_the_last_upright_frame(fitmotion: Start, tmp_path: Path) -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=20.0)
    heights = clip.positions[:, 0, 2]
    lowest = int(heights.argmin())
    back = heights[lowest] + 0.98 * (heights[0] - heights[lowest])
    upright = lowest + int((heights[lowest:] >= back).argmax())
    cut = clip_from_poses(list(clip)[: upright + 1], clip.fps)
    write_clip_video(tmp_path / "squat.mp4", cut, view=Viewpoint(azimuth=1.1))
    assess = fitmotion("assess", str(tmp_path / "squat.mp4"), "--json")
    assert assess.wait() == 0, assess.stderr
    expected = json.loads(assess.stdout)
    assert len(expected["assessments"]) == 1
    run = fitmotion("up", "--source", str(tmp_path / "squat.mp4"), "--lossless")
    assert run.wait() == 0, run.stderr
    same_assessments(run.assessment(), expected)


@once_unless_long
def test_everybody_who_is_scored_is_named(fitmotion: Start, tmp_path: Path) -> None:
    people = {
        "anna": squat_clip(SquatParameters(repetitions=1), fps=20.0),
        "bert": squat_clip(SquatParameters(repetitions=1, arm_drop_deg=55.0), fps=20.0),
    }
    about = RecordedTopic("/body_pose", BODY_POSE, definition_of(BODY_POSE))
    with Recording(tmp_path / "two.mcap") as recording:
        for number, both in enumerate(zip(*people.values(), strict=False)):
            for name, pose in zip(people, both, strict=True):
                data = serialize_message(body_pose_to_msg(replace(pose, subject=name)))
                recording.write(about, data, number, number)
    run = fitmotion("up", "--replay", str(tmp_path / "two.mcap"), "--lossless", "--param", "fms.assess=all")
    assert run.wait() == 0, run.stderr
    written = run.assessment()
    assert written["subject"] == "anna, bert"
    scored = {(one["subject"], one["score"]) for one in written["assessments"]}
    assert scored == {(name, one.score) for name, clip in people.items() for one in score_clip(clip)}
    assert "anna: 1 repetition, best score 3" in run.stdout and "bert, deep squat, repetition 1  " in run.stdout


# each person once, from the side and from the front; all four views at length
@pytest.mark.parametrize("name", ["7026", *(pytest.param(name, marks=once) for name in ("7035", *LONGER))])
def test_lossless_video_gives_what_assess_gives(fitmotion: Start, name: str) -> None:
    video = MEDIA / f"overhead_squat_{name}.mov"
    if not video.is_file():
        pytest.skip(f"no test data at {video}; set FITMOTION_DATA")
    assess = fitmotion("assess", str(video), "--json")
    assert assess.wait() == 0, assess.stderr
    run = fitmotion("up", "--source", str(video), "--lossless")
    assert run.wait() == 0, run.stderr
    same_assessments(run.assessment(), json.loads(assess.stdout))


@once_unless_long
def test_the_report_of_a_video_shows_its_moments_and_keeps_no_other_picture(fitmotion: Start, tmp_path: Path) -> None:
    clip = squat_clip(SquatParameters(depth_m=0.14, trunk_lean_deg=28.0, repetitions=1), fps=20.0)
    write_clip_video(tmp_path / "squat.mp4", clip, view=Viewpoint(azimuth=1.1))
    run = fitmotion("up", "--source", str(tmp_path / "squat.mp4"), "--lossless", "--namespace", "rig_1")
    assert run.wait() == 0, run.stderr
    first = run.assessment()["assessments"][0]
    shown = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', run.report())
    assert len(shown) == 3 * len(run.assessment()["assessments"])
    images = [cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR) for data in shown[:3]]
    red = [int(((image[..., 2] > 200) & (image[..., :2] < 90).all(axis=-1)).sum()) for image in images]
    assert red[1] > 500 and max(red[0], red[2]) < 50, red  # what failed, at the lowest point
    failed = next(item for item in first["criteria"] if item["verdict"] == "not_met")
    assert f"{100 * failed['value']:.1f} cm, limit {100 * failed['threshold']:.1f} cm" in run.report()
    kinds = {path.suffix for path in run.run_folder.rglob("*") if path.is_file()}
    assert kinds == {".html", ".json", ".log", ".yaml"}


@clean
def test_a_video_in_real_time_ends_by_itself(fitmotion: Start, tmp_path: Path) -> None:
    run = fitmotion("up", "--source", str(write_video(tmp_path / "grey.avi", 45, shade=90)))
    assert run.wait() == 0, run.stderr
    assert run.assessment()["assessments"] == []
    assert not (run.run_folder / "report.html").exists()
    assert "no person was seen" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr + run.logs()


@clean
def test_ctrl_c_takes_all_down_and_writes_what_there_is(fitmotion: Start) -> None:
    run = fitmotion("up", "--mover", "squat", "--loop")
    run.says(r"repetition 1: score 3")
    pids = list(run.children().values())
    assert len(pids) == 2
    assert run.interrupt() < 3.0
    assert run.process.returncode == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert "Traceback" not in run.stdout + run.stderr + run.logs()
    first = run.assessment()["assessments"][0]
    assert 0 < first["start_s"] < first["end_s"] < 60  # seconds of the run, not of the day
    assert f"{first['start_s']:.2f} to {first['end_s']:.2f} s" in run.report()


@clean
def test_ctrl_c_while_starting(fitmotion: Start, tmp_path: Path) -> None:
    run = fitmotion("up", "--source", str(write_video(tmp_path / "grey.avi", 300)), "--loop")
    run.until(lambda command: len(command.children()) == 3)
    assert run.interrupt() < 3.0
    assert run.process.returncode == 0
    assert "Traceback" not in run.stdout + run.stderr + run.logs()


@once_unless_long
@clean
def test_killed_nodes_come_back(fitmotion: Start, tmp_path: Path) -> None:
    """Six nodes killed at random moments, some of them while they start."""
    random = np.random.default_rng(7)
    run = fitmotion("up", "--source", str(write_video(tmp_path / "grey.avi", 60)), "--loop")
    run.until(lambda command: len(command.children()) == 3)
    names = ["camera", "pose", "fms"]
    for count in range(6):
        time.sleep(random.uniform(0.0, 1.5))
        name = names[random.integers(3)]
        killed = run.child(name)
        os.kill(killed, signal.SIGKILL)
        run.child(name, but_not=killed)
        run.until(lambda command, count=count: command.stdout.count("was killed by SIGKILL") == count + 1)
    assert run.interrupt() < 3.0
    assert run.process.returncode == 0
    assert "Traceback" not in run.stdout + run.stderr


@clean
def test_a_lossless_run_survives_a_killed_node_by_starting_over(fitmotion: Start) -> None:
    run = fitmotion("up", "--mover", "subject", "--lossless")
    run.says("repetition 2")
    os.kill(run.child("fms"), signal.SIGKILL)
    assert run.wait() == 0, run.stderr
    assert "the run starts over" in run.stdout
    clip = make_mover("subject")
    expected = report_as_dict(AssessmentReport(tuple(score_clip(clip)), clip.subject, clip.fps, len(clip), len(clip)))
    same_assessments(run.assessment(), expected)


@once_unless_long
@clean
def test_nodes_die_with_an_up_that_is_killed_and_the_next_one_cleans_up(fitmotion: Start) -> None:
    first = fitmotion("up", "--mover", "squat", "--loop")
    first.says("repetition 1")
    pids = list(first.children().values())
    first.process.kill()
    first.process.wait()
    end = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    second = fitmotion("up", "--mover", "squat", "--lossless")
    assert second.wait() == 0, second.stderr


@once_unless_long
def test_the_second_up_on_a_domain_is_refused_and_the_first_goes_on(fitmotion: Start) -> None:
    first = fitmotion("up", "--mover", "squat", "--loop")
    first.until(lambda command: len(command.children()) == 2)
    second = fitmotion("up", "--mover", "squat")
    assert second.wait() == 2
    assert second.stderr.count("\n") == 1
    assert "another `up` is running on ROS domain" in second.stderr
    first.says("repetition 1")
    first.interrupt()
    assert first.process.returncode == 0


@once_unless_long
def test_a_domain_with_somebody_elses_node_is_refused(fitmotion: Start, tmp_path: Path) -> None:
    """The other `up` belongs to another user: it shares the domain, not the lock."""
    (tmp_path / "other").mkdir()
    first = fitmotion("up", "--mover", "squat", "--loop", XDG_RUNTIME_DIR=str(tmp_path / "other"))
    first.says("repetition 1")
    second = fitmotion("up", "--mover", "squat")
    assert second.wait() == 2
    assert re.search(r"already has a node /(fms|replay)( and /replay)?, started by somebody else", second.stderr)
    first.interrupt()


@once
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "nowhere.mp4"], ["nowhere.mp4", "no such file"]),
        (["--source", "{text}"], ["words.mp4"]),
        (["--source", "{empty}"], ["empty"]),
        (["--source", "{tiny}"], ["4x4"]),
        (["--source", "77"], ["77"]),
        (["--replay", "{text}"], ["words.mp4"]),
        (["--mover", "rabbit"], ["'rabbit'", "squat"]),
        (["--source", "0", "--mover", "squat"], ["--source and --mover"]),
        (["--mover", "squat", "--lossless", "--loop"], ["never end"]),
        (["--mover", "squat", "--movement", "handstand"], ["handstand", "deep_squat"]),
        (["--mover", "squat", "--subject", "Anna Maria"], ["Anna Maria"]),
        (["--mover", "squat", "--param", "replay.speed=fast"], ["replay.speed=fast", "decimal number"]),
        (["--mover", "squat", "--param", "replay.sped=2"], ["replay.sped", "speed"]),
        (["--mover", "squat", "--param", "replay.speed=1000"], ["speed=1000.0", "0.01 to 100"]),
        (["--mover", "squat", "--params-file", "none.yaml"], ["none.yaml", "no such file"]),
        (["--mover", "squat", "--domain", "400"], ["--domain=400", "0 to 232"]),
        (["--mover", "squat", "--namespace", "rig 1"], ["rig 1"]),
        (["--mover", "squat", "--log-level", "loud"], ["loud", "debug"]),
        (["--mover", "squat", "--out", "/proc/runs"], ["/proc/runs", "--out"]),
        (["--mover"], ["--mover"]),
        (["--moover", "squat"], ["--moover"]),
    ],
)
def test_bad_input_is_one_line_before_anything_starts(
    fitmotion: Start, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    (tmp_path / "words.mp4").write_text("not a video at all\n" * 100)
    (tmp_path / "empty").mkdir()
    cv2.imwrite(str(tmp_path / "tiny.png"), np.zeros((4, 4, 3), np.uint8))
    places = {
        "text": str(tmp_path / "words.mp4"),
        "empty": str(tmp_path / "empty"),
        "tiny": str(tmp_path / "tiny.png"),
    }
    run = fitmotion("up", *(argument.format(**places) for argument in arguments))
    assert run.wait() == 2, run.stdout + run.stderr
    assert run.stderr.count("\n") == 1, run.stderr
    assert run.stderr.startswith("fitmotion: ")
    for word in words:
        assert word in run.stderr
    assert run.stdout == ""


def test_the_middle_of_the_run_is_on_paper(fitmotion: Start) -> None:
    """What the nodes said and with which parameters they ran is in the folder of the run."""
    run = fitmotion("up", "--mover", "squat", "--lossless", "--param", "fms.trial=2")
    assert run.wait() == 0, run.stderr
    assert "trial: 2" in (run.run_folder / "parameters" / "fms.yaml").read_text()
    assert "repetition 1" in (run.run_folder / "log" / "fms.log").read_text()
