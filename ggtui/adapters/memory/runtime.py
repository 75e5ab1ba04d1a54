"""A runtime without processes: models are names, a server is a target made up on the spot."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.context import choose_context
from ggtui.core.errors import ModelNotFound
from ggtui.core.models import RunningTarget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from ggtui.core.admission import Admission
    from ggtui.core.models import ModelSummary

FIRST_PORT = 5500


class MemoryRuntime:
    """A ModelRuntimePort for tests of what stands on it.

    starts: names and contexts of all starts, in order. place: called for each start, to point the target
    at a real server.
    """

    def __init__(
        self,
        models: Sequence[ModelSummary],
        place: Callable[[RunningTarget], RunningTarget] = lambda target: target,
    ) -> None:
        self.starts: list[tuple[str, int]] = []
        self._by_name = {name: model for model in models for name in (str(model.id), model.public_id)}
        self._place = place
        self._current: RunningTarget | None = None
        self._n_leases = 0
        self._freed = asyncio.Condition()

    async def ensure_model_running(
        self, model_name: str, num_ctx: int | None, default_ctx: int
    ) -> RunningTarget:
        """See ModelRuntimePort."""
        async with self.acquire(model_name, num_ctx, default_ctx) as target:
            return target

    @asynccontextmanager
    async def acquire(
        self,
        model_name: str,
        num_ctx: int | None,
        default_ctx: int,
        admission: Admission | None = None,
    ) -> AsyncIterator[RunningTarget]:
        """See ModelRuntimePort."""
        model = self._by_name.get(model_name)
        if model is None:
            raise ModelNotFound(model_name)
        async with self._freed:
            await self._freed.wait_for(lambda: self._n_leases == 0 or self._suits(model, num_ctx))
            if not self._suits(model, num_ctx):
                self._start(model, num_ctx, default_ctx)
            self._n_leases += 1
            target = self._current
        assert target is not None
        try:
            yield target
        finally:
            self._n_leases -= 1
            async with self._freed:
                self._freed.notify_all()

    async def current_model(self) -> RunningTarget | None:
        """See ModelRuntimePort."""
        return self._current

    async def stop_current(self) -> None:
        """See ModelRuntimePort."""
        self._current = None

    def _suits(self, model: ModelSummary, num_ctx: int | None) -> bool:
        if self._current is None or self._current.model_id != model.id:
            return False
        return num_ctx is None or min(num_ctx, model.n_ctx_train or num_ctx) <= self._current.effective_ctx

    def _start(self, model: ModelSummary, num_ctx: int | None, default_ctx: int) -> None:
        choice = choose_context(
            num_ctx, model.n_ctx_chosen, default_ctx, model.n_ctx_train, model.n_ctx_advised
        )
        port = FIRST_PORT + len(self.starts)
        self.starts.append((model.public_id, choice.n_ctx))
        target = RunningTarget.local(port, model.id, model.public_id, choice.n_ctx)
        self._current = self._place(replace(target, pid=port))
