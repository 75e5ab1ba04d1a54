"""Whether there is a terminal to draw on. Textual does not ask: it writes escape codes into any pipe."""

from __future__ import annotations

import os
import sys


def has_terminal() -> bool:
    """True when keys can be read and a screen can be drawn."""
    streams = (sys.stdin, sys.stderr)
    is_terminal = all(stream is not None and not stream.closed and stream.isatty() for stream in streams)
    return is_terminal and os.environ.get("TERM", "") != "dumb"
