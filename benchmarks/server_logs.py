"""The parts of a swap, read from what llama-server and ggtui wrote about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_STAMP = re.compile(r"^(\d+)\.(\d\d)\.(\d{3})\.(\d{3}) ")
"""Minutes, seconds, milliseconds, microseconds since the server's log began."""
_OURS = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) INFO \S+: (stopping|load) ")


@dataclass(frozen=True, slots=True)
class Life:
    """One server, by its own clock in milliseconds."""

    load_ms: float
    """From its first moment until it said that it listens."""
    lag_ms: float
    """From there until the first request was its to work on."""
    answer_ms: float
    """From there until that answer was made."""


def lives(log: Path) -> list[Life]:
    """The servers that wrote this log and answered, oldest first."""
    found = []
    for lines in _split(log.read_text(encoding="utf-8", errors="replace").splitlines()):
        life = _life(lines)
        if life is not None:
            found.append(life)
    return found


def stops_ms(log: Path) -> list[float]:
    """From ggtui's decision to stop a server to the start of the next one, milliseconds, oldest first."""
    found, since = [], None
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _OURS.match(line)
        if match is None:
            continue
        at = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f")  # only differences count
        if match[2] == "load" and since is not None:
            found.append((at - since).total_seconds() * 1e3)
        since = at if match[2] == "stopping" else None
    return found


def _split(lines: Iterable[str]) -> list[list[tuple[float, str]]]:
    """Stamped lines by server: a clock that falls back is another server's."""
    servers: list[list[tuple[float, str]]] = []
    last = float("inf")
    for line in lines:
        match = _STAMP.match(line)
        if match is None:
            continue
        at = _milliseconds(match)
        if at < last - 1.0 and (not servers or _has_listened(servers[-1])):
            servers.append([])
        servers[-1].append((at, line))
        last = at
    return servers


def _has_listened(lines: list[tuple[float, str]]) -> bool:
    return any("listening on http" in line for _, line in lines)


def _milliseconds(match: re.Match[str]) -> float:
    minutes, seconds, milli, micro = map(int, match.groups())
    return (minutes * 60 + seconds) * 1e3 + milli + micro / 1e3


def _life(lines: list[tuple[float, str]]) -> Life | None:
    moments = [
        next((at for at, line in lines if word in line), None)
        for word in ("listening on http", "launch_slot_:", "release:")
    ]
    ready, asked, answered = moments
    if ready is None or asked is None or answered is None:
        return None
    return Life(ready, asked - ready, answered - asked)
