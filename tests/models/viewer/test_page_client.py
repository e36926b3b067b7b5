"""The viewer without a screen is one to the page: it counts as looking, and gets what a browser gets."""

import itertools
import threading
import time

import pytest

from fitmotion_models.mover import make_mover
from fitmotion_models.viewer import page_client
from fitmotion_models.viewer.page import Page
from fitmotion_models.viewer.page_client import Received, watch
from fitmotion_models.viewer.watch import Watch


def test_it_counts_as_looking_and_gets_the_moving_body() -> None:
    came = threading.Event()
    page = Page("127.0.0.1", 0, lambda command: None, came.set)
    received = Received()
    looking = threading.Thread(target=watch, args=(f"http://127.0.0.1:{page.port}", received), daemon=True)
    looking.start()
    try:
        assert came.wait(10.0)
        assert page.clients == 1
        shown = Watch(timeline_s=10.0)
        before, end = received.bytes, time.monotonic() + 20.0
        for pose in itertools.cycle(make_mover("squat")):
            shown.hear_pose(pose)
            page.update(shown)
            time.sleep(0.02)
            if received.messages > 10:
                break
            assert time.monotonic() < end
        assert received.bytes - before > 8 * 22 * 3 * 4  # of every pose at least the joints
    finally:
        page.close()
    looking.join(5.0)
    assert not looking.is_alive()


def test_bad_addresses_are_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_client, "_CONNECT_PATIENCE_S", 0.1)
    assert page_client.main([]) == 2
    assert "http://HOST:PORT" in capsys.readouterr().err
    assert page_client.main(["http://127.0.0.1:9"]) == 1  # the discard port: nobody serves a page there
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("http://127.0.0.1:9: ")
