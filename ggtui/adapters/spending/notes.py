"""What is on its way to the database, covered by a note in a file, so that a kill loses none of it.

A commit waits for the disk, some 20 ms that no answer should wait for; a note is a write to a file, some
microseconds. Even that is not made for each amount: a note covers up to a quarter more than what was added so
far, and the next one follows when that is used up. So after a kill what is recorded is never less than what
was added, and at most that quarter of half a second more.

Notes have the numbers of their batch and of a part of it; of one part the largest amount counts. Two files
take turns: while what one covers goes to the database, the other takes new notes.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from ggtui.adapters.sqlite.file import LARGEST

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    Row = tuple[str, float, int]
    """Deployment, Unix time, pusd."""

NOTED: Final = "CREATE TABLE noted (run TEXT PRIMARY KEY, number INTEGER NOT NULL)"
"""Up to which number the batches of a run are in the database."""
INSERT: Final = "INSERT INTO spending VALUES (?, ?, ?)"


class Notes:
    """Those of one run of ggtui; the caller sees to it that one thread adds or turns."""

    def __init__(self, database: Path) -> None:
        """Nothing is made yet."""
        self.run = secrets.token_hex(8)
        self.number = 1
        """Of the batch that is covered now."""
        self._paths = [f"{database}-notes-{self.run}-{turn}" for turn in (0, 1)]
        self._files: list[int] = []
        self._current = 0

    def cover(self, name: str, part: int, at: float, amount_pusd: int) -> None:
        """Note that a part of the batch may have spent so much with a deployment.

        Raises: OSError; then it is not covered.
        """
        if not self._files:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._files = [os.open(path, flags, 0o600) for path in self._paths]
        # The line break comes first, so that a note that was cut spoils no other.
        line = f'\n["{self.run}",{self.number},{_quoted(name)},{at!r},{amount_pusd},{part}]\n'.encode()
        if os.write(self._files[self._current], line) != len(line):
            raise OSError("a note was cut")

    def turn(self) -> int:
        """New notes go to the other file from now on; returns the number of the batch that is over."""
        self._current = 1 - self._current
        self.number += 1
        return self.number - 1

    def are_written(self, connection: sqlite3.Connection, number: int) -> None:
        """Part of the transaction that writes all batches up to this number. Raises: sqlite3.Error."""
        connection.execute("INSERT OR REPLACE INTO noted VALUES (?, ?)", (self.run, number))

    def forget(self) -> None:
        """What was noted before the last turn is in the database."""
        if self._files:
            os.ftruncate(self._files[1 - self._current], 0)

    def end(self, connection: sqlite3.Connection) -> None:
        """All is in the database. Raises: sqlite3.Error, OSError."""
        for file, path in zip(self._files, self._paths, strict=False):
            os.close(file)
            os.unlink(path)
        self._files = []
        connection.execute("DELETE FROM noted WHERE run = ?", (self.run,))


def take_over(connection: sqlite3.Connection, database: Path) -> None:
    """Write what killed runs have noted and the database has not. Raises: sqlite3.Error, OSError."""
    paths = sorted(database.parent.glob(f"{database.name}-notes-*"))
    if not paths:
        return
    known = dict(connection.execute("SELECT run, number FROM noted"))
    covered: dict[tuple[str, int, int], Row] = {}
    for path in paths:
        for run, number, part, row in _read(path):
            if number > known.get(run, 0):
                before = covered.setdefault((run, number, part), row)
                covered[run, number, part] = max(row, before, key=itemgetter(2))
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        connection.executemany(INSERT, covered.values())
        for run, number, _ in sorted(covered):
            connection.execute("INSERT OR REPLACE INTO noted VALUES (?, ?)", (run, number))
    for path in paths:
        path.unlink()
    connection.execute("DELETE FROM noted")


@lru_cache(maxsize=64)
def _quoted(name: str) -> str:
    return json.dumps(name)


def _read(path: Path) -> Iterator[tuple[str, int, int, Row]]:
    """Run, numbers of batch and part, and row of each note that is whole."""
    for line in path.read_bytes().splitlines():
        with suppress(ValueError, TypeError):
            run, number, name, at, cost_pusd, *part = json.loads(line)
            row = (str(name), float(at), min(int(cost_pusd), LARGEST))
            yield str(run), int(number), int(*part), row
