"""A client that waits can see it: comments while it does, the parts of the wait afterwards."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from ggtui.core.admission import Waited
from ggtui.core.errors import AdmissionTimeout
from ggtui.proxy.settings import ProxySettings
from ggtui.proxy.waiting import timing_header
from tests.programs.fakeup import STREAM_HEAD, RawUpstream, answering, chunk, plain
from tests.proxy.rig import FakeRuntime, door, run, target_at, unchunk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ggtui.core.admission import Admission
    from ggtui.core.models import RunningTarget

BODY = b'{"model": "tiny", "stream": true, "messages": []}'
EVENTS = b'data: {"n": 1}\n\ndata: [DONE]\n\n'
STREAM = STREAM_HEAD + chunk(EVENTS) + b"0\r\n\r\n"
IMPATIENT = ProxySettings(drain_grace_s=0.05, wait_grace_s=0.01, wait_told_every_s=0.01)


class TellingRuntime(FakeRuntime):
    """Says what a request waits for."""

    words = "queued, number 2"

    @asynccontextmanager
    async def acquire(
        self, model_name: str, num_ctx: int | None, default_ctx: int, admission: Admission | None = None
    ) -> AsyncIterator[RunningTarget]:
        assert admission is not None
        admission.now_waiting_for = lambda: self.words
        async with super().acquire(model_name, num_ctx, default_ctx, admission) as target:
            yield target


async def _stream_after_a_wait(answer: bytes, failure: Exception | None = None) -> tuple[bytes, bytes, bool]:
    """Head, decoded body and whether it was ended, of a stream that was told of two waits at least."""
    async with RawUpstream(answering(answer)) as upstream:
        runtime = TellingRuntime(target_at(upstream.port), gate=asyncio.Event())
        async with door(runtime=runtime, settings=IMPATIENT) as proxy:
            client = await proxy.connect()
            await client.send(proxy.post(BODY))
            head = await client.reader.readuntil(b"\r\n\r\n")
            told = await client.reader.readuntil(b"number 2\n\n")
            told += await client.reader.readuntil(b"number 2\n\n")
            if failure is not None:
                runtime.failure_after_wait = failure
            assert runtime.gate is not None
            runtime.gate.set()
            rest = await client.rest()
            body, is_ended = unchunk(told + rest)
            return head, body, is_ended


def test_a_stream_is_told_of_its_wait_and_then_gets_its_events_as_they_are() -> None:
    head, body, is_ended = run(_stream_after_a_wait(STREAM))

    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"text/event-stream" in head
    assert b"x-ggtui-endpoint: tiny\r\nx-ggtui-route: named\r\n" in head
    assert body.startswith(b": queued, number 2\n\n")
    assert body.endswith(b": queued, number 2\n\n" + EVENTS)
    assert is_ended


def test_a_refusal_after_the_wait_becomes_an_event() -> None:
    refusal = b'{"error": {"message": "too long", "type": "invalid_request_error", "code": 400}}'
    _, body, _ = run(_stream_after_a_wait(plain(refusal, "400 Bad Request")))
    event = body.rpartition(b"data: ")[2]

    assert "too long" == json.loads(event)["error"]["message"]
    assert b"[DONE]" not in body


def test_running_out_of_patience_after_the_wait_becomes_an_event() -> None:
    _, body, is_ended = run(_stream_after_a_wait(STREAM, AdmissionTimeout("waited too long")))
    event = body.rpartition(b"data: ")[2]

    assert "admission_timeout" == json.loads(event)["error"]["code"]
    assert not is_ended


def test_a_short_wait_is_not_told() -> None:
    async def check() -> None:
        async with RawUpstream(answering(STREAM)) as upstream, door(upstream.port) as proxy:
            raw = await proxy.ask(proxy.post(BODY))

            assert (EVENTS, True) == unchunk(raw.partition(b"\r\n\r\n")[2])

    run(check())


@pytest.mark.parametrize(
    ("member", "expected"), [(b"0", 0.0), (b'"10m"', 600.0), (b"-1", -1.0), (b"null", None)]
)
def test_keep_alive_reaches_the_runtime_and_not_the_server(member: bytes, expected: float | None) -> None:
    async def check() -> None:
        async with RawUpstream(answering(plain(b"{}"))) as upstream, door(upstream.port) as proxy:
            await proxy.ask(proxy.post(b'{"model": "tiny", "keep_alive": ' + member + b"}"))
            admission = proxy.runtime.admissions[0]

            assert admission is not None
            assert expected == admission.keep_alive_s
            assert b'{"model": "tiny"}' == upstream.requests[0].body

    run(check())


def test_the_parts_of_a_wait_are_a_header() -> None:
    assert [] == timing_header(Waited())
    assert [(b"server-timing", b"queued;dur=0.0, stop;dur=3.0, spawn;dur=2.0, load;dur=15.5")] == (
        timing_header(Waited(0, 0.003, 0.002, 0.0155))
    )
