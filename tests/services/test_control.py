"""What a person may ask, and the one gate for read-only."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from ggtui.adapters.memory.launcher import MemoryLauncher
from ggtui.core.errors import ModelNotFound, ReadOnly, RemovalRefused
from ggtui.core.labels import label_change
from ggtui.core.load_history import LoadRecord
from ggtui.core.models import AdapterSummary
from ggtui.core.routing.name_settings import NameSettings
from ggtui.core.state import TargetState
from tests.services.desk import ALPHA, desk


def test_a_loaded_context_becomes_the_models_own_and_survives_plain_requests() -> None:
    async def scenario() -> None:
        async with desk() as it:
            chosen = await it.control.load("alpha", 2048)
            asked = await it.runtime.ensure_model_running("alpha", None, 4096)

            assert 2048 == chosen.effective_ctx
            assert chosen == asked
            assert 2048 == it.snapshot().models[0].n_ctx

            smaller = await it.control.load("alpha", 1024)

            assert 1024 == smaller.effective_ctx

    asyncio.run(scenario())


def test_a_label_shows_in_the_next_snapshot_and_not_when_read_only() -> None:
    change = label_change(name="Fox", added=("small",), is_favourite=True)

    async def scenario() -> None:
        async with desk() as it:
            model = await it.control.label("1", change)

            assert ("alpha", "Fox", ("small",), True) == (
                model.public_id,
                model.name,
                model.tags,
                model.is_favourite,
            )
            assert [model.name, "beta"] == [row.summary.name for row in it.snapshot().models]
            with pytest.raises(ModelNotFound):
                await it.control.label("nobody", change)
        async with desk(is_read_only=True) as it:
            with pytest.raises(ReadOnly):
                await it.control.label("alpha", change)

    asyncio.run(scenario())


def test_a_model_is_removed_as_it_was_shown_and_is_no_longer_listed() -> None:
    async def scenario() -> None:
        async with desk() as it:
            plan = await it.control.plan_removal("alpha")
            report = await it.control.remove(plan)

            assert (["/models/alpha.gguf"], 1000) == ([file.path for file in plan.files], plan.freed_bytes)
            assert 1 == report.n_files
            assert ["beta"] == [row.summary.public_id for row in it.snapshot().models]
            with pytest.raises(RemovalRefused):
                await it.control.remove(plan)
            with pytest.raises(ModelNotFound):
                await it.control.plan_removal("alpha")

    asyncio.run(scenario())


def test_a_running_or_loading_model_is_never_removed() -> None:
    async def scenario() -> None:
        launcher = MemoryLauncher()
        async with desk(launcher=launcher) as it:
            idle = await it.control.plan_removal("alpha")
            loading = asyncio.create_task(it.control.load("alpha"))
            await it.until(lambda: it.state_of("alpha") is TargetState.LOADING)
            early = await it.control.plan_removal("alpha")
            await loading
            running = await it.control.plan_removal("alpha")

            assert [True, True] == [bool(plan.refusal) and not plan.files for plan in (early, running)]
            with pytest.raises(RemovalRefused):
                await it.control.remove(idle)
            await it.control.stop("alpha")
            await it.control.remove(idle)
            assert [2] == list(it.catalog.disk)

    asyncio.run(scenario())


def test_nothing_is_removed_when_read_only() -> None:
    async def scenario() -> None:
        async with desk() as it:
            plan = await it.control.plan_removal("alpha")
        async with desk(is_read_only=True) as it:
            with pytest.raises(ReadOnly):
                await it.control.plan_removal("alpha")
            with pytest.raises(ReadOnly):
                await it.control.remove(plan)
            assert [1, 2] == list(it.catalog.disk)

    asyncio.run(scenario())


def test_a_context_is_clamped_to_what_the_model_was_trained_for() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.control.set_context("alpha", 1_000_000)

            assert 8192 == it.snapshot().models[0].n_ctx

            await it.control.set_context("alpha", None)

            assert 4096 == it.snapshot().models[0].n_ctx

    asyncio.run(scenario())


def test_a_load_keeps_only_a_context_that_somebody_chose() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.control.load("alpha", 4096)

            assert it.snapshot().models[0].summary.n_ctx_chosen is None

            await it.control.load("alpha", 2048)

            assert 2048 == it.snapshot().models[0].summary.n_ctx_chosen

    asyncio.run(scenario())


def test_an_unknown_name_gets_what_may_have_been_meant() -> None:
    async def scenario() -> None:
        async with desk() as it:
            with pytest.raises(ModelNotFound) as caught:
                await it.control.load("alpa")

            assert ("alpha",) == caught.value.near

    asyncio.run(scenario())


def test_read_only_refuses_every_change() -> None:
    async def scenario() -> None:
        async with desk(is_read_only=True) as it:
            for refused in (
                it.control.load("alpha"),
                it.control.stop(),
                it.control.set_context("alpha", 1024),
            ):
                with pytest.raises(ReadOnly):
                    await refused

            assert 0 == it.launcher.n_starts["alpha"]
            assert it.snapshot().is_read_only

    asyncio.run(scenario())


def test_the_command_shows_no_key() -> None:
    async def scenario() -> None:
        async with desk() as it:
            command = await it.control.command("alpha", 2048)

            assert "2048" in command
            assert "PORT" in command

    asyncio.run(scenario())


def test_log_lines_of_a_load_can_be_read_back() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.control.load("alpha")

            assert ("llama_server: model loaded",) == it.control.log_tail("alpha", 1)

    asyncio.run(scenario())


def test_the_loads_of_a_model_are_told_and_an_unknown_one_has_none() -> None:
    async def scenario() -> None:
        async with desk() as it:
            record = LoadRecord(1.0, "llama-server b1", 4096, 4, (), ())
            await it.catalog.note_load(1, record)

            assert (record,) == await it.control.load_history("alpha")
            assert () == await it.control.load_history("beta")
            with pytest.raises(ModelNotFound):
                await it.control.load_history("gamma")

    asyncio.run(scenario())


def test_any_name_of_a_model_loads_pins_and_stops_it() -> None:
    async def scenario() -> None:
        async with desk() as it:
            lora = AdapterSummary("code", "llama", 7, Path("/l/code.gguf"))
            it.catalog.adapters = {str(lora.path): lora}
            await it.control.rescan()
            await it.control.names.attach("alpha", "code")
            await it.control.names.set_alias("gpt-4", "alpha:code")
            loaded = [await it.control.load(name) for name in ("gpt-4", "alpha:code", "1", "alpha")]
            await it.control.pin("gpt-4", is_pinned=True)

            assert ["alpha"] * 4 == [target.model_name for target in loaded]
            assert 1 == len({target.pid for target in loaded})
            assert it.snapshot().models[0].is_pinned
            await it.control.stop("alpha:code")
            assert () == it.snapshot().targets
            # A model leaves the disk by its own name only.
            for name in ("gpt-4", "alpha:code", "alpha:none"):
                with pytest.raises(ModelNotFound):
                    await it.control.plan_removal(name)
            with pytest.raises(ModelNotFound):
                await it.control.load("alpha:none")

    asyncio.run(scenario())


def test_an_alias_of_what_is_being_found_loads_it() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.endpoints.take(NameSettings(aliases={"new": "gamma"}))
            it.catalog.put(replace(ALPHA, id=3, public_id="gamma"))
            look = asyncio.create_task(it.control.rescan())
            await it.until(lambda: it.snapshot().is_scanning)

            assert "gamma" == (await it.control.load("new")).model_name
            await look

    asyncio.run(scenario())
