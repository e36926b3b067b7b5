"""The guided screen's pieces of a page: what goes on by itself, what is read, which files are handed out."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from fitmotion_models.fms.screen import Clearing, ScreenResult
from fitmotion_models.fms.values import Assessment, Movement, Phase, Side, Variation
from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.page_files import PageFiles
from fitmotion_models.viewer.page_guide_html import finished_html, guidance_html, seven_tests_html, step_html
from fitmotion_models.viewer.page_html import NodeLine
from fitmotion_models.viewer.screen_guide import ScreenGuide
from fitmotion_models.viewer.screen_lead import GO_ON_AFTER_S, Lead, LeadSettings, Move, ScreenLead
from fitmotion_models.viewer.watch import Watch

SCREEN = ScreenResult(
    subject="person",
    left=(-1, 3, -1, -1, -1, -1, -1),
    right=(-1, 2, -1, -1, -1, -1, -1),
    final=(3, 2, -1, -1, -1, -1, -1),
    asymmetric=(False, True, False, False, False, False, False),
    clearing=(Clearing.PAIN, Clearing.NO_PAIN, Clearing.NOT_DONE),
    total=-1,
    notes=("hurdle step: left and right differ; the lower side counts",),
    person="<anna>",
    session=3,
    open=True,
)


def squat(start: float, score: int) -> Assessment:
    return Assessment(
        start + 2.0, "person", Movement.DEEP_SQUAT, Variation.DEEP_SQUAT_FLOOR, Side.BOTH, 1, 1, score, "", 0.9,
        "rules", (), start, start + 2.0,
    )  # fmt: skip


def text(html: str) -> str:
    return re.sub(r"<[^>]+>", "|", html)


def test_the_next_step_comes_by_itself_once_unless_somebody_stays_or_says_no() -> None:
    lead = ScreenLead()
    assert lead.tick(0.0) is None
    lead.guide.hear_assessment(squat(1.0, 3))
    assert lead.tick(10.0) is None
    assert lead.waiting_s(11.0) == pytest.approx(GO_ON_AFTER_S - 1.0)
    assert lead.tick(10.0 + GO_ON_AFTER_S).variation is Variation.HURDLE_STEP_LEFT
    lead.obey(Lead(Move.BACK))
    for now in (20.0, 30.0, 40.0):  # somebody came back to look
        assert lead.tick(now) is None
    lead = ScreenLead(LeadSettings(by_itself=False))
    lead.guide.hear_assessment(squat(1.0, 3))
    assert lead.tick(10.0) is None
    assert lead.waiting_s(11.0) is None
    assert lead.tick(99.0) is None
    assert lead.obey(Lead(Move.NEXT)).variation is Variation.HURDLE_STEP_LEFT


def test_a_card_tells_step_attempts_and_what_follows() -> None:
    guide = ScreenGuide()
    guide.hear_assessment(squat(1.0, 1))
    guide.hear_assessment(squat(5.0, -1))
    told = text(step_html(guide, "", None))
    assert "Deep squat" in told and "step 1 of" in told and "a dowel" in told
    assert re.search(r"attempts\|+1\|+\?\|", told)
    guide.end()
    told = text(step_html(guide, "", None))
    assert "Still open: Deep squat, Hurdle step, left" in told


def test_the_table_tells_sides_asymmetry_and_clearing_tests_and_escapes_names() -> None:
    told = text(seven_tests_html(SCREEN, ScreenGuide()))
    assert re.search(r"Hurdle step[| ]+≠\|+3\|+2\|+2\|", told)
    assert re.search(r"shoulder impingement\|+pain\|", told)
    assert re.search(r"press up extension\|+no pain\|", told)
    done = SCREEN.__class__(**{**vars(SCREEN), "open": False, "total": 18})
    assert "&lt;anna&gt;: finished, |18 of 21" in text(finished_html(done, (("Report", "screen.html"),)))
    assert finished_html(SCREEN, ()) == ""


def test_guidance_of_all_nodes_is_told_once() -> None:
    watch = Watch(30.0)
    for name, guidance in (("pose", "Step back; The feet are cut off"), ("fms", "Step back"), ("camera", "")):
        watch.hear_node(NodeLine(name, "", "", "", "", "", "", 0.0, guidance))
    assert watch.guidance == ("Step back", "The feet are cut off")
    assert "The feet are cut off" in guidance_html(watch.guidance)
    assert guidance_html(()) == ""


def test_somebody_of_whom_the_scorer_says_nothing_is_not_assessed() -> None:
    test = LiveTest()
    assert test.is_assessed  # nothing is known yet
    state = SimpleNamespace(
        stamp=1.0, movement=Movement.UNKNOWN, side=Side.BOTH, phase=Phase.UNKNOWN, progress=0.0, criteria=()
    )
    test.update(state)
    assert not test.is_assessed
    test.update(SimpleNamespace(**{**vars(state), "stamp": 2.0, "phase": Phase.STANDING}))
    assert test.is_assessed  # any test, none recognised yet


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
def test_a_report_is_handed_out_to_this_machine_and_nothing_else_is(tmp_path: Path, host: str) -> None:
    files, page = PageFiles(), tmp_path / "screen.html"
    files.offer("screen.html", "Report", page)
    request = SimpleNamespace(path="/screen.html?x=1", headers={"Host": host})
    assert files.links == ()
    assert files.answer(request) is None  # not written yet
    page.write_text("<p>report")
    (tmp_path / "secret.html").write_text("no")
    answer = files.answer(request)
    assert (answer.status_code, answer.body) == (200, b"<p>report")
    assert answer.headers["Cache-Control"] == "no-store"
    assert files.links == (("Report", "/screen.html"),)
    for path in ("/secret.html", "/../secret.html", "/screen.html/../secret.html", "/"):
        assert files.answer(SimpleNamespace(path=path, headers={"Host": host})) is None
    elsewhere = {"Host": "evil.example:8080"}  # a name that was made to point at this machine
    assert files.answer(SimpleNamespace(path="/screen.html", headers=elsewhere)) is None
    with pytest.raises(ValueError, match="reports only"):
        files.offer("passwd", "x", Path("/etc/passwd"))
