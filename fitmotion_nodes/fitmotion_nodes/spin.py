"""Run one node as a process: the same few lines of main for every node."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from fitmotion_nodes.parameters import PARAMETERS_EXIT_CODE, ParameterError

if TYPE_CHECKING:
    from rclpy.node import Node


class CannotRunError(Exception):
    """A node cannot do its work and starting it again would not help; the text is one sentence for people."""


FOR_EYES = 5  # niceness of nodes that only show: where the processor is short, what is measured comes first


def run_node(make_node: "Callable[[], Node]", args: Sequence[str] | None = None, *, niceness: int = 0) -> int:
    """Make a node and spin it until it is told to stop; returns the process's exit code.

    niceness: how far its process stands back behind others, 0 to 19 as in nice(1).

    0: stopped by Ctrl-C, by shutdown, or by the node itself (it raises `SystemExit`). 2: wrong parameters
    or a node that says `CannotRunError`, in one line on stderr, which tells a supervisor that starting again would not
    help.
    """
    if niceness > os.getpriority(os.PRIO_PROCESS, 0):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    import rclpy
    from rclpy.exceptions import ParameterException
    from rclpy.executors import ExternalShutdownException

    node: Node | None = None
    started = False
    try:
        rclpy.init(args=None if args is None else list(args))
        started = True
        node = make_node()
        # what was loaded stays until the end: looking through it again and again would cost frames now and then
        gc.collect()
        gc.freeze()
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ParameterError, ParameterException) as error:
        return _refuse(f"wrong parameters: {error}")
    except CannotRunError as error:
        return _refuse(str(error))
    except RuntimeError as error:  # rcl's errors among them
        if not started and "arse" in str(error):
            # rcl says "Couldn't parse ..." and where in its own source; only the first half is for people
            return _refuse(f"wrong ROS arguments: {str(error).split(', at ')[0]}")
        if not started or rclpy.ok():
            raise
        # Ctrl-C came while a callback ran: what it publishes after that has nowhere to go
    finally:
        _ignore_interrupts()
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _ignore_interrupts() -> None:
    """What is open is closed in peace: a terminal and `ros2 launch` both send SIGINT on one Ctrl-C; SIGKILL is left."""
    with suppress(ValueError):  # not in the main thread, which alone is interrupted
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _refuse(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return PARAMETERS_EXIT_CODE
