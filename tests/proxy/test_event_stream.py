"""Events as they are sent: news when there is some, a sign of life when there is none, and an end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from ggtui.core.snapshot import EngineSnapshot
from ggtui.proxy.answers import Reply
from ggtui.proxy.event_stream import PING, EventStreams
from ggtui.proxy.interrupt import Drain, Interrupted
from ggtui.proxy.presence import EXTENSION, Presence
from tests.proxy.rig import FakeControl, run


class _Flow:
    def resume_reading(self) -> None:
        """There is no socket."""


@dataclass
class Listener:
    """One client, and what went to it."""

    drain: Drain = field(default_factory=Drain)
    presence: Presence = field(default_factory=lambda: Presence(cast("Any", _Flow())))
    sent: asyncio.Queue[tuple[bytes, bool]] = field(default_factory=asyncio.Queue)
    """Pieces, and whether more may follow."""

    @property
    def scope(self) -> dict[str, Any]:
        return {"extensions": {EXTENSION: self.presence}}

    @property
    def reply(self) -> Reply:
        return Reply(self._send, [])

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.sent.put_nowait((message["body"], message["more_body"]))

    def streams(self, ping_s: float = 20.0) -> EventStreams:
        return EventStreams(self.drain, ping_s)


def test_when_there_is_no_news_there_is_a_sign_of_life() -> None:
    async def check() -> None:
        listener = Listener()

        async def no_news() -> bytes:
            await asyncio.Event().wait()
            return b"never"

        streams = listener.streams(ping_s=0.001)
        task = asyncio.create_task(streams.of_news(listener.scope, listener.reply, no_news))
        pings = [await listener.sent.get() for _ in range(2)]
        listener.drain.begin()
        await task

        assert [(PING, True)] * 2 == pings
        while (last := await listener.sent.get()) == (PING, True):
            pass
        assert (b"", False) == last

    run(check())


def test_what_is_nothing_is_not_sent() -> None:
    async def check() -> None:
        listener, news = Listener(), asyncio.Queue[bytes]()
        for each in (b"", b"one", b"", b"two"):
            news.put_nowait(each)
        task = asyncio.create_task(listener.streams().of_news(listener.scope, listener.reply, news.get))

        assert [b"one", b"two"] == [(await listener.sent.get())[0] for _ in range(2)]
        listener.drain.begin()
        await task

    run(check())


def test_a_slow_reader_gets_the_newest_state_alone() -> None:
    async def check() -> None:
        listener, control = Listener(), FakeControl(EngineSnapshot(1))
        streams = listener.streams()
        told = [EngineSnapshot(n) for n in (2, 3, 4)]

        def tell(snapshot: EngineSnapshot) -> bytes:
            return b"%d" % snapshot.version

        task = asyncio.create_task(streams.of_snapshots(listener.scope, listener.reply, control, tell))
        first, _ = await listener.sent.get()
        for each in told:
            control.publish(each)
        second, _ = await listener.sent.get()
        listener.drain.begin()
        await task

        assert (b"1", b"4", []) == (first, second, control.hearers)

    run(check())


def test_a_client_that_leaves_ends_it_at_once() -> None:
    async def check() -> None:
        listener, control = Listener(), FakeControl()
        streams = listener.streams()
        task = asyncio.create_task(
            streams.of_snapshots(listener.scope, listener.reply, control, lambda _: b"state")
        )
        await listener.sent.get()
        listener.presence.leave()
        with pytest.raises(Interrupted):
            await task

        assert ([], True) == (control.hearers, listener.sent.empty())

    run(check())
