"""What scripts learn of deployments, and what they order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ggtui.core.client_keys import ClientKey
from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.errors import EndpointNotFound, ReadOnly
from ggtui.core.snapshot import DeploymentCounts, DeploymentStatus, EngineSnapshot
from ggtui.proxy.server import ProxySettings
from tests.proxy.rig import Answer, FakeControl, door, run

if TYPE_CHECKING:
    from tests.proxy.rig import Door

QWEN = DeploymentStatus("qwen", RuntimeKind.LLAMA_SERVER, "it is set as runtime", "tiny", in_flight=2)
CLOUD = DeploymentStatus(
    "cloud",
    RuntimeKind.OPEN_AI,
    "the name of the model is like those of open_ai",
    "gpt-4o-mini",
    breaker=BreakerState.OPEN,
    is_breaker_forced=True,
    counts=DeploymentCounts(succeeded=3),
)
STATE = EngineSnapshot(3, deployments=(QWEN, CLOUD))


async def _post(proxy: Door, document: object) -> Answer:
    body = json.dumps(document).encode()
    return Answer.parse(await proxy.ask(proxy.post(body, "/ggtui/deployments")))


def test_all_deployments_are_told_in_their_order() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            told = Answer.parse(await proxy.ask(proxy.get("/ggtui/deployments"))).json
            state = Answer.parse(await proxy.ask(proxy.get("/ggtui/state"))).json

            assert (1, ["qwen", "cloud"]) == (told["schema"], [each["name"] for each in told["deployments"]])
            assert told["deployments"] == state["deployments"]

    run(check())


@pytest.mark.parametrize("action", ["open", "close", "reset", "drain", "resume"])
def test_an_order_is_passed_on_and_answered_with_what_is_in_force(action: str) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control) as proxy:
            answer = await _post(proxy, {"deployment": "cloud", "action": action})

            assert (200, [("cloud", action)]) == (answer.status, control.deployments.asked)
            assert ("cloud", {"state": "open", "is_forced": True, "retry_after_s": None}) == (
                answer.json["deployment"]["name"],
                answer.json["deployment"]["breaker"],
            )

    run(check())


@pytest.mark.parametrize(
    ("document", "param"),
    [
        ({"action": "open"}, "deployment"),
        ({"deployment": "", "action": "open"}, "deployment"),
        ({"deployment": 7, "action": "open"}, "deployment"),
        ({"deployment": "cloud"}, "action"),
        ({"deployment": "cloud", "action": "explode"}, "action"),
        ({"deployment": "cloud", "action": ["open"]}, "action"),
        ({"deployment": "cloud", "action": "OPEN"}, "action"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(document: object, param: str) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control) as proxy:
            answer = await _post(proxy, document)

            assert (400, param) == (answer.status, answer.json["error"]["param"])
            assert [] == control.deployments.asked

    run(check())


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (EndpointNotFound("cloud"), 404, "model_not_found"),
        (ReadOnly(), ReadOnly.status, ReadOnly.code),
    ],
)
def test_a_refusal_is_told(failure: Exception, status: int, code: str) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        control.deployments.failure = failure
        async with door(control=control) as proxy:
            answer = await _post(proxy, {"deployment": "cloud", "action": "open"})

            assert (status, code) == (answer.status, answer.code)

    run(check())


def test_only_those_with_the_key_see_and_order() -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control, settings=ProxySettings(client_keys=(ClientKey("secret"),))) as proxy:
            told = Answer.parse(await proxy.ask(proxy.get("/ggtui/deployments")))
            ordered = await _post(proxy, {"deployment": "cloud", "action": "open"})
            counted = Answer.parse(await proxy.ask(proxy.get("/metrics")))

            assert [401, 401, 401] == [told.status, ordered.status, counted.status]
            assert [] == control.deployments.asked

    run(check())
