"""The PullerPort: has an Ollama fetch a model, follows what it tells of it, and deletes one there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ggtui.adapters.remote.backends.limit import Limit
from ggtui.adapters.remote.backends.pulling import follow
from ggtui.adapters.remote.backends.question import Questions
from ggtui.adapters.remote.backends.reading import failure
from ggtui.adapters.remote.downloads.stopping import Threads
from ggtui.core.backends.backend import BackendType
from ggtui.core.errors import RemoteFailure
from ggtui.core.units import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.adapters.remote.downloads.stopping import Stop
    from ggtui.core.backends.backend import Backend
    from ggtui.core.deployment.secret import Secret

LIMIT_S: Final = 60.0
"""For the first word of a pull, and for a deletion, which may wait for the disk."""
MOST_BYTES_OF_PULL: Final = 4 * GIB
"""Of lines that tell how far it is, which is days of them."""


class OllamaPuller:
    """See PullerPort."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._threads = Threads()

    async def pull(
        self,
        backend: Backend,
        key: Secret | None,
        model: str,
        progress: Callable[[str, str, int, int], None],
    ) -> None:
        """See PullerPort. progress is called from another thread, at most a hundred times a second."""
        _check(backend)

        def work(stop: Stop) -> None:
            questions = Questions(backend, key, Limit(stop, self._limit_s, MOST_BYTES_OF_PULL))
            follow(questions, stop, model, progress)

        try:
            await self._threads.carry(work)
        except RemoteFailure as error:
            raise failure(error.detail) from None

    async def delete(self, backend: Backend, key: Secret | None, model: str) -> None:
        """See PullerPort."""
        _check(backend)

        def work(stop: Stop) -> None:
            questions = Questions(backend, key, Limit(stop, self._limit_s, MIB))
            questions.order("DELETE", questions.place.below_root("/api/delete"), {"model": model})

        try:
            async with asyncio.timeout(self._limit_s + 1):
                await self._threads.carry(work)
        except TimeoutError:
            raise failure(f"no answer within {self._limit_s:g} s") from None
        except RemoteFailure as error:
            raise failure(error.detail) from None

    async def close(self) -> None:
        """See PullerPort."""
        await self._threads.close()


def _check(backend: Backend) -> None:
    """Raises: BackendError for a backend that fetches nothing."""
    if backend.type is not BackendType.OLLAMA:
        raise failure(f"Unsupported backend type: {backend.type}")
