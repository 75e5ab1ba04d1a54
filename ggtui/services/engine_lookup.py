"""Finds out, in the background, which llama.cpp there is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.models import EngineInfo
    from ggtui.core.ports.launcher import LauncherPort


class EngineLookup:
    """Asks the launcher once. As a Part it never keeps the engine thread from starting."""

    def __init__(self, launcher: LauncherPort) -> None:
        self.changed: Callable[[], None] = lambda: None
        """Called when the answer is there; set by whoever publishes."""
        self.info: EngineInfo | None = None
        """None until it is known."""
        self._launcher = launcher
        self._task: asyncio.Task[None] | None = None

    @property
    def has_gpu(self) -> bool:
        """True when the engine is known to use a device beside the CPU."""
        return self.info is not None and self.info.has_accelerator

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._look())

    async def stop(self) -> None:
        """Give up looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def known(self) -> None:
        """Return when the answer is there."""
        if self.info is None:
            self.info = await self._launcher.engine()

    async def _look(self) -> None:
        self.info = await self._launcher.engine()
        self.changed()
