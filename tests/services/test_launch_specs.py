"""What a model is launched with: whether its file will do, and which servers are out of date."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from ggtui.adapters.memory.catalog import MemoryCatalog
from ggtui.core.causes import End
from ggtui.core.decisions import Resident
from ggtui.core.errors import LaunchRejected, ModelNotFound, SpawnReason
from ggtui.core.models import AdapterFile, LaunchOptions, ModelSummary
from ggtui.core.state import TargetState
from ggtui.services.launch_specs import LaunchSpecs
from ggtui.services.launches import LaunchLedger
from ggtui.services.logs import LogBook
from ggtui.services.replicas import Replicas
from tests.services.desk import ALPHA, BETA, desk


def test_a_broken_file_is_refused_before_anything_is_stopped() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.catalog.put(ModelSummary(3, "broken", "broken", "", 10, problem="the file is cut"))
            await it.control.rescan()
            alpha = await it.runtime.ensure_model_running("alpha", None, 4096)
            with pytest.raises(LaunchRejected) as caught:
                await it.runtime.ensure_model_running("broken", None, 4096)

            assert SpawnReason.BAD_MODEL_FILE == caught.value.reason
            assert alpha == await it.runtime.current_model()
            assert TargetState.FAILED == it.state_of("broken")

    asyncio.run(scenario())


def test_a_file_that_was_cut_and_is_whole_now_is_served() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.catalog.put(ModelSummary(3, "gamma", "gamma", "", 10, problem="the file is cut"))
            await it.control.rescan()
            with pytest.raises(LaunchRejected):
                await it.runtime.ensure_model_running("gamma", None, 4096)
            it.catalog.put(ModelSummary(3, "gamma", "gamma", "", 20))
            await it.catalog.refresh()

            assert "gamma" == (await it.runtime.ensure_model_running("gamma", None, 4096)).model_name

    asyncio.run(scenario())


def test_a_model_that_nobody_knows_is_told_with_near_names() -> None:
    async def scenario() -> None:
        async with desk() as it:
            with pytest.raises(ModelNotFound) as caught:
                await it.runtime.ensure_model_running("alpa", None, 4096)

            assert ("alpha",) == caught.value.near

    asyncio.run(scenario())


def test_only_a_server_that_would_be_launched_otherwise_now_is_outdated() -> None:
    async def scenario() -> None:
        catalog, ledger = MemoryCatalog([ALPHA]), LaunchLedger(LogBook())
        specs = LaunchSpecs(catalog, ledger, Replicas())
        spec = await specs.resolve("alpha")
        servers = [Resident(1, ALPHA.id, 4096), Resident(2, ALPHA.id, 4096), Resident(3, ALPHA.id, 4096)]
        for server in servers[:2]:  # the third is one that the ledger knows no longer
            ledger.begin(server.launch_id, spec, server.n_ctx, lambda: None)
        begun = ledger.launch(2)
        assert begun is not None
        begun.options = LaunchOptions(n_parallel=7)

        assert [2] == specs.outdated(servers, 4096, frozenset())
        assert [2] == specs.outdated(servers, 4096, {ALPHA.id})
        assert [2] == specs.outdated(servers, 8192, frozenset())
        assert [1, 2] == specs.outdated(servers, 8192, {ALPHA.id})

    asyncio.run(scenario())


def test_servers_without_the_file_of_an_adapter_lack_it_unless_they_end_anyway() -> None:
    async def scenario() -> None:
        catalog, ledger = MemoryCatalog([ALPHA, BETA]), LaunchLedger(LogBook())
        specs = LaunchSpecs(catalog, ledger, Replicas())
        before = await specs.resolve("alpha")
        code = AdapterFile("code", Path("code.gguf"))
        now = replace(before, options=replace(before.options, adapters=(code,)))
        residents = [
            Resident(1, ALPHA.id, 4096),
            Resident(2, ALPHA.id, 4096, unwanted=End.SETTINGS),
            Resident(3, ALPHA.id, 4096),
            Resident(4, BETA.id, 4096),
        ]
        for resident, spec in zip(residents, (before, before, now, await specs.resolve("beta")), strict=True):
            ledger.begin(resident.launch_id, spec, resident.n_ctx, lambda: None)

        assert [1] == specs.lacking(residents, now)

    asyncio.run(scenario())
