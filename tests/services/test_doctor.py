"""A running ggtui looked over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ggtui.adapters.memory.catalog import MemoryCatalog
from ggtui.adapters.memory.gpu import MemoryProbe
from ggtui.adapters.memory.launcher import MemoryLauncher
from ggtui.core.health import Check, Health
from ggtui.services.catalog import CatalogService
from ggtui.services.doctor import Doctor
from ggtui.services.engine_lookup import EngineLookup
from ggtui.services.gpu_watch import GpuWatch
from tests.services.desk import ALPHA

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN = Check("config", Health.OK, "no file")


def own() -> Sequence[Check]:
    return (OWN,)


def examined(*, is_engine_known: bool, url: str = "") -> dict[str, Check]:
    async def look() -> tuple[Check, ...]:
        catalog, lookup = CatalogService(MemoryCatalog([ALPHA])), EngineLookup(MemoryLauncher())
        await catalog.start()
        await catalog.rescan()
        doctor = Doctor(catalog=catalog, gpu=GpuWatch(MemoryProbe(), frozenset), lookup=lookup, settings=own)
        if is_engine_known:
            await lookup.start()
            while lookup.info is None:  # noqa: ASYNC110 - what changes it is another task
                await asyncio.sleep(0)
        found = await doctor.examine(url)
        await lookup.stop()
        await catalog.stop()
        return found

    return {check.name: check for check in asyncio.run(look())}


def test_everything_is_looked_at_and_the_settings_come_first() -> None:
    found = examined(is_engine_known=True, url="http://127.0.0.1:1/v1")

    assert [OWN.name, "models", "engine", "driver", "memory", "processor", "proxy"] == [*found]
    assert "1 in /models" == found["models"].detail
    assert Health.OK is found["engine"].health
    assert "http://127.0.0.1:1/v1" in found["proxy"].detail


def test_an_engine_that_is_still_being_looked_for_is_told() -> None:
    found = examined(is_engine_known=False)

    assert Health.WARN is found["engine"].health
    assert "driver" not in found
    assert "none" in found["proxy"].detail
