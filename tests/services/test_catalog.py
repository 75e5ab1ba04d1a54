"""The catalog as the engine uses it: what it notices by itself, and what a running server changes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.catalog import MemoryCatalog
from ggtui.core.errors import ModelFileNotFound, StoreUnavailable
from ggtui.core.model_settings import CommonSettings, ModelSettings
from ggtui.core.models import AdapterSummary, LaunchOptions, ModelSummary
from ggtui.core.routing.adapters import AttachedAdapter
from ggtui.services.catalog import CatalogService
from tests.services.desk import desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from ggtui.core.ports.catalog import CatalogReport

ALPHA = ModelSummary(1, "alpha", "alpha", "llama", 1000, n_ctx_train=8192)
BETA = ModelSummary(2, "beta", "beta", "llama", 1000, n_ctx_train=8192)
GUARD_S = 20.0
OFTEN_S = (0.001, 0.002)


class Shelf:
    """A started service over a catalog in memory."""

    def __init__(self, watch_s: tuple[float, float]) -> None:
        self.disk = MemoryCatalog([ALPHA, BETA])
        self.service = CatalogService(self.disk, watch_s=watch_s)
        self.running: set[int] = set()
        self.service.is_resident = self.running.__contains__
        self._changed = asyncio.Event()
        self.service.changed = self._changed.set

    def names(self) -> list[str]:
        return [model.public_id for model in self.service.models]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for a change after which something is so."""
        while not is_so():
            self._changed.clear()
            await self._changed.wait()


@asynccontextmanager
async def shelf(watch_s: tuple[float, float] = (3600.0, 3600.0)) -> AsyncIterator[Shelf]:
    it = Shelf(watch_s)
    await it.service.start()
    try:
        await it.service.list_models()
        await it.service.rescan()
        yield it
    finally:
        await it.service.stop()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def guarded() -> None:
        await asyncio.wait_for(scenario(), GUARD_S)

    asyncio.run(guarded())


def test_new_and_vanished_models_are_noticed_without_being_asked() -> None:
    async def scenario() -> None:
        async with shelf(OFTEN_S) as it:
            it.disk.put(ModelSummary(3, "gamma", "gamma", "llama", 1))
            await it.until(lambda: "gamma" in it.names())
            it.disk.take(1)
            await it.until(lambda: ["beta", "gamma"] == it.names())

    run(scenario)


def test_a_store_that_fails_for_a_moment_is_watched_on() -> None:
    async def scenario() -> None:
        async with shelf(OFTEN_S) as it:
            failed = asyncio.Event()
            healthy = it.disk.refresh_changed

            async def failing() -> bool:
                failed.set()
                raise StoreUnavailable("busy")

            it.disk.refresh_changed = failing  # type: ignore[method-assign]
            await failed.wait()
            it.disk.refresh_changed = healthy  # type: ignore[method-assign]
            it.disk.take(1)
            await it.until(lambda: ["beta"] == it.names())

    run(scenario)


def test_a_vanished_file_is_told_before_a_launch_though_it_was_known_a_moment_ago() -> None:
    async def scenario() -> None:
        async with shelf() as it:
            before = await it.service.resolve_for_launch("alpha")
            it.disk.take(1)
            after = await it.service.resolve_for_launch("alpha")

            assert [False, True] == [spec.is_missing for spec in (before, after) if spec is not None]

    run(scenario)


def test_a_vanished_model_is_refused_and_what_runs_goes_on() -> None:
    async def scenario() -> None:
        async with desk() as it:
            for name in ("beta", "alpha"):
                await it.runtime.ensure_model_running(name, None, 4096)
            it.catalog.take(2)

            for ask in (it.runtime.ensure_model_running("beta", None, 4096), it.runtime.load("beta", None)):
                with pytest.raises(ModelFileNotFound):
                    await ask
            running = await it.runtime.current_model()

            assert running is not None
            assert "alpha" == running.model_name

    run(scenario)


def test_a_server_that_runs_needs_no_file() -> None:
    async def scenario() -> None:
        async with shelf() as it:
            await it.service.resolve_for_launch("alpha")
            it.running.add(1)
            await it.service.note_loaded(1)
            it.disk.take(1)
            unknown_yet = await it.service.resolve_for_launch("alpha")
            await it.service.note_loaded(1)
            await it.service.rescan()
            spec = await it.service.resolve_for_launch("alpha")

            assert [(False, None)] * 2 == [
                (each.is_missing, each.problem) for each in (unknown_yet, spec) if each is not None
            ]
            assert ["alpha", "beta"] == it.names()
            assert "its file has gone; it runs until it is stopped" == it.service.models[0].problem

    run(scenario)


def test_a_model_without_a_file_is_gone_with_its_server() -> None:
    async def scenario() -> None:
        async with shelf(OFTEN_S) as it:
            it.running.add(1)
            await it.service.resolve_for_launch("alpha")
            it.disk.take(1)
            await it.until(lambda: it.service.models[0].problem is not None)
            it.running.clear()
            stopped = await it.service.resolve_for_launch("alpha")
            await it.until(lambda: ["beta"] == it.names())

            assert stopped is None or stopped.is_missing

    run(scenario)


class SlowDisk(MemoryCatalog):
    """A scan shows what was there when it began, and ends when it is let go."""

    def __init__(self, models: Sequence[ModelSummary]) -> None:
        super().__init__(models)
        self.n_scans = 0
        self.is_scanning = asyncio.Event()
        self.let_go = asyncio.Event()

    async def refresh(self) -> CatalogReport:
        self.n_scans += 1
        self.is_scanning.set()
        await self.let_go.wait()
        return await super().refresh()


def test_other_places_are_looked_at_by_a_scan_of_their_own() -> None:
    async def scenario() -> None:
        disk = SlowDisk([ALPHA])
        service = CatalogService(disk, watch_s=(3600.0, 3600.0))
        await service.start()
        try:
            moving = asyncio.create_task(service.reconfigure([], LaunchOptions()))
            await disk.is_scanning.wait()
            disk.let_go.set()
            await moving

            assert 2 == disk.n_scans
        finally:
            await service.stop()

    run(scenario)


def test_what_has_changed_during_a_scan_is_looked_at_after_it_once() -> None:
    async def scenario() -> None:
        disk = SlowDisk([ALPHA])
        service = CatalogService(disk, watch_s=(3600.0, 3600.0))
        await service.start()
        try:
            await disk.is_scanning.wait()
            for _ in range(3):
                service.rescan_soon()
            disk.let_go.set()
            await service.scan_ended()
            await service.scan_ended()

            assert (2, False) == (disk.n_scans, service.is_scanning)

            service.rescan_soon()
            await service.scan_ended()

            assert 3 == disk.n_scans

            disk.let_go.clear()
            disk.is_scanning.clear()
            service.rescan_soon()
            await disk.is_scanning.wait()
            service.rescan_soon()
        finally:
            await service.stop()
        for _ in range(5):
            await asyncio.sleep(0)

        assert (4, False) == (disk.n_scans, service.is_scanning)

    run(scenario)


def test_a_look_at_adapters_that_takes_long_does_not_bring_former_settings_back() -> None:
    async def scenario() -> None:
        async with shelf() as it:
            is_looking, may_end = asyncio.Event(), asyncio.Event()

            async def slow(paths: Sequence[str]) -> tuple[AdapterSummary, ...]:
                is_looking.set()
                await may_end.wait()
                return tuple(AdapterSummary("code", "llama", 7, Path(path)) for path in paths)

            it.disk.adapters_at = slow  # type: ignore[method-assign]
            own = ModelSettings(adapters=(AttachedAdapter("code", "/l/code.gguf"),))
            it.service.settings.take({"alpha": own}, CommonSettings())
            former = asyncio.create_task(it.service.reread())
            await is_looking.wait()
            it.service.settings.take({}, CommonSettings())
            latter = asyncio.create_task(it.service.reread())
            await asyncio.sleep(0)
            may_end.set()
            await asyncio.gather(former, latter)

            assert () == it.service.adapters_of("alpha")

    run(scenario)
