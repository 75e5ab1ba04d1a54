"""Carries one request to what serves it and the answer back, for as long as its client is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.errors import EngineStopping, Failure
from ggtui.proxy.answers import failure_event
from ggtui.proxy.interrupt import Cause, Interrupted, Interruptible
from ggtui.proxy.relay import EventHold

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ggtui.proxy.answers import Reply
    from ggtui.proxy.course import Course
    from ggtui.proxy.forward_request import ForwardRequest
    from ggtui.proxy.interrupt import Drain
    from ggtui.proxy.leased import Leased
    from ggtui.proxy.presence import Presence


class Forwarder:
    """By the rules of its deployment where it has any, else at once over a lease."""

    def __init__(self, leased: Leased, drain: Drain, course: Course | None = None) -> None:
        self._leased = leased
        self._drain = drain
        self._course = course

    async def forward(self, request: ForwardRequest, client: Presence, reply: Reply) -> None:
        """Serve the request. The lease, the connection and the place in the queue end with this call.

        When it returns with the reply begun but not ended, the connection must be closed as it is.
        Raises: Failure before the reply has begun; Interrupted when the client has gone.
        """
        hold = EventHold()
        try:
            async with Interruptible(client, self._drain) as work:
                await self._answered(request, reply, hold)
                work.settle()
        except Failure as failure:
            if not reply.is_begun:
                raise
            await _say_in_stream(failure, request, reply, hold)
        except Interrupted as interrupted:
            if interrupted.cause is Cause.CLIENT_GONE:
                raise
            stopping = EngineStopping("ggtui is stopping")
            if not reply.is_begun:
                raise stopping from None
            await _say_in_stream(stopping, request, reply, hold)
        else:
            await reply.end()

    def _answered(self, request: ForwardRequest, reply: Reply, hold: EventHold) -> Awaitable[None]:
        """Answer but for the end."""
        if request.ruled is not None and self._course is not None:
            return self._course.run(request, request.ruled, reply, hold)
        return self._leased.answer(request, reply, hold)


async def _say_in_stream(failure: Failure, request: ForwardRequest, reply: Reply, hold: EventHold) -> None:
    """One error event after the whole events; nothing in any other kind of answer."""
    if reply.is_event_stream and hold.is_between_events:
        await reply.write(failure_event(failure, is_anthropic=request.is_anthropic))
