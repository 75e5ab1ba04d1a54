"""The door to the models: hands out leases on them, and takes what a person orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ggtui.core.admission import Admission
from ggtui.core.context import AUTO_CTX
from ggtui.core.schedule import Rules, Scheduler
from ggtui.services.dispatcher import Dispatcher
from ggtui.services.launch_specs import LaunchSpecs
from ggtui.services.lease import Lease
from ggtui.services.refusals import Refusals
from ggtui.services.replicas import Replicas
from ggtui.services.servers import ServerFleet, ServerTimes, memory_at_once
from ggtui.services.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from ggtui.core.deployment.replicas import Replica
    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.core.ports.launcher import LauncherPort
    from ggtui.core.residency import Room
    from ggtui.services.launches import LaunchLedger


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """How the runtime decides and how patient it is."""

    default_ctx: int = AUTO_CTX
    rules: Rules = field(default_factory=Rules)
    times: ServerTimes = field(default_factory=ServerTimes)


class ModelRuntime:
    """The real ModelRuntimePort: swaps models without cutting anybody's answer.

    Lives on the engine's loop. The scheduler decides, the dispatcher carries that out, and the tickets stand
    for those who want a model.
    """

    def __init__(
        self,
        catalog: ModelCatalogPort,
        launcher: LauncherPort,
        ledger: LaunchLedger,
        settings: RuntimeSettings,
        *,
        room: Room | None = None,
        closing: Callable[[RunningTarget], None] = lambda _target: None,
        memory_back: Callable[[], Awaitable[None]] = memory_at_once,
        foresee: Callable[[int, int], str] = lambda _model_id, _n_ctx: "",
        forbids: Callable[[int, int], str] = lambda _model_id, _n_ctx: "",
        replicas: Replicas | None = None,
    ) -> None:
        """Wire it up; nothing starts.

        room: how many models may be resident; one when not given.
        closing: called right before a server is stopped, to close every connection to it.
        memory_back: see ServerFleet.
        foresee: the forecast of a model at a context, in words, for the log.
        forbids: why this machine cannot hold a model at a context at all; empty when it may be tried.
        replicas: which models have more than one server; none when not given.
        """
        self._launcher = launcher
        self._settings = settings
        self._scheduler = Scheduler(settings.rules, room)
        self._replicas = self._scheduler.replicas = replicas or Replicas()
        self._refusals = Refusals(ledger, forbids, self._replicas)
        self._specs = LaunchSpecs(catalog, ledger, self._replicas)
        fleet = partial(
            ServerFleet, launcher, ledger, settings.times, closing=closing, memory_back=memory_back
        )
        self._dispatcher = Dispatcher(self._scheduler, ledger, self._specs, self._refusals, fleet, foresee)
        self._tickets = Tickets(self._scheduler, self._specs, self._refusals, self._dispatcher)

    # The port

    def acquire(
        self,
        model_name: str,
        num_ctx: int | None,
        default_ctx: int,
        admission: Admission | None = None,
    ) -> Lease:
        """A lease on the wanted model; see ModelRuntimePort.acquire.

        Raises: ModelRuntimeError, on entry.
        """
        wishes = admission or Admission()
        tickets = self._tickets
        return Lease(partial(tickets.ask, model_name, num_ctx, default_ctx, wishes), tickets.leave)

    async def ensure_model_running(
        self, model_name: str, num_ctx: int | None, default_ctx: int
    ) -> RunningTarget:
        """The wanted model, running; see ModelRuntimePort.ensure_model_running.

        Raises: ModelRuntimeError.
        """
        async with self.acquire(model_name, num_ctx, default_ctx) as target:
            return target

    async def current_model(self) -> RunningTarget | None:
        """The most recently ready target, or None."""
        running = await self.list_running()
        return running[-1] if running else None

    async def list_running(self) -> tuple[RunningTarget, ...]:
        """All ready targets, the most recently ready last."""
        return self._dispatcher.ready_targets()

    async def stop_current(self) -> None:
        """Stop what runs or loads, at once; returns with the process dead."""
        await self.stop(None, is_forced=True)

    # What a person asks

    async def load(self, model_name: str, n_ctx: int | None) -> RunningTarget:
        """Bring this model up now, with exactly n_ctx when given. A newer call takes the older one's turn.

        Raises: ModelRuntimeError.
        """
        return await self._tickets.press(model_name, n_ctx, self._settings.default_ctx)

    async def stop(self, model_id: int | None = None, *, is_forced: bool = False) -> None:
        """Stop one model or all; leases end first unless forced. Returns when they are dead."""
        wanted = [r.launch_id for r in self._scheduler.residents if model_id in (None, r.model_id)]
        now = self._dispatcher.now()
        self._dispatcher.carry_out(self._scheduler.stop(model_id, now, is_forced=is_forced), now)
        for launch_id in wanted:
            await self._dispatcher.fleet.ended(launch_id)

    def pin(self, model_id: int, is_pinned: bool) -> None:
        """Keep a model resident once it is, or no longer."""
        now = self._dispatcher.now()
        self._dispatcher.carry_out(self._scheduler.pin(model_id, is_pinned, now), now)

    def forgive(self, model_id: int | None = None) -> None:
        """Give one model, or all, a fresh start after failures."""
        self._refusals.forgive(model_id)
        self._dispatcher.look_again()

    def reconfigure(self, settings: RuntimeSettings) -> None:
        """Decide by these settings from now on, and give everything that failed a fresh start."""
        self._settings = settings
        self._scheduler.rules = settings.rules
        self._dispatcher.fleet.times = settings.times
        self.forgive()
        self._dispatcher.tick()

    async def relaunch_changed(self, other_ctx: frozenset[int] = frozenset()) -> None:
        """End each server that would be launched otherwise now after its requests; the next one starts it.

        other_ctx: ids of the models whose own context was changed. Idle times are looked at anew too.
        """
        await self._specs.learn_anew()
        residents, default_ctx = self._scheduler.residents, self._settings.default_ctx
        self._dispatcher.retire(self._specs.outdated(residents, default_ctx, other_ctx))
        self._dispatcher.tick()

    def retire(self, model_ids: Collection[int]) -> None:
        """End the servers of these models after their requests; nobody who waits is refused."""
        self._dispatcher.retire([r.launch_id for r in self._scheduler.residents if r.model_id in model_ids])

    async def close(self) -> None:
        """Refuse everybody, stop every server and wait until all are dead."""
        await self._dispatcher.close()
        await self._launcher.close()

    # For views

    @property
    def scheduler(self) -> Scheduler:
        """The decisions' state."""
        return self._scheduler

    def replicas_of(self, model_id: int) -> tuple[Replica, ...]:
        """The servers of a model that shall have several, in their order; empty for any other."""
        now = self._dispatcher.now()
        return self._replicas.states(model_id, self._scheduler.servers_of(model_id), now)
