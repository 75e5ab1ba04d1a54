"""A forward-only view of a file: a small window of bytes that slides, so that no header fills the memory."""

from __future__ import annotations

import os
import stat
import struct
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ggtui.core.errors import HeaderUnreadable
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ggtui.core.ports.byte_source import ByteSource

WINDOW_BYTES = MIB
LARGEST_STRING = 64 * MIB
LARGEST_HEADER = 256 * MIB
TIME_LIMIT_S = 2.0
STRINGS_PER_CHECK = 8192


@contextmanager
def opened(path: Path) -> Iterator[Window]:
    """The window of a regular file; a pipe, a device or a directory never blocks or gets read.

    Raises: HeaderUnreadable.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise HeaderUnreadable("not a regular file")
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise HeaderUnreadable(_reason(error)) from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise HeaderUnreadable("not a regular file")
        yield Window(_OpenFile(fd, status.st_size))
    except OSError as error:
        raise HeaderUnreadable(_reason(error)) from error
    finally:
        os.close(fd)


def _reason(error: OSError | ValueError) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else "cannot be opened"
    return text[:1].lower() + text[1:]


class _OpenFile:
    """A file on this disk.

    Plain reads instead of mmap: a mapped file that is cut while it is read kills the process.
    """

    def __init__(self, fd: int, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._fd = fd

    def read(self, offset: int, least: int) -> bytes:
        return os.pread(self._fd, max(WINDOW_BYTES, least), offset)


class Window:
    """Reads scalars in file order. Every step past the end of the file raises HeaderUnreadable.

    time_limit_s: for the whole header; TIME_LIMIT_S when nobody says.
    """

    def __init__(self, source: ByteSource, time_limit_s: float | None = None) -> None:
        self.file_bytes = source.size_bytes
        self._source = source
        self._buffer = b""
        self._base = 0
        self._at = 0
        self._order = "<"
        self._deadline = time.monotonic() + (TIME_LIMIT_S if time_limit_s is None else time_limit_s)
        self._bind()

    def _bind(self) -> None:
        self._u32 = struct.Struct(f"{self._order}I")
        self._u64 = struct.Struct(f"{self._order}Q")

    @property
    def position(self) -> int:
        """Bytes from the start of the file."""
        return self._base + self._at

    @property
    def remaining(self) -> int:
        """Bytes from here to the end of the file."""
        return self.file_bytes - self.position

    @property
    def is_big_endian(self) -> bool:
        """True once the file has shown itself to be so."""
        return self._order == ">"

    def turn_big_endian(self) -> None:
        """Read all further numbers in the other order."""
        self._order = ">"
        self._bind()

    def check_budget(self) -> None:
        """Give up on a header that is too long or takes too much time."""
        if self.position > LARGEST_HEADER:
            raise HeaderUnreadable(f"header is longer than {LARGEST_HEADER // MIB} MiB")
        if time.monotonic() > self._deadline:
            raise HeaderUnreadable("header takes too long to read")

    def _need(self, n_bytes: int) -> None:
        if self._at + n_bytes <= len(self._buffer):
            return
        if n_bytes > self.remaining:
            raise HeaderUnreadable("file is cut off inside its header")
        self.check_budget()
        self._base, self._at = self.position, 0
        self._buffer = self._source.read(self._base, n_bytes)
        if len(self._buffer) < n_bytes:
            raise HeaderUnreadable("file is cut off inside its header")

    def take(self, n_bytes: int) -> bytes:
        """The next n_bytes bytes; only for small pieces."""
        self._need(n_bytes)
        start, self._at = self._at, self._at + n_bytes
        return self._buffer[start : self._at]

    def skip(self, n_bytes: int) -> None:
        """Pass over n_bytes bytes without reading them."""
        if n_bytes > self.remaining:
            raise HeaderUnreadable("file is cut off inside its header")
        self._at += n_bytes
        if self._at > len(self._buffer):
            self._base, self._at, self._buffer = self.position, 0, b""
        self.check_budget()

    def u32(self) -> int:
        """An unsigned 32-bit number."""
        return int(self._u32.unpack(self.take(4))[0])

    def u64(self) -> int:
        """An unsigned 64-bit number."""
        return int(self._u64.unpack(self.take(8))[0])

    def numbers(self, code: str, count: int) -> tuple[int | float | bool, ...]:
        """`count` numbers of one struct type code."""
        layout = struct.Struct(f"{self._order}{count}{code}")
        return layout.unpack(self.take(layout.size))

    def string(self, keep_bytes: int) -> bytes:
        """The first keep_bytes bytes of the next string; the rest is passed over."""
        length = self.u64()
        if length > LARGEST_STRING:
            raise HeaderUnreadable("a string is longer than 64 MiB")
        kept = min(length, keep_bytes)
        text = self.take(kept)
        self.skip(length - kept)
        return text

    def skip_strings(self, count: int) -> None:
        """Pass over `count` strings by their length words; the only loop where speed matters."""
        while count:
            self._need(8)
            count -= self._skip_strings_in_window(min(count, STRINGS_PER_CHECK))
            self.check_budget()

    def _skip_strings_in_window(self, most: int) -> int:
        unpack, buffer, at, done = self._u64.unpack_from, self._buffer, self._at, 0
        last = len(buffer) - 8
        while done < most and at <= last:
            at += 8 + unpack(buffer, at)[0]
            done += 1
        if at - len(buffer) > LARGEST_STRING:
            raise HeaderUnreadable("a string is longer than 64 MiB")
        if self._base + at > self.file_bytes:
            raise HeaderUnreadable("file is cut off inside its header")
        self._at = at
        if at > len(buffer):
            self._base, self._at, self._buffer = self._base + at, 0, b""
        return done
