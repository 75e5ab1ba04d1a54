"""What every place for aliases, the default and switched-off endpoints promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.names import MemoryNames
from ggtui.adapters.settings_file.names import ConfigNames
from ggtui.core.errors import ConfigInvalid
from ggtui.core.routing.name_settings import NameSettings, Unnamed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from ggtui.core.ports.names import NamesPort


@pytest.fixture(params=["memory", "file"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> NamesPort:
    if request.param == "memory":
        return MemoryNames()
    return ConfigNames(tmp_path / "config.toml")


def test_each_change_adds_to_what_is_kept(port: NamesPort) -> None:
    async def scenario() -> None:
        await port.set_alias("gpt-4.1", "qwen")
        await port.set_alias("mine", "qwen:code")
        await port.set_default("qwen")
        await port.set_disabled("b", True)
        now = await port.set_disabled("a:code", True)

        assert (
            NameSettings(
                default="qwen",
                disabled=frozenset({"b", "a:code"}),
                aliases={"gpt-4.1": "qwen", "mine": "qwen:code"},
            )
            == now
        )

    asyncio.run(scenario())


def test_each_change_can_be_taken_back(port: NamesPort) -> None:
    async def scenario() -> None:
        await port.set_alias("a", "qwen")
        await port.set_alias("a", "llama")
        await port.set_default("qwen")
        await port.set_default("llama")
        now = await port.set_disabled("b", True)
        assert ("llama", "llama", frozenset({"b"})) == (now.default, now.aliases["a"], now.disabled)

        await port.set_alias("a", None)
        await port.set_default(None)

        assert NameSettings() == await port.set_disabled("b", False)

    asyncio.run(scenario())


def test_what_is_so_already_is_success(port: NamesPort) -> None:
    async def scenario() -> None:
        assert NameSettings() == await port.set_alias("nobody", None)
        assert NameSettings() == await port.set_default(None)
        assert NameSettings() == await port.set_disabled("nobody", False)
        for _ in range(2):
            now = await port.set_disabled("b", True)
        assert NameSettings(disabled=frozenset({"b"})) == now

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "change",
    [
        lambda port: port.set_alias("42", "qwen"),
        lambda port: port.set_alias("", "qwen"),
        lambda port: port.set_alias(" ", "qwen"),
        lambda port: port.set_alias("a\nb", "qwen"),
        lambda port: port.set_alias("a" * 513, "qwen"),
        lambda port: port.set_alias("a", ""),
        lambda port: port.set_alias("a", "q\x1b"),
        lambda port: port.set_default(""),
        lambda port: port.set_default("q" * 513),
        lambda port: port.set_disabled(" ", True),
    ],
)
def test_a_name_that_cannot_be_changes_nothing(
    port: NamesPort, change: Callable[[NamesPort], Awaitable[NameSettings]]
) -> None:
    async def scenario() -> None:
        before = await port.set_alias("ok", "qwen")
        with pytest.raises(ConfigInvalid):
            await change(port)

        assert before == await port.set_default(None)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "name", ["a" * 512, "gpt 4", 'say "hi"', "it's", "größe", "a.b.c", "[x]", "#1", "a=b", "\\"]
)
def test_any_other_text_is_a_name(port: NamesPort, name: str) -> None:
    async def scenario() -> None:
        await port.set_alias(name, name)
        await port.set_default(name)
        now = await port.set_disabled(name, True)

        assert NameSettings(name, Unnamed.DEFAULT, frozenset({name}), {name: name}) == now

    asyncio.run(scenario())
