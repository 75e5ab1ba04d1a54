"""Process groups: a signal to every member, and the moment when the last one is gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import signal

GROUP_LIMIT_S: Final = 1.0
"""Killed descendants may stay in the group for a moment, until they are reaped."""


def kill(group: int, number: signal.Signals) -> None:
    """Signal every process of a group; one that is gone is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


async def is_gone(group: int) -> None:
    """Returns when no process of the group runs any more, or after GROUP_LIMIT_S."""
    deadline = asyncio.get_running_loop().time() + GROUP_LIMIT_S
    while _has_members(group) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 no event tells
        await asyncio.sleep(0.002)


def _has_members(group: int) -> bool:
    """True while a process of the group runs; what only waits to be reaped by others does not count."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    states = _group_states(group)
    return states is None or bool(states - {"Z", "X"})


def _group_states(group: int) -> set[str] | None:
    """States of the processes in a group, as letters of proc(5); None without /proc."""
    states = set()
    try:
        entries = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    for entry in entries:
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{entry}/stat").read_text("latin-1")
            state, _parent, its_group, *_ = stat.rpartition(")")[2].split()
            if int(its_group) == group:
                states.add(state)
    return states
