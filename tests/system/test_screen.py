"""A guided screen with the real command: killed in the middle, resumed, a node killed, reported."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from fitmotion_models.fms.records import Records
from fitmotion_models.fms.values import Movement, Side
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.mover.squat import squat_clip
from fitmotion_models.mover.squat_parameters import SquatParameters
from fitmotion_models.mover.whole_screen import cut_together
from fitmotion_models.skeleton.clip_file import save_clip
from fitmotion_nodes.cli import main

from .conftest import Command, once_unless_long

pytestmark = once_unless_long
Start = Callable[..., Command]
SQUAT = squat_clip(SquatParameters(repetitions=1))
LEFT_STEP = hurdle_step_clip(HurdleStepParameters(side="left"))
RIGHT_STEP = hurdle_step_clip(HurdleStepParameters(side="right", shoulder_tilt_deg=18.0))  # the dowel tilts: a 2
LUNGE = inline_lunge_clip(InlineLungeParameters(side="left"))

DONE_BEFORE = [(Movement.DEEP_SQUAT, Side.BOTH, 3), (Movement.HURDLE_STEP, Side.LEFT, 3)]
DONE_AFTER = (Movement.HURDLE_STEP, Side.RIGHT, 2)


def kept(path: Path) -> list[tuple[Movement, Side, int]]:
    """What the records hold of the one session that there is."""
    with Records(path) as records:
        (session,) = records.sessions("anna")
        assert session.is_open
        assert session.measured_by == "kim"
        return [(one.movement, one.side, one.score) for one in records.assessments(session)]


def test_a_screen_survives_the_kill_of_everything_and_of_a_node_and_is_reported(
    fitmotion: Start, tmp_path: Path
) -> None:
    records = tmp_path / "records.sqlite"
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    save_clip(first, cut_together([SQUAT, LEFT_STEP, RIGHT_STEP]))
    save_clip(second, cut_together([RIGHT_STEP, LUNGE]))
    common = ("screen", "--records", str(records), "--recognise", "--port", "0", "--param", "replay.speed=2")

    run = fitmotion(*common, "--person", "anna", "--measured-by", "kim", "--consent", "--replay", str(first))
    run.says("hurdle step, repetition 1: score 3")
    nodes = run.children()
    for pid in (run.process.pid, *nodes.values()):  # everything at once, as when the power goes
        os.kill(pid, signal.SIGKILL)
    run.process.wait(10.0)
    assert kept(records) == DONE_BEFORE  # the step to the right was under way

    run = fitmotion(*common, "--resume", "--replay", str(second), "--loop")
    run.says("the screen of anna is under way, session 1 in ")
    run.says("hurdle step, repetition 1: score 2")
    run.until(lambda run: DONE_AFTER in kept(records))
    killed = run.child("fms")
    os.kill(killed, signal.SIGKILL)
    run.child("fms", but_not=killed)
    run.says("inline lunge, repetition 1: score 3")
    run.until(lambda run: (Movement.INLINE_LUNGE, Side.LEFT, 3) in kept(records))
    run.interrupt()
    assert kept(records)[:3] == [*DONE_BEFORE, DONE_AFTER]
    assert re.search(r"hurdle step +3 +2 +2 +differs", run.stdout)
    assert "the screen is still open; ./fitmotion screen --person anna --resume goes on with it" in run.stdout
    assert (run.run_folder / "screen.pdf").read_bytes().startswith(b"%PDF")
    page = (run.run_folder / "screen.html").read_text()
    assert "anna" in page
    assert "hurdle step" in page.lower()
    with Records(records) as database:
        assert run.run_folder in database.files("anna")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--resume",), "nobody has an open screen in"),
        (("--height", "170"), "stature_m is 170 m; it can be 0.4 to 2.6 m"),
        (("--backend", "rtmpoze"), "rtmpoze"),
        (("--pose-model", "none.onnx", "--detector", "none.onnx"), "none.onnx"),
        (("--sex", "x"), "--sex x is unknown; allowed: female and male"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert main(["screen", "--records", str(tmp_path / "none.sqlite"), "--mover", "squat", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
