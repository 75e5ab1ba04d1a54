"""What a person or a script may order of deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.orders import DeploymentOrder
from ggtui.core.errors import EndpointNotFound, ReadOnly

if TYPE_CHECKING:
    from ggtui.core.deployment.breaker import CircuitBreaker


class Ordered(Protocol):
    """What is ordered something; `ggtui.services.deployments.live.LiveDeployment` is it."""

    @property
    def breaker(self) -> CircuitBreaker:
        """Of its server."""

    def breaker_changed(self) -> None:
        """It was opened or closed."""

    def drain(self) -> None:
        """Take no new request."""

    def resume(self) -> None:
        """Take requests again."""


class DeploymentBook(Protocol):
    """Who knows the deployments; `ggtui.services.deployments.book.Deployments` is it."""

    def get(self, name: str) -> Ordered | None:
        """The one of this name; None for a model that has none of its own."""

    def tell(self) -> None:
        """Something is different: whoever watches shall hear of it."""


class DeploymentsControl:
    """Lives on the engine's loop. Without a book there are no deployments."""

    def __init__(self, book: DeploymentBook | None = None, *, is_read_only: bool = False) -> None:
        self._book = book
        self._is_read_only = is_read_only

    async def order(self, name: str, order: DeploymentOrder) -> None:
        """Do it; counts from the next request on. Raises: EndpointNotFound, ReadOnly."""
        if self._is_read_only:
            raise ReadOnly
        book = self._book
        found = book.get(name) if book is not None else None
        if book is None or found is None:
            raise EndpointNotFound(name, hint="no deployment has this name; ggtui deployments lists them")
        _do(found, order)
        book.tell()


def _do(found: Ordered, order: DeploymentOrder) -> None:
    match order:
        case DeploymentOrder.OPEN:
            found.breaker.force(BreakerState.OPEN)
            found.breaker_changed()
        case DeploymentOrder.CLOSE:
            found.breaker.force(BreakerState.CLOSED)
            found.breaker_changed()
        case DeploymentOrder.RESET:
            found.breaker.reset()
        case DeploymentOrder.DRAIN:
            found.drain()
        case DeploymentOrder.RESUME:
            found.resume()
