"""The door to the models: admits requests by the scheduler's decisions and hands out leases."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

from ggtui.core.admission import Admission
from ggtui.core.causes import Wish, how_ended
from ggtui.core.context import AUTO_CTX, clamp_context
from ggtui.core.decisions import Decision, Grant, Phase, Refusal, Refuse, Start, Stop, Ticket
from ggtui.core.errors import (
    Internal,
    LoadCancelled,
    ModelRuntimeError,
    OutOfMemory,
    SpawnReason,
)
from ggtui.core.schedule import Rules, Scheduler
from ggtui.services.grants import Grants
from ggtui.services.launch_specs import LaunchSpecs, choice_of
from ggtui.services.lease import Lease
from ggtui.services.refusals import Refusals, error_of
from ggtui.services.replicas import Replicas
from ggtui.services.servers import ServerFleet, ServerTimes, memory_at_once
from ggtui.services.waits import WaitBook

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from ggtui.core.causes import End
    from ggtui.core.deployment.replicas import Replica
    from ggtui.core.models import ModelLaunchSpec, RunningTarget
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.core.ports.launcher import LauncherPort
    from ggtui.core.residency import Room
    from ggtui.services.launches import Launch, LaunchLedger

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """How the runtime decides and how patient it is."""

    default_ctx: int = AUTO_CTX
    rules: Rules = field(default_factory=Rules)
    times: ServerTimes = field(default_factory=ServerTimes)


class ModelRuntime:
    """The real ModelRuntimePort: swaps models without cutting anybody's answer.

    Lives on the engine's loop. Invariant: every ticket it asked with is left exactly once.
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
        self._ledger = ledger
        self._settings = settings
        self._foresee = foresee
        self._scheduler = Scheduler(settings.rules, room)
        self._replicas = self._scheduler.replicas = replicas or Replicas()
        self._fleet = ServerFleet(
            launcher, ledger, settings.times, self, closing=closing, memory_back=memory_back
        )
        self._waits = WaitBook(self._scheduler, ledger)
        self._refusals = Refusals(ledger, forbids, self._replicas)
        self._specs = LaunchSpecs(catalog, ledger, self._replicas)
        self._grants = Grants()
        self._pressed: set[int] = set()
        self._ready: list[int] = []
        self._notes: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._next_ticket_id = 1

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
        return Lease(partial(self._ask, model_name, num_ctx, default_ctx, wishes), self._leave)

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
        residents = (self._scheduler.resident(launch_id) for launch_id in self._ready)
        ready = [each.launch_id for each in residents if each is not None and each.phase is Phase.READY]
        targets = (self._fleet.target(launch_id) for launch_id in ready)
        return tuple(target for target in targets if target is not None)

    async def stop_current(self) -> None:
        """Stop what runs or loads, at once; returns with the process dead."""
        await self.stop(None, is_forced=True)

    # What a person asks

    async def load(self, model_name: str, n_ctx: int | None) -> RunningTarget:
        """Bring this model up now, with exactly n_ctx when given. A newer call takes the older one's turn.

        Raises: ModelRuntimeError.
        """
        spec = await self._specs.resolve(model_name)
        if spec.options.adapters:
            self._retire_lacking(spec)
        self._refusals.forgive(spec.model_id)
        choice = choice_of(spec, n_ctx, self._settings.default_ctx)
        self._withdraw_pressed()
        ticket = Ticket(
            id=self._new_id(),
            model_id=spec.model_id,
            start_ctx=choice.n_ctx,
            needed_ctx=None,
            arrived=self._now(),
            is_exact=n_ctx is not None,
            is_urgent=True,
            needs_slot=False,
            wish=Wish.PERSON,
        )
        self._pressed.add(ticket.id)
        try:
            self._refuse_if_hopeless(spec, ticket)
            target = await self._admitted(ticket, Admission())
            self._carry_out(self._scheduler.look_again(self._now()))  # for replicas that had failed
            return target
        finally:
            self._pressed.discard(ticket.id)
            self._leave(ticket.id)

    async def stop(self, model_id: int | None = None, *, is_forced: bool = False) -> None:
        """Stop one model or all; leases end first unless forced. Returns when they are dead."""
        wanted = [r.launch_id for r in self._scheduler.residents if model_id in (None, r.model_id)]
        self._carry_out(self._scheduler.stop(model_id, self._now(), is_forced=is_forced))
        for launch_id in wanted:
            await self._fleet.ended(launch_id)

    def pin(self, model_id: int, is_pinned: bool) -> None:
        """Keep a model resident once it is, or no longer."""
        self._carry_out(self._scheduler.pin(model_id, is_pinned, self._now()))

    def forgive(self, model_id: int | None = None) -> None:
        """Give one model, or all, a fresh start after failures."""
        self._refusals.forgive(model_id)
        self._carry_out(self._scheduler.look_again(self._now()))

    def reconfigure(self, settings: RuntimeSettings) -> None:
        """Decide by these settings from now on, and give everything that failed a fresh start."""
        self._settings = settings
        self._scheduler.rules = settings.rules
        self._fleet.times = settings.times
        self.forgive()
        self._tick()

    async def relaunch_changed(self, other_ctx: frozenset[int] = frozenset()) -> None:
        """End each server that would be launched otherwise now after its requests; the next one starts it.

        other_ctx: ids of the models whose own context was changed. Idle times are looked at anew too.
        """
        await self._specs.learn_anew()
        residents, default_ctx = self._scheduler.residents, self._settings.default_ctx
        outdated = self._specs.outdated(residents, default_ctx, other_ctx)
        self._carry_out(self._scheduler.retire(outdated, self._now()))
        self._tick()

    def retire(self, model_ids: Collection[int]) -> None:
        """End the servers of these models after their requests; nobody who waits is refused."""
        launch_ids = [r.launch_id for r in self._scheduler.residents if r.model_id in model_ids]
        self._carry_out(self._scheduler.retire(launch_ids, self._now()))

    async def close(self) -> None:
        """Refuse everybody, stop every server and wait until all are dead."""
        self._carry_out(self._scheduler.close(self._now()))
        await self._fleet.all_ended()
        await asyncio.gather(*self._notes, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        await self._launcher.close()

    @property
    def scheduler(self) -> Scheduler:
        """The decisions' state, for views."""
        return self._scheduler

    # What became of a launch

    def server_ready(self, launch_id: int, target: RunningTarget) -> None:
        """See FleetReports."""
        self._ready.append(launch_id)
        self._carry_out(
            self._scheduler.launched(launch_id, target.effective_ctx, self._now(), target.n_slots)
        )
        note = self._loop.create_task(self._specs.note_loaded(target.model_id))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    def server_failed(self, launch_id: int, error: ModelRuntimeError) -> None:
        """See FleetReports."""
        resident = self._scheduler.resident(launch_id)
        if resident is not None:
            spec, has_worked = self._specs.of(resident.model_id), resident.restore_ctx is not None
            self._refusals.failed(spec, error, self._now(), replica=resident.replica, has_worked=has_worked)
        is_out_of_memory = isinstance(error, OutOfMemory)
        decisions = self._scheduler.launch_failed(launch_id, self._now(), is_out_of_memory=is_out_of_memory)
        self._carry_out(decisions, launch_error=error)

    def server_lost(self, launch_id: int) -> None:
        """See FleetReports."""
        self._carry_out(self._scheduler.lost(launch_id, self._now()))

    def server_ended(self, launch_id: int, *, was_asked: bool) -> None:
        """See FleetReports."""
        if launch_id in self._ready:
            self._ready.remove(launch_id)
        self._waits.ended(launch_id, self._now())
        resident = self._scheduler.resident(launch_id)
        if resident is not None and not was_asked:
            self._note_crash(resident.model_id, resident.replica)
        self._carry_out(self._scheduler.ended(launch_id, self._now()))

    def _note_crash(self, model_id: int, replica: int) -> None:
        """One that crashes again and again is left alone, also by those who have waited for it so far."""
        self._refusals.crashed(model_id, self._now(), replica)
        resting = self._refusals.why_resting(self._specs.of(model_id), self._now())
        if resting is not None:
            self._carry_out(self._scheduler.give_up(model_id, self._now()), launch_error=resting)

    def in_flight(self, launch_id: int) -> int:
        """See FleetReports."""
        resident = self._scheduler.resident(launch_id)
        return len(resident.leases) if resident is not None else 0

    def replicas_of(self, model_id: int) -> tuple[Replica, ...]:
        """The servers of a model that shall have several, in their order; empty for any other."""
        return self._replicas.states(model_id, self._scheduler.servers_of(model_id), self._now())

    # Admission

    async def _ask(
        self, model_name: str, num_ctx: int | None, default_ctx: int, wishes: Admission
    ) -> tuple[int, RunningTarget]:
        """The id of a new ticket and the server it is let in to.

        Raises: ModelRuntimeError; then, and when it is cancelled, no ticket is left.
        """
        spec = await self._specs.resolve(model_name)
        if spec.options.adapters:
            self._retire_lacking(spec)
        choice = choice_of(spec, num_ctx, default_ctx)
        ticket = Ticket(
            id=self._new_id(),
            model_id=spec.model_id,
            start_ctx=choice.n_ctx,
            needed_ctx=clamp_context(num_ctx, spec.n_ctx_train) if num_ctx is not None else None,
            arrived=self._now(),
            keep_alive_s=wishes.keep_alive_s,
            needs_slot=wishes.needs_slot,
            wish=wishes.wish,
        )
        self._refuse_if_hopeless(spec, ticket)
        try:
            return ticket.id, await self._admitted(ticket, wishes)
        except BaseException:
            self._leave(ticket.id)
            raise

    def _retire_lacking(self, spec: ModelLaunchSpec) -> None:
        """A server that was started before an adapter's file was there ends after its requests."""
        lacking = self._specs.lacking(self._scheduler.residents, spec)
        if lacking:
            self._carry_out(self._scheduler.retire(lacking, self._now()))

    def _refuse_if_hopeless(self, spec: ModelLaunchSpec, ticket: Ticket) -> None:
        """A start that would fail is not tried, nor a server ended for it; who can join one is not asked.

        Raises: ModelRuntimeError.
        """
        server = self._scheduler.server_of(ticket.model_id)
        if server is not None and server.suits(ticket):
            return
        resting = self._refusals.why_resting(spec, ticket.arrived)
        if resting is not None:
            raise resting
        self._refusals.check_possible(ticket.model_id, ticket.start_ctx)

    def _new_id(self) -> int:
        self._next_ticket_id += 1
        return self._next_ticket_id - 1

    async def _admitted(self, ticket: Ticket, admission: Admission) -> RunningTarget:
        """Wait for the ticket's turn. The caller leaves with the ticket's id, whatever happens here."""
        granted = self._grants.expect(ticket.id)
        try:
            self._carry_out(self._scheduler.request(ticket, ticket.arrived))
            if granted.done():
                return granted.result()
            admission.now_waiting_for = lambda: self._waits.words(ticket, self._now())
            target = await granted
        finally:
            self._grants.forget(ticket.id)
        admission.waited = self._waits.made_of(ticket, self._now())
        return target

    def _leave(self, ticket_id: int) -> None:
        self._carry_out(self._scheduler.leave(ticket_id, self._now()))

    def _withdraw_pressed(self) -> None:
        for ticket_id in list(self._pressed):
            chosen_other = LoadCancelled("another model was chosen", reason=SpawnReason.CANCELLED)
            self._grants.refuse(ticket_id, chosen_other)
            self._leave(ticket_id)

    # Decisions

    def _carry_out(self, decisions: list[Decision], launch_error: ModelRuntimeError | None = None) -> None:
        for decision in decisions:
            match decision:
                case Grant(ticket_id, launch_id, _):
                    self._grants.grant(ticket_id, self._fleet.target(launch_id))
                case Start():
                    self._begin(decision)
                case Stop(launch_id, why, room_for):
                    self._end(launch_id, why, room_for)
                case Refuse(ticket_id, Refusal.LAUNCH_FAILED):
                    self._grants.refuse(ticket_id, launch_error or Internal("a failure without its cause"))
                case Refuse(ticket_id, why):
                    self._grants.refuse(ticket_id, error_of(why))
        self._ledger.changed()
        self._set_timer()

    def _begin(self, start: Start) -> None:
        spec, launch_id = self._specs.of(start.model_id), start.launch_id
        self._waits.started(launch_id, self._now())
        plan, share = self._specs.shared(start.model_id)
        launch = self._ledger.begin(
            launch_id,
            spec,
            start.n_ctx,
            lambda: self._scheduler.progressed(launch_id, self._now()),
            start.why,
            start.replica,
        )
        launch.plan, launch.share = plan, share
        self._fleet.begin(launch, spec)
        self._loop.call_soon(self._tell_begun, spec, launch)  # behind the spawn, which nothing may delay

    def _tell_begun(self, spec: ModelLaunchSpec, launch: Launch) -> None:
        _LOG.info("%s (%s)", self._ahead(spec, launch.n_ctx), launch.why)

    def _ahead(self, spec: ModelLaunchSpec, n_ctx: int) -> str:
        """The forecast in words; a forecast that fails costs its words, never the load."""
        try:
            ahead = self._foresee(spec.model_id, n_ctx)
        except Exception:
            _LOG.exception("no forecast of %s", spec.public_id)
            ahead = ""
        return ahead or f"load {spec.public_id}  ctx {n_ctx}"

    def _end(self, launch_id: int, why: End, room_for: int | None) -> None:
        resident = self._scheduler.resident(launch_id)
        idle_s = self._scheduler.keep_alive_s(resident) if resident is not None else 0.0
        rival = self._specs.of(room_for).public_id if room_for is not None else ""
        self._ledger.ending(launch_id, why, how_ended(why, room_for=rival, idle_s=idle_s))
        self._waits.stopping(launch_id, self._now())
        self._fleet.end(launch_id)

    def _set_timer(self) -> None:
        """Look again when time may change something. A look that comes too early only sets the next one."""
        now = self._now()
        moment = self._scheduler.next_tick(now)
        if moment is None or (self._timer is not None and self._timer_at <= moment):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = moment
        self._timer = self._loop.call_later(moment - now, self._look_again)

    def _now(self) -> float:
        return self._loop.time()

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        """The loop it lives on, known once it is used."""
        return asyncio.get_running_loop()

    def _look_again(self) -> None:
        self._timer = None
        self._tick()

    def _tick(self) -> None:
        self._carry_out(self._scheduler.tick(self._now()))
