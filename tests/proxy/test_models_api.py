"""The list of what can be asked for, and one entry of it by any name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.routing.name_settings import NameSettings
from tests.proxy.rig import (
    Answer,
    FakeCatalog,
    FakeRuntime,
    door,
    run,
    summary,
    target_at,
    with_adapters,
)

if TYPE_CHECKING:
    from ggtui.core.models import ModelSummary

NAMES = NameSettings(
    aliases={"gpt-4": "tiny", "coder": "tiny:code", "gone": "removed"}, disabled=frozenset({"tiny:chat"})
)


def test_the_list_holds_models_adapters_and_stacks_that_serve() -> None:
    async def check() -> None:
        runtime = FakeRuntime(replace(target_at(9), effective_ctx=2048))
        async with door(runtime=runtime, catalog=with_adapters(), names=NAMES) as proxy:
            listed = Answer.parse(await proxy.ask(proxy.get("/v1/models"))).json["data"]
            everything = Answer.parse(await proxy.ask(proxy.get("/v1/models?all=1"))).json["data"]

            assert ["tiny", "tiny:both", "tiny:code", "tiny:half"] == [each["id"] for each in listed]
            assert [["gpt-4"], [], ["coder"], []] == [each["aliases"] for each in listed]
            assert {1735689600} == {each["created"] for each in listed}
            assert {2048} == {each["context_window"] for each in listed}
            assert {True} == {each["is_running"] for each in listed}
            disabled = next(each for each in everything if each["id"] == "tiny:chat")
            assert "disabled" == disabled["status"]
            assert "it is switched off; ggtui enable tiny:chat switches it on" == disabled["reason"]
            assert len(listed) + 1 == len(everything)
            assert not any("reason" in each for each in listed)

    run(check())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tiny", "tiny"),
        ("1", "tiny"),
        ("gpt-4", "tiny"),
        ("coder", "tiny:code"),
        ("tiny:chat", "tiny:chat"),
        ("tiny:code%2Bhalf", None),
        ("gone", None),
    ],
)
def test_one_entry_goes_by_any_name(name: str, expected: str | None) -> None:
    async def check() -> None:
        async with door(catalog=with_adapters(), names=NAMES) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.get(f"/v1/models/{name}")))

            assert (200 if expected else 404) == answer.status
            assert expected == answer.json.get("id")

    run(check())


def test_an_entry_of_a_stack_says_what_it_applies() -> None:
    async def check() -> None:
        async with door(catalog=with_adapters()) as proxy:
            stack = Answer.parse(await proxy.ask(proxy.get("/v1/models/tiny:both"))).json["meta"]
            base = Answer.parse(await proxy.ask(proxy.get("/v1/models/tiny"))).json["meta"]

            assert ("tiny", "both") == (stack["base"], stack["adapter"])
            assert ["code", "chat"] == [each["name"] for each in stack["adapters"]]
            assert [0.8 / 1.3, 0.5 / 1.3] == pytest.approx([each["weight"] for each in stack["adapters"]])
            assert "adapters" not in base
            assert base.items() <= stack.items()

    run(check())


class _Looking(FakeCatalog):
    """Knows its models once somebody has waited for the first look at the folders."""

    async def list_models(self) -> list[ModelSummary]:
        self.models = self.models or [summary(1, "tiny")]
        return self.models


def test_a_list_asked_for_while_the_folders_are_looked_at_is_not_empty() -> None:
    async def check() -> None:
        async with door(catalog=_Looking([])) as proxy:
            listed = Answer.parse(await proxy.ask(proxy.get("/v1/models"))).json["data"]

            assert ["tiny"] == [each["id"] for each in listed]

    run(check())


def test_a_name_that_is_not_found_names_what_is_near() -> None:
    async def check() -> None:
        async with door(catalog=with_adapters()) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.get("/v1/models/tiny:sql")))

            error = answer.json["error"]
            assert "model 'tiny:sql' not found" == error["message"]
            assert "tiny has the adapters both, chat, code, half" == error["hint"]

    run(check())
