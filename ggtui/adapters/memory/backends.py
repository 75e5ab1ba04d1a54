"""Backends in memory: what they have stands in a table, and a test says what fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ggtui.core.backends.backend import BackendType
from ggtui.core.backends.names import canonical, is_same
from ggtui.core.backends.observed import PulledModel
from ggtui.core.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ggtui.core.backends.backend import Backend
    from ggtui.core.deployment.secret import Secret

SIZE_BYTES = 1_000_000


class MemoryBackends:
    """Both ports of tests. What an Ollama pulls, it has the next time it is asked."""

    def __init__(self, models: Mapping[str, tuple[PulledModel, ...]] | None = None) -> None:
        """models: by name of the backend."""
        self.models = dict(models or {})
        """May be changed at any time."""
        self.errors: dict[str, str] = {}
        """Why a backend cannot be asked, by its name; may be changed at any time."""
        self.observed: list[tuple[Backend, Secret | None]] = []
        """Who was asked, in order."""
        self.pulled: list[tuple[str, str]] = []
        self.deleted: list[tuple[str, str]] = []
        """Backend and model of each order."""
        self.may_go_on = asyncio.Event()
        """While it is not set, pulls stand still after their first half."""
        self.may_go_on.set()
        self.is_closed = False

    async def observe(self, backend: Backend, key: Secret | None) -> tuple[PulledModel, ...]:
        """See BackendObserverPort."""
        self.observed.append((backend, key))
        self._check(backend)
        return self.models.get(backend.name, ())

    async def pull(
        self,
        backend: Backend,
        key: Secret | None,
        model: str,
        progress: Callable[[str, str, int, int], None],
    ) -> None:
        """See PullerPort."""
        self._check_orders(backend)
        self.pulled.append((backend.name, model))
        digest = f"sha256:{len(self.pulled):064x}"
        progress("pulling manifest", "", 0, 0)
        for half in (0, 1, 2):
            self._check(backend)
            progress("pulling", digest, SIZE_BYTES, SIZE_BYTES * half // 2)
            if half == 1:
                await self.may_go_on.wait()
        name = canonical(backend.type, model)
        had = tuple(each for each in self.models.get(backend.name, ()) if each.name != name)
        pulled = PulledModel(name, name, size_bytes=SIZE_BYTES, digest=digest)
        self.models[backend.name] = (*had, pulled)
        progress("success", "", 0, 0)

    async def delete(self, backend: Backend, key: Secret | None, model: str) -> None:
        """See PullerPort."""
        self._check_orders(backend)
        had = self.models.get(backend.name, ())
        left = tuple(each for each in had if not is_same(backend.type, each.name, model))
        if left == had:
            raise BackendError(f"model '{model}' not found")
        self.deleted.append((backend.name, model))
        self.models[backend.name] = left

    def have(self, backend: str, *names: str) -> None:
        """This backend has models of these names from now on."""
        self.models[backend] = tuple(PulledModel(each) for each in names)

    async def close(self) -> None:
        """There is nothing to release."""
        self.is_closed = True

    def _check_orders(self, backend: Backend) -> None:
        self._check(backend)
        if backend.type is not BackendType.OLLAMA:
            raise BackendError(f"Unsupported backend type: {backend.type}")

    def _check(self, backend: Backend) -> None:
        if error := self.errors.get(backend.name):
            raise BackendError(error)
