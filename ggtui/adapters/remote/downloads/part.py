"""A content while it comes: the bytes that are on the disk, their hash, and a note for who goes on."""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.remote.downloads.cache import write_whole, written
from ggtui.adapters.remote.downloads.judging import MAGIC
from ggtui.core.errors import FileCorrupt
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from ggtui.adapters.remote.downloads.checksum import Checksum
    from ggtui.adapters.remote.downloads.stopping import Stop

FLUSH_BYTES = 64 * MIB
FLUSH_S = 5.0
PIECE = 4 * MIB
LARGEST_NOTE = 4096
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Note:
    """What the side file says of the bytes beside it."""

    etag: str = ""
    """Of the server that sent them; empty when it told none."""
    flushed_bytes: int = 0
    """So many are on the disk whatever happens to the machine."""
    boot: str = ""
    """Of the machine when they were written: until it starts anew, all that was written can be read."""

    @classmethod
    def read(cls, file: Path, digits: str, size_bytes: int) -> Note | None:
        """The note in this file; None when there is none for this content."""
        try:
            with file.open("rb") as stream:
                told = json.loads(stream.read(LARGEST_NOTE))
            if (told["sha256"], told["size"]) != (digits, size_bytes):
                return None
            return cls(str(told["etag"]), int(told["flushed"]), str(told["boot"]))
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
            return None

    def encoded(self, digits: str, size_bytes: int) -> bytes:
        """As it is kept; `sha256` is the name of the content, which is git's hash for a small one."""
        told = {"etag": self.etag, "size": size_bytes, "sha256": digits}
        return json.dumps(told | {"flushed": self.flushed_bytes, "boot": self.boot}).encode()


class Part:
    """Open while its lock is held. All bytes before `length` are in the hash."""

    def __init__(self, blob: Path, checksum: Checksum, size_bytes: int) -> None:
        """Raises: DiskFull, CatalogFailure."""
        self._blob = blob
        self._checksum = checksum
        self.size_bytes = size_bytes
        self._path = blob.with_name(f"{blob.name}.incomplete")
        self._side = blob.with_name(f"{blob.name}.incomplete.json")
        self._new_side = blob.with_name(f"{blob.name}.incomplete.json.new")
        with written(blob.parent):
            blob.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            self._descriptor = os.open(self._path, flags, 0o666)
        self.etag = ""
        self.length = 0
        self.is_taken_over = False
        """True while it begins with bytes of an earlier time."""
        self._is_noted = False
        """True when the note tells of this start of the machine."""
        self._is_ours = False
        """True once something was written: before that, all that lies here stays as it was found."""
        self._hash = checksum.new(size_bytes)
        self._flushed_bytes, self._flushed_at = 0, time.monotonic()

    def resume(self, stop: Stop) -> None:
        """Take over what is on the disk, as far as it can be trusted, and hash it; nothing of it is changed.

        Raises: Stopped, DiskFull, CatalogFailure.
        """
        note = Note.read(self._side, self._checksum.digits, self.size_bytes)
        with written(self._blob.parent):
            trusted = self._trusted_bytes(note)
            while self.length < trusted:
                stop.check()
                piece = os.pread(self._descriptor, min(PIECE, trusted - self.length), self.length)
                if not piece:
                    break
                self._hash.update(piece)
                self.length += len(piece)
        self._is_noted = note is not None and note.boot == _boot()
        self.etag = note.etag if note and self.length else ""
        self.is_taken_over = self.length > 0
        self._flushed_bytes = min(note.flushed_bytes if note else 0, self.length)

    def _trusted_bytes(self, note: Note | None) -> int:
        found = os.fstat(self._descriptor)
        n_bytes = found.st_size
        if not stat.S_ISREG(found.st_mode):
            return 0
        if note is None:
            # Other programs leave parts under this name too, without a note; the checksum decides at the end.
            is_a_beginning = 0 < n_bytes <= self.size_bytes and _has_no_hole(self._descriptor, n_bytes)
            return n_bytes if is_a_beginning and os.pread(self._descriptor, len(MAGIC), 0) == MAGIC else 0
        trusted = n_bytes if note.boot and note.boot == _boot() else 0
        trusted = min(max(trusted, note.flushed_bytes), n_bytes)
        return trusted if trusted <= self.size_bytes else 0

    def restart(self, etag: str) -> None:
        """Forget all bytes; those that come now are of this ETag. Raises: DiskFull, CatalogFailure."""
        with written(self._blob.parent):
            os.ftruncate(self._descriptor, 0)
        self._is_ours = True
        self.etag, self.length, self._flushed_bytes, self.is_taken_over = etag, 0, 0, False
        self._hash = self._checksum.new(self.size_bytes)
        self._keep_note()

    def write(self, piece: bytes) -> None:
        """Add bytes to its end. Raises: DiskFull, CatalogFailure."""
        with written(self._blob.parent):
            if not self._is_ours:
                self._make_ours()
            rest = memoryview(piece)
            while rest:
                n_written = os.pwrite(self._descriptor, rest, self.length)
                self._hash.update(rest[:n_written])
                self.length += n_written
                rest = rest[n_written:]
        is_much = self.length - self._flushed_bytes >= FLUSH_BYTES
        if is_much or time.monotonic() - self._flushed_at >= FLUSH_S:
            self.flush()

    def _make_ours(self) -> None:
        """Before the first write: drop what is not trusted, as it would be after a kill; note the rest."""
        os.ftruncate(self._descriptor, self.length)
        self._is_ours = True
        if not self._is_noted:
            self.flush()

    def flush(self) -> None:
        """Have all of it on the disk, and note so. Raises: DiskFull, CatalogFailure."""
        with written(self._blob.parent):
            os.fsync(self._descriptor)
        self._flushed_bytes, self._flushed_at = self.length, time.monotonic()
        self._keep_note()

    def _keep_note(self) -> None:
        note = Note(self.etag, self._flushed_bytes, _boot())
        with written(self._blob.parent):
            write_whole(self._side, note.encoded(self._checksum.digits, self.size_bytes), self._new_side)

    @property
    def is_sound(self) -> bool:
        """True when its bytes are those that the hub has."""
        return self.length == self.size_bytes and self._hash.hexdigest() == self._checksum.digits

    def finish(self) -> None:
        """Make it the content. Raises: FileCorrupt when another program cut it; DiskFull, CatalogFailure."""
        with written(self._blob.parent):
            n_bytes = os.fstat(self._descriptor).st_size
            if n_bytes < self.size_bytes:
                # What was hashed is not what is there; on a disk without locks two may write at once.
                raise FileCorrupt(f"another program has changed {self._path.name}", hint="try again")
            if n_bytes > self.size_bytes:
                os.ftruncate(self._descriptor, self.size_bytes)
            os.fsync(self._descriptor)
            # First: after a kill between the two nobody would look for the note of a content that is whole.
            self._forget_note()
            os.replace(self._path, self._blob)
            _sync_folder(self._blob.parent)

    def discard(self) -> None:
        """Remove it and its note. Raises: CatalogFailure."""
        with written(self._blob.parent):
            self._path.unlink(missing_ok=True)
            self._forget_note()

    def _forget_note(self) -> None:
        self._side.unlink(missing_ok=True)
        self._new_side.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of it; what was written is kept, and of nothing no trace."""
        is_empty = os.fstat(self._descriptor).st_size == 0
        os.close(self._descriptor)
        if is_empty:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
                self._forget_note()


def fetched_bytes(blob: Path) -> int:
    """What of this content is on the disk, whole or in part."""
    for file in (blob, blob.with_name(f"{blob.name}.incomplete")):
        with suppress(OSError):
            return file.stat().st_size
    return 0


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some disks of a network cannot do that for a folder.
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(descriptor)


def _has_no_hole(descriptor: int, n_bytes: int) -> bool:
    """False for a file that was not written from its beginning on; a disk may not tell."""
    try:
        return os.lseek(descriptor, 0, os.SEEK_HOLE) >= n_bytes
    except OSError:
        return True


def _boot() -> str:
    """Which start of the machine this is; empty where the system does not tell."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
