"""A wait that a client can see: comments in its event stream, and the parts of the wait in a header."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ggtui.core.admission import Admission, Waited
    from ggtui.proxy.answers import Headers, Reply

GRACE_S = 5.0
"""For so long a refusal can still have its own status; after it an event stream begins."""

EVERY_S = 3.0
"""From one comment to the next."""


@asynccontextmanager
async def told_meanwhile(
    reply: Reply, admission: Admission, grace_s: float = GRACE_S, every_s: float = EVERY_S
) -> AsyncIterator[None]:
    """Tell the client of a stream what it waits for, for as long as this context lasts."""
    tasks: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    timer = loop.call_later(grace_s, lambda: tasks.append(loop.create_task(_tell(reply, admission, every_s))))
    try:
        yield
    finally:
        timer.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tell(reply: Reply, admission: Admission, every_s: float) -> None:
    if not reply.is_begun:
        reply.is_only_waiting = True  # first: this may be cancelled while the status is being sent
        await reply.begin_events()
    while True:
        await reply.write(f": {admission.now_waiting_for()}\n\n".encode())
        await asyncio.sleep(every_s)


def timing_header(waited: Waited) -> Headers:
    """`Server-Timing` with the parts of a wait in milliseconds; nothing for a request that did not wait."""
    parts = {
        "queued": waited.queued_s,
        "stop": waited.stop_s,
        "spawn": waited.spawn_s,
        "load": waited.load_s,
    }
    if not any(parts.values()):
        return []
    text = ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in parts.items())
    return [(b"server-timing", text.encode())]
