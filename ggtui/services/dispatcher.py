"""Carries out what the scheduler decides, and tells it what became of that and when time has passed."""

from __future__ import annotations

import asyncio
import logging
from functools import cached_property
from typing import TYPE_CHECKING

from ggtui.core.causes import how_ended
from ggtui.core.decisions import Decision, Grant, Phase, Refusal, Refuse, Start, Stop
from ggtui.core.errors import Internal, ModelRuntimeError, OutOfMemory
from ggtui.services.grants import Grants
from ggtui.services.refusals import error_of
from ggtui.services.waits import WaitBook

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ggtui.core.causes import End
    from ggtui.core.models import ModelLaunchSpec, RunningTarget
    from ggtui.core.schedule import Scheduler
    from ggtui.services.launch_specs import LaunchSpecs
    from ggtui.services.launches import Launch, LaunchLedger
    from ggtui.services.refusals import Refusals
    from ggtui.services.servers import FleetReports, ServerFleet

_LOG = logging.getLogger(__name__)


class Dispatcher:
    """The hands of the scheduler: grants and refuses, starts and stops, and sets the timer.

    Lives on the engine's loop. Invariant: decisions are carried out in the moment in which they were made.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        ledger: LaunchLedger,
        specs: LaunchSpecs,
        refusals: Refusals,
        make_fleet: Callable[[FleetReports], ServerFleet],
        foresee: Callable[[int, int], str],
    ) -> None:
        """specs: what is launched. refusals: hears of every start that failed and every crash.

        make_fleet: the servers, which report to what it is given.
        foresee: the forecast of a model at a context, in words, for the log.
        """
        self.grants = Grants()
        """Where those who wait are told how their wait ended."""
        self.waits = WaitBook(scheduler, ledger)
        """What they wait for."""
        self.fleet = make_fleet(self)
        self._scheduler = scheduler
        self._ledger = ledger
        self._specs = specs
        self._refusals = refusals
        self._foresee = foresee
        self._ready: list[int] = []
        """Launch ids of the servers that answer, the most recently ready last."""
        self._notes: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def now(self) -> float:
        """The time of the engine's loop, by which everything is decided: monotonic seconds."""
        return self._loop.time()

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        """The loop it lives on, known once it is used."""
        return asyncio.get_running_loop()

    def ready_targets(self) -> tuple[RunningTarget, ...]:
        """Where the ready servers answer, the most recently ready last."""
        residents = (self._scheduler.resident(launch_id) for launch_id in self._ready)
        ready = [each.launch_id for each in residents if each is not None and each.phase is Phase.READY]
        targets = (self.fleet.target(launch_id) for launch_id in ready)
        return tuple(target for target in targets if target is not None)

    def retire(self, launch_ids: Collection[int]) -> None:
        """End these servers after their requests; nobody who waits is refused."""
        now = self.now()
        self.carry_out(self._scheduler.retire(launch_ids, now), now)

    def look_again(self) -> None:
        """Start what was left alone after failures, where it is wanted and may be started again."""
        now = self.now()
        self.carry_out(self._scheduler.look_again(now), now)

    def tick(self) -> None:
        """Let the scheduler see what time it is."""
        now = self.now()
        self.carry_out(self._scheduler.tick(now), now)

    async def close(self) -> None:
        """Refuse everybody, stop every server and wait until all are dead."""
        now = self.now()
        self.carry_out(self._scheduler.close(now), now)
        await self.fleet.all_ended()
        await asyncio.gather(*self._notes, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()

    # What became of a launch

    def server_ready(self, launch_id: int, target: RunningTarget) -> None:
        """See FleetReports."""
        now = self.now()
        self._ready.append(launch_id)
        self.carry_out(self._scheduler.launched(launch_id, target.effective_ctx, now, target.n_slots), now)
        note = self._loop.create_task(self._specs.note_loaded(target.model_id))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    def server_failed(self, launch_id: int, error: ModelRuntimeError) -> None:
        """See FleetReports."""
        now = self.now()
        resident = self._scheduler.resident(launch_id)
        if resident is not None:
            spec, has_worked = self._specs.of(resident.model_id), resident.restore_ctx is not None
            self._refusals.failed(spec, error, now, replica=resident.replica, has_worked=has_worked)
        is_out_of_memory = isinstance(error, OutOfMemory)
        decisions = self._scheduler.launch_failed(launch_id, now, is_out_of_memory=is_out_of_memory)
        self.carry_out(decisions, now, launch_error=error)

    def server_lost(self, launch_id: int) -> None:
        """See FleetReports."""
        now = self.now()
        self.carry_out(self._scheduler.lost(launch_id, now), now)

    def server_ended(self, launch_id: int, *, was_asked: bool) -> None:
        """See FleetReports."""
        now = self.now()
        if launch_id in self._ready:
            self._ready.remove(launch_id)
        self.waits.ended(launch_id, now)
        resident = self._scheduler.resident(launch_id)
        if resident is not None and not was_asked:
            self._note_crash(resident.model_id, resident.replica, now)
        self.carry_out(self._scheduler.ended(launch_id, now), now)

    def _note_crash(self, model_id: int, replica: int, now: float) -> None:
        """One that crashes again and again is left alone, also by those who have waited for it so far."""
        self._refusals.crashed(model_id, now, replica)
        resting = self._refusals.why_resting(self._specs.of(model_id), now)
        if resting is not None:
            self.carry_out(self._scheduler.give_up(model_id, now), now, launch_error=resting)

    def in_flight(self, launch_id: int) -> int:
        """See FleetReports."""
        resident = self._scheduler.resident(launch_id)
        return len(resident.leases) if resident is not None else 0

    # Decisions

    def carry_out(
        self, decisions: list[Decision], now: float, launch_error: ModelRuntimeError | None = None
    ) -> None:
        """Do what was decided at this time. launch_error: what those are told whose launch has failed."""
        for decision in decisions:
            match decision:
                case Grant(ticket_id, launch_id, _):
                    self.grants.grant(ticket_id, self.fleet.target(launch_id))
                case Start():
                    self._begin(decision, now)
                case Stop(launch_id, why, room_for):
                    self._end(launch_id, why, room_for, now)
                case Refuse(ticket_id, Refusal.LAUNCH_FAILED):
                    self.grants.refuse(ticket_id, launch_error or Internal("a failure without its cause"))
                case Refuse(ticket_id, why):
                    self.grants.refuse(ticket_id, error_of(why))
        self._ledger.changed()
        self._set_timer(now)

    def _begin(self, start: Start, now: float) -> None:
        spec, launch_id = self._specs.of(start.model_id), start.launch_id
        self.waits.started(launch_id, now)
        plan, share = self._specs.shared(start.model_id)
        launch = self._ledger.begin(
            launch_id,
            spec,
            start.n_ctx,
            lambda: self._scheduler.progressed(launch_id, self.now()),
            start.why,
            start.replica,
        )
        launch.plan, launch.share = plan, share
        self.fleet.begin(launch, spec)
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

    def _end(self, launch_id: int, why: End, room_for: int | None, now: float) -> None:
        resident = self._scheduler.resident(launch_id)
        idle_s = self._scheduler.keep_alive_s(resident) if resident is not None else 0.0
        rival = self._specs.of(room_for).public_id if room_for is not None else ""
        self._ledger.ending(launch_id, why, how_ended(why, room_for=rival, idle_s=idle_s))
        self.waits.stopping(launch_id, now)
        self.fleet.end(launch_id)

    def _set_timer(self, now: float) -> None:
        """Look again when time may change something. A look that comes too early only sets the next one."""
        moment = self._scheduler.next_tick(now)
        if moment is None or (self._timer is not None and self._timer_at <= moment):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = moment
        self._timer = self._loop.call_at(moment, self._time_has_come)

    def _time_has_come(self) -> None:
        self._timer = None
        self.tick()
