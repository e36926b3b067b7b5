"""A viewer of the dashboard without a screen: takes all that a browser takes and draws nothing.

    python -m fitmotion_models.viewer.page_client http://localhost:8080

For measurements of the graph with somebody looking: a real browser draws the room with the processor where there is no
graphics card, which is several times the work of the whole graph. Ends when the page or its reader (SIGTERM) does, and
prints how many messages and bytes came.
"""

import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

import msgspec.msgpack
import viser
from viser import _messages as messages
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

WIDTH, HEIGHT, FOV = 1400, 1100, 0.75  # pixels, radians: a browser's window
MAX_MESSAGE = 64 * 2**20
_CONNECT_PATIENCE_S = 20.0


@dataclass
class Received:
    """What came so far."""

    messages: int = 0
    bytes: int = 0


def watch(address: str, received: Received) -> None:
    """Look at a page until it closes. address: as a browser is given it, http://host:port.

    Raises OSError when nobody serves there within some seconds.
    """
    with _connected(address) as page:
        page.send(_looks())
        try:
            for message in page:
                received.messages += 1
                received.bytes += len(message)
        except ConnectionClosed:
            return


def _connected(address: str) -> Any:
    """The page's websocket; a page that is about to be served is waited for."""
    end = time.monotonic() + _CONNECT_PATIENCE_S
    while True:
        try:
            return connect(
                address.replace("http", "ws", 1),
                subprotocols=[f"viser-v{viser.__version__}"],  # type: ignore[list-item]
                max_size=MAX_MESSAGE,
                compression=None,
            )
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _looks() -> bytes:
    """The first message of a browser: where its camera is. Before it nobody counts as looking."""
    camera = messages.ViewerCameraMessage(
        wxyz=(1.0, 0.0, 0.0, 0.0),
        position=(3.0, 2.0, 1.5),
        fov=FOV,
        near=0.01,
        far=1000.0,
        image_height=HEIGHT,
        image_width=WIDTH,
        look_at=(0.0, 0.0, 0.9),
        up_direction=(0.0, 0.0, 1.0),
    )
    return msgspec.msgpack.encode(camera.as_serializable_dict())


def main(arguments: list[str]) -> int:
    """Watch the page of the one argument; the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m fitmotion_models.viewer.page_client http://HOST:PORT\n")
        return 2
    received = Received()

    def end(number: int, frame: object) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, end)
    try:
        watch(arguments[0], received)
    except OSError as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)
        sys.stdout.write(f"{received.messages} messages, {received.bytes} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
