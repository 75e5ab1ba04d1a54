"""The server processes behind the decisions: begun, watched and ended, each end reported exactly once."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ggtui.core.errors import Internal, ModelRuntimeError
from ggtui.core.models import LaunchPlan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ggtui.core.models import ModelLaunchSpec, RunningTarget
    from ggtui.core.ports.launcher import LauncherPort, ServerProcess
    from ggtui.services.launches import Launch, LaunchLedger

_LOG = logging.getLogger(__name__)


async def memory_at_once() -> None:
    """Main memory is back when the process is gone."""


@dataclass(frozen=True, slots=True)
class ServerTimes:
    """How patient the fleet is with a server. Seconds."""

    stall_timeout_s: float = 120.0
    """A load without progress for this long is given up."""
    stop_grace_s: float = 5.0
    """From a polite stop to SIGKILL."""
    stuck_timeout_s: float = 120.0
    """A server with requests that does nothing for this long is ended."""
    stuck_check_s: float = 5.0
    """How often it is looked at."""


class FleetReports(Protocol):
    """Hears what became of each launch, on the engine's loop."""

    def server_ready(self, launch_id: int, target: RunningTarget) -> None:
        """It answers."""

    def server_failed(self, launch_id: int, error: ModelRuntimeError) -> None:
        """It did not come up, and is dead."""

    def server_lost(self, launch_id: int) -> None:
        """A ready one is dead, or is being ended for doing nothing; its memory is not back yet."""

    def server_ended(self, launch_id: int, *, was_asked: bool) -> None:
        """It is dead, and its memory is back."""

    def in_flight(self, launch_id: int) -> int:
        """How many requests it has now."""


@dataclass(slots=True)
class _Server:
    launch: Launch
    load: asyncio.Task[None] | None = None
    process: ServerProcess | None = None
    is_ending: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class ServerFleet:
    """Carries out starts and stops.

    Invariant: a launch that was begun ends in exactly one `server_failed` or `server_ended`.
    """

    def __init__(
        self,
        launcher: LauncherPort,
        ledger: LaunchLedger,
        times: ServerTimes,
        reports: FleetReports,
        *,
        closing: Callable[[RunningTarget], None] = lambda _target: None,
        memory_back: Callable[[], Awaitable[None]] = memory_at_once,
    ) -> None:
        """Wire it up; nothing starts.

        closing: called right before a server is stopped, to close every connection to it.
        memory_back: awaited after each end, bounded: returns when the device memory is free again.
        """
        self._launcher = launcher
        self._ledger = ledger
        self.times = times
        """Counts for what begins or is stopped from now on."""
        self._reports = reports
        self._closing = closing
        self._memory_back = memory_back
        self._servers: dict[int, _Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, launch: Launch, spec: ModelLaunchSpec) -> None:
        """Start a server; how it went is reported."""
        launch_id, server = launch.launch_id, _Server(launch)
        self._servers[launch_id] = server
        times = self.times
        plan = LaunchPlan(
            spec,
            launch.n_ctx,
            times.stall_timeout_s,
            times.stop_grace_s,
            launch.is_verbose,
            launch.number,
            launch.share,
        )
        server.load = self._spawn(self._load(launch_id, server, plan))
        # A task cancelled before its first step never enters its body, so the end is noted from outside.
        server.load.add_done_callback(lambda task: self._load_done(launch_id, server, task))

    def end(self, launch_id: int) -> None:
        """Stop a server, or cancel its load; the end is reported."""
        server = self._servers[launch_id]
        server.is_ending = True
        if server.process is not None:
            self._spawn(self._stop(server.process))
        elif server.load is not None:
            server.load.cancel()

    def target(self, launch_id: int) -> RunningTarget | None:
        """Where a ready server answers; None before and after."""
        server = self._servers.get(launch_id)
        return server.process.target if server is not None and server.process is not None else None

    async def ended(self, launch_id: int) -> None:
        """Returns when this server is dead and reported."""
        server = self._servers.get(launch_id)
        if server is not None:
            await server.ended.wait()

    async def all_ended(self) -> None:
        """Returns when no server is left."""
        for launch_id in list(self._servers):
            await self.ended(launch_id)

    async def _load(self, launch_id: int, server: _Server, plan: LaunchPlan) -> None:
        process = await self._launcher.launch(plan, server.launch)
        server.process = process
        try:
            self._ledger.ready(server.launch, process)
            if server.is_ending:  # cancelled in the very moment it became ready
                self._spawn(self._stop(process))
            else:
                self._reports.server_ready(launch_id, process.target)
                self._spawn(self._guard_progress(launch_id, server, process))
        finally:  # whatever happened: its end must be seen. Last, so that those who waited are on their way
            self._spawn(self._watch(launch_id, server, process))

    def _load_done(self, launch_id: int, server: _Server, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or (server.is_ending and server.process is None):
            self._ledger.ended(server.launch, None)
            self._forget(launch_id, server)
            self._reports.server_ended(launch_id, was_asked=True)
        elif error is not None and server.process is None:
            failure = _as_runtime_error(error)
            _LOG.warning("loading %s failed: %s", server.launch.public_id, failure.message)
            self._ledger.failed(server.launch, failure)
            self._forget(launch_id, server)
            self._reports.server_failed(launch_id, failure)
        elif error is not None and server.process is not None:
            _LOG.error("after the load of %s", server.launch.public_id, exc_info=error)
            self._spawn(self._stop(server.process))

    async def _watch(self, launch_id: int, server: _Server, process: ServerProcess) -> None:
        report = await process.wait_exit()
        try:
            if not report.was_asked:
                self._reports.server_lost(launch_id)
                self._cut(process.target)
                _LOG.warning("%s ended by itself: %s", server.launch.public_id, report.cause or report.code)
            self._ledger.ended(server.launch, report)
            await self._memory_back()
        except Exception:  # the end must be reported: everybody else waits for its room
            _LOG.exception("after the end of %s", server.launch.public_id)
        self._forget(launch_id, server)
        self._reports.server_ended(launch_id, was_asked=report.was_asked)

    async def _stop(self, process: ServerProcess) -> None:
        self._cut(process.target)
        report = await process.stop(self.times.stop_grace_s)
        if report.was_asked and report.cause:
            _LOG.error("%s: %s", process.target.model_name, report.cause)

    def _cut(self, target: RunningTarget) -> None:
        """Close the connections to a server. A fault of theirs must not keep it from being stopped."""
        try:
            self._closing(target)
        except Exception:
            _LOG.exception("the connections to %s", target.model_name)

    async def _guard_progress(self, launch_id: int, server: _Server, process: ServerProcess) -> None:
        """End a server that has requests and does nothing: no processor time, no log line."""
        seen: object = None
        quiet_since = asyncio.get_running_loop().time()
        while not await self._ends_within(server, self.times.stuck_check_s):
            now = asyncio.get_running_loop().time()
            activity = (process.activity(), server.launch.n_lines)
            if activity != seen or not self._reports.in_flight(launch_id):
                seen, quiet_since = activity, now
            elif now - quiet_since >= self.times.stuck_timeout_s:
                _LOG.warning("%s has requests and does nothing; ending it", server.launch.public_id)
                server.launch.is_stuck = True
                self._reports.server_lost(launch_id)
                await self._stop(process)
                return

    async def _ends_within(self, server: _Server, limit_s: float) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                return await server.ended.wait()
        except TimeoutError:
            return False

    def _forget(self, launch_id: int, server: _Server) -> None:
        self._servers.pop(launch_id, None)
        server.ended.set()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _as_runtime_error(error: BaseException) -> ModelRuntimeError:
    if isinstance(error, ModelRuntimeError):
        return error
    _LOG.error("launch failed unexpectedly", exc_info=error)
    return Internal(type(error).__name__)
