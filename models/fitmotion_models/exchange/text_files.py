"""Text files of other programs, given as a path or as an open file (a tar's member, say)."""

from os import PathLike, fspath
from pathlib import Path
from typing import IO

TextSource = str | PathLike[str] | IO[bytes] | IO[str]


def read_text(source: TextSource, kind: str) -> tuple[str, list[str]]:
    """Name and lines of a file; kind: "BVH", what the file is called in messages.

    Raises ValueError when it is missing or is not text.
    """
    if isinstance(source, str | PathLike):
        name = fspath(source)
        try:
            content: bytes | str = Path(source).read_bytes()
        except OSError as error:
            raise ValueError(f"{kind} file {name} can't be read: {error.strerror}") from error
    else:
        name = str(getattr(source, "name", kind))
        content = source.read()
    if isinstance(content, bytes):
        if b"\0" in content:
            raise ValueError(f"{kind} file {name} is not text; give the .{kind.lower()} file itself, unpacked")
        # VICON writes paths in Windows' code page; latin-1 takes any byte
        content = content.decode("latin-1")
    return name, content.splitlines()
