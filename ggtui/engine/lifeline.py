"""The thread this process hangs by: when the parent writes to stdin, closes it or dies, the process ends.

xllamacpp holds the GIL for the whole load, so no Python thread could act on stdin then. On Linux the kernel
itself turns activity on the pipe into SIGTERM, whose default action needs nobody's help.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import threading


def hold() -> int:
    """Arm the lifeline and return the descriptor of the real stdin.

    Descriptor 0 becomes a pipe that never closes: the native code reads it, would take the exit line for
    itself and then leave the Python process running.
    """
    real_stdin = os.dup(0)
    idle_read, _kept_open = os.pipe()
    os.dup2(idle_read, 0)
    os.close(idle_read)
    if hasattr(fcntl, "F_SETSIG"):
        _signal_on_activity(real_stdin)
    else:
        threading.Thread(target=_end_on_activity, args=(real_stdin,), daemon=True).start()
    return real_stdin


def _signal_on_activity(descriptor: int) -> None:
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGTERM)
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if poll.poll(0):  # it happened before the kernel was asked to tell
        os._exit(exit_status(descriptor))


def _end_on_activity(descriptor: int) -> None:
    select.select([descriptor], [], [])
    os._exit(exit_status(descriptor))


def exit_status(real_stdin: int) -> int:
    """0 after an exit line or a signal, 1 when stdin is at its end: llama-server's own statuses."""
    try:
        return 0 if os.read(real_stdin, 4096) else 1
    except BlockingIOError:
        return 0
    except OSError:
        return 1
