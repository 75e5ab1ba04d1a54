"""Deployments as what clients can ask for: their names, what stands behind them, why one does not serve."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ggtui.core.deployment.deployment import Deployment, RuntimeConfig
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.errors import ConfigInvalid, EndpointNotFound, EndpointNotReady
from ggtui.core.model_settings import CommonSettings, ModelSettings
from ggtui.core.models import AdapterSummary, ModelSummary
from ggtui.core.routing.adapters import AdapterRef, AttachedAdapter
from ggtui.core.routing.endpoints import DEFAULT_MAX_CONTEXT, EndpointStatus
from ggtui.core.routing.name_settings import NameSettings
from ggtui.core.routing.route import RouteRule
from tests.services.desk import desk

if TYPE_CHECKING:
    from ggtui.core.routing.endpoints import ModelEndpoint
    from tests.services.desk import Desk

GAMMA = ModelSummary(3, "gamma-q4_0", "gamma", "llama", 1000, n_ctx_train=8192)
URL = "http://127.0.0.1:1/v1"
REMOTE = Deployment("far", "gpt-4o-mini", runtime_config=RuntimeConfig(endpoint=URL))
LOCAL = Deployment("qwen", "alpha")


def _endpoint(it: Desk, endpoint: str) -> ModelEndpoint:
    return next(each for each in it.endpoints.all if each.id == endpoint)


def test_each_deployment_is_an_endpoint_beside_the_models() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([REMOTE, LOCAL])

            assert ["alpha", "beta", "far", "qwen"] == [str(each.id) for each in it.endpoints.all]
            assert [("", "alpha"), ("far", ""), ("qwen", "alpha")] == [
                (_endpoint(it, each).deployment, _endpoint(it, each).base_model)
                for each in ("alpha", "far", "qwen")
            ]
            assert "qwen" == (await it.endpoints.route("qwen")).endpoint.deployment

            await it.endpoints.take_deployments([LOCAL])

            with pytest.raises(EndpointNotFound):
                await it.endpoints.route("far")

    asyncio.run(scenario())


def test_the_context_of_a_deployment_counts_where_nobody_chose() -> None:
    small, large = (
        Deployment(name, "alpha", runtime_config=RuntimeConfig(ctx=n_ctx))
        for name, n_ctx in (("small", 1024), ("large", 6000))
    )

    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([small, large])

            assert [1024, 6000, 6000] == [
                _endpoint(it, each).max_context_length for each in ("small", "large", "alpha")
            ]
            async with it.runtime.acquire("alpha", None, 4096):
                assert [6000] == [plan.n_ctx for plan in it.launcher.plans]

            it.book.take({"alpha": ModelSettings(ctx=2048)}, CommonSettings())
            await it.control.rescan()

            assert [1024, 2048, 2048] == [
                _endpoint(it, each).max_context_length for each in ("small", "large", "alpha")
            ]

    asyncio.run(scenario())


def test_a_remote_one_has_the_context_it_says() -> None:
    known = replace(REMOTE, name="known", runtime_config=RuntimeConfig(endpoint=URL, ctx=128_000))

    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([REMOTE, known])

            assert [DEFAULT_MAX_CONTEXT, 128_000] == [
                _endpoint(it, each).max_context_length for each in ("far", "known")
            ]
            assert {"chat", "completion", "embedding", "rerank"} == set(_endpoint(it, "far").capabilities)

    asyncio.run(scenario())


@pytest.mark.parametrize("given", ["gamma-q4_0", "3", "Gamma-Q4_0.gguf", "/disk/Gamma-Q4_0.gguf"])
def test_a_model_is_named_by_id_number_or_file(given: str) -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.catalog.paths[3] = Path("/disk/Gamma-Q4_0.gguf")
            it.catalog.put(GAMMA)
            await it.control.rescan()
            await it.endpoints.take_deployments([Deployment("g", given)])

            assert it.endpoints.is_local(given)
            assert (EndpointStatus.READY, "gamma-q4_0") == (
                _endpoint(it, "g").status,
                _endpoint(it, "g").base_model,
            )

    asyncio.run(scenario())


def test_what_cannot_serve_says_why(tmp_path: Path) -> None:
    lost = tmp_path / "lost.gguf"
    lost.touch()
    cases = {
        "gone.gguf": "there is no model gone.gguf in the catalog",
        str(lost): f"{lost} lies in no folder that ggtui looks into: add its folder to models_dirs",
        "gpt-oss-20b": "vllm has no engine here and needs runtime_config.endpoint; chosen because "
        "the name of the model suggests nothing else",
    }

    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([Deployment(f"d{n}", model) for n, model in enumerate(cases)])

            assert {(EndpointStatus.ERROR, why) for why in cases.values()} == {
                (each.status, each.why) for each in it.endpoints.all if each.deployment
            }
            with pytest.raises(EndpointNotReady, match="error"):
                await it.endpoints.route("d0")

    asyncio.run(scenario())


def test_one_that_is_not_ready_is_given_where_others_may_serve_in_its_place() -> None:
    lost = Deployment("lost", "gone.gguf", fallback=("far",))
    deployments = [lost, replace(lost, name="alone", fallback=()), replace(lost, name="off"), REMOTE]

    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments(deployments)
            it.endpoints.take(NameSettings(disabled=frozenset({"off"}), default="lost"))

            for name in ("lost", None):
                endpoint = (await it.endpoints.route(name)).endpoint

                assert ("lost", EndpointStatus.ERROR) == (endpoint.id, endpoint.status)
            for name in ("alone", "off"):
                with pytest.raises(EndpointNotReady):
                    await it.endpoints.route(name)

    asyncio.run(scenario())


def test_a_look_at_the_folders_ends_before_others_serve_in_place_of_what_is_not_found() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([replace(LOCAL, model="gamma-q4_0.gguf", fallback=("far",))])
            it.catalog.paths[3] = Path("/disk/gamma-q4_0.gguf")
            it.catalog.put(GAMMA)
            looking = asyncio.create_task(it.control.rescan())
            await asyncio.sleep(0)
            route = await it.endpoints.route("qwen")
            await looking

            assert ("gamma-q4_0", EndpointStatus.READY) == (route.endpoint.base_model, route.endpoint.status)

    asyncio.run(scenario())


def test_a_model_that_comes_serves() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([Deployment("g", "gamma-q4_0")])
            before = _endpoint(it, "g").status
            it.catalog.put(GAMMA)
            await it.control.rescan()

            assert (EndpointStatus.ERROR, EndpointStatus.READY) == (before, _endpoint(it, "g").status)

    asyncio.run(scenario())


def test_a_deployment_goes_before_a_model_of_its_name(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([replace(REMOTE, name="alpha")])
            by_name, by_number = (await it.endpoints.route("alpha"), await it.endpoints.route("1"))

            assert ("alpha", "") == (by_name.endpoint.deployment, by_name.endpoint.base_model)
            assert ("", "alpha") == (by_number.endpoint.deployment, by_number.endpoint.base_model)
            assert 1 == len([each for each in it.endpoints.all if each.id == "alpha"])

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())

    assert ["alpha is a deployment: the model of that name is reached by its number"] == caplog.messages


def test_adapters_are_asked_for_by_the_name_of_the_deployment() -> None:
    code = AdapterSummary("code", "llama", 7, Path("/l/code.gguf"))
    chat = AdapterSummary("chat", "llama", 7, Path("/l/chat.gguf"))
    own = ModelSettings(adapters=(AttachedAdapter("chat", "/l/chat.gguf"),))
    mine = (AttachedAdapter("code", "/l/code.gguf", 0.5), AttachedAdapter("chat", "/l/chat.gguf"))
    other = (AttachedAdapter("code", "/l/chat.gguf"),)

    async def scenario() -> None:
        async with desk() as it:
            it.catalog.adapters = {str(each.path): each for each in (code, chat)}
            await it.catalog.refresh()
            it.book.take({"alpha": own}, CommonSettings())
            deployments = [replace(LOCAL, adapters=mine), Deployment("two", "alpha", adapters=other)]
            await it.endpoints.take_deployments(deployments)
            found = _endpoint(it, "qwen:code")
            refused = _endpoint(it, "two:code")

            assert (EndpointStatus.READY, "qwen", "alpha") == (
                found.status,
                found.deployment,
                found.base_model,
            )
            assert (AdapterRef("code", 0.5),) == found.stack.adapters
            async with it.runtime.acquire("alpha", None, 4096):
                (plan,) = it.launcher.plans
            assert ["chat", "code"] == [each.name for each in plan.spec.options.adapters]
            why = "adapter code: alpha has another adapter or stack of that name"
            assert (EndpointStatus.ERROR, why) == (refused.status, refused.why)
            assert "qwen" == (await it.endpoints.route("qwen:code+chat")).endpoint.deployment

    asyncio.run(scenario())


def test_a_deployment_may_be_the_default() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([replace(LOCAL, default=True)])
            route = await it.endpoints.route(None)

            assert ("qwen", RouteRule.DEFAULT) == (route.endpoint.id, route.rule)
            assert "qwen" == it.snapshot().names.default
            for wanted in ("beta", None):
                with pytest.raises(ConfigInvalid, match="deployment 'qwen' is the default by its own table"):
                    await it.control.names.set_default(wanted)

            await it.endpoints.take_deployments([LOCAL])
            await it.control.names.set_default("beta")

            assert "beta" == (await it.endpoints.route(None)).endpoint.id

    asyncio.run(scenario())


def test_what_is_switched_off_serves_nobody() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([LOCAL])
            it.endpoints.take(NameSettings(disabled=frozenset({"qwen"})))

            assert EndpointStatus.DISABLED is _endpoint(it, "qwen").status
            assert EndpointStatus.READY is _endpoint(it, "alpha").status

    asyncio.run(scenario())


def test_a_remote_one_is_no_model_that_can_be_changed() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([REMOTE, LOCAL])

            assert (None, "alpha") == tuple(it.control.names.base_of(each) for each in ("far", "qwen"))
            with pytest.raises(EndpointNotFound) as caught:
                await it.control.names.attach("far", "code")
            assert "far is no model of this machine" == caught.value.hint

    asyncio.run(scenario())


def test_the_kind_that_is_set_counts() -> None:
    vllm = Deployment("v", "alpha", RuntimeKind.VLLM, RuntimeConfig(endpoint=URL))

    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([vllm])

            assert ("", EndpointStatus.READY) == (_endpoint(it, "v").base_model, _endpoint(it, "v").status)

    asyncio.run(scenario())
