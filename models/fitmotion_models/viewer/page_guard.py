"""Who may talk to a page: programs, and browsers that have opened the page itself. No other web page may press buttons.

A browser lets any web page open a websocket to any address, also to this machine's own, and says in the header Origin
which page it is (RFC 6455, 10.2). A page of ours has the same place in Origin as in Host. That alone does not stop a
page whose name was made to point at this machine after it was loaded (DNS rebinding), so that the place has to be an
address or this machine's own name.
"""

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import websockets.asyncio.server as websocket_server
from websockets.http11 import Request, Response

REFUSAL = "This page takes no orders from other web pages.\n"


def is_own_page(origin: str | None, host: str | None) -> bool:
    """Whether a websocket may be opened by a request with these headers; None: it has no such header."""
    if origin is None:
        return True  # no browser: whoever runs programs here needs no page
    place = urlsplit(origin)
    return place.scheme in ("http", "https") and place.netloc == host and is_this_machine(place.hostname)


def is_this_machine(name: str | None) -> bool:
    """Whether a name can only be meant for this machine: an address, `localhost` or its own name."""
    if not name:
        return False
    if name == "localhost" or name.split(".")[0] == socket.gethostname().split(".")[0].lower():
        return True
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return False


@contextlib.contextmanager
def guarded(answer: Callable[[Request], Response | None] = lambda request: None) -> Iterator[None]:
    """Websocket servers that are started within refuse other web pages with 403; viser has no setting for that.

    answer: what it gives to a request that is not for a websocket is sent; None leaves it to the server.
    """
    serve = websocket_server.serve

    def guarding(*arguments: Any, process_request: Callable[..., Any], **settings: Any) -> Any:
        def check(connection: Any, request: Any) -> Any:
            headers = request.headers
            asks_for_websocket = headers.get("Upgrade", "").lower() == "websocket"
            if asks_for_websocket and not is_own_page(headers.get("Origin"), headers.get("Host")):
                return connection.respond(HTTPStatus.FORBIDDEN, REFUSAL)
            own = None if asks_for_websocket else answer(request)
            return process_request(connection, request) if own is None else own

        return serve(*arguments, process_request=check, **settings)

    websocket_server.serve = guarding  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        websocket_server.serve = serve  # type: ignore[misc]
