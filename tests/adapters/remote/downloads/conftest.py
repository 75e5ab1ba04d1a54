"""Downloads from a hub of our own into a cache of the test's own."""

from __future__ import annotations

import asyncio
import hashlib
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.remote.downloads.hub import Hub
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads.jobs import FilePart, Job, JobKind
from ggtui.core.errors import Failure
from tests.hub import serving_hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.hub import FakeHub

GUARD_S = 30.0
NAME = "own/vision-GGUF"
MODEL = "m-Q4_K_M.gguf"


def gguf(n_bytes: int = 3_000_000, seed: int = 0) -> bytes:
    """Bytes that begin as a model does."""
    return b"GGUF" + random.Random(seed).randbytes(n_bytes - 4)


@dataclass
class Told:
    """What was reported on the way."""

    reports: list[tuple[tuple[FilePart, ...], str]] = field(default_factory=list)
    n_allowed: int = 0
    wait_s: float = 0.0
    """What the bandwidth asks for after each piece."""
    on_bytes: Callable[[int], None] = lambda _: None
    """Called with how many bytes were written so far."""

    def progress(self, parts: Sequence[FilePart], doing: str) -> None:
        self.reports.append((tuple(parts), doing))

    def allow(self, n_bytes: int) -> float:
        self.n_allowed += n_bytes
        self.on_bytes(self.n_allowed)
        return self.wait_s

    @property
    def completed(self) -> list[int]:
        """Bytes on disk, by report."""
        return [sum(part.completed_bytes for part in parts) for parts, _ in self.reports]

    @property
    def doings(self) -> list[str]:
        """What was done, each once, in order."""
        return list(dict.fromkeys(doing for _, doing in self.reports))


@dataclass
class Desk:
    """Fetches, and looks at what is there afterwards."""

    hub: FakeHub
    cache: Path
    environ: dict[str, str]
    told: Told = field(default_factory=Told)

    def adapter(self, **more: Any) -> Hub:
        return Hub(self.environ, **({"stall_s": 5.0, "pause_s": 0.01} | more))

    def job(self, model: str = NAME, **more: Any) -> Job:
        return Job(1, JobKind.HUB, model, THIS_MACHINE, **more)

    def fetch(self, model: str = NAME, job: Job | None = None, **more: Any) -> None:
        """Bring it here."""
        adapter = self.adapter(**more)
        work = adapter.fetch(job or self.job(model), self.told.progress, self.told.allow)
        asyncio.run(asyncio.wait_for(work, GUARD_S))

    def failure(self, model: str = NAME, job: Job | None = None, **more: Any) -> Failure:
        """What stands in the way of the same."""
        with pytest.raises(Failure) as caught:
            self.fetch(model, job, **more)
        return caught.value

    def broken_off(self, after: int, content: bytes) -> None:
        """Have the hub own this model, and its first `after` bytes lie here."""
        self.hub.repository(NAME, {MODEL: content})
        self.hub.script("content", MODEL, {"hold_after": after})
        asyncio.run(self.cancelled_after(after))
        self.hub.release()
        self.told = Told()

    async def cancelled_after(self, n_bytes: int) -> None:
        """Fetch, and be cancelled when so many bytes were written."""
        loop, is_there = asyncio.get_running_loop(), asyncio.Event()

        def look(n_written: int) -> None:
            if n_written >= n_bytes:
                loop.call_soon_threadsafe(is_there.set)

        self.told.on_bytes = look
        hub = self.adapter()
        task = asyncio.create_task(hub.fetch(self.job(), self.told.progress, self.told.allow))
        await asyncio.wait_for(is_there.wait(), GUARD_S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def ask(self, question: Callable[[Hub], Any]) -> Any:
        """The answer of one call."""
        return asyncio.run(asyncio.wait_for(question(self.adapter()), GUARD_S))

    @property
    def repository(self) -> Path:
        """The folder of the repository that most tests use."""
        return self.cache / ("models--" + NAME.replace("/", "--"))

    def blobs(self) -> dict[str, int]:
        """Names and sizes of what is in its folder of contents."""
        folder = self.repository / "blobs"
        return {each.name: each.stat().st_size for each in folder.iterdir()} if folder.exists() else {}

    def found(self, path: str = MODEL, name: str = NAME) -> bytes | None:
        """The file as other programs find it: through the ref and the snapshot."""
        folder = self.cache / ("models--" + name.replace("/", "--"))
        try:
            commit = (folder / "refs/main").read_text()
            return (folder / "snapshots" / commit / path).read_bytes()
        except FileNotFoundError:
            return None

    def ranges(self, path: str = MODEL) -> list[str | None]:
        """What the content server was asked for."""
        return [each["headers"].get("range") for each in self.hub.requests("content", path)]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="package")
def hub_process() -> Iterator[FakeHub]:
    with serving_hub() as hub:
        yield hub


@pytest.fixture
def desk(hub_process: FakeHub, tmp_path: Path) -> Iterator[Desk]:
    hub_process.reset()
    cache = tmp_path / "hub"
    yield Desk(hub_process, cache, hub_process.environ(cache))
    hub_process.reset()
