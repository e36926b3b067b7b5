"""The served page: where it listens, what a browser gets, and what it must never do."""

import socket
import time
import urllib.request

import pytest
import viser

from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.mover import make_mover
from fitmotion_models.viewer.page import Page, PageError
from fitmotion_models.viewer.watch import Watch


@pytest.fixture
def page():
    page = Page("127.0.0.1", 0, lambda command: None, lambda: None)
    yield page
    page.close()


def test_the_page_is_served_here_and_nowhere_else(page) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{page.port}") as answer:
        assert b"<html" in answer.read(2000)
    with socket.socket() as other, pytest.raises(OSError):
        other.connect(("127.0.0.2", page.port))  # another address of this machine
    assert page.address == f"http://localhost:{page.port}" and page.clients == 0


def test_a_port_is_had_by_one_page_only(page) -> None:
    with pytest.raises(PageError, match=f"port={page.port} on 127.0.0.1 is taken"):
        Page("127.0.0.1", page.port, lambda command: None, lambda: None)


def test_no_browser_can_open_a_way_in_from_the_internet(page, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr("viser._viser.ViserTunnel", lambda *arguments, **more: opened.append(arguments))
    handlers = page._server._websock_server._incoming_handlers[viser._messages.ShareUrlRequest]
    for handle in handlers:
        handle(0, viser._messages.ShareUrlRequest())
    time.sleep(0.2)
    assert handlers and not opened


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    Page("127.0.0.1", 0, lambda command: None, lambda: None).close()
    assert capfd.readouterr() == ("", "")


def test_a_body_that_leaves_is_hidden_and_what_has_not_changed_is_not_sent(page) -> None:
    clip, scorer, watch = make_mover("squat", fps=20.0), Scorer(), Watch(30.0)
    for index in range(30):
        pose = clip.frame(index)
        watch.hear_pose(pose)
        watch.hear_state(scorer.update(pose).state)
    buffer = page._server._websock_server._broadcast_buffer
    page.update(watch)
    node = page._server.scene.get_handle_by_name("/people/mover")
    assert node.visible
    page._due = dict.fromkeys(page._due, float("inf"))
    sent = buffer.message_counter
    page.update(watch)
    assert buffer.message_counter == sent
    watch.forget_live()
    page.update(watch)
    assert not node.visible
