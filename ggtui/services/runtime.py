"""Carries out what the scheduler decides: starts, stops and watches servers, and hands out leases."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui.core.context import choose_context, clamp_context
from ggtui.core.errors import (
    AdmissionTimeout,
    EngineStopping,
    Failure,
    Internal,
    LaunchRejected,
    LoadCancelled,
    ModelNotFound,
    ModelRuntimeError,
    SpawnReason,
)
from ggtui.core.models import LaunchPlan
from ggtui.core.nearness import near_names
from ggtui.core.schedule import Decision, Grant, Refusal, Refuse, Scheduler, Start, Stop, Ticket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from ggtui.core.models import ModelLaunchSpec, RunningTarget
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.core.ports.launcher import ExitReport, LauncherPort, ServerProcess
    from ggtui.services.launches import Launch, LaunchLedger

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """How patient the runtime is. Times in seconds."""

    default_ctx: int = 4096
    turn_quantum_s: float = 10.0
    admission_timeout_s: float = 180.0
    stall_timeout_s: float = 120.0
    stop_grace_s: float = 5.0


@dataclass(slots=True)
class _Running:
    """The tasks and the process behind one launch."""

    launch: Launch
    load: asyncio.Task[None] | None = None
    process: ServerProcess | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class ModelRuntime:
    """The real ModelRuntimePort: one model at a time, swapped without cutting anybody's answer.

    Lives on the engine's loop. Invariant: every launch that was begun is reported to the scheduler as
    ended exactly once, whatever happens in between.
    """

    def __init__(
        self,
        catalog: ModelCatalogPort,
        launcher: LauncherPort,
        ledger: LaunchLedger,
        settings: RuntimeSettings,
        *,
        closing: Callable[[RunningTarget], None] = lambda _target: None,
        foresee: Callable[[int, int], str] = lambda _model_id, _n_ctx: "",
    ) -> None:
        """Wire it up; nothing starts.

        closing: called right before a server is stopped, to close every connection to it.
        foresee: the forecast of a model at a context, in words, for the log.
        """
        self._catalog = catalog
        self._launcher = launcher
        self._ledger = ledger
        self._settings = settings
        self._closing = closing
        self._foresee = foresee
        self._scheduler = Scheduler(
            turn_quantum_s=settings.turn_quantum_s, admission_timeout_s=settings.admission_timeout_s
        )
        self._specs: dict[int, ModelLaunchSpec] = {}
        self._grants: dict[int, asyncio.Future[RunningTarget]] = {}
        self._running: dict[int, _Running] = {}
        self._pressed: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._next_ticket_id = 1

    # The port

    @asynccontextmanager
    async def acquire(
        self, model_name: str, num_ctx: int | None, default_ctx: int
    ) -> AsyncIterator[RunningTarget]:
        """A lease on the wanted model; see ModelRuntimePort.acquire.

        Raises: ModelRuntimeError.
        """
        spec = await self._resolve(model_name)
        choice = choose_context(num_ctx, spec.n_ctx_chosen, default_ctx, spec.n_ctx_train)
        needed = clamp_context(num_ctx, spec.n_ctx_train) if num_ctx is not None else None
        ticket = self._ticket(spec, choice.n_ctx, needed)
        try:
            yield await self._admitted(ticket)
        finally:
            self._leave(ticket.id)

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
        ready = [run.process for run in self._running.values() if run.process is not None]
        return ready[-1].target if ready else None

    async def stop_current(self) -> None:
        """Stop what runs or loads, at once; returns with the process dead."""
        await self.stop(None, is_forced=True)

    # What a person asks

    async def load(self, model_name: str, n_ctx: int | None) -> RunningTarget:
        """Bring this model up now, with exactly n_ctx when given. A newer call takes the older one's turn.

        Raises: ModelRuntimeError.
        """
        spec = await self._resolve(model_name)
        choice = choose_context(n_ctx, spec.n_ctx_chosen, self._settings.default_ctx, spec.n_ctx_train)
        self._withdraw_pressed()
        ticket = self._ticket(spec, choice.n_ctx, None, is_exact=n_ctx is not None, is_urgent=True)
        self._pressed.add(ticket.id)
        try:
            return await self._admitted(ticket)
        finally:
            self._pressed.discard(ticket.id)
            self._leave(ticket.id)

    async def stop(self, model_id: int | None = None, *, is_forced: bool = False) -> None:
        """Stop one model or all; leases end first unless forced. Returns when they are dead."""
        wanted = [
            run
            for launch_id, run in self._running.items()
            if (resident := self._scheduler.resident(launch_id)) is not None
            and model_id in (None, resident.model_id)
        ]
        self._carry_out(self._scheduler.stop(model_id, _now(), is_forced=is_forced))
        for run in wanted:
            await run.ended.wait()

    async def close(self) -> None:
        """Refuse everybody, stop every server and wait until all are dead."""
        self._carry_out(self._scheduler.close(_now()))
        for run in list(self._running.values()):
            await run.ended.wait()
        if self._timer is not None:
            self._timer.cancel()
        await self._launcher.close()

    @property
    def scheduler(self) -> Scheduler:
        """The decisions' state, for views."""
        return self._scheduler

    # Admission

    async def _resolve(self, model_name: str) -> ModelLaunchSpec:
        spec = await self._catalog.resolve_for_launch(model_name)
        if spec is None:
            known = [model.public_id for model in await self._catalog.list_models()]
            raise ModelNotFound(model_name, near=near_names(model_name, known))
        if spec.problem is not None:
            refused = LaunchRejected(spec.problem, reason=SpawnReason.BAD_MODEL_FILE)
            self._ledger.refused(spec, refused)
            raise refused
        self._specs[spec.model_id] = spec
        return spec

    def _ticket(
        self,
        spec: ModelLaunchSpec,
        start_ctx: int,
        needed_ctx: int | None,
        *,
        is_exact: bool = False,
        is_urgent: bool = False,
    ) -> Ticket:
        ticket_id = self._next_ticket_id
        self._next_ticket_id += 1
        return Ticket(ticket_id, spec.model_id, start_ctx, needed_ctx, _now(), is_exact, is_urgent)

    async def _admitted(self, ticket: Ticket) -> RunningTarget:
        """Wait for the ticket's turn. The caller leaves with the ticket's id, whatever happens here."""
        granted: asyncio.Future[RunningTarget] = asyncio.get_running_loop().create_future()
        self._grants[ticket.id] = granted
        try:
            self._carry_out(self._scheduler.request(ticket, _now()))
            return await granted
        finally:
            del self._grants[ticket.id]

    def _leave(self, ticket_id: int) -> None:
        self._carry_out(self._scheduler.leave(ticket_id, _now()))

    def _withdraw_pressed(self) -> None:
        for ticket_id in list(self._pressed):
            granted = self._grants.get(ticket_id)
            if granted is not None and not granted.done():
                granted.set_exception(LoadCancelled("another model was chosen", reason=SpawnReason.CANCELLED))
            self._leave(ticket_id)

    # Decisions

    def _carry_out(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            match decision:
                case Grant(ticket_id, launch_id):
                    self._tell(ticket_id, launch_id)
                case Start(launch_id, model_id, n_ctx, why):
                    self._begin(launch_id, model_id, n_ctx, why)
                case Stop(launch_id, why):
                    self._end(launch_id, why)
                case Refuse(ticket_id, why):
                    self._refuse(ticket_id, why)
        self._ledger.changed()
        self._set_timer()

    def _tell(self, ticket_id: int, launch_id: int) -> None:
        process = self._running[launch_id].process
        granted = self._grants.get(ticket_id)
        if process is not None and granted is not None and not granted.done():
            granted.set_result(process.target)

    def _refuse(self, ticket_id: int, why: Refusal, error: Failure | None = None) -> None:
        granted = self._grants.get(ticket_id)
        if granted is None or granted.done():
            return
        granted.set_exception(error or _refusals(why))
        granted.exception()  # seen: the waiter may have been cancelled in the same moment

    def _begin(self, launch_id: int, model_id: int, n_ctx: int, why: str) -> None:
        spec = self._specs[model_id]
        ahead = self._foresee(model_id, n_ctx) or f"load {spec.public_id}  ctx {n_ctx}"
        launch = self._ledger.begin(launch_id, spec, n_ctx, lambda: self._scheduler.progressed(_now()))
        run = _Running(launch)
        self._running[launch_id] = run
        _LOG.info("%s (%s)", ahead, why)
        run.load = self._spawn(self._load(launch_id, run, spec, n_ctx))
        # A task cancelled before its first step never enters its body, so the end is noted from outside.
        run.load.add_done_callback(
            lambda task: self._load_ended(launch_id, run) if task.cancelled() else None
        )

    def _end(self, launch_id: int, why: str) -> None:
        run = self._running[launch_id]
        _LOG.info("stopping %s: %s", run.launch.public_id, why)
        if run.process is None:
            if run.load is not None:
                run.load.cancel()
            return
        self._closing(run.process.target)
        self._spawn(self._stop_process(run.process))

    # Effects

    async def _load(self, launch_id: int, run: _Running, spec: ModelLaunchSpec, n_ctx: int) -> None:
        settings = self._settings
        plan = LaunchPlan(spec, n_ctx, settings.stall_timeout_s, settings.stop_grace_s)
        try:
            process = await self._launcher.launch(plan, run.launch)
        except Exception as error:
            self._load_failed(launch_id, run, _as_runtime_error(error))
            return
        run.process = process
        self._ledger.ready(run.launch, process)
        resident = self._scheduler.resident(launch_id)
        if resident is not None and resident.phase == "stopping":  # cancelled in the moment it became ready
            self._spawn(self._stop_process(process))
        self._spawn(self._watch(launch_id, run, process))
        self._carry_out(self._scheduler.launched(launch_id, process.target.effective_ctx, _now()))

    def _load_failed(self, launch_id: int, run: _Running, error: ModelRuntimeError) -> None:
        _LOG.warning("loading %s failed: %s", run.launch.public_id, error.message)
        self._ledger.failed(run.launch, error)
        del self._running[launch_id]
        decisions = self._scheduler.launch_failed(launch_id, _now())
        for decision in decisions:
            if isinstance(decision, Refuse) and decision.why is Refusal.LAUNCH_FAILED:
                self._refuse(decision.ticket_id, decision.why, error)
        self._carry_out([decision for decision in decisions if not _is_told(decision)])
        run.ended.set()

    def _load_ended(self, launch_id: int, run: _Running) -> None:
        self._ledger.ended(run.launch, None)
        del self._running[launch_id]
        self._carry_out(self._scheduler.ended(launch_id, _now()))
        run.ended.set()

    async def _watch(self, launch_id: int, run: _Running, process: ServerProcess) -> None:
        report: ExitReport = await process.wait_exit()
        if not report.was_asked:
            self._closing(process.target)
            _LOG.warning("%s ended by itself: %s", run.launch.public_id, report.cause or report.code)
        self._ledger.ended(run.launch, report)
        del self._running[launch_id]
        self._carry_out(self._scheduler.ended(launch_id, _now()))
        run.ended.set()

    async def _stop_process(self, process: ServerProcess) -> None:
        await process.stop(self._settings.stop_grace_s)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = _now()
        moment = self._scheduler.next_tick(now)
        if moment is not None:
            self._timer = asyncio.get_running_loop().call_later(moment - now, self._tick)

    def _tick(self) -> None:
        self._carry_out(self._scheduler.tick(_now()))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _is_told(decision: Decision) -> bool:
    return isinstance(decision, Refuse) and decision.why is Refusal.LAUNCH_FAILED


def _as_runtime_error(error: Exception) -> ModelRuntimeError:
    if isinstance(error, ModelRuntimeError):
        return error
    _LOG.error("launch failed unexpectedly", exc_info=error)
    return Internal(type(error).__name__)


def _refusals(why: Refusal) -> ModelRuntimeError:
    match why:
        case Refusal.TIMED_OUT:
            return AdmissionTimeout("waited too long for the model's turn")
        case Refusal.CLOSED:
            return EngineStopping("ggtui is stopping")
        case Refusal.CANCELLED:
            return LoadCancelled("the load was cancelled", reason=SpawnReason.CANCELLED)
        case Refusal.LAUNCH_FAILED:
            return Internal("a failed launch without its cause")
