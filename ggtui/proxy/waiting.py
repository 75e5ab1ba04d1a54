"""A wait that a client can see: comments in its event stream, and the parts of the wait in a header."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ggtui.core.admission import Admission, Waited
    from ggtui.proxy.answers import Headers, Reply

GRACE_S = 5.0
"""For so long a refusal can still have its own status; after it an event stream begins."""

EVERY_S = 3.0
"""From one comment to the next."""


class Telling:
    """Tells the client of a stream what it waits for, from the end of the grace until it is ended."""

    def __init__(
        self, reply: Reply, admission: Admission, grace_s: float = GRACE_S, every_s: float = EVERY_S
    ) -> None:
        self._reply = reply
        self._admission = admission
        self._every_s = every_s
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(grace_s, self._begin)
        self._task: asyncio.Task[None] | None = None

    async def end(self) -> None:
        """Tell nothing more: when this returns, nothing of it is being sent."""
        self._timer.cancel()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._tell())

    async def _tell(self) -> None:
        reply = self._reply
        if not reply.is_begun:
            reply.is_only_waiting = True  # first: this may be cancelled while the status is being sent
            await reply.begin_events()
        while True:
            await reply.write(f": {self._admission.now_waiting_for()}\n\n".encode())
            await asyncio.sleep(self._every_s)


def timing_header(waited: Waited) -> Headers:
    """`Server-Timing` with the parts of a wait in milliseconds; nothing for a request that did not wait."""
    if not (waited.queued_s or waited.stop_s or waited.spawn_s or waited.load_s):
        return []
    parts = {
        "queued": waited.queued_s,
        "stop": waited.stop_s,
        "spawn": waited.spawn_s,
        "load": waited.load_s,
    }
    text = ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in parts.items())
    return [(b"server-timing", text.encode())]
