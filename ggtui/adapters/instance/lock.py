"""The lock that makes one ggtui the owner of a data folder. The kernel drops it with the process."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from ggtui.core.errors import InstanceRunning, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

LOCK_NAME = "instance.lock"


class InstanceLock:
    """Held from acquire to release. The file stays: removing it would let two processes lock two files."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Own the folder.

        Raises: InstanceRunning with the owner's pid, StoreUnavailable when the file cannot be opened.
        """
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = _owner(descriptor)
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise self._taken(owner) from None
            raise StoreUnavailable(f"{self._data_dir} cannot be locked: {error.strerror}") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the folder back; not holding it is success."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> InstanceLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _open(self) -> int:
        file = self._data_dir / LOCK_NAME
        try:
            return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StoreUnavailable(
                f"{file} cannot be opened: {error.strerror}", hint="choose another folder with --data-dir DIR"
            ) from error

    def _taken(self, owner: int | None) -> InstanceRunning:
        who = f"pid {owner}" if owner else "another process"
        return InstanceRunning(
            f"{who} owns {self._data_dir}", hint="ggtui ps shows it; --data-dir DIR starts a second one"
        )


def lock_owner(data_dir: Path) -> int | None:
    """The pid that the lock file names, for words only; None when there is none."""
    try:
        descriptor = os.open(data_dir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return _owner(descriptor)
    finally:
        os.close(descriptor)


def _owner(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None
