"""The closed loop: connections that ask again as soon as they have their answer."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, cast

import httptools

from benchmarks.figures import percentile
from benchmarks.load.jobs import CallResult

if TYPE_CHECKING:
    from benchmarks.load.jobs import CallJob

HANG_S = 60.0
"""An answer that takes longer ends the job."""


class Tally:
    """What all connections of one job have seen, between two readings of perf_counter."""

    def __init__(self, begin: float, end: float, calls_each: int) -> None:
        self.begin = begin
        self.end = end
        self.calls_each = calls_each
        self.times: list[float] = []
        self.n_all = 0
        self.errors = 0
        self.complaint = ""

    def fail(self, complaint: str) -> None:
        """Count an error and keep the first one's words."""
        self.errors += 1
        self.complaint = self.complaint or complaint


class Caller(asyncio.Protocol):
    """One connection. `over` tells whether its caller is to connect again."""

    def __init__(self, request: bytes, tally: Tally, n_before: int) -> None:
        """n_before: answers this caller already had over earlier connections."""
        self._request = request
        self._tally = tally
        self.n_answers = n_before
        self.over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._tally.fail(f"not HTTP: {error}")
            self._finish(again=False)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_waiting:
            self._tally.fail("the connection ended before the answer")
        self._finish(again=not self._is_waiting)

    def on_message_complete(self) -> None:
        """An answer is whole."""
        now, tally = time.perf_counter(), self._tally
        self._is_waiting = False
        self.n_answers += 1
        tally.n_all += 1
        status = self._parser.get_status_code()
        if status != 200:
            tally.fail(f"status {status}")
        elif self._sent >= tally.begin and now <= tally.end:
            tally.times.append(now - self._sent)
        if now >= tally.end or self.n_answers == tally.calls_each or status != 200:
            self._finish(again=False)
        elif not self._parser.should_keep_alive():
            self._finish(again=True)
        else:
            self._ask()

    def _ask(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._is_waiting = True
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def _finish(self, *, again: bool) -> None:
        if not self.over.done():
            self.over.set_result(again)
            self._transport.close()


async def call(job: CallJob) -> CallResult:
    """Run the job."""
    request = job.request()
    now = time.perf_counter()
    begin = now + job.warm_up_s
    end = float("inf") if job.calls_each else begin + job.seconds
    tally = Tally(begin, end, job.calls_each)
    try:
        async with asyncio.timeout(job.seconds + HANG_S):
            await asyncio.gather(*(_keep_calling(job, request, tally) for _ in range(job.connections)))
    except (OSError, TimeoutError) as error:
        tally.fail(type(error).__name__)
    seconds = time.perf_counter() - begin if job.calls_each else job.seconds
    times = tally.times or [0.0]
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    return CallResult(len(tally.times), tally.n_all, seconds, p50, p99, tally.errors, tally.complaint)


async def _keep_calling(job: CallJob, request: bytes, tally: Tally) -> None:
    """A server may end a kept connection after an answer: the next one then needs a new one."""
    loop = asyncio.get_running_loop()
    n_answers, is_again = 0, True
    while is_again:
        _, caller = await loop.create_connection(
            lambda n=n_answers: Caller(request, tally, n),  # type: ignore[misc]
            job.host,
            job.port,
        )
        is_again = await caller.over
        n_answers = caller.n_answers
