"""Run a command that dies with its parent: `python -IS dies_with_parent.py PARENT_PID COMMAND ...`.

Linux sends SIGTERM to it as soon as its parent is gone, however that came about, so that a supervisor that is killed
with SIGKILL leaves no node behind. A small program of its own, as the wish must be said between fork and exec, where a
process with threads must not run Python.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main() -> None:
    """Ask for the signal, make sure that the parent still lives, become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:  # it died before the wish was heard
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
