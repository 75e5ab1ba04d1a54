"""Models of declared backends as clients can ask for them: names, what they can, why one is not ready."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.backends.backend import Backend, BackendType, Capability, Declared, DeclaredModel
from ggtui.core.backends.observed import BackendState, PulledModel
from ggtui.core.deployment.deployment import Deployment, RuntimeConfig
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.errors import EndpointNotFound, EndpointNotReady
from ggtui.core.routing.endpoints import DEFAULT_MAX_CONTEXT, EndpointStatus
from ggtui.core.routing.name_settings import NameSettings
from ggtui.core.routing.route import RouteRule
from ggtui.services.deployment_endpoints import EVERY_CAPABILITY
from tests.services.desk import desk

if TYPE_CHECKING:
    from ggtui.core.routing.endpoints import ModelEndpoint
    from tests.services.desk import Desk

POND = Backend(
    "pond",
    BackendType.OLLAMA,
    "http://127.0.0.1:1",
    models=(DeclaredModel("llama3"), DeclaredModel("vectors", capabilities=frozenset({Capability.EMBED}))),
)
DECLARED = Declared((POND,))
SEEN = BackendState(
    "pond",
    "pond",
    POND,
    pulled_models=(PulledModel("llama3:latest", context_length=8192), PulledModel("vectors:latest")),
    observed_at=1.0,
)


def _endpoint(it: Desk, name: str) -> ModelEndpoint:
    return next(each for each in it.endpoints.all if each.id == name)


def test_each_spelling_of_a_declared_model_is_an_endpoint_that_says_what_was_seen() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.endpoints.take_backends(DECLARED, (SEEN,))

            assert ["alpha", "beta", "llama3", "llama3:latest", "vectors", "vectors:latest"] == [
                str(each.id) for each in it.endpoints.all
            ]
            found, vectors = _endpoint(it, "llama3"), _endpoint(it, "vectors")
            assert ("", "llama3", ("pond",), 8192, EVERY_CAPABILITY) == (
                found.base_model,
                found.deployment,
                found.backends,
                found.max_context_length,
                found.capabilities,
            )
            assert (DEFAULT_MAX_CONTEXT, ("embedding",)) == (vectors.max_context_length, vectors.capabilities)
            assert RouteRule.NAMED is (await it.endpoints.route("llama3:latest")).rule

            it.endpoints.take_backends(Declared(), ())

            with pytest.raises(EndpointNotFound):
                await it.endpoints.route("llama3")

    asyncio.run(scenario())


def test_one_that_is_not_ready_says_why_and_its_requests_are_told_by_its_places() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.endpoints.take_backends(DECLARED, (replace(SEEN, observed_at=None),))
            before = _endpoint(it, "llama3")
            it.endpoints.take_backends(DECLARED, (replace(SEEN, error="connection refused"),))
            after = _endpoint(it, "llama3")

            assert [
                (EndpointStatus.LOADING, "pond: not asked yet"),
                (EndpointStatus.ERROR, "pond: connection refused"),
            ] == [(each.status, each.why) for each in (before, after)]
            assert "llama3" == (await it.endpoints.route("llama3")).endpoint.id
            it.endpoints.take(NameSettings(default="llama3", aliases={"gpt": "llama3"}))
            assert [("llama3", RouteRule.DEFAULT), ("llama3", RouteRule.ALIAS)] == [
                ((route := await it.endpoints.route(name)).endpoint.id, route.rule) for name in (None, "gpt")
            ]
            it.endpoints.take(NameSettings(disabled=frozenset({"llama3"})))
            with pytest.raises(EndpointNotReady, match="disabled"):
                await it.endpoints.route("llama3")

    asyncio.run(scenario())


def test_endpoints_stay_the_same_until_something_they_say_is_different() -> None:
    async def scenario() -> None:
        async with desk() as it:
            told = []
            it.endpoints.take_backends(DECLARED, (SEEN,))
            it.endpoints.changed = lambda: told.append(True)
            before = it.endpoints.all
            it.endpoints.take_backends(DECLARED, (replace(SEEN, observed_at=9.0, latency_s=0.5),))

            assert (True, []) == (before is it.endpoints.all, told)

            it.endpoints.take_backends(DECLARED, (replace(SEEN, error="gone"),))

            assert (False, [True]) == (before is it.endpoints.all, told)

    asyncio.run(scenario())


def test_a_model_of_this_machine_and_a_deployment_go_before(caplog: pytest.LogCaptureFixture) -> None:
    models = (DeclaredModel("alpha"), DeclaredModel("far"))
    box = Backend("box", BackendType.VLLM, "http://127.0.0.1:1", models=models)
    other = Deployment("far", "gpt-4o", runtime_config=RuntimeConfig(endpoint="http://127.0.0.1:2/v1"))

    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([other])
            for at in (1.0, 2.0):
                state = BackendState("box", "box", box, error=f"gone at {at}", observed_at=at)
                it.endpoints.take_backends(Declared((box,)), (state,))

                assert [("alpha", "", ()), ("beta", "", ()), ("", "far", ())] == [
                    (each.base_model, each.deployment, each.backends) for each in it.endpoints.all
                ]

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())

    assert ["alpha is a model of this machine: no backend is asked for it"] == caplog.messages


def test_a_deployment_without_a_server_is_served_by_the_backends_that_declare_its_model() -> None:
    rules = Deployment("mine", "llama3")

    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([rules, replace(rules, name="none", model="other")])
            without = _endpoint(it, "mine")
            it.endpoints.take_backends(DECLARED, (SEEN,))
            found = _endpoint(it, "mine")

            assert (EndpointStatus.ERROR, EndpointStatus.READY) == (without.status, found.status)
            assert (("pond",), 8192, "mine") == (found.backends, found.max_context_length, found.deployment)
            assert EndpointStatus.ERROR is _endpoint(it, "none").status

            local = replace(rules, runtime=RuntimeKind.LLAMA_SERVER)
            await it.endpoints.take_deployments([local])

            assert ((), "there is no model llama3 in the catalog") == (
                _endpoint(it, "mine").backends,
                _endpoint(it, "mine").why,
            )

    asyncio.run(scenario())


def test_a_deployment_is_as_ready_as_its_backends_unless_others_serve_meanwhile() -> None:
    alone = Deployment("alone", "llama3")

    async def scenario() -> None:
        async with desk() as it:
            await it.endpoints.take_deployments([alone, Deployment("helped", "llama3", fallback=("alpha",))])
            it.endpoints.take_backends(DECLARED, (replace(SEEN, error="connection refused"),))
            found, helped = _endpoint(it, "alone"), _endpoint(it, "helped")

            assert (EndpointStatus.ERROR, "pond: connection refused") == (found.status, found.why)
            assert EndpointStatus.READY is helped.status
            assert "alone" == (await it.endpoints.route("alone")).endpoint.id, "a look may find it well"

            it.endpoints.take_backends(DECLARED, (SEEN,))

            assert EndpointStatus.READY is _endpoint(it, "alone").status

    asyncio.run(scenario())


def test_no_request_is_brought_to_a_backend_for_the_sake_of_context() -> None:
    async def scenario() -> None:
        async with desk() as it:
            wide = replace(SEEN, pulled_models=(PulledModel("llama3:latest", context_length=1_000_000),))
            it.endpoints.take_backends(DECLARED, (wide,))
            router = it.endpoints.router

            assert router.roomiest(100_000) is None
            roomiest = router.roomiest(1)
            assert roomiest is not None
            assert "alpha" == roomiest.id

    asyncio.run(scenario())
