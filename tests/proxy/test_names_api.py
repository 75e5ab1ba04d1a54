"""What scripts order about names and adapters, and what they may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from ggtui.core.errors import ConfigInvalid, EndpointNotFound, ReadOnly
from ggtui.core.models import AdapterFile, AdapterSummary, LaunchOptions
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.routing.adapters import AdapterRef, AdapterStack
from ggtui.core.routing.endpoints import EndpointStatus, ModelEndpoint, ModelId
from ggtui.core.routing.name_settings import NameSettings
from ggtui.core.snapshot import EngineSnapshot, ModelStatus
from tests.proxy.rig import Answer, FakeControl, FakeNames, door, run, summary
from tests.services.desk import desk

if TYPE_CHECKING:
    from tests.proxy.rig import Door

TINY = ModelEndpoint(ModelId("tiny"), "tiny", status=EndpointStatus.DISABLED, why="it is switched off")
CODE = ModelEndpoint(
    ModelId("tiny:code"), "tiny", adapter="code", stack=AdapterStack((AdapterRef("code", 0.5),))
)
STATE = EngineSnapshot(
    3,
    models=(
        ModelStatus(
            summary(1, "tiny"),
            options=LaunchOptions(adapters=(AdapterFile("code", Path("/l/code.gguf")),)),
        ),
    ),
    endpoints=(TINY, CODE),
    names=NameSettings(default="tiny:code", disabled=frozenset({"tiny"}), aliases={"gpt-4": "tiny:code"}),
    catalog=CatalogReport(adapters=(AdapterSummary("Code", "llama", 7, Path("/l/code.gguf")),)),
)


async def _post(proxy: Door, path: str, document: object) -> Answer:
    return Answer.parse(await proxy.ask(proxy.post(json.dumps(document).encode(), path)))


def test_endpoints_are_told_with_the_names_that_lead_to_them() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            told = Answer.parse(await proxy.ask(proxy.get("/ggtui/endpoints"))).json

            assert (1, "tiny:code", "default", {"gpt-4": "tiny:code"}) == tuple(
                told[key] for key in ("schema", "default", "unnamed", "aliases")
            )
            assert ["tiny", "tiny:code"] == [each["id"] for each in told["endpoints"]]
            assert ("disabled", "it is switched off") == tuple(
                told["endpoints"][0][key] for key in ("status", "why")
            )
            assert [{"name": "code", "weight": 0.5}] == told["endpoints"][1]["adapters"]

    run(check())


def test_adapters_are_told_of_all_models_or_of_one() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            told = Answer.parse(await proxy.ask(proxy.get("/ggtui/adapters"))).json
            one = Answer.parse(await proxy.ask(proxy.get("/ggtui/adapters?model=alias"))).json
            other = Answer.parse(await proxy.ask(proxy.get("/ggtui/adapters?model=other"))).json

            assert [("tiny:code", "/l/code.gguf")] == [
                (each["id"], each["file"]) for each in told["attached"]
            ]
            assert ["Code"] == [each["name"] for each in told["found"]]
            assert ("tiny", told["attached"]) == (one["model"], one["attached"])
            assert [] == other["attached"]

    run(check())


@pytest.mark.parametrize(
    ("path", "order", "asked", "answered"),
    [
        (
            "/ggtui/endpoints",
            {"endpoint": "tiny", "enabled": False},
            ("set_enabled", "tiny", False),
            {"endpoint": "tiny", "enabled": False, "status": "disabled", "why": "it is switched off"},
        ),
        (
            "/ggtui/endpoints",
            {"endpoint": "gone", "enabled": True},
            ("set_enabled", "gone", True),
            {"endpoint": "gone", "enabled": True, "status": None, "why": ""},
        ),
        (
            "/ggtui/aliases",
            {"alias": "gpt-4", "endpoint": "tiny:code"},
            ("set_alias", "gpt-4", "tiny:code"),
            {"aliases": {"gpt-4": "tiny:code"}},
        ),
        (
            "/ggtui/aliases",
            {"alias": "x", "endpoint": None},
            ("set_alias", "x", None),
            {"aliases": {"gpt-4": "tiny:code"}},
        ),
        ("/ggtui/default", {"endpoint": "tiny"}, ("set_default", "tiny"), {"default": "tiny:code"}),
        (
            "/ggtui/default",
            {"endpoint": None},
            ("set_default", None),
            {"default": "tiny:code", "unnamed": "default"},
        ),
        (
            "/ggtui/adapters",
            {"model": "alias", "adapter": "code", "weight": 0.5},
            ("set_weight", "tiny", "code", 0.5),
            {"model": "tiny"},
        ),
        (
            "/ggtui/adapters/attach",
            {"model": 1, "lora": "Code"},
            ("attach", "tiny", "Code", None, 1.0),
            {"model": "tiny"},
        ),
        (
            "/ggtui/adapters/attach",
            {"model": "tiny", "lora": "Code", "name": "c", "weight": 0.25},
            ("attach", "tiny", "Code", "c", 0.25),
            {"model": "tiny", "endpoint": "tiny:c"},
        ),
        (
            "/ggtui/adapters/detach",
            {"model": "tiny", "adapter": "code"},
            ("detach", "tiny", "code"),
            {"model": "tiny"},
        ),
    ],
)
def test_an_order_reaches_the_names_and_answers_what_is_in_force(
    path: str, order: object, asked: tuple[object, ...], answered: dict[str, object]
) -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            answer = await _post(proxy, path, order)

            assert (200, 1) == (answer.status, answer.json["schema"])
            assert [asked] == proxy.control.names.asked
            assert answered.items() <= answer.json.items()
            if "adapters" in path:
                assert ["tiny:code"] == [each["id"] for each in answer.json["attached"]]

    run(check())


LORA = "/ggtui/adapters/attach"


@pytest.mark.parametrize(
    ("path", "order", "param"),
    [
        ("/ggtui/endpoints", {"enabled": True}, "endpoint"),
        ("/ggtui/endpoints", {"endpoint": "", "enabled": True}, "endpoint"),
        ("/ggtui/endpoints", {"endpoint": "tiny"}, "enabled"),
        ("/ggtui/endpoints", {"endpoint": "tiny", "enabled": "no"}, "enabled"),
        ("/ggtui/endpoints", {"endpoint": "tiny", "enabled": None}, "enabled"),
        ("/ggtui/aliases", {"alias": "x"}, "endpoint"),
        ("/ggtui/aliases", {"endpoint": "tiny"}, "alias"),
        ("/ggtui/aliases", {"alias": 5, "endpoint": "tiny"}, "alias"),
        ("/ggtui/aliases", {"alias": "x", "endpoint": 5}, "endpoint"),
        ("/ggtui/default", {}, "endpoint"),
        ("/ggtui/default", {"endpoint": ""}, "endpoint"),
        ("/ggtui/adapters", {"model": "tiny", "weight": 1}, "adapter"),
        ("/ggtui/adapters", {"adapter": "code", "weight": 1}, "model"),
        (LORA, {"model": "tiny"}, "lora"),
        (LORA, {"model": "tiny", "lora": "Code", "name": 5}, "name"),
        # A client of this door is not the owner of the files.
        (LORA, {"model": "tiny", "lora": "/l/code.gguf"}, "lora"),
        (LORA, {"model": "tiny", "lora": "code.gguf"}, "lora"),
        (LORA, {"model": "tiny", "lora": "~/code"}, "lora"),
        (LORA, {"model": "tiny", "lora": "..\\code"}, "lora"),
        (LORA, {"model": "tiny", "lora": "../code"}, "lora"),
        ("/ggtui/adapters/detach", {"model": "tiny"}, "adapter"),
    ],
)
def test_a_wrong_order_is_named_and_changes_nothing(path: str, order: object, param: str) -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            answer = await _post(proxy, path, order)

            assert (400, param) == (answer.status, answer.json["error"]["param"])
            assert [] == proxy.control.names.asked

    run(check())


def test_a_name_too_long_is_refused_before_it_is_compared() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            answer = await _post(proxy, "/ggtui/aliases", {"alias": "x" * 600, "endpoint": "tiny"})

            assert 400 == answer.status
            assert [] == proxy.control.names.asked

    run(check())


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (EndpointNotFound("nobody", hint="did you mean tiny?"), 404, "model_not_found"),
        (ConfigInvalid("weight must be a number from 0 to 1", param="weight"), 400, "invalid_configuration"),
        (ReadOnly(), 403, "read_only"),
    ],
)
def test_what_the_names_refuse_is_answered_in_their_words(failure: Exception, status: int, code: str) -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE, names=FakeNames(failure=failure))) as proxy:
            order = {"model": "tiny", "adapter": "code", "weight": 7}
            answer = await _post(proxy, "/ggtui/adapters", order)

            assert (status, code) == (answer.status, answer.code)

    run(check())


@pytest.mark.parametrize("path", ["/ggtui/aliases", "/ggtui/default", LORA, "/ggtui/adapters/detach"])
def test_nothing_changes_by_get(path: str) -> None:
    async def check() -> None:
        async with door() as proxy:
            answer = Answer.parse(await proxy.ask(proxy.get(path)))

            assert (405, ["POST"]) == (answer.status, answer.values("allow"))

    run(check())


def test_what_can_be_read_and_changed_says_so() -> None:
    async def check() -> None:
        async with door() as proxy:
            request = proxy.head("DELETE /ggtui/endpoints", "Connection: close")
            answer = Answer.parse(await proxy.ask(request))

            assert (405, ["GET, HEAD, POST"]) == (answer.status, answer.values("allow"))

    run(check())


def test_every_order_is_answered_by_the_real_services() -> None:
    async def check() -> None:
        async with desk() as it:
            lora = AdapterSummary("Code", "llama", 7, Path("/l/code.gguf"))
            it.catalog.adapters = {str(lora.path): lora}
            await it.control.rescan()
            async with door(control=cast("FakeControl", it.control)) as proxy:
                alias = await _post(proxy, "/ggtui/aliases", {"alias": "gpt-4", "endpoint": "1"})
                attached = await _post(proxy, LORA, {"model": "gpt-4", "lora": "code", "weight": 0.8})
                order = {"model": "alpha", "adapter": "code", "weight": 0.25}
                weighed = await _post(proxy, "/ggtui/adapters", order)
                default = await _post(proxy, "/ggtui/default", {"endpoint": "alpha:code"})
                off = await _post(proxy, "/ggtui/endpoints", {"endpoint": "gpt-4", "enabled": False})
                told = Answer.parse(await proxy.ask(proxy.get("/ggtui/endpoints"))).json
                order = {"model": "alpha", "adapter": "code"}
                detached = await _post(proxy, "/ggtui/adapters/detach", order)

            assert {"gpt-4": "alpha"} == alias.json["aliases"]
            assert ("alpha:code", "/l/code.gguf") == (
                attached.json["endpoint"],
                attached.json["attached"][0]["file"],
            )
            assert [{"name": "code", "weight": 0.25}] == weighed.json["attached"][0]["adapters"]
            assert "alpha:code" == default.json["default"]
            assert ("alpha", "disabled") == (off.json["endpoint"], off.json["status"])
            assert {"alpha": "disabled", "alpha:code": "ready", "beta": "ready"} == {
                each["id"]: each["status"] for each in told["endpoints"]
            }
            assert ("alpha", []) == (detached.json["model"], detached.json["attached"])

    run(check())
