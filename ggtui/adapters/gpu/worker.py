"""A thread that a driver may block for as long as it likes: nobody waits for it, not even the exit."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class PatientWorker(Generic[T]):
    """Runs one call at a time and keeps the last good value.

    At most one call is under way: while the driver hangs, no further calls pile up behind it.
    """

    def __init__(self, name: str, first_value: T) -> None:
        self.value = first_value
        self.taken_at: float | None = None
        """Loop time of the last good value; None before the first."""
        self._name = name
        self._jobs: SimpleQueue[tuple[Callable[[], T], Future[T]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._under_way: Future[T] | None = None

    async def latest(self, work: Callable[[], T], limit_s: float) -> tuple[T, bool]:
        """The value of this call, or the last good one, and whether it is fresh.

        limit_s: how long to wait. A call that takes longer goes on; its value serves a later one.
        Raises: whatever work raises.
        """
        if self._under_way is None:
            self._under_way = self._submit(work)
        job = self._under_way
        waited_for = asyncio.wrap_future(job)
        waited_for.add_done_callback(_seen)
        done, _ = await asyncio.wait([waited_for], timeout=limit_s)
        if not done:
            return self.value, False
        self._under_way = None
        self.value = job.result()
        self.taken_at = asyncio.get_running_loop().time()
        return self.value, True

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        job: Future[T] = Future()
        self._jobs.put((work, job))
        return job

    def _run(self) -> None:
        while (item := self._jobs.get()) is not None:
            work, job = item
            try:
                job.set_result(work())
            except BaseException as error:
                job.set_exception(error)

    def close(self, last_work: Callable[[], object] | None = None) -> None:
        """Let the thread end after what it is doing, then last_work."""
        if self._thread is None:
            return
        if last_work is not None:
            self._jobs.put((last_work, Future()))  # type: ignore[arg-type]
        self._jobs.put(None)
        self._thread = None


def _seen(future: asyncio.Future[Any]) -> None:
    """An error is raised from the job itself; asyncio need not complain that nobody looked at its copy."""
    if not future.cancelled():
        future.exception()
