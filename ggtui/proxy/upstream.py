"""Connections to model servers: idle ones are kept for the next request, none is ever waited for."""

from __future__ import annotations

import asyncio
import math
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from ggtui.core.errors import UpstreamUnreachable
from ggtui.proxy.answers import EVENT_STREAM
from ggtui.proxy.upstream_connection import (
    Body,
    StaleConnection,
    UpstreamConnection,
    UpstreamHead,
    UpstreamStopped,
)

if TYPE_CHECKING:
    from types import TracebackType

    from ggtui.core.models import RunningTarget

MAX_IDLE_PER_TARGET = 256
"""As many as llama-server has slots at most: fewer would be closed and opened again under a crowd."""


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """How long a server may be silent. Times in seconds."""

    connect_s: float = 2.0
    first_byte_s: float = 600.0
    """A plain answer gives no byte before its generation is done."""
    between_bytes_s: float = 90.0
    """llama-server pings every 30 s while it streams."""
    is_until_event: bool = False
    """True: of an event stream, the first event must have come within first_byte_s, not only the head."""
    keep_idle_s: float = math.inf
    """An idle connection is used again within this time: what lies between may forget it without a word."""


class Sender(Protocol):
    """Who sends a request."""

    was_sent: bool
    """Set to True once something of it is on its way."""


@dataclass(slots=True)
class _Line:
    """All connections to one server."""

    idle: list[UpstreamConnection] = field(default_factory=list)
    active: set[UpstreamConnection] = field(default_factory=set)
    n_connecting: int = 0
    is_closed: bool = False

    def lost(self, connection: UpstreamConnection) -> None:
        """A connection has ended: it is no longer kept. An active one is given back by its exchange."""
        if connection in self.idle:
            self.idle.remove(connection)


class UpstreamPool:
    """Connections by base URL. Lives on one loop; needs no start."""

    def __init__(self, limits: UpstreamLimits | None = None) -> None:
        self.limits = limits or UpstreamLimits()
        self._lines: dict[str, _Line] = {}
        self._tls: ssl.SSLContext | None = None

    def exchange(
        self,
        target: RunningTarget,
        head: bytes,
        body: Body = b"",
        *,
        is_head_request: bool = False,
        limits: UpstreamLimits | None = None,
        may_repeat: bool = True,
        sender: Sender | None = None,
    ) -> Exchange:
        """One request, as a context: entering sends it and waits for the answer's head.

        limits: None for the pool's own. may_repeat: False for a request that must not reach a server twice.
        sender: whoever must know that it is on its way.
        Raises: UpstreamUnreachable, UpstreamCrashed, UpstreamProtocolError, UpstreamTimedOut, on entry.
        """
        limits = limits or self.limits
        return Exchange(self, target.base_url, head, body, is_head_request, limits, may_repeat, sender)

    def close_target(self, target: RunningTarget) -> None:
        """Close every connection to a server, also those in use: their readers get UpstreamStopped."""
        line = self._lines.pop(target.base_url, None)
        if line is not None:
            _close(line)

    async def close(self) -> None:
        """Close every connection."""
        lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            _close(line)

    def n_connections(self, target: RunningTarget) -> tuple[int, int]:
        """Idle and active connections to a server."""
        line = self._lines.get(target.base_url)
        return (len(line.idle), len(line.active)) if line is not None else (0, 0)

    def take_idle(self, base_url: str, keep_idle_s: float = math.inf) -> UpstreamConnection | None:
        """A kept connection, now in use; None when there is none that was used so lately."""
        line = self._lines.get(base_url)
        if line is None or not line.idle:
            return None
        connection = line.idle.pop()
        if connection.silent_s > keep_idle_s:  # and so are all others, which were used before it
            for each in (connection, *line.idle):
                each.abort()
            line.idle.clear()
            return None
        line.active.add(connection)
        return connection

    async def connect(self, base_url: str, limit_s: float | None = None) -> UpstreamConnection:
        """A fresh connection, in use. limit_s: how long that may take; None for the pool's own limit.

        Raises: UpstreamUnreachable, also for a certificate that is not trusted.
        """
        loop = asyncio.get_running_loop()
        host, port, is_tls = _address(base_url)
        line = self._lines.setdefault(base_url, _Line())
        line.n_connecting += 1
        try:
            async with asyncio.timeout(self.limits.connect_s if limit_s is None else limit_s):
                tls = await self._trust() if is_tls else None
                _, connection = await loop.create_connection(
                    lambda: UpstreamConnection(loop, line.lost), host, port, ssl=tls
                )
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message
            raise UpstreamUnreachable(f"the certificate of {host} is not trusted: {why}") from error
        except (OSError, TimeoutError) as error:
            raise UpstreamUnreachable("the model's server cannot be reached") from error
        finally:
            line.n_connecting -= 1
            self._forget_empty(base_url, line)
        if line.is_closed:
            connection.abort()
            raise UpstreamStopped("the model was stopped")
        self._lines.setdefault(base_url, line).active.add(connection)
        return connection

    async def _trust(self) -> ssl.SSLContext:
        """Whom the machine trusts; read once, which takes a while."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls

    def give_back(self, base_url: str, connection: UpstreamConnection) -> None:
        """The exchange is over: keep the connection if it is sound, else close it at once."""
        line = self._lines.get(base_url)
        is_sound = connection.finish()
        if line is None or connection not in line.active:  # the target was closed meanwhile
            connection.abort()
            return
        line.active.discard(connection)
        if is_sound and len(line.idle) < MAX_IDLE_PER_TARGET:
            line.idle.append(connection)
        else:
            connection.abort()
            self._forget_empty(base_url, line)

    def _forget_empty(self, base_url: str, line: _Line) -> None:
        if not (line.idle or line.active or line.n_connecting) and self._lines.get(base_url) is line:
            del self._lines[base_url]


class Exchange:
    """One request to one server. Left in any way but a whole answer, its connection is closed at once."""

    __slots__ = (
        "_base_url",
        "_body",
        "_connection",
        "_head",
        "_is_head_request",
        "_limits",
        "_may_repeat",
        "_pool",
        "_sender",
        "head",
        "is_event_stream",
    )

    head: UpstreamHead
    is_event_stream: bool
    """True when the answer is server-sent events."""

    def __init__(
        self,
        pool: UpstreamPool,
        base_url: str,
        head: bytes,
        body: Body,
        is_head_request: bool,
        limits: UpstreamLimits,
        may_repeat: bool,
        sender: Sender | None,
    ) -> None:
        self._pool = pool
        self._base_url = base_url
        self._head = head
        self._body = body
        self._is_head_request = is_head_request
        self._limits = limits
        self._may_repeat = may_repeat
        self._sender = sender
        self._connection: UpstreamConnection | None = None

    async def __aenter__(self) -> Exchange:
        # A kept connection may end just then, and nobody knows whether the request was read before.
        idle = None
        if self._may_repeat:
            idle = self._pool.take_idle(self._base_url, self._limits.keep_idle_s)
        if idle is not None:
            try:
                return await self._ask(idle)
            except StaleConnection:
                pass
        return await self._ask(await self._pool.connect(self._base_url, self._limits.connect_s))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()

    async def read(self) -> bytes:
        """The next bytes of the body, nothing at its end.

        Raises: UpstreamFailure.
        """
        assert self._connection is not None
        return await self._connection.read()

    def rest(self) -> bytes | None:
        """All that is left of the body when its end has come, without waiting; None when it has not."""
        assert self._connection is not None
        return self._connection.rest()

    def saw_life(self) -> None:
        """The answer makes progress: its time limit starts again."""
        if self._connection is not None:
            self._connection.saw_life()

    def expect_more(self) -> None:
        """The first event has come: from now on the limit between two of them counts."""
        if self._connection is not None:
            self._connection.expect_within(self._limits.between_bytes_s)

    async def _ask(self, connection: UpstreamConnection) -> Exchange:
        self._connection = connection
        limits = self._limits
        is_sent = connection.send(
            self._head, self._body, limits.first_byte_s, is_head_request=self._is_head_request
        )
        if is_sent and self._sender is not None:
            self._sender.was_sent = True
        try:
            self.head = await connection.head()
        except BaseException:
            self._give_back()
            raise
        self.is_event_stream = self.head.status == 200 and self.head.media_type == EVENT_STREAM
        if not (limits.is_until_event and self.is_event_stream):
            connection.expect_within(limits.between_bytes_s)
        return self

    def _give_back(self) -> None:
        if self._connection is not None:
            self._pool.give_back(self._base_url, self._connection)
            self._connection = None


def _close(line: _Line) -> None:
    line.is_closed = True
    for connection in [*line.idle, *line.active]:
        connection.abort(UpstreamStopped("the model was stopped"))


@lru_cache(maxsize=64)
def _address(base_url: str) -> tuple[str, int, bool]:
    """Host, port and whether it is https."""
    parts = urlsplit(base_url)
    is_tls = parts.scheme == "https"
    return parts.hostname or "127.0.0.1", parts.port or (443 if is_tls else 80), is_tls
