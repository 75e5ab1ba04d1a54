"""Jobs as rows: what they are in one piece, beside the number and the position that order them."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from ggtui.adapters.sqlite.file import Schema
from ggtui.core.downloads.jobs import Job
from ggtui.core.downloads.order import at_rest, in_order

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

_LOG = logging.getLogger(__name__)

BUSY_MS: Final = 1000
"""How long the start waits for another ggtui that is just ending."""

SCHEMA: Final = Schema(
    what="the queue of downloads",
    migrations=(
        (
            """CREATE TABLE jobs (
                number INTEGER PRIMARY KEY AUTOINCREMENT,
                position INTEGER NOT NULL,
                job BLOB NOT NULL
            )""",
        ),
    ),
    probes=("SELECT number, position, job FROM jobs LIMIT 1",),
    settings=(
        f"PRAGMA busy_timeout = {BUSY_MS}",
        # The lock is held as long as the connection lives, so that one ggtui works on a queue at a time.
        "PRAGMA locking_mode = EXCLUSIVE",
        "BEGIN EXCLUSIVE",
        "COMMIT",
        "PRAGMA journal_mode = TRUNCATE",
        "PRAGMA synchronous = FULL",
    ),
)


def all_jobs(connection: sqlite3.Connection) -> tuple[Job, ...]:
    """All jobs in order, as nobody works on them. Raises: sqlite3.Error."""
    rows = connection.execute("SELECT number, position, job FROM jobs").fetchall()
    return in_order(job for row in rows for job in _job(*row))


def add(connection: sqlite3.Connection, job: Job) -> Job:
    """Write a new job behind the others. Raises: sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        (last,) = connection.execute("SELECT coalesce(max(position), -1) FROM jobs").fetchone()
        added = replace(job, position=last + 1)
        row = connection.execute("INSERT INTO jobs (position, job) VALUES (?, ?)", (last + 1, _blob(added)))
    assert row.lastrowid is not None
    return replace(added, number=row.lastrowid)


def keep(connection: sqlite3.Connection, jobs: Sequence[Job]) -> None:
    """Write all of them or none; one that was removed stays so. Raises: sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        connection.executemany(
            "UPDATE jobs SET position = ?, job = ? WHERE number = ?",
            [(job.position, _blob(job), job.number) for job in jobs],
        )


def remove(connection: sqlite3.Connection, number: int) -> None:
    """Forget one; its number is never given again. Raises: sqlite3.Error."""
    connection.execute("DELETE FROM jobs WHERE number = ?", (number,))


def _blob(job: Job) -> bytes:
    return msgspec.json.encode(job)


def _job(number: int, position: int, data: object) -> Iterator[Job]:
    """None where another hand has written something else; that row stays in the file."""
    try:
        job = msgspec.json.decode(data if isinstance(data, bytes) else b"", type=Job)
    except msgspec.MsgspecError as error:
        _LOG.warning("download %d of the queue cannot be read: %s", number, error)
        return
    yield at_rest(replace(job, number=number, position=position))
