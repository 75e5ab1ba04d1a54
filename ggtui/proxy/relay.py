"""Passes an answer on as it comes, so that an error can still be said in the middle of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ggtui.proxy.answers import Reply
    from ggtui.proxy.upstream import Exchange

MAX_HELD_BYTES = 64 * 1024
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)")


class EventHold:
    """Cuts a stream of server-sent events after whole events. Bytes out, joined, equal bytes in.

    `is_between_events` tells whether everything given out ends with a whole event.
    """

    __slots__ = ("_held", "is_between_events")

    def __init__(self) -> None:
        self._held = b""
        self.is_between_events = True

    def take(self, data: bytes) -> bytes:
        """What may go out now: everything up to the last blank line; all of it when too much is held."""
        if not self._held and data.endswith(b"\n\n"):
            self.is_between_events = True
            return data
        data = self._held + data if self._held else data
        end = _last_event_end(data)
        if end:
            self.is_between_events = True
        elif len(data) > MAX_HELD_BYTES:
            end = len(data)
            self.is_between_events = False
        self._held = data[end:]
        return data[:end]

    def rest(self) -> bytes:
        """What is held, at a sound end of the stream."""
        held, self._held = self._held, b""
        return held


def _last_event_end(data: bytes) -> int:
    """The offset behind the last blank line, 0 when there is none."""
    end = data.rfind(b"\n\n")
    plain = end + 2 if end >= 0 else 0
    if b"\r" not in data:
        return plain
    last = plain
    for match in _BLANK_LINE.finditer(data, plain):
        last = match.end()
    return last


async def relay_plain(exchange: Exchange, reply: Reply) -> None:
    """Pass the body on, byte for byte, without its end."""
    while data := await exchange.read():
        exchange.saw_life()
        await reply.write(data)


async def relay_events(exchange: Exchange, reply: Reply, hold: EventHold) -> None:
    """Pass server-sent events on, whole ones only, without the stream's end."""
    while data := await exchange.read():
        ready = hold.take(data)
        if ready:
            exchange.saw_life()
            await reply.write(ready)
    rest = hold.rest()
    if rest:
        await reply.write(rest)
