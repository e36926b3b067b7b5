"""Files that a page hands out beside itself: the report of a screen, for those who may see the page."""

from pathlib import Path
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from fitmotion_models.viewer.page_guard import is_this_machine

_KINDS = {".html": "text/html; charset=utf-8", ".pdf": "application/pdf"}


class PageFiles:
    """Which addresses give which files; nothing else of the disk is ever given."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[str, Path]] = {}

    def offer(self, address: str, words: str, path: Path) -> None:
        """Hand out a file (.html, .pdf) at `/address`, once it is there. words: for the link."""
        if path.suffix not in _KINDS:
            raise ValueError(f"{path} is neither {' nor '.join(_KINDS)}; a page hands out reports only")
        self._files[f"/{address}"] = words, path

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """(words, address) of what is there now."""
        return tuple((words, address) for address, (words, path) in self._files.items() if path.is_file())

    def answer(self, request: Request) -> Response | None:
        """The file that a browser asks for; None for anything else, and for a page under a name that is not ours."""
        address = request.path.partition("?")[0]
        if address not in self._files or not is_this_machine(urlsplit(f"//{request.headers.get('Host', '')}").hostname):
            return None
        path = self._files[address][1]
        try:
            content = path.read_bytes()
        except OSError:
            return None
        headers = Headers(
            {
                "Content-Type": _KINDS[path.suffix],
                "Content-Length": str(len(content)),
                "Cache-Control": "no-store",  # it is about a person
            }
        )
        return Response(200, "OK", headers, content)
