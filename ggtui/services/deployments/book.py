"""All deployments of the configuration, kept over reloads."""

from __future__ import annotations

import random as chance
from typing import TYPE_CHECKING

from ggtui.core.backends.serving import implicit_rules
from ggtui.core.deployment.deployment import implicit_deployment
from ggtui.core.deployment.spend import DAY_S
from ggtui.services.deployments.clock import SystemClock
from ggtui.services.deployments.live import LiveDeployment
from ggtui.services.deployments.report import status_of
from ggtui.services.deployments.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.replicas import Replica
    from ggtui.core.ports.deployments import CountersPort, SecretsPort, SpendPort
    from ggtui.core.snapshot import DeploymentStatus
    from ggtui.services.deployments.clock import Alarm, Clock

PRUNE_EVERY_S = 3600.0


class Deployments:
    """A part of the engine, on its loop: started before anything is served, stopped after that has ended."""

    def __init__(
        self,
        deployments: Sequence[Deployment] = (),
        *,
        spend: SpendPort,
        counters: CountersPort,
        secrets: SecretsPort,
        clock: Clock | None = None,
        random: Callable[[], float] = chance.random,
        is_local: Callable[[str], bool] = lambda _model: False,
        server_slots: Callable[[str], int | None] = lambda _model: None,
        replicas: Callable[[str], tuple[Replica, ...]] = lambda _model: (),
        revive: Callable[[str], None] = lambda _model: None,
    ) -> None:
        """random, is_local, server_slots, replicas, revive: see Surroundings."""
        self._around = Surroundings(
            spend=spend,
            counters=counters,
            secrets=secrets,
            clock=clock or SystemClock(),
            random=random,
            is_local=is_local,
            server_slots=server_slots,
            replicas=replicas,
            revive=revive,
        )
        self._live = {each.name: LiveDeployment(each, self._around) for each in deployments}
        self._gone: dict[str, LiveDeployment] = {}
        """Removed by a reload: their requests may still run, and what they spent counts if they come back."""
        self._bare: dict[str, LiveDeployment] = {}
        """Models without a deployment that others fall back to."""
        self._of_backends: dict[str, LiveDeployment] = {}
        """Names that lead to declared backends, with the usual rules; deployments go before them."""
        self._chains: dict[str, tuple[LiveDeployment, ...]] = {}
        """What `chain` has found since the last change."""
        self._pruning: Alarm | None = None

    @property
    def changed(self) -> Callable[[], None]:
        """Called after every change of what is shown; set by whoever publishes."""
        return self._around.changed

    @changed.setter
    def changed(self, hear: Callable[[], None]) -> None:
        self._around.changed = hear

    async def start(self) -> None:
        """Take over what was spent within the last day."""
        for live in self.all:
            await live.load()
        self._prune()

    async def stop(self) -> None:
        """Settle what is still open, wait until all is written, and close what keeps it."""
        if self._pruning is not None:
            self._pruning.cancel()
        for live in (*self.all, *self._gone.values(), *self._bare.values(), *self.of_backends):
            live.leave_all()
        await self._around.writes.finish()
        await self._around.spend.close()
        await self._around.counters.close()

    async def take(self, deployments: Sequence[Deployment]) -> None:
        """From now on these count. What is in both keeps all its state; requests that run are not cut."""
        fresh = {each.name: await self._made(each) for each in deployments}
        for name in self._live.keys() - fresh.keys():
            self._gone[name] = self._live[name]
            self._live[name].remove()
        for each in deployments:
            is_back = self._gone.pop(each.name, None) is not None
            if is_back or fresh[each.name].rules != each:
                fresh[each.name].adapt(each)
        self._live = fresh
        self._chains.clear()
        self.changed()

    def take_backends(self, names: Collection[str]) -> None:
        """From now on these names lead to declared backends. What is in both keeps all its state."""
        before = self._of_backends
        self._around.backend_names = frozenset(names)
        self._of_backends = {
            name: before.get(name) or LiveDeployment(implicit_rules(name), self._around) for name in names
        }
        self._chains.clear()
        for name in before.keys() - self._of_backends.keys():
            before[name].remove()

    def tell(self) -> None:
        """Something is different: whoever watches shall hear of it."""
        self.changed()

    @property
    def all(self) -> tuple[LiveDeployment, ...]:
        """Those of the configuration, in its order."""
        return tuple(self._live.values())

    @property
    def of_backends(self) -> tuple[LiveDeployment, ...]:
        """Those that stand for names of declared backends; nobody wrote them, and they are not shown."""
        return tuple(self._of_backends.values())

    @property
    def statuses(self) -> tuple[DeploymentStatus, ...]:
        """All of them as they are shown."""
        return tuple(status_of(live) for live in self.all)

    def get(self, name: str) -> LiveDeployment | None:
        """The deployment of this name; None for a model that has no rules."""
        return self._live.get(name)

    def chain(self, name: str) -> tuple[LiveDeployment, ...]:
        """Who is asked for this name, in order: itself, then its fallbacks and theirs, each once.

        A fallback that is neither a deployment nor a name of backends is a model of the catalog, which has no
        rules. Empty for a name that is such a model.
        """
        known = self._chains.get(name)
        if known is not None:
            return known
        if name not in self._live and name not in self._of_backends:
            return ()
        found: dict[str, LiveDeployment] = {}
        for live in self._from(name, found):
            found[live.name] = live
        self._chains[name] = chain = tuple(found.values())
        return chain

    def _from(self, name: str, found: dict[str, LiveDeployment]) -> Iterator[LiveDeployment]:
        if name in found:
            return
        live = self._live.get(name) or self._of_backends.get(name) or self._without_rules(name)
        yield live
        for fallback in live.rules.fallback:
            yield from self._from(fallback, found)

    def _without_rules(self, name: str) -> LiveDeployment:
        if name not in self._bare:
            self._bare[name] = LiveDeployment(implicit_deployment(name), self._around)
        return self._bare[name]

    def _prune(self) -> None:
        """Forget what counts no more, now and every hour."""
        clock = self._around.clock
        if self._live:
            self._around.writes.begin(self._around.spend.prune(clock.unix() - DAY_S))
        self._pruning = clock.call_at(clock.monotonic() + PRUNE_EVERY_S, self._prune)

    async def _made(self, rules: Deployment) -> LiveDeployment:
        known = self._live.get(rules.name) or self._gone.get(rules.name)
        if known is not None:
            return known
        live = LiveDeployment(rules, self._around)
        await live.load()
        return live
