"""Which processes hold requests in a shared file, and which of them are dead.

Each process keeps a file locked for as long as it lives; the kernel drops the lock with it, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

HOLDERS: Final = "CREATE TABLE holders (number INTEGER PRIMARY KEY AUTOINCREMENT)"
"""Numbers are never used twice, so that a dead process is never taken for a new one."""


class Holders:
    """This process among all that share a file. Lives on the thread that works on the file."""

    def __init__(self, database: Path) -> None:
        """Nothing is made yet."""
        self._database = database
        self._own: int | None = None
        self._descriptor = -1

    def own(self, connection: sqlite3.Connection) -> int:
        """The number of this process. Raises: sqlite3.Error, OSError."""
        if self._own is None:
            # The lock comes before the row is seen by others, who would take it for a dead one's.
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                number = connection.execute("INSERT INTO holders DEFAULT VALUES").lastrowid or 0
                self._descriptor = os.open(
                    self._lock_of(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
                )
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._own = number
        return self._own

    def bury(self, connection: sqlite3.Connection) -> bool:
        """Let go of what dead processes hold; True when there were any. Raises: sqlite3.Error."""
        others = [number for (number,) in connection.execute("SELECT number FROM holders")]
        dead = [number for number in others if number != self._own and self._is_dead(number)]
        for number in dead:
            self._forget(connection, number)
        return bool(dead)

    def end(self, connection: sqlite3.Connection) -> None:
        """This process holds nothing any more. Raises: sqlite3.Error."""
        if self._own is not None:
            self._forget(connection, self._own)
            os.close(self._descriptor)
            self._own, self._descriptor = None, -1

    def _is_dead(self, number: int) -> bool:
        try:
            descriptor = os.open(self._lock_of(number), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def _forget(self, connection: sqlite3.Connection, number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            connection.execute("UPDATE let_through SET holder = NULL WHERE holder = ?", (number,))
            connection.execute("DELETE FROM holders WHERE number = ?", (number,))
        with suppress(FileNotFoundError):
            os.unlink(self._lock_of(number))

    def _lock_of(self, number: int) -> str:
        return f"{self._database}-holder-{number}"
