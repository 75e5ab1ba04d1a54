"""Deployments on in-memory adapters and time by hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ggtui.adapters.memory.deployments import ManualClock, MemoryCounters, MemorySecrets, MemorySpend
from ggtui.core.deployment.deployment import Deployment
from ggtui.core.deployment.policies import CapacityPolicy, Priority, Serving
from ggtui.core.deployment.pricing import Pricing
from ggtui.proxy.forward_request import Ruled
from ggtui.services.deployments.book import Deployments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from ggtui.core.snapshot import DeploymentStatus
    from ggtui.services.deployments.live import LiveDeployment
    from ggtui.services.deployments.passage import Passage

GUARD_S = 20
A_DOLLAR = Pricing(output_pusd=10**12)
"""For each token of an answer."""
DOLLAR = 10**12
ONE = Serving(max_concurrent=1)
REJECT = Serving(max_concurrent=1, on_capacity_exhausted=CapacityPolicy.REJECT)


def remote(name: str = "a", **rules: Any) -> Deployment:
    """A deployment whose server is asked over the network."""
    return Deployment(name, "gpt-4o", **rules)


def asking(
    input_tokens: int = 0,
    max_tokens: int | None = 1,
    priority: Priority = Priority.NORMAL,
    client: str = "",
) -> Ruled:
    return Ruled((), input_tokens, max_tokens, priority, client)


@dataclass
class Rig:
    """The book, and everything around it."""

    deployments: tuple[Deployment, ...] = (remote(),)
    clock: ManualClock = field(default_factory=ManualClock)
    spend: MemorySpend = field(default_factory=MemorySpend)
    secrets: MemorySecrets = field(default_factory=MemorySecrets)
    local: set[str] = field(default_factory=set)
    n_server_slots: int | None = None
    revived: list[str] = field(default_factory=list)
    """Local models whose servers were given a fresh start."""

    def __post_init__(self) -> None:
        self.counters = MemoryCounters(self.clock.unix)
        self.n_changes = 0
        self.book = Deployments(
            self.deployments,
            spend=self.spend,
            counters=self.counters,
            secrets=self.secrets,
            clock=self.clock,
            random=lambda: 0.5,
            is_local=lambda model: model in self.local,
            server_slots=lambda _model: self.n_server_slots,
            revive=self.revived.append,
        )
        self.book.changed = self._changed

    def _changed(self) -> None:
        self.n_changes += 1

    def live(self, name: str = "a") -> LiveDeployment:
        found = self.book.get(name)
        assert found is not None
        return found

    def status(self, name: str = "a") -> DeploymentStatus:
        return next(each for each in self.book.statuses if each.name == name)


def run(work: Coroutine[Any, Any, None]) -> None:
    """With a guard against what hangs."""

    async def guarded() -> None:
        async with asyncio.timeout(GUARD_S):
            await work

    asyncio.run(guarded())


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def entered(live: LiveDeployment, facts: Ruled) -> AsyncIterator[Passage]:
    """A request that was let in, and leaves with the block as one of the proxy does."""
    passage = await live.enter(facts)
    try:
        yield passage
    except BaseException as error:
        await gone(passage, error)
        raise
    await gone(passage)


async def gone(passage: Passage, error: BaseException | None = None) -> None:
    """It leaves, and all of it is written."""
    for write in passage.leave(error):
        await asyncio.shield(write)


async def answer(live: LiveDeployment, n_tokens: int = 1, facts: Ruled | None = None) -> None:
    """One request that is answered with so many tokens."""
    async with entered(live, facts or asking()) as passage:
        passage.take_breaker()
        passage.was_sent = True
        passage.answered(0)
        passage.used(passage.facts.input_tokens, n_tokens)
        passage.attempt_succeeded()


def left_over(rig: Rig, name: str = "a") -> dict[str, int]:
    """What requests hold; all of it 0 when none runs."""
    live = rig.live(name)
    return {
        "open": live.in_flight,
        "waiting": live.n_waiting,
        "slots": live.resources.room.n_served,
        "limits": sum(each.in_flight for each in live.resources.limits.all),
        "shared": rig.counters.n_open,
        "held": live.resources.spending.held_pusd,
        "passes": live.breaker._n_probes,
        "alarms": rig.clock.n_alarms,
    }


NOTHING = dict.fromkeys(("open", "waiting", "slots", "limits", "shared", "held", "passes", "alarms"), 0)
