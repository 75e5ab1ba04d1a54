"""What one server writes, turned into signs of its load, lines for the listener, and a log that is kept."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from ggtui.adapters.llama_server import push
from ggtui.adapters.llama_server.logs import Capture, readable
from ggtui.core.log_levels import LogLevels, is_secret

if TYPE_CHECKING:
    from ggtui.adapters.llama_server.logs import RotatedLog
    from ggtui.core.ports.launcher import LaunchListener

_LISTENING: Final = re.compile(r"listening on (?:http|https|unix)://")


class ServerOutput:
    """The output of one process, from its first byte to its last."""

    def __init__(self, listener: LaunchListener, log: RotatedLog) -> None:
        self.ready = asyncio.Event()
        """Set once the server has said that it serves."""
        self.n_bytes = 0
        self.takes_exit_line = False
        """True once the server has used the push channel: it reads its stdin too."""
        self.capture = Capture()
        self._listener = listener
        self._log = log
        self._levels = LogLevels()

    def push_line(self, line: bytes) -> None:
        """One line of stdout; anything but the push channel's own lines is noise."""
        self.n_bytes += len(line)
        told = push.parse(line)
        if told is None:
            return
        if told.progress is not None:
            self._listener.progress(told.progress)
        if told.state == "ready":
            self.takes_exit_line = True
            self.ready.set()

    def log_lines(self, lines: list[bytes]) -> None:
        """Lines of stderr, each told; those of the normal level are kept and written to the file."""
        self.n_bytes += sum(map(len, lines))
        shown = []
        for text in map(readable, lines):
            if not self._levels.is_shown(text):
                if not is_secret(text):
                    self._listener.verbose_line(text)
                continue
            shown.append(text)
            self.capture.add(text)
            if not self.ready.is_set() and _LISTENING.search(text):
                self.ready.set()
            self._listener.log_line(text)
        self._log.write(shown)

    def close(self) -> None:
        """Release the log file."""
        self._log.close()
