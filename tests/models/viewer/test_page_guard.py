"""Who may open the page's websocket: as a browser asks, over a real connection."""

import socket

import pytest
import viser
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fitmotion_models.viewer.page import Page
from fitmotion_models.viewer.page_guard import is_own_page


@pytest.fixture
def page():
    page = Page("127.0.0.1", 0, lambda command: None, lambda: None)
    yield page
    page.close()


def ask(page: Page, origin: str | None, host: str) -> None:
    """Open a websocket as a browser does that was sent to `host` and shows a page of `origin`."""
    with (
        socket.create_connection(("127.0.0.1", page.port)) as line,
        connect(f"ws://{host}", sock=line, origin=origin, subprotocols=[f"viser-v{viser.__version__}"]) as opened,
    ):
        opened.recv(timeout=10.0)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", socket.gethostname().lower()])
def test_the_page_itself_is_heard(page, name: str) -> None:
    ask(page, f"http://{name}:{page.port}", f"{name}:{page.port}")
    ask(page, None, f"{name}:{page.port}")  # a program
    ask(page, f"http://{name}:9000", f"{name}:9000")  # through a tunnel of the operator's own


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "127.0.0.1:{port}"),
        ("http://127.0.0.1:1", "127.0.0.1:{port}"),
        ("http://localhost:{port}", "127.0.0.1:{port}"),
        ("null", "127.0.0.1:{port}"),
        ("http://evil.example:{port}", "evil.example:{port}"),  # a name that was made to point here
    ],
)
def test_another_page_is_not(page, origin: str, host: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        ask(page, origin.format(port=page.port), host.format(port=page.port))
    assert refused.value.response.status_code == 403
    assert page.clients == 0


def test_origins() -> None:
    assert is_own_page("http://[::1]:8080", "[::1]:8080") and is_own_page("http://192.168.1.5", "192.168.1.5")
    assert not is_own_page("file://", "") and not is_own_page("http://1.2.3.4.evil.example", "1.2.3.4.evil.example")
    assert not is_own_page("http://localhost.evil.example:8080", "localhost.evil.example:8080")
