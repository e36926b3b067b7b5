"""A guided screen in a real browser, over the real scorer and its records."""

import socket
import urllib.request
from pathlib import Path

import pytest

from fitmotion_models.fms.records import Records
from fitmotion_models.fms.values import Movement

from .chromium import CHROMIUM, Browser, wait_for_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; on Debian: apt-get install chromium"),
]


@pytest.fixture
def browser(tmp_path: Path):
    browser = Browser(tmp_path / "chromium")
    yield browser
    browser.close()


@pytest.fixture
def address(run_node_process, ros, tmp_path: Path) -> str:
    """The guided page of a graph in which somebody squats too high, again and again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run_node_process("fms", records=str(tmp_path / "records.sqlite"), measured_by="kim")
    run_node_process("replay", mover="squat_shallow", loop=True, speed=4.0)
    known = {"person": "anna", "measured_by": "kim", "stature_m": 1.7}
    run_node_process("dashboard", port=port, guided=True, reports=str(tmp_path / "screen.html"), **known)
    return f"http://127.0.0.1:{port}"


def test_a_page_leads_from_the_form_through_steps_pain_and_board_to_the_report(
    address: str, browser: Browser, tmp_path: Path
) -> None:
    wait_for_server(address)
    browser.open(address)

    def shows(step: str) -> None:
        browser.until(lambda: browser.value("document.querySelector('#fm-step')?.dataset.step") == step)

    shows("form")
    browser.click("Begin the screen")
    browser.until(lambda: "with their consent" in browser.text("#fm-answer"))
    browser.value("document.querySelector('input[type=checkbox]').click()")
    browser.click("Begin the screen")
    shows("hurdle_step_left")  # by itself: three attempts on the floor, three on the board
    browser.click("‹ Back")
    shows("deep_squat_board")  # and there it stays
    browser.click("Pain in this test")
    browser.click("No pain after all")
    browser.until(lambda: "counts: 1" in browser.text("#fm-attempts"))
    browser.click("Skip test")
    shows("hurdle_step_left")
    browser.click("Screen")
    browser.until(lambda: "Deep squat" in browser.text("#fm-screen"))
    browser.click("Finish the screen")
    browser.click("Finish it")
    browser.until(lambda: "anna: finished" in browser.text("#fm-finished"))
    assert "being written" in browser.text("body")
    (tmp_path / "screen.html").write_text("<p>what was found")
    browser.until(lambda: browser.value("document.querySelector('#fm-reports a')?.getAttribute('href')"))
    with urllib.request.urlopen(f"{address}/screen.html") as answer:
        assert answer.read() == b"<p>what was found"
    with Records(tmp_path / "records.sqlite") as records:
        (session,) = records.sessions("anna")
        assert not session.is_open
        assert session.body.stature_m == pytest.approx(1.7)
        kept = records.assessments(session)
        assert {one.movement for one in kept} == {Movement.DEEP_SQUAT}
        assert len(kept) >= 3
        assert len(records.clip(session, kept[0])) > 10
