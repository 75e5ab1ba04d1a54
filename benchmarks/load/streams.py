"""Streams of server-sent events: every chunk's way is timed, nothing may be missing at the end."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import httptools

from benchmarks.figures import percentile
from benchmarks.load.jobs import StreamResult

if TYPE_CHECKING:
    from benchmarks.load.jobs import StreamJob

_SENT = re.compile(rb'"sent_ns":(\d+)')


@dataclass(slots=True)
class Listened:
    """What one stream brought."""

    sent: list[int] = field(default_factory=list)
    """When each chunk was sent, as it says itself."""
    delays: list[float] = field(default_factory=list)
    """Seconds from there to here."""
    first_byte: float | None = None
    """Seconds from the request."""
    is_done: bool = False
    complaint: str = ""

    def is_whole(self, n_chunks: int) -> bool:
        """True when every chunk came, in order, and the end."""
        is_ordered = self.sent == sorted(self.sent)
        return self.is_done and not self.complaint and len(self.sent) == n_chunks and is_ordered


class Listener(asyncio.Protocol):
    """One stream on its own connection."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._tail = b""
        self._parser = httptools.HttpResponseParser(self)
        self.heard = Listened()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._asked_ns = time.monotonic_ns()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._now_ns = time.monotonic_ns()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(f"not HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("the connection ended in the stream")

    def on_body(self, data: bytes) -> None:
        """Some of the body."""
        heard, now = self.heard, self._now_ns
        if heard.first_byte is None:
            heard.first_byte = (now - self._asked_ns) / 1e9
        data = self._tail + data if self._tail else data
        end = data.rfind(b"\n\n") + 2
        if end < 2:
            self._tail = data
            return
        for sent in _SENT.findall(data, 0, end):
            heard.sent.append(int(sent))
            heard.delays.append((now - int(sent)) / 1e9)
        if data.endswith(b"data: [DONE]\n\n"):
            heard.is_done = True
        self._tail = data[end:]

    def on_message_complete(self) -> None:
        """The answer is over."""
        status = self._parser.get_status_code()
        self._end("" if status == 200 else f"status {status}")

    def _end(self, complaint: str) -> None:
        if not self.over.done():
            self.heard.complaint = complaint
            self.over.set_result(None)
            self._transport.close()


async def stream(job: StreamJob) -> StreamResult:
    """Run the job."""
    request = job.request()
    began = time.perf_counter()
    listeners: list[Listener] = []
    try:
        async with asyncio.timeout(job.limit_s):
            pause_s = job.stagger_s / max(1, job.streams)
            await asyncio.gather(
                *(_listen(job, request, listeners, number * pause_s) for number in range(job.streams))
            )
    except (TimeoutError, OSError) as error:
        return _result(job, listeners, time.perf_counter() - began, type(error).__name__)
    return _result(job, listeners, time.perf_counter() - began)


async def _listen(job: StreamJob, request: bytes, listeners: list[Listener], wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    loop = asyncio.get_running_loop()
    _, listener = await loop.create_connection(lambda: Listener(request), job.host, job.port)
    listeners.append(listener)
    await listener.over


def _result(job: StreamJob, listeners: list[Listener], seconds: float, complaint: str = "") -> StreamResult:
    heard = [listener.heard for listener in listeners]
    delays = [delay for each in heard for delay in each.delays] or [0.0]
    firsts = [each.first_byte for each in heard if each.first_byte is not None] or [0.0]
    broken = [each for each in heard if not each.is_whole(job.chunks)]
    if broken and not complaint:
        complaint = broken[0].complaint or f"{len(broken[0].sent)} of {job.chunks} chunks in order"
    return StreamResult(
        chunks=sum(len(each.sent) for each in heard),
        whole=len(heard) - len(broken),
        seconds=seconds,
        first_byte_p50=percentile(firsts, 0.5),
        first_byte_p99=percentile(firsts, 0.99),
        delay_p50=percentile(delays, 0.5),
        delay_p99=percentile(delays, 0.99),
        complaint=complaint,
    )
