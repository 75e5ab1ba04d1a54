"""When a server is ready: the first of several signs, from a process that is alive and ours."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, Protocol

import psutil

from ggtui.adapters.llama_server import identity, loopback
from ggtui.core.errors import SpawnFailed, SpawnReason, StartTimedOut

if TYPE_CHECKING:
    from ggtui.adapters.llama_server.identity import ServerFacts
    from ggtui.adapters.llama_server.process import Child

POLL_S: Final = 0.05
"""Asking is for the server that says nothing when it is ready; the others load undisturbed."""


class LoadSigns(Protocol):
    """What the server's own output shows of its load."""

    @property
    def ready(self) -> asyncio.Event:
        """Set when the server says that it serves."""

    @property
    def n_bytes(self) -> int:
        """Bytes of output so far."""


class ServerEnded(Exception):
    """The process ended before it was ready."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


async def wait_ready(child: Child, port: int, key: str, signs: LoadSigns, stall_s: float) -> ServerFacts:
    """Wait for the first sign of readiness, then make sure that it is our server that answers.

    stall_s: longest time without any progress of the load, in seconds.
    Raises: ServerEnded, StartTimedOut, HealthCheckFailed, SpawnFailed with PORT_IN_USE.
    """
    ended = asyncio.ensure_future(child.wait())
    stalled = asyncio.ensure_future(_stalled(child, signs, stall_s))
    serving = asyncio.ensure_future(_serving(child, port, key, signs))
    try:
        await asyncio.wait({ended, stalled, serving}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            raise ServerEnded(ended.result())
        if serving.done():
            return serving.result()
        raise StartTimedOut("the load made no progress", hint="look at its log, or raise the stall limit")
    finally:
        await _cancel(ended, stalled, serving)


async def _serving(child: Child, port: int, key: str, signs: LoadSigns) -> ServerFacts:
    """Facts of our server. A stranger's answer on the port is no sign, and gets no key."""
    said = asyncio.ensure_future(signs.ready.wait())
    answered = asyncio.ensure_future(_answers_health(port))
    try:
        while True:
            await asyncio.wait({said, answered}, return_when=asyncio.FIRST_COMPLETED)
            if identity.listens(child.pid, port):
                return await identity.facts(port, key)
            if said.done():
                raise SpawnFailed("its port is in use by another program", reason=SpawnReason.PORT_IN_USE)
            answered = asyncio.ensure_future(_answers_health(port))
    finally:
        await _cancel(said, answered)


async def _answers_health(port: int) -> None:
    """Returns when anybody answers 200 on /health."""
    while True:
        await asyncio.sleep(POLL_S)
        with contextlib.suppress(OSError):
            status, _ = await loopback.get(port, "/health")
            if status == 200:
                return


async def _stalled(child: Child, signs: LoadSigns, limit_s: float) -> None:
    """Returns when neither output nor resident memory has grown for limit_s seconds."""
    clock = asyncio.get_running_loop().time
    n_bytes, resident, since = -1, -1, clock()
    while clock() - since < limit_s:
        resident_now = _resident_bytes(child.pid)
        if signs.n_bytes > n_bytes or resident_now > resident:
            since = clock()
        n_bytes, resident = signs.n_bytes, max(resident, resident_now)
        await asyncio.sleep(min(0.5, limit_s / 5))


def _resident_bytes(pid: int) -> int:
    try:
        return sum(member.memory_info().rss for member in identity.family(pid))
    except psutil.Error:
        return 0


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
