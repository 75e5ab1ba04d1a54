"""Downloads on in-memory adapters and time by hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ggtui.adapters.memory.deployments import ManualClock
from ggtui.adapters.memory.downloads import MemoryDownloads, MemoryHub, MemoryPuller
from ggtui.core.backends.backend import Backend, BackendType
from ggtui.core.deployment.secret import Secret
from ggtui.core.downloads.jobs import FilePart, Job, JobState
from ggtui.core.ports.downloads import Offer
from ggtui.services.downloads.book import Downloads
from ggtui.services.downloads.loop import DownloadLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

GUARD_S = 20
BOX = Backend("box", BackendType.OLLAMA, "http://127.0.0.1:11434")
VLLM = Backend("gpu", BackendType.VLLM, "http://127.0.0.1:8000")
A, B, C = "owner/repo:A", "owner/repo:B", "owner/repo:C"
SHARDS = (FilePart("a-1.gguf", 1000, "ab" * 32), FilePart("a-2.gguf", 500, "cd" * 32))
KEY = Secret("a key of its own")


def offered(model: str) -> Offer:
    """What the hub has of it: 1500 bytes in two shards."""
    return Offer(model, model.rpartition(":")[2], "c" * 40, SHARDS)


@dataclass
class Rig:
    """The book with its loop, and everything around it."""

    queue: MemoryDownloads = field(default_factory=MemoryDownloads)
    clock: ManualClock = field(default_factory=ManualClock)
    parallel: int = 2
    max_bytes_per_s: float = 0
    backends: tuple[Backend, ...] = (BOX, VLLM)

    def __post_init__(self) -> None:
        self.hub = MemoryHub(*map(offered, (A, B, C)))
        self.puller = MemoryPuller()
        self.book = Downloads(
            self.queue,
            self.hub,
            self.puller,
            backend_of=lambda name: next((each for each in self.backends if each.name == name), None),
            key_of=self._key,
            clock=self.clock,
            parallel=self.parallel,
            max_bytes_per_s=self.max_bytes_per_s,
        )
        self.loop = DownloadLoop(self.book, self.clock)
        self.done: list[str] = []
        self.seen: list[tuple[Job, ...]] = []
        self.book.finished = lambda job: self.done.append(job.model)
        self.book.changed = lambda: self.seen.append(self.book.jobs)

    async def _key(self, name: str) -> Secret | None:
        return KEY if name == BOX.name else None

    def job(self, model: str) -> Job:
        return next(job for job in self.book.jobs if job.model == model)

    def state(self, model: str) -> JobState:
        return self.job(model).state

    @property
    def models(self) -> list[str]:
        """In their order."""
        return [job.model for job in self.book.jobs]

    @property
    def fetching(self) -> list[str]:
        """Under way at the hub."""
        return list(self.hub.fetching)

    async def add(self, *models: str, **more: Any) -> None:
        """A person wants these."""
        for model in models:
            await self.book.add(model, **{"by_person": True, **more})
        await settled()

    async def reach(self, model: str, *completed: int, came: int = 0) -> None:
        """So much of its files is on the disk, of which so much came over the network now."""
        fetching = self.hub.fetching[model]
        fetching.allow(came)
        fetching.reach(*completed)
        await settled()

    async def end(self, model: str, error: Exception | None = None) -> None:
        """Its fetch ends well, or with this."""
        fetching = self.hub.fetching[model]
        fetching.finish() if error is None else fetching.fail(error)
        await settled()

    async def advance(self, seconds: float) -> None:
        """Let time pass in steps of a second, and work go on in each."""
        while seconds > 0:
            self.clock.advance(min(1.0, seconds))
            seconds -= 1.0
            await settled()


@asynccontextmanager
async def running(rig: Rig) -> AsyncIterator[Rig]:
    """The rig with its parts started; they are stopped at the end."""
    await rig.book.start()
    await rig.loop.start()
    try:
        yield rig
    finally:
        await rig.loop.stop()
        await rig.book.stop()


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """With a guard against what hangs."""

    async def guarded() -> None:
        async with asyncio.timeout(GUARD_S):
            await work()

    asyncio.run(guarded())


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(30):
        await asyncio.sleep(0)


def next_run(rig: Rig, **more: Any) -> Rig:
    """The next start of ggtui with what this one has kept."""
    return Rig(MemoryDownloads(rig.queue.kept.values(), last_number=rig.queue.last_number), **more)
