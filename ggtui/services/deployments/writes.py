"""What must be written although whoever caused it has gone."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from ggtui.core.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Coroutine

_LOG = logging.getLogger(__name__)


class Writes:
    """Each write is a task of its own, so that a request that is cancelled does not take it along."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._last_complaint = ""

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin to write; a failure is logged, once for each text."""
        task = asyncio.get_running_loop().create_task(self._do(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def finish(self) -> None:
        """Wait until all is written."""
        while self._running:
            await asyncio.wait(self._running)

    async def _do(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Failure as failure:
            if failure.message != self._last_complaint:
                self._last_complaint = failure.message
                _LOG.warning("what a deployment used is not kept: %s", failure.message)
