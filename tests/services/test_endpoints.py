"""What clients can ask for, made of models, adapters and what a person said about names."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ggtui.core.errors import EndpointNotFound, EndpointNotReady, NoModelsAvailable
from ggtui.core.model_settings import CommonSettings, ModelSettings
from ggtui.core.models import AdapterSummary
from ggtui.core.routing.adapters import AdapterRef, AdapterStack, AttachedAdapter, NamedStack
from ggtui.core.routing.endpoints import EndpointStatus, ModelEndpoint
from ggtui.core.routing.name_settings import NameSettings, Unnamed
from ggtui.core.routing.route import RouteRule
from tests.services.desk import ALPHA, BETA, desk

if TYPE_CHECKING:
    from ggtui.core.model_settings import ModelSettings as Own
    from tests.services.desk import Desk

CODE = AdapterSummary("code", "llama", 7, Path("/l/code.gguf"))
CHAT = AdapterSummary("chat", "llama", 7, Path("/l/chat.gguf"))
BOTH = NamedStack("both", AdapterStack((AdapterRef("code", 0.8), AdapterRef("chat", 0.5))), normalise=True)
OWN = ModelSettings(
    ctx=1024, adapters=(AttachedAdapter("code", weight=0.8), AttachedAdapter("chat")), stacks=(BOTH,)
)


async def _with_adapters(it: Desk, own: Own = OWN) -> None:
    """Two LoRA files on the disk, and alpha with these settings."""
    it.catalog.adapters = {str(each.path): each for each in (CODE, CHAT)}
    await it.catalog.refresh()
    it.book.take({"alpha": own}, CommonSettings())
    await it.control.rescan()


def _endpoint(it: Desk, endpoint: str) -> ModelEndpoint:
    return next(each for each in it.endpoints.all if each.id == endpoint)


def test_every_model_adapter_and_stack_is_an_endpoint() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_adapters(it)
            found = {str(each.id): each for each in it.endpoints.all}

            assert ["alpha", "alpha:both", "alpha:chat", "alpha:code", "beta"] == list(found)
            assert [1024, 1024, 4096] == [
                found[each].max_context_length for each in ("alpha", "alpha:code", "beta")
            ]
            assert (None, "alpha", 0) == (
                found["alpha"].adapter,
                found["alpha"].base_model,
                len(found["alpha"].stack),
            )
            assert (AdapterRef("code", 0.8),) == found["alpha:code"].stack.adapters
            assert [("code", 0.615), ("chat", 0.385)] == [
                (each.name, round(each.weight, 3)) for each in found["alpha:both"].stack.adapters
            ]
            assert {EndpointStatus.READY} == {each.status for each in it.endpoints.all}

    asyncio.run(scenario())


def test_they_stay_the_same_object_until_something_changes() -> None:
    async def scenario() -> None:
        async with desk() as it:
            before = it.endpoints.all

            assert before is it.endpoints.all
            it.endpoints.take(NameSettings(default="alpha"))
            assert before is not it.endpoints.all

            before = it.endpoints.all
            it.endpoints.take(NameSettings(default="alpha"))
            assert before is it.endpoints.all

    asyncio.run(scenario())


def test_an_adapter_that_cannot_be_used_is_an_error_and_so_is_a_stack_with_it() -> None:
    own = replace(OWN, adapters=(AttachedAdapter("code"), AttachedAdapter("chat", "/l/gone.gguf")))

    async def scenario() -> None:
        async with desk() as it:
            await _with_adapters(it, own)

            assert EndpointStatus.READY is _endpoint(it, "alpha:code").status
            why = "adapter chat: its file does not exist"
            assert (EndpointStatus.ERROR, why) == (
                _endpoint(it, "alpha:chat").status,
                _endpoint(it, "alpha:chat").why,
            )
            assert EndpointStatus.ERROR is _endpoint(it, "alpha:both").status
            assert EndpointStatus.READY is _endpoint(it, "alpha").status
            with pytest.raises(EndpointNotReady, match=r"not ready \(status: error\)"):
                await it.endpoints.route("alpha:code+chat")

    asyncio.run(scenario())


def test_a_broken_model_is_an_error_for_as_long_as_no_server_has_it() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.catalog.put(replace(BETA, problem="it is cut short"))
            await it.control.rescan()
            beta = _endpoint(it, "beta")

            assert (EndpointStatus.ERROR, "it is cut short") == (beta.status, beta.why)

    asyncio.run(scenario())


def test_what_is_switched_off_says_how_to_switch_it_on() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.endpoints.take(NameSettings(disabled=frozenset({"alpha", "not there"})))

            assert EndpointStatus.DISABLED is _endpoint(it, "alpha").status
            with pytest.raises(EndpointNotReady) as refused:
                await it.endpoints.route("alpha")
            assert "model 'alpha' is not ready (status: disabled)" == refused.value.message
            assert "ggtui enable alpha" in refused.value.hint
            assert "beta" == (await it.endpoints.route("beta")).endpoint.id

    asyncio.run(scenario())


def test_names_lead_by_id_then_number_then_alias_then_by_parts() -> None:
    names = NameSettings(aliases={"gpt-4": "alpha:code", "alpha": "beta", "chain": "gpt-4", "gone": "away"})

    async def scenario() -> None:
        async with desk() as it:
            await _with_adapters(it)
            it.endpoints.take(names)
            asked = ("alpha", "2", "gpt-4", "alpha:chat+code")
            found = [await it.endpoints.route(name) for name in asked]

            assert ["alpha", "beta", "alpha:code", "alpha:chat+code"] == [each.endpoint.id for each in found]
            rules = [RouteRule.NAMED, RouteRule.NAMED, RouteRule.ALIAS, RouteRule.NAMED]
            assert rules == [each.rule for each in found]
            assert "alias gpt-4" == found[2].words
            assert [("chat", 1.0), ("code", 0.8)] == [
                (each.name, each.weight) for each in found[3].endpoint.stack.adapters
            ]
            for name in ("chain", "gone", "ALPHA", "alpha:code+none", "alpha:both+code", "alpha:none"):
                with pytest.raises(EndpointNotFound, match=f"model '{name}' not found".replace("+", r"\+")):
                    await it.endpoints.route(name)

    asyncio.run(scenario())


def test_a_request_without_a_name_gets_the_default_or_what_became_ready_last() -> None:
    async def scenario() -> None:
        async with desk() as it:
            with pytest.raises(NoModelsAvailable) as refused:
                await it.endpoints.route(None, "alpha")
            assert "ggtui default MODEL" in refused.value.hint

            it.endpoints.take(NameSettings(unnamed=Unnamed.RUNNING))
            running = await it.endpoints.route("", "alpha")
            assert (RouteRule.RUNNING, "alpha") == (running.rule, running.endpoint.id)
            with pytest.raises(NoModelsAvailable):
                await it.endpoints.route(None, None)

            it.endpoints.take(NameSettings(default="beta", unnamed=Unnamed.RUNNING))
            default = await it.endpoints.route(None, "alpha")
            assert (RouteRule.DEFAULT, "beta") == (default.rule, default.endpoint.id)
            assert _endpoint(it, "beta").is_default

            it.endpoints.take(NameSettings(default="beta", disabled=frozenset({"beta"})))
            with pytest.raises(EndpointNotReady):
                await it.endpoints.route(None, "alpha")

            it.endpoints.take(NameSettings(default="away"))
            with pytest.raises(NoModelsAvailable) as lost:
                await it.endpoints.route(None, "alpha")
            assert "away, does not exist" in lost.value.hint

    asyncio.run(scenario())


def test_what_is_unknown_waits_for_a_look_that_is_under_way() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.catalog.put(replace(ALPHA, id=3, public_id="gamma"))
            look = asyncio.create_task(it.control.rescan())
            await it.until(lambda: it.snapshot().is_scanning)
            found = await it.endpoints.route("gamma")

            assert "gamma" == found.endpoint.id
            await look

    asyncio.run(scenario())


def test_a_live_weight_counts_at_once_until_the_settings_change() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_adapters(it)
            it.endpoints.set_weight("alpha", "code", 0.25)

            assert 0.25 == _endpoint(it, "alpha:code").stack.adapters[0].weight
            assert (AdapterRef("chat", 1.0), AdapterRef("code", 0.25)) == it.endpoints.weights(
                "alpha", ("chat", "code")
            )
            # A stack has weights of its own.
            assert 0.615 == round(_endpoint(it, "alpha:both").stack.adapters[0].weight, 3)
            composed = (await it.endpoints.route("alpha:code+chat")).endpoint
            assert [0.25, 1.0] == [each.weight for each in composed.stack.adapters]

            it.endpoints.forget_weight("alpha", "code")
            assert 0.8 == _endpoint(it, "alpha:code").stack.adapters[0].weight
            it.endpoints.set_weight("alpha", "code", 0.25)
            changed = replace(OWN, adapters=(AttachedAdapter("code", weight=0.9), AttachedAdapter("chat")))
            await _with_adapters(it, changed)
            assert 0.9 == _endpoint(it, "alpha:code").stack.adapters[0].weight

    asyncio.run(scenario())


def test_a_weight_of_what_is_not_attached_is_refused_with_what_is() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_adapters(it)
            with pytest.raises(EndpointNotFound) as refused:
                it.endpoints.set_weight("alpha", "both", 0.5)
            assert "alpha has the adapters chat, code" == refused.value.hint
            with pytest.raises(EndpointNotFound) as none:
                it.endpoints.set_weight("beta", "code", 0.5)
            assert "beta has no adapters" == none.value.hint

    asyncio.run(scenario())


def test_changes_and_moved_requests_are_told() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_adapters(it)
            versions = [it.snapshot().version]
            it.endpoints.take(NameSettings(default="beta"))
            versions.append(it.snapshot().version)
            it.endpoints.set_weight("alpha", "code", 0.5)
            versions.append(it.snapshot().version)
            it.endpoints.brought_elsewhere("beta", "12041 tokens; alpha holds 1024")
            versions.append(it.snapshot().version)

            assert sorted(set(versions)) == versions
            note = it.snapshot().last_route
            assert note is not None
            assert ("beta", "12041 tokens; alpha holds 1024") == (note.endpoint, note.words)
            assert "beta" == it.snapshot().names.default
            assert it.endpoints.all is it.snapshot().endpoints

    asyncio.run(scenario())


def test_a_server_is_told_with_the_weights_of_what_it_carries() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_adapters(it)
            await it.control.load("alpha")
            it.endpoints.set_weight("alpha", "chat", 0.5)

            assert (AdapterRef("code", 0.8), AdapterRef("chat", 0.5)) == it.snapshot().targets[0].adapters

    asyncio.run(scenario())


def test_a_server_started_before_the_file_of_an_adapter_was_there_makes_way_for_one_that_carries_it() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_adapters(it)
            del it.catalog.adapters[str(CHAT.path)]
            await it.catalog.refresh()
            await it.control.rescan()
            before = await it.runtime.ensure_model_running("alpha", None, 4096)

            it.catalog.adapters[str(CHAT.path)] = CHAT
            await it.catalog.refresh()
            await it.control.rescan()
            after = await it.runtime.ensure_model_running("alpha", None, 4096)
            again = await it.runtime.ensure_model_running("alpha", None, 4096)

            assert (("code",), ("code", "chat")) == (before.adapters, after.adapters)
            assert after == again
            assert 2 == it.launcher.n_starts["alpha"]

    asyncio.run(scenario())


def test_a_server_outlives_the_file_of_an_adapter() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_adapters(it)
            before = await it.runtime.ensure_model_running("alpha", None, 4096)
            del it.catalog.adapters[str(CHAT.path)]
            await it.catalog.refresh()
            await it.control.rescan()

            assert EndpointStatus.ERROR is _endpoint(it, "alpha:chat").status
            assert before == await it.runtime.ensure_model_running("alpha", None, 4096)

    asyncio.run(scenario())
