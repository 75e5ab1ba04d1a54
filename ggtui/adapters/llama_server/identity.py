"""Is it our server that answers there, and what does it say of itself?"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from ggtui.adapters.llama_server import listeners, loopback
from ggtui.core.errors import HealthCheckFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER_LIMIT_S: Final = 10.0
LOADING_PAUSE_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says of itself; None where it does not tell."""

    n_ctx: int | None = None
    """Context of one slot, in tokens."""
    n_slots: int | None = None


def family(pid: int) -> Iterator[psutil.Process]:
    """The process, then its descendants.

    Raises: psutil.NoSuchProcess.
    """
    process = psutil.Process(pid)
    yield process
    yield from _descendants(process)


def _descendants(process: psutil.Process) -> Iterator[psutil.Process]:
    """Asked of the kernel where it tells: psutil looks at every process of the machine, which takes a while.

    Raises: psutil.NoSuchProcess.
    """
    try:
        ids = _child_ids(process.pid)
    except OSError:
        yield from process.children(recursive=True)
        return
    for child in ids:
        with contextlib.suppress(psutil.NoSuchProcess):
            yield from family(child)


def _child_ids(pid: int) -> list[int]:
    """Raises: OSError where the kernel does not tell. Source: proc_pid_task(5)."""
    threads = f"/proc/{pid}/task"
    lists = [Path(f"{threads}/{thread}/children").read_text() for thread in os.listdir(threads)]
    return [int(child) for text in lists for child in text.split()]


def listens(pid: int, port: int) -> bool:
    """True when the listener on this port belongs to the process or a descendant.

    A system that does not let us look counts as yes: the key still has to be accepted.
    """
    try:
        return any(listeners.listens(member, port) for member in family(pid))
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


async def facts(port: int, key: str) -> ServerFacts:
    """What a server tells a client that holds the launch's key, once it also takes work.

    A server says that it is ready a moment before its task queue runs, and forgets an exit line that comes in
    between. `/slots` is answered by that queue, and tells the slots; `/props` is asked where it does not.
    Raises: HealthCheckFailed when the key is not accepted.
    """
    told = _of_slots(await _accepted(port, "/slots", key))
    return told if told.n_ctx is not None else _of_props(await _accepted(port, "/props", key))


async def _accepted(port: int, path: str, key: str) -> object:
    """The answer, decoded; None where there is none to read.

    Raises: HealthCheckFailed when the key is not accepted.
    """
    status, body = await _answer(port, path, key)
    if status in (401, 403):
        raise HealthCheckFailed("the server does not accept the key it was started with")
    try:
        return json.loads(body) if status == 200 else None
    except (ValueError, RecursionError):
        return None


async def _answer(port: int, path: str, key: str) -> tuple[int, bytes]:
    """Status and body; waits while the server says 503 or not yet anything."""
    while True:
        with contextlib.suppress(OSError):
            status, body = await loopback.get(port, path, key, ANSWER_LIMIT_S)
            if status != 503:
                return status, body
        await asyncio.sleep(LOADING_PAUSE_S)


def _of_slots(slots: object) -> ServerFacts:
    if not isinstance(slots, list) or not slots or not isinstance(slots[0], dict):
        return ServerFacts()
    return ServerFacts(_positive(slots[0].get("n_ctx")), len(slots))


def _of_props(props: object) -> ServerFacts:
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    if not isinstance(props, dict) or not isinstance(settings, dict):
        return ServerFacts()
    return ServerFacts(_positive(settings.get("n_ctx")), _positive(props.get("total_slots")))


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
