"""What follows when settings of a model change, on the services as they are wired."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from ggtui.core.errors import ConfigInvalid, ReadOnly, StoreUnavailable
from ggtui.core.model_settings import AUTO, CommonSettings, ModelSettings
from ggtui.core.models import AdapterSummary, KvType, LaunchOptions, LaunchPlan
from ggtui.core.routing.adapters import AdapterRef, AttachedAdapter
from ggtui.core.state import TargetState
from tests.services.desk import ALPHA, BETA, Desk, desk


async def loaded(it: Desk, *names: str) -> None:
    for name in names:
        await it.runtime.ensure_model_running(name, None, 4096)


def options_of(it: Desk, public_id: str) -> LaunchOptions:
    status = next(row for row in it.snapshot().models if row.summary.public_id == public_id)
    assert status.options is not None
    return status.options


def test_a_model_is_launched_with_its_own_settings_and_the_others_as_before() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.control.change_settings("alpha", {"slots": 2, "cache_type_k": "q8_0", "ctx": 1024})
            alpha = await it.runtime.ensure_model_running("alpha", None, 4096)
            argv = it.snapshot().targets[0].argv
            beta = await it.runtime.ensure_model_running("beta", None, 4096)

            assert (1024, 2, 4096, 4) == (
                alpha.effective_ctx,
                alpha.n_slots,
                beta.effective_ctx,
                beta.n_slots,
            )
            assert LaunchOptions(n_parallel=2, cache_type_k=KvType.Q8_0) == options_of(it, "alpha")
            assert LaunchOptions() == options_of(it, "beta")
            assert argv

    asyncio.run(scenario())


def test_a_request_goes_before_the_models_own_context() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.control.change_settings("alpha", {"ctx": 1024})

            assert 2048 == (await it.runtime.ensure_model_running("alpha", 2048, 4096)).effective_ctx
            assert 2048 == (await it.runtime.ensure_model_running("alpha", None, 4096)).effective_ctx

    asyncio.run(scenario())


def test_a_changed_launch_ends_the_server_after_its_requests_and_no_other() -> None:
    async def scenario() -> None:
        async with desk(room=_Room()) as it:
            await loaded(it, "alpha", "beta")
            async with it.runtime.acquire("alpha", None, 4096):
                await it.control.change_settings("alpha", {"slots": 1})

                assert TargetState.DRAINING is it.state_of("alpha")
                assert TargetState.READY is it.state_of("beta")

            await it.until(lambda: it.state_of("alpha") is TargetState.IDLE)
            await loaded(it, "alpha", "beta")

            assert (2, 1) == (it.launcher.n_starts["alpha"], it.launcher.n_starts["beta"])
            assert [4, 1] == [target.n_slots for target in it.snapshot().targets]

    asyncio.run(scenario())


def test_what_needs_no_other_launch_leaves_the_server_alone() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await loaded(it, "alpha")
            await it.control.change_settings("alpha", {"pinned": True, "keep_alive": "10m", "slots": 4})
            await it.control.change_settings("alpha", {"gpu_layers": AUTO, "ctx": 4096})
            await it.control.set_context("alpha", 2048)

            assert TargetState.READY is it.state_of("alpha")
            assert 1 == it.launcher.n_starts["alpha"]

            await it.control.change_settings("alpha", {"ctx": 1024})
            await it.until(lambda: it.state_of("alpha") is TargetState.IDLE)

    asyncio.run(scenario())


def test_pins_count_at_once_and_a_persons_own_pin_is_left_alone() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.control.change_settings("alpha", {"pinned": True})

            assert frozenset({ALPHA.id}) == it.runtime.scheduler.pinned

            await it.control.pin("alpha", False)
            await it.control.pin("beta", True)
            await it.control.rescan()
            await it.control.change_settings("alpha", {"slots": 2})

            assert frozenset({BETA.id}) == it.runtime.scheduler.pinned

            await it.control.change_settings("alpha", {"pinned": None})
            await it.control.change_settings("alpha", {"pinned": True})

            assert frozenset({ALPHA.id, BETA.id}) == it.runtime.scheduler.pinned

    asyncio.run(scenario())


def test_a_model_that_comes_later_is_pinned_then() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.catalog.take(ALPHA.id)
            await it.control.rescan()
            book = it.book
            book.take({"alpha": ModelSettings(pinned=True)}, CommonSettings(pinned=frozenset({"beta"})))
            await it.control.rescan()

            assert frozenset({BETA.id}) == it.runtime.scheduler.pinned

            it.catalog.put(ALPHA)
            await it.control.rescan()

            assert frozenset({ALPHA.id, BETA.id}) == it.runtime.scheduler.pinned

    asyncio.run(scenario())


def test_an_idle_time_counts_at_once() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await loaded(it, "alpha")
            await it.control.change_settings("alpha", {"keep_alive": 0})
            await it.until(lambda: it.state_of("alpha") is TargetState.IDLE)

            assert 1 == it.launcher.n_starts["alpha"]

    asyncio.run(scenario())


def test_settings_of_strangers_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.book.take({"alpa": ModelSettings(ctx=1)}, CommonSettings())
            await it.control.rescan()
            await it.control.rescan()

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())

    assert ["there are settings for alpa, and no such model; is alpha meant?"] == caplog.messages


def test_contexts_from_before_there_were_settings_move_there_once() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.catalog.set_context(ALPHA.id, 2048)
            await it.catalog.set_context(BETA.id, 2048)
            await it.control.change_settings("beta", {"ctx": 512})
            await it.control.rescan()

            assert {"alpha": ModelSettings(ctx=2048), "beta": ModelSettings(ctx=512)} == it.kept.own
            assert [None, None] == [model.n_ctx_chosen for model in await it.catalog.list_models()]
            assert [2048, 512] == [row.n_ctx for row in it.snapshot().models]

    asyncio.run(scenario())


def test_a_place_that_cannot_be_written_costs_the_choice_and_not_the_load(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with desk() as it:

            async def refuse(public_id: str, changes: object) -> ModelSettings:
                raise StoreUnavailable("models.toml cannot be written")

            monkeypatch.setattr(it.kept, "write", refuse)

            assert 2048 == (await it.control.load("alpha", 2048)).effective_ctx
            assert 4096 == it.snapshot().models[0].n_ctx

            with pytest.raises(StoreUnavailable):
                await it.control.set_context("alpha", 1024)

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())

    assert ["the context of alpha is not kept: models.toml cannot be written"] == caplog.messages


def test_the_command_is_that_of_the_settings_or_of_what_they_might_become(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slots(plan: LaunchPlan) -> tuple[str, ...]:
        return (str(plan.spec.options.n_parallel),)

    async def scenario() -> None:
        async with desk() as it:
            monkeypatch.setattr(it.launcher, "command", slots)
            await it.control.change_settings("alpha", {"slots": 2})
            now = await it.control.command("alpha", 1024)
            then = await it.control.command("alpha", 1024, LaunchOptions(n_parallel=3))

            assert [("2",), ("3",)] == [now, then]

    asyncio.run(scenario())


def test_a_wrong_change_is_refused_and_a_read_only_ggtui_takes_none() -> None:
    async def scenario() -> None:
        async with desk() as it:
            with pytest.raises(ConfigInvalid):
                await it.control.change_settings("alpha", {"slots": 0})

            assert {} == (await it.control.settings("alpha")).own.given

        async with desk(is_read_only=True) as it:
            with pytest.raises(ReadOnly):
                await it.control.change_settings("alpha", {"slots": 1})

            assert "alpha" == (await it.control.settings("1")).public_id

    asyncio.run(scenario())


def test_common_options_do_not_restart_a_model_that_has_its_own() -> None:
    async def scenario() -> None:
        async with desk(room=_Room()) as it:
            await it.control.change_settings("alpha", {"slots": 2})
            await loaded(it, "alpha", "beta")
            common = replace(it.book.common, options=LaunchOptions(n_parallel=8))
            before = it.book.own
            it.book.take(before, common)
            await it.catalog.reconfigure([], common.options)
            await it.effects.settle(before)
            await it.until(lambda: it.state_of("beta") is TargetState.IDLE)

            assert TargetState.READY is it.state_of("alpha")

    asyncio.run(scenario())


class _Room:
    """Everything fits."""

    def admits(self, standing: object, model_id: int, n_ctx: int) -> bool:
        return True


def test_weights_in_the_settings_are_told_to_who_keeps_the_history_and_other_files_are_not() -> None:
    async def scenario() -> None:
        weighed: list[str] = []
        async with desk() as it:
            it.catalog.adapters = {"/l/code.gguf": AdapterSummary("code", "llama", 7, Path("/l/code.gguf"))}
            it.effects.weighed = weighed.append
            await it.effects.change("alpha", {"adapters": (AttachedAdapter("code", "/l/code.gguf"),)})
            await loaded(it, "alpha")

            assert [] == weighed

            lighter = (AttachedAdapter("code", "/l/code.gguf", 0.5),)
            await it.effects.change("alpha", {"adapters": lighter})

            assert ["alpha"] == weighed
            assert TargetState.READY is it.state_of("alpha")
            assert (AdapterRef("code", 0.5),) == it.snapshot().targets[0].adapters

    asyncio.run(scenario())
