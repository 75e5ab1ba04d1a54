"""What every runtime promises: in memory, over a fake launcher, and on llama.cpp."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import pytest

from ggtui.adapters.llama_server.launcher import LlamaServerLauncher
from ggtui.adapters.memory.catalog import MemoryCatalog
from ggtui.adapters.memory.launcher import MemoryLauncher
from ggtui.adapters.memory.runtime import MemoryRuntime
from ggtui.core.errors import ModelNotFound
from ggtui.core.models import ModelSummary
from ggtui.services.launches import LaunchLedger
from ggtui.services.logs import LogBook
from ggtui.services.runtime import ModelRuntime, RuntimeSettings
from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.launcher import LauncherPort
    from ggtui.core.ports.runtime import ModelRuntimePort

GUARD_S = 30
ALPHA = ModelSummary(1, "alpha", "alpha", "llama", 1000, n_ctx_train=8192)
BETA = ModelSummary(2, "beta", "beta", "llama", 1000, n_ctx_train=8192)


class Maker(Protocol):
    """Makes a runtime that knows alpha and beta."""

    def __call__(self, folder: Path) -> AbstractAsyncContextManager[ModelRuntimePort]: ...


@asynccontextmanager
async def in_memory(folder: Path) -> AsyncIterator[ModelRuntimePort]:
    yield MemoryRuntime([ALPHA, BETA])


@asynccontextmanager
async def over_fake_launcher(folder: Path) -> AsyncIterator[ModelRuntimePort]:
    async with _real(MemoryCatalog([ALPHA, BETA]), MemoryLauncher()) as runtime:
        yield runtime


@asynccontextmanager
async def over_embedded_engine(folder: Path) -> AsyncIterator[ModelRuntimePort]:
    for seed, name in enumerate(("alpha", "beta")):
        tiny_model(folder / f"{name}.gguf", name=name, seed=seed, n_ctx_train=8192)
    launcher = LlamaServerLauncher("embedded", {}, folder / "run", folder / "log")
    async with _real(MemoryCatalog([ALPHA, BETA], folder=folder), launcher) as runtime:
        yield runtime


@asynccontextmanager
async def _real(catalog: MemoryCatalog, launcher: LauncherPort) -> AsyncIterator[ModelRuntimePort]:
    runtime = ModelRuntime(catalog, launcher, LaunchLedger(LogBook()), RuntimeSettings())
    try:
        yield runtime
    finally:
        await runtime.close()


@pytest.fixture(
    params=[in_memory, over_fake_launcher, over_embedded_engine], ids=lambda make: str(make.__name__)
)
def make(request: pytest.FixtureRequest) -> Maker:
    maker: Maker = request.param
    return maker


def test_nothing_runs_before_the_first_start_and_stopping_it_succeeds(make: Maker, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(GUARD_S), make(tmp_path) as runtime:
            await runtime.stop_current()

            assert await runtime.current_model() is None

    asyncio.run(scenario())


def test_an_unknown_name_is_model_not_found(make: Maker, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(GUARD_S), make(tmp_path) as runtime:
            with pytest.raises(ModelNotFound):
                await runtime.ensure_model_running("gamma", None, 4096)
            with pytest.raises(ModelNotFound):
                async with runtime.acquire("ALPHA", None, 4096):
                    pass

    asyncio.run(scenario())


def test_names_and_numbers_reach_the_same_model(make: Maker, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(GUARD_S), make(tmp_path) as runtime:
            by_name = await runtime.ensure_model_running("alpha", None, 2048)

            assert (1, "alpha", 2048) == (by_name.model_id, by_name.model_name, by_name.effective_ctx)
            assert by_name == await runtime.ensure_model_running("1", None, 2048)
            assert by_name == await runtime.current_model()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("asked", "starts_again", "n_ctx"),
    [
        (None, False, 2048),
        (1024, False, 2048),
        (2048, False, 2048),
        (4096, True, 4096),
        (999_999, True, 8192),
    ],
)
def test_a_running_context_is_kept_unless_more_is_asked(
    make: Maker, tmp_path: Path, asked: int | None, starts_again: bool, n_ctx: int
) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(GUARD_S), make(tmp_path) as runtime:
            before = await runtime.ensure_model_running("alpha", 2048, 4096)
            after = await runtime.ensure_model_running("alpha", asked, 4096)

            assert starts_again == (before.pid != after.pid)
            assert n_ctx == after.effective_ctx

    asyncio.run(scenario())


def test_a_lease_is_never_cut_by_a_swap(make: Maker, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(GUARD_S), make(tmp_path) as runtime, AsyncExitStack() as lease:
            alpha = await lease.enter_async_context(runtime.acquire("alpha", None, 2048))
            swap = asyncio.create_task(runtime.ensure_model_running("beta", None, 2048))
            await _let_others_run()

            assert not swap.done()
            assert alpha == await runtime.current_model()

            await lease.aclose()

            assert "beta" == (await swap).model_name

    asyncio.run(scenario())


def test_a_waiter_that_leaves_leaves_no_trace(make: Maker, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(GUARD_S), make(tmp_path) as runtime, AsyncExitStack() as lease:
            alpha = await lease.enter_async_context(runtime.acquire("alpha", None, 2048))
            swap = asyncio.create_task(runtime.ensure_model_running("beta", None, 2048))
            await _let_others_run()
            swap.cancel()
            await asyncio.gather(swap, return_exceptions=True)
            await lease.aclose()

            assert alpha == await runtime.ensure_model_running("alpha", None, 2048)

    asyncio.run(scenario())


def test_fifty_cold_requests_share_one_start(make: Maker, tmp_path: Path) -> None:
    async def scenario() -> set[RunningTarget]:
        async with asyncio.timeout(GUARD_S), make(tmp_path) as runtime:
            wanted = (runtime.ensure_model_running("alpha", None, 2048) for _ in range(50))
            return set(await asyncio.gather(*wanted))

    assert 1 == len(asyncio.run(scenario()))


def test_after_a_stop_nothing_runs_and_the_next_request_starts_again(make: Maker, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(GUARD_S), make(tmp_path) as runtime:
            before = await runtime.ensure_model_running("alpha", None, 2048)
            await runtime.stop_current()

            assert await runtime.current_model() is None
            assert before.pid != (await runtime.ensure_model_running("alpha", None, 2048)).pid

    asyncio.run(scenario())


async def _let_others_run() -> None:
    for _ in range(20):
        await asyncio.sleep(0)
