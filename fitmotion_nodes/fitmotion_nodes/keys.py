"""Single keys from a terminal, without Enter and without an echo; nothing where the input is no terminal."""

import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Any


class Keys:
    """Use as a context: inside, keys come one by one; Ctrl-C goes on meaning what it means."""

    def __init__(self) -> None:
        self._before: list[Any] | None = None

    def __enter__(self) -> "Keys":
        if sys.stdin.isatty() and os.getpgrp() == os.tcgetpgrp(sys.stdin.fileno()):
            self._before = termios.tcgetattr(sys.stdin.fileno())
            tty.setcbreak(sys.stdin.fileno())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)
            self._before = None

    @property
    def are_read(self) -> bool:
        """Whether there is a terminal to read from."""
        return self._before is not None

    def pressed(self) -> str:
        """The keys that were pressed since it was last asked."""
        if self._before is None or not select.select([sys.stdin], [], [], 0.0)[0]:
            return ""
        return os.read(sys.stdin.fileno(), 64).decode(errors="ignore")
