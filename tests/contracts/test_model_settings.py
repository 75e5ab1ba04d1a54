"""What every place for settings of models promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.model_settings import MemoryModelSettings
from ggtui.adapters.settings_file.file import ModelSettingsFile
from ggtui.core.errors import ConfigInvalid
from ggtui.core.model_settings import ModelSettings
from ggtui.core.routing.adapters import AdapterStack, AttachedAdapter, NamedStack

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.core.ports.model_settings import ModelSettingsPort


@pytest.fixture(params=["memory", "file"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> ModelSettingsPort:
    if request.param == "memory":
        return MemoryModelSettings()
    return ModelSettingsFile(tmp_path / "models.toml")


def test_what_is_written_is_read_and_the_rest_stays(port: ModelSettingsPort) -> None:
    async def scenario() -> None:
        assert {} == dict(port.read())

        await port.write("a", {"ctx": 2048, "extra_args": ["-v"]})
        now = await port.write("a", {"ctx": None, "keep_alive": "10m"})
        await port.write("b", {"pinned": True})

        assert ModelSettings(extra_args=("-v",), keep_alive="10m") == now
        assert {"a": now, "b": ModelSettings(pinned=True)} == dict(port.read())

    asyncio.run(scenario())


def test_a_wrong_change_changes_nothing(port: ModelSettingsPort) -> None:
    async def scenario() -> None:
        await port.write("a", {"slots": 2})
        for changes in ({"slots": 0}, {"slot": None}, {"slots": 3, "ctx": "x"}):
            with pytest.raises(ConfigInvalid):
                await port.write("a", changes)

        assert {"a": ModelSettings(slots=2)} == dict(port.read())

    asyncio.run(scenario())


def test_adapters_are_taken_as_values_and_as_plain_tables(port: ModelSettingsPort) -> None:
    async def scenario() -> None:
        plain = {"adapters": [{"name": "a", "path": "/l/a.gguf", "weight": 0.5}, {"name": "b"}]}
        await port.write("m", plain)
        await port.write("m", {"stacks": [{"name": "s", "adapters": [{"name": "a"}], "normalise": True}]})
        attached = (AttachedAdapter("a", "/l/a.gguf", 0.5), AttachedAdapter("b"))
        stacks = (NamedStack("s", AdapterStack().add("a"), normalise=True),)

        assert {"m": ModelSettings(adapters=attached, stacks=stacks)} == dict(port.read())

        now = await port.write("m", {"adapters": (*attached, AttachedAdapter("c", "found"))})
        assert ModelSettings(adapters=(*attached, AttachedAdapter("c", "found")), stacks=stacks) == now
        assert ModelSettings(ctx=1) == await port.write("m", {"adapters": None, "stacks": None, "ctx": 1})

    asyncio.run(scenario())


def test_what_does_not_go_together_is_refused(port: ModelSettingsPort) -> None:
    async def scenario() -> None:
        stack = {"name": "s", "adapters": [{"name": "a"}]}
        before = await port.write("m", {"adapters": [{"name": "a"}], "stacks": [stack]})
        wrong: list[dict[str, object]] = [
            {"adapters": None},
            {"adapters": [{"name": "b"}]},
            {"adapters": [{"name": "a"}, {"name": "s"}]},
            {"stacks": [stack, stack]},
            {"adapters": [{"name": "a", "weight": 2}]},
            {"adapters": {"a": 1}},
        ]
        for changes in wrong:
            with pytest.raises(ConfigInvalid):
                await port.write("m", changes)

        assert {"m": before} == dict(port.read())

    asyncio.run(scenario())
