"""What a server writes: cut into lines, kept in part, and written to a file that cannot grow without end."""

from __future__ import annotations

import os
import re
from collections import deque
from typing import TYPE_CHECKING, Final

from ggtui.core.text import plain

if TYPE_CHECKING:
    from pathlib import Path

LINE_LIMIT: Final = 2000
"""Characters of a log line that are kept; the rest of it is dropped."""

HEAD_LIMIT: Final = 64 * 1024
"""Characters of the first output that are kept, because the reason of a failure comes first."""

TAIL_LINES: Final = 20


class LineSplitter:
    """Bytes in, whole lines out. Holds at most `limit` bytes, whatever comes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._partial = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in data, without their ends; an overlong one is cut and comes at once."""
        *ended, rest = data.split(b"\n")
        lines = []
        for piece in ended:
            lines += self._take(piece)
            if not self._skipping:
                lines.append(bytes(self._partial))
            self._partial.clear()
            self._skipping = False
        lines += self._take(rest)
        return lines

    def rest(self) -> list[bytes]:
        """The unfinished last line, if there is one."""
        left = bytes(self._partial)
        self._partial.clear()
        return [left] if left else []

    def _take(self, piece: bytes) -> list[bytes]:
        if self._skipping:
            return []
        self._partial += piece[: self._limit - len(self._partial)]
        if len(self._partial) < self._limit:
            return []
        line = bytes(self._partial)
        self._partial.clear()
        self._skipping = True
        return [line]


class Capture:
    """The first 64 KiB and the last 20 lines of one log."""

    def __init__(self) -> None:
        self.head: list[str] = []
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._head_room = HEAD_LIMIT

    def add(self, line: str) -> None:
        """One plain line."""
        self.tail.append(line)
        if self._head_room > 0:
            self.head.append(line)
            self._head_room -= len(line) + 1


def readable(line: bytes) -> str:
    """A raw log line as text without control characters."""
    return plain(line.decode("utf-8", "replace"), LINE_LIMIT)


def log_path(log_dir: Path, public_id: str) -> Path:
    """Where the log of a model lies."""
    name = re.sub(r"[^A-Za-z0-9._+-]", "_", public_id).lstrip(".") or "model"
    return log_dir / f"{name[:200]}.log"


class RotatedLog:
    """A 0600 file and its predecessor `.1`, each at most `limit_bytes` long.

    A full disk loses lines, never a launch.
    """

    def __init__(self, path: Path, limit_bytes: int = 10 * 1024 * 1024) -> None:
        self._path = path
        self._limit = limit_bytes
        self._descriptor: int | None = None
        self._size = 0

    def write(self, lines: list[str]) -> None:
        """Append lines."""
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            if self._descriptor is None:
                self._open()
            elif self._size + len(data) > self._limit:
                self._rotate()
            if self._descriptor is not None:
                self._size += os.write(self._descriptor, data)
        except OSError:
            self.close()

    def close(self) -> None:
        """Release the file; a later write opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        self._descriptor = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _rotate(self) -> None:
        self.close()
        self._path.replace(self._path.with_name(self._path.name + ".1"))
        self._open()
