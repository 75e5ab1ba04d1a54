"""A terminal that nobody looks at, and a program that draws on it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.processes import clean_environment, end

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@dataclass(slots=True)
class Terminal:
    """What is drawn, and by whom."""

    process: subprocess.Popen[bytes]
    awaited: bytes
    is_drawn: threading.Event = field(default_factory=threading.Event)
    """Set once the awaited text was drawn."""

    def drain(self, descriptor: int) -> None:
        """Take what is drawn until the end: a terminal that is not read would stop the screen."""
        seen = b""
        with contextlib.suppress(OSError):
            while data := os.read(descriptor, 1 << 16):
                if not self.is_drawn.is_set():
                    seen = seen[-len(self.awaited) :] + data
                    if self.awaited in seen:
                        self.is_drawn.set()


@contextlib.contextmanager
def on_terminal(
    command: Sequence[str], home: Path, columns: int, lines: int, awaited: str = "Catalog"
) -> Iterator[Terminal]:
    """Run a program on a terminal of this size; it is ended on the way out."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    env = clean_environment(home, TERM="xterm-256color", COLORTERM="truecolor")
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    )
    os.close(theirs)
    terminal = Terminal(process, awaited.encode())
    reader = threading.Thread(target=terminal.drain, args=(ours,), daemon=True)
    reader.start()
    try:
        yield terminal
    finally:
        end(process)
        reader.join(5)
        os.close(ours)
