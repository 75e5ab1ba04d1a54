"""What a person may do about names, adapters and weights, and what is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ggtui.core.errors import ConfigInvalid, EndpointNotFound, Failure, ReadOnly
from ggtui.core.model_settings import ModelSettings
from ggtui.core.models import AdapterSummary
from ggtui.core.routing.adapters import AttachedAdapter
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.core.state import TargetState
from tests.services.desk import ALPHA, desk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ggtui.services.names import Names
    from tests.services.desk import Desk

CODE = AdapterSummary("Code LoRA", "llama", 7, Path("/l/code.gguf"))
OTHER = AdapterSummary("other", "qwen2", 7, Path("/l/other.gguf"))


async def _with_files(it: Desk) -> None:
    """Two LoRA files on the disk, one of them for another architecture."""
    it.catalog.adapters = {str(each.path): each for each in (CODE, OTHER)}
    await it.control.rescan()


def _kept(it: Desk) -> tuple[AttachedAdapter, ...]:
    """What the settings of alpha attach."""
    return it.kept.own["alpha"].adapters or ()


def test_an_alias_leads_to_an_id_and_is_kept() -> None:
    async def scenario() -> None:
        async with desk() as it:
            names = it.control.names
            await names.set_alias("gpt-4", "alpha")
            # Aliases do not chain: the id behind is what is kept. A number is no id either.
            await names.set_alias("mine", "gpt-4")
            await names.set_alias("second", "2")

            kept = {"gpt-4": "alpha", "mine": "alpha", "second": "beta"}
            assert kept == dict(it.names.names.aliases) == dict(it.snapshot().names.aliases)
            assert "alpha" == (await it.endpoints.route("mine")).endpoint.id

            await names.set_alias("gpt-4", None)
            await names.set_alias("never was", None)
            assert {"mine", "second"} == set(it.snapshot().names.aliases)

    asyncio.run(scenario())


def test_an_alias_to_nothing_or_over_an_id_is_refused() -> None:
    async def scenario() -> None:
        async with desk() as it:
            with pytest.raises(EndpointNotFound) as unknown:
                await it.control.names.set_alias("gpt-4", "alhpa")
            with pytest.raises(ConfigInvalid, match="beta is the id of an endpoint"):
                await it.control.names.set_alias("beta", "alpha")

            assert "did you mean alpha?" == unknown.value.hint
            assert {} == it.names.names.aliases

    asyncio.run(scenario())


def test_the_default_is_chosen_by_any_name_and_taken_back() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.control.names.set_alias("gpt-4", "beta")
            await it.control.names.set_default("gpt-4")
            assert "beta" == it.names.names.default == it.snapshot().names.default

            with pytest.raises(EndpointNotFound):
                await it.control.names.set_default("nobody")
            assert "beta" == it.names.names.default

            await it.control.names.set_default(None)
            assert "" == it.names.names.default

    asyncio.run(scenario())


def test_what_is_switched_off_can_be_switched_on_when_it_has_gone() -> None:
    async def scenario() -> None:
        async with desk() as it:
            assert "alpha" == await it.control.names.set_enabled("1", is_enabled=False)
            status = {str(each.id): each.status for each in it.endpoints.all}
            assert EndpointStatus.DISABLED is status["alpha"]

            it.catalog.take(ALPHA.id)
            await it.control.rescan()
            assert "alpha" == await it.control.names.set_enabled("alpha", is_enabled=True)
            assert frozenset() == it.names.names.disabled
            with pytest.raises(EndpointNotFound):
                await it.control.names.set_enabled("alpha", is_enabled=False)

    asyncio.run(scenario())


def test_a_found_file_is_attached_under_a_name_of_its_own_and_taken_off() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_files(it)
            await it.control.names.set_alias("mine", "alpha")

            assert "code-lora" == await it.control.names.attach("mine", "Code LoRA")
            assert "code" == await it.control.names.attach("alpha", "/l/code.gguf", weight=0.5)
            assert "third" == await it.control.names.attach("alpha", "code", "third", 0)
            assert (
                AttachedAdapter("code-lora", "Code LoRA"),
                AttachedAdapter("code", "/l/code.gguf", 0.5),
                AttachedAdapter("third", "code", 0.0),
            ) == _kept(it)
            applied = {str(each.id): each.stack.adapters for each in it.endpoints.all if each.stack}
            assert [1.0, 0.5, 0.0] == [
                applied[f"alpha:{name}"][0].weight for name in ("code-lora", "code", "third")
            ]

            await it.control.names.detach("alpha", "code")
            assert ["code-lora", "third"] == [each.name for each in _kept(it)]
            await it.control.names.detach("alpha", "third")
            await it.control.names.detach("alpha", "code-lora")
            assert () == _kept(it)
            assert ["alpha", "beta"] == [each.id for each in it.endpoints.all]

    asyncio.run(scenario())


def test_a_server_restarts_for_a_new_file_after_its_requests() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_files(it)
            await it.control.load("alpha")
            async with it.runtime.acquire("alpha", None, 4096):
                await it.control.names.attach("alpha", "code")

                assert TargetState.DRAINING is it.snapshot().targets[0].state
                assert () == it.snapshot().targets[0].adapters
            target = await it.runtime.ensure_model_running("alpha", None, 4096)

            assert ("code",) == target.adapters

    asyncio.run(scenario())


def test_a_weight_is_live_and_goes_with_its_adapter() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_files(it)
            names = it.control.names
            await names.attach("alpha", "code")

            assert 0.25 == await names.set_weight("1", "code", 0.25)
            assert 0.25 == it.endpoints.weights("alpha", ["code"])[0].weight
            assert (AttachedAdapter("code"),) == _kept(it)
            await names.detach("alpha", "code")
            await names.attach("alpha", "code")
            assert 1.0 == it.endpoints.weights("alpha", ["code"])[0].weight

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        (lambda names: names.attach("nobody", "code"), EndpointNotFound, "'nobody' not found"),
        (lambda names: names.attach("alpha:code", "code"), EndpointNotFound, "'alpha:code' not found"),
        (lambda names: names.attach("alpha", "code"), ConfigInvalid, "called code already"),
        (lambda names: names.attach("alpha", "code", "both"), ConfigInvalid, "called both already"),
        (lambda names: names.attach("alpha", "code", "a b"), ConfigInvalid, "the name of an adapter is"),
        (lambda names: names.attach("alpha", "code", "a+b"), ConfigInvalid, "the name of an adapter is"),
        (lambda names: names.attach("alpha", "code", "c", 1.5), ConfigInvalid, "weight must be"),
        (lambda names: names.attach("alpha", "code", "c", True), ConfigInvalid, "weight must be"),
        (lambda names: names.attach("alpha", "nothing"), ConfigInvalid, "no LoRA file is called nothing"),
        (lambda names: names.attach("alpha", " ", "c"), ConfigInvalid, "no LoRA file is named"),
        (lambda names: names.attach("alpha", "/l/none.gguf"), ConfigInvalid, "its file does not exist"),
        (lambda names: names.attach("alpha", "other"), ConfigInvalid, "made for qwen2, the model is llama"),
        (lambda names: names.detach("alpha", "both"), EndpointNotFound, "'alpha:both' not found"),
        (lambda names: names.detach("alpha", "code"), ConfigInvalid, "the stack both of alpha applies code"),
        (lambda names: names.set_weight("alpha", "code", "1"), ConfigInvalid, "weight must be"),
        (lambda names: names.set_weight("alpha", "code", float("nan")), ConfigInvalid, "weight must be"),
        (lambda names: names.set_weight("alpha", "none", 1), EndpointNotFound, "'alpha:none' not found"),
        (lambda names: names.set_weight("beta", "code", 1), EndpointNotFound, "'beta:code' not found"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(
    wrong: Callable[[Names], Awaitable[object]], kind: type[Failure], words: str
) -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_files(it)
            await it.control.names.attach("alpha", "code")
            stacks = [{"name": "both", "adapters": [{"name": "code"}]}]
            await it.control.change_settings("alpha", {"stacks": stacks})
            before = it.kept.own["alpha"]

            with pytest.raises(kind, match=words):
                await wrong(it.control.names)
            assert before == it.kept.own["alpha"]
            assert 1.0 == it.endpoints.weights("alpha", ["code"])[0].weight

    asyncio.run(scenario())


def test_a_wrong_name_of_a_model_says_what_is_meant() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_files(it)
            await it.control.names.attach("alpha", "code")
            hints = []
            for name in ("alpha:code", "alpha:cod", "bete"):
                with pytest.raises(EndpointNotFound) as refused:
                    await it.control.names.attach(name, "code", "more")
                hints.append(refused.value.hint)

            assert [
                "alpha:code is alpha with an adapter: name the model",
                "alpha has the adapters code",
                "did you mean beta?",
            ] == hints

    asyncio.run(scenario())


def test_what_is_unknown_waits_for_a_look_that_is_under_way() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.catalog.put(replace(ALPHA, id=3, public_id="gamma"))
            look = asyncio.create_task(it.control.rescan())
            await it.until(lambda: it.snapshot().is_scanning)
            await it.control.names.set_default("gamma")

            assert "gamma" == it.names.names.default
            await look

    asyncio.run(scenario())


def test_every_name_leads_to_its_model() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_files(it)
            names = it.control.names
            await names.attach("alpha", "code")
            await names.attach("alpha", "code", "too")
            await names.set_alias("gpt-4", "alpha:code")
            await names.set_enabled("alpha:code", is_enabled=False)
            asked = ("alpha", "1", "gpt-4", "alpha:code", "alpha:code+too", "nobody", "alpha:none")

            assert [*["alpha"] * 5, None, None] == [names.base_of(name) for name in asked]
            assert ["alpha", "alpha"] == [await names.model("1"), await names.model("alpha")]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "order",
    [
        lambda names: names.set_alias("gpt-4", "alpha"),
        lambda names: names.set_default(None),
        lambda names: names.set_enabled("alpha", False),
        lambda names: names.set_weight("alpha", "code", 1),
        lambda names: names.attach("alpha", "code"),
        lambda names: names.detach("alpha", "code"),
    ],
)
def test_nothing_is_changed_when_read_only(order: Callable[[Names], Awaitable[object]]) -> None:
    async def scenario() -> None:
        async with desk(is_read_only=True) as it:
            with pytest.raises(ReadOnly, match="read-only"):
                await order(it.control.names)

    asyncio.run(scenario())


def test_what_others_attached_meanwhile_stays() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await _with_files(it)
            names = it.control.names
            it.kept.own["alpha"] = ModelSettings(slots=2, adapters=(AttachedAdapter("by-hand", "code"),))
            await asyncio.gather(names.attach("alpha", "code"), names.attach("alpha", "code", "third"))

            assert ["by-hand", "code", "third"] == [each.name for each in _kept(it)]
            it.kept.own["alpha"] = ModelSettings(adapters=(AttachedAdapter("more", "code"), *_kept(it)))
            await names.detach("alpha", "code")
            assert ["more", "by-hand", "third"] == [each.name for each in _kept(it)]

    asyncio.run(scenario())
