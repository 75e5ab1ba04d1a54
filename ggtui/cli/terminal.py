"""Whether there is a terminal to draw on, and how it is given back."""

from __future__ import annotations

import os
import sys
import termios
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ggtui.cli.leaving import duty

if TYPE_CHECKING:
    from collections.abc import Iterator

_BACK = (
    "\x1b[?2026l"  # no longer gather what is drawn
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # the mouse
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[<u"  # focus, paste, size, keys
    "\x1b[?1049l\x1b[?25h\x1b[0m"  # the screen that was there before, its cursor and colours
)
"""Undoes what Textual's driver switches on."""


def has_terminal() -> bool:
    """True when keys can be read and a screen can be drawn. Textual does not ask: it writes into any pipe."""
    streams = (sys.stdin, sys.stderr)
    is_terminal = all(stream is not None and not stream.closed and stream.isatty() for stream in streams)
    return is_terminal and os.environ.get("TERM", "") != "dumb"


@contextmanager
def kept_terminal() -> Iterator[None]:
    """Give the terminal back as it is now, even when the process leaves at once."""
    try:
        keys, screen = sys.stdin.fileno(), sys.stderr.fileno()
        modes = termios.tcgetattr(keys)
    except (OSError, ValueError, termios.error):
        yield
        return

    def give_back() -> None:
        with suppress(OSError):
            termios.tcsetattr(keys, termios.TCSANOW, modes)
        with suppress(OSError):
            os.write(screen, _BACK.encode())

    with duty(give_back):
        yield
