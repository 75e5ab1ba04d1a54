"""What every place for settings of models promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.model_settings import MemoryModelSettings
from ggtui.adapters.settings_file.file import ModelSettingsFile
from ggtui.core.errors import ConfigInvalid
from ggtui.core.model_settings import ModelSettings

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
