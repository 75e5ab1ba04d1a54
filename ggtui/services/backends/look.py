"""One look at one backend, bounded whatever its observer does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import BackendError

if TYPE_CHECKING:
    from ggtui.core.backends.backend import Backend
    from ggtui.core.backends.observed import PulledModel
    from ggtui.core.deployment.secret import Secret
    from ggtui.core.ports.backends import BackendObserverPort
    from ggtui.services.deployments.clock import Clock

LIMIT_S: Final = 15.0
"""Beyond what any observer grants itself: the last resort, so that no cycle lasts for ever."""


async def look(
    observer: BackendObserverPort, backend: Backend, key: Secret | None, clock: Clock
) -> tuple[PulledModel, ...]:
    """The models of a backend. Whoever is cancelled leaves no question open. Raises: BackendError."""
    asking = asyncio.ensure_future(observer.observe(backend, key))

    def give_up() -> None:
        asking.cancel()

    alarm = clock.call_at(clock.monotonic() + LIMIT_S, give_up)
    try:
        await asyncio.wait({asking})
    finally:
        alarm.cancel()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    if asking.cancelled():
        raise BackendError(f"it did not answer within {LIMIT_S:g} s")
    return asking.result()
