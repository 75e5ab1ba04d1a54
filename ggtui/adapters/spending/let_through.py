"""Rows of requests that were let through: counted within a minute, corrected when they end.

Every function raises sqlite3.Error. Those that say so are called inside a transaction.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ggtui.core.deployment.limits import MINUTE_S, SOMEBODY_ENDS_S, Limit, Wait
from ggtui.core.deployment.rolling import seconds_until

if TYPE_CHECKING:
    import sqlite3

    from ggtui.core.deployment.policies import RateLimits

STATEMENTS: Final = (
    """CREATE TABLE let_through (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        deployment TEXT NOT NULL,
        at REAL NOT NULL,
        requests INTEGER NOT NULL,
        tokens INTEGER NOT NULL,
        holder INTEGER
    )""",
    "CREATE INDEX let_through_by_time ON let_through (deployment, at)",
    "CREATE INDEX let_through_by_holder ON let_through (deployment, holder) WHERE holder IS NOT NULL",
)
"""A holder is the process whose request has not ended."""
PROBE: Final = "SELECT number, deployment, at, requests, tokens, holder FROM let_through LIMIT 1"

_SLACK_S: Final = 1.0
"""What lies further in the future was noted by a clock that was set back since."""


def moment(connection: sqlite3.Connection, name: str, now: float) -> float:
    """The time that counts for one more; never before that of the last. Inside a transaction.

    Forgets what counts no more, so that the file stays small.
    """
    connection.execute(
        "UPDATE let_through SET at = ? WHERE deployment = ? AND at > ?", (now, name, now + _SLACK_S)
    )
    connection.execute(
        "DELETE FROM let_through WHERE deployment = ? AND at <= ? AND holder IS NULL", (name, now - MINUTE_S)
    )
    (last,) = connection.execute("SELECT max(at) FROM let_through WHERE deployment = ?", (name,)).fetchone()
    return max(now, last or now)


def wait(
    connection: sqlite3.Connection, name: str, tokens: int, limits: RateLimits, now: float
) -> Wait | None:
    """How long one more must wait, by the limit that lasts longest; None for not at all."""
    waits = []
    if limits.concurrent_requests is not None and _in_flight(connection, name) >= limits.concurrent_requests:
        waits.append(Wait(SOMEBODY_ENDS_S, Limit.CONCURRENT))
    for limit, column, most, amount in (
        (Limit.REQUESTS, "requests", limits.requests_per_minute, 1),
        (Limit.TOKENS, "tokens", limits.tokens_per_minute, tokens),
    ):
        fits_at = now if most is None else _fits_at(connection, name, column, amount - most, now)
        if fits_at > now:
            waits.append(Wait(seconds_until(fits_at, now), limit))
    return max(waits, key=lambda each: each.seconds, default=None)


def add(connection: sqlite3.Connection, name: str, tokens: int, holder: int, now: float) -> int:
    """Let one through; returns its number. Inside a transaction."""
    row = (name, now, tokens, holder)
    cursor = connection.execute(
        "INSERT INTO let_through (deployment, at, requests, tokens, holder) VALUES (?, ?, 1, ?, ?)", row
    )
    return int(cursor.lastrowid or 0)


def settle(connection: sqlite3.Connection, number: int, tokens: int) -> None:
    """It has ended and used so many tokens; only the first time counts."""
    connection.execute(
        "UPDATE let_through SET tokens = ?, holder = NULL WHERE number = ? AND holder IS NOT NULL",
        (tokens, number),
    )


def give_back(connection: sqlite3.Connection, number: int) -> None:
    """It never counted; not so when it has ended already."""
    connection.execute("DELETE FROM let_through WHERE number = ? AND holder IS NOT NULL", (number,))


def _in_flight(connection: sqlite3.Connection, name: str) -> int:
    found = connection.execute(
        "SELECT count(*) FROM let_through WHERE deployment = ? AND holder IS NOT NULL", (name,)
    )
    return int(found.fetchone()[0])


def _fits_at(connection: sqlite3.Connection, name: str, column: str, over: int, now: float) -> float:
    """When there is room. over: the amount beyond the limit if nothing were used; negative for room."""
    counted = f"FROM let_through WHERE deployment = ? AND at > {now - MINUTE_S!r}"
    (used,) = connection.execute(f"SELECT total({column}) {counted}", (name,)).fetchone()
    excess = over + used
    if excess <= 0:
        return now
    for at, amount in connection.execute(f"SELECT at, {column} {counted} ORDER BY at", (name,)):
        excess -= amount
        if excess <= 0:
            return float(at) + MINUTE_S
    return math.inf
