"""Backends on scripted neighbours and time by hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ggtui.adapters.memory.deployments import ManualClock, MemorySecrets
from ggtui.core.backends.backend import THIS_MACHINE, Backend, BackendType, Declared, DeclaredModel
from ggtui.core.backends.observed import BackendState, PulledModel
from ggtui.core.deployment.secret import SecretRef, SecretSource
from ggtui.core.downloads.jobs import Job, JobKind, JobState
from ggtui.core.errors import BackendError, StoreUnavailable
from ggtui.services.backends.book import Backends
from ggtui.services.backends.loop import ReconcileLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable

    from ggtui.core.backends.rows import RowState
    from ggtui.core.deployment.secret import Secret

GUARD_S = 20
KEY = SecretRef(SecretSource.ENV, "A_KEY")


def vllm(name: str = "box", *models: str, **fields: Any) -> Backend:
    """A backend that is only asked."""
    return Backend(name, BackendType.VLLM, f"http://{name}:8000", models=named(*models), **fields)


def ollama(name: str = "pond", *models: str, **fields: Any) -> Backend:
    """A backend that can fetch by itself."""
    return Backend(name, BackendType.OLLAMA, f"http://{name}:11434", models=named(*models), **fields)


def openai(name: str = "cloud", *models: str, **fields: Any) -> Backend:
    """A backend whose list is kept, asked by a key."""
    return Backend(name, BackendType.OPENAI, models=named(*models), api_key=KEY, **fields)


def named(*names: str) -> tuple[DeclaredModel, ...]:
    return tuple(DeclaredModel(each) for each in names)


def declared(*backends: Backend, **fields: Any) -> Declared:
    return Declared(backends, **fields)


@dataclass
class ScriptedObserver:
    """The BackendObserverPort: what each backend has, by its name."""

    has: dict[str, tuple[str, ...]] = field(default_factory=dict)
    errors: dict[str, str | Exception] = field(default_factory=dict)
    silent: dict[str, asyncio.Event] = field(default_factory=dict)
    """Backends that answer once the event is set."""
    asked: list[tuple[str, Secret | None]] = field(default_factory=list)
    wanted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Models that each was last asked for."""
    n_open: int = 0
    is_closed: bool = False

    async def observe(self, backend: Backend, key: Secret | None) -> tuple[PulledModel, ...]:
        self.asked.append((backend.name, key))
        self.wanted[backend.name] = tuple(each.name for each in backend.models)
        self.n_open += 1
        try:
            if backend.name in self.silent:
                await self.silent[backend.name].wait()
        finally:
            self.n_open -= 1
        if error := self.errors.get(backend.name):
            raise BackendError(error) if isinstance(error, str) else error
        return tuple(PulledModel(each) for each in self.has.get(backend.name, ()))

    async def close(self) -> None:
        self.is_closed = True

    def n_asked(self, name: str) -> int:
        return sum(each == name for each, _ in self.asked)


@dataclass
class ScriptedDownloads:
    """What the cycle sees of downloads: jobs in a list, and every order that was given."""

    jobs: tuple[Job, ...] = ()
    held: set[tuple[str, str]] = field(default_factory=set)
    added: list[tuple[str, str, bool]] = field(default_factory=list)
    """Backend, model, and whether a person asked."""
    told: list[list[tuple[str, str]]] = field(default_factory=list)
    """What is declared, each time it was told."""
    failure: str = ""

    async def declare(self, wanted: Iterable[tuple[str, str]]) -> None:
        self._check()
        pairs = list(wanted)
        self.told.append(pairs)
        self.jobs = tuple(each for each in self.jobs if each.by_person or (each.backend, each.model) in pairs)

    def is_held(self, backend: str, model: str) -> bool:
        return (backend, model) in self.held

    async def add(
        self,
        model: str,
        *,
        backend: str = THIS_MACHINE,
        base_url: str = "",
        by_person: bool,
    ) -> Job:
        await asyncio.sleep(0)
        self._check()
        self.added.append((backend, model, by_person))
        kind = JobKind.HUB if backend == THIS_MACHINE else JobKind.PULL
        number = len(self.added)
        job = Job(number, kind, model, backend, base_url, by_person=by_person)
        self.jobs = (*self.jobs, job)
        return job

    def _check(self) -> None:
        if self.failure:
            raise StoreUnavailable(self.failure)

    def set(self, number: int, state: JobState, ended_at: float | None = None) -> None:
        """A job is so now."""
        self.jobs = tuple(
            replace(each, state=state, ended_at=ended_at) if each.number == number else each
            for each in self.jobs
        )


@dataclass
class Rig:
    """The book, its loop, and everything around them."""

    declared: Declared = field(default_factory=Declared)
    observer: ScriptedObserver = field(default_factory=ScriptedObserver)
    downloads: ScriptedDownloads = field(default_factory=ScriptedDownloads)
    secrets: MemorySecrets = field(default_factory=lambda: MemorySecrets({"A_KEY": "first"}))
    clock: ManualClock = field(default_factory=ManualClock)
    on_disk: set[str] = field(default_factory=set)
    disk_failure: str = ""
    interval_s: float = 10.0
    drawn: float = 0.0
    """What chance draws."""

    def __post_init__(self) -> None:
        self.n_changes = 0
        self.book = Backends(
            self.declared,
            observer=self.observer,
            secrets=self.secrets,
            downloads=self.downloads,
            local_has=self._has,
            clock=self.clock,
            r=lambda: self.drawn,
        )
        self.book.changed = self._changed
        self.loop = ReconcileLoop(self.book, interval_s=self.interval_s, clock=self.clock)

    async def _has(self, model: DeclaredModel) -> bool:
        if self.disk_failure:
            raise StoreUnavailable(self.disk_failure)
        return model.repository in self.on_disk

    def _changed(self) -> None:
        self.n_changes += 1

    async def cycle(self) -> None:
        await self.book.run_backend_cycle()

    def state(self, name: str) -> BackendState:
        return next(each for each in self.book.get() if each.name == name)

    def rows(self) -> dict[tuple[str, str], RowState]:
        """State by backend and model."""
        return {(row.backend, row.model): row.state for row in self.book.rows}

    @property
    def n_cycles(self) -> int:
        """Cycles that have asked the first of the backends."""
        return self.observer.n_asked(self.declared.backends[0].name)


def run(work: Coroutine[Any, Any, None]) -> None:
    """With a guard against what hangs; no task may outlive it."""

    async def guarded() -> None:
        async with asyncio.timeout(GUARD_S):
            await work

        assert 1 == len(asyncio.all_tasks())

    asyncio.run(guarded())


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(50):
        await asyncio.sleep(0)


@asynccontextmanager
async def looping(rig: Rig) -> AsyncIterator[ReconcileLoop]:
    """The loop as the engine runs it: its first cycle has ended."""
    await rig.loop.start()
    await settled()
    try:
        yield rig.loop
    finally:
        await rig.loop.stop()
        await rig.book.stop()
