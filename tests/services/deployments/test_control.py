"""Orders to deployments: what each does, and who may give none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from ggtui.core.deployment.breaker import BreakerState, CircuitBreaker
from ggtui.core.deployment.orders import DeploymentOrder
from ggtui.core.errors import EndpointNotFound, ReadOnly
from ggtui.services.deployments.control import DeploymentsControl


@dataclass
class Live:
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    heard: list[str] = field(default_factory=list)

    def breaker_changed(self) -> None:
        self.heard.append(self.breaker.state(0.0))

    def drain(self) -> None:
        self.heard.append("drain")

    def resume(self) -> None:
        self.heard.append("resume")


@dataclass
class Book:
    live: Live = field(default_factory=Live)
    n_told: int = 0

    def get(self, name: str) -> Live | None:
        return self.live if name == "cloud" else None

    def tell(self) -> None:
        self.n_told += 1


@pytest.mark.parametrize(
    ("order", "state", "is_forced"),
    [
        (DeploymentOrder.OPEN, BreakerState.OPEN, True),
        (DeploymentOrder.CLOSE, BreakerState.CLOSED, True),
        (DeploymentOrder.RESET, BreakerState.CLOSED, False),
    ],
)
def test_the_breaker_is_held_or_let_go(order: DeploymentOrder, state: BreakerState, is_forced: bool) -> None:
    book = Book()
    book.live.breaker.force(BreakerState.OPEN if order is not DeploymentOrder.OPEN else BreakerState.CLOSED)

    asyncio.run(DeploymentsControl(book).order("cloud", order))

    assert (state, is_forced) == (book.live.breaker.state(0.0), book.live.breaker.is_forced)
    assert ([str(state)] * is_forced, 1) == (book.live.heard, book.n_told)


@pytest.mark.parametrize("order", [DeploymentOrder.DRAIN, DeploymentOrder.RESUME])
def test_requests_are_kept_out_or_let_in(order: DeploymentOrder) -> None:
    book = Book()

    asyncio.run(DeploymentsControl(book).order("cloud", order))

    assert ([str(order)], 1) == (book.live.heard, book.n_told)


@pytest.mark.parametrize("control", [DeploymentsControl(Book()), DeploymentsControl()])
def test_what_is_not_there_is_told(control: DeploymentsControl) -> None:
    with pytest.raises(EndpointNotFound, match="gone"):
        asyncio.run(control.order("gone", DeploymentOrder.DRAIN))


def test_nothing_is_ordered_when_read_only() -> None:
    book = Book()

    with pytest.raises(ReadOnly):
        asyncio.run(DeploymentsControl(book, is_read_only=True).order("cloud", DeploymentOrder.DRAIN))

    assert ([], 0) == (book.live.heard, book.n_told)
