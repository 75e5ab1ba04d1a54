"""A launcher without processes: every launch follows a script, at once and always the same way."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import LaunchRejected, SpawnReason
from ggtui.core.models import EngineInfo, RunningTarget
from ggtui.core.ports.launcher import ExitReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.errors import Failure
    from ggtui.core.models import LaunchPlan
    from ggtui.core.ports.launcher import LaunchListener

FIRST_PORT: Final = 41001
FIRST_PID: Final = 4_200_001
"""Above the largest process id of a Linux machine, so that nobody is signalled by mistake."""


@dataclass(frozen=True, slots=True)
class Script:
    """How the launches of one model go."""

    progress: tuple[float, ...] = (0.0, 0.5, 1.0)
    """Told one per turn of the loop."""
    log: tuple[str, ...] = ("load_model: loading model", "llama_server: model loaded")
    hangs: bool = False
    """After the progress, stay in the load until cancelled or released."""
    failure: Failure | None = None
    """Raised instead of becoming ready."""
    n_failures: int | None = None
    """How many launches fail before the first that succeeds; None for all."""
    effective_ctx: int | None = None
    """Context per slot that the server admits to; None for the plan's own."""


class MemoryServer:
    """A server that exists only as a target. Implements ServerProcess."""

    def __init__(self, target: RunningTarget, argv: tuple[str, ...], ended: Callable[[], None]) -> None:
        self._target = target
        self._argv = argv
        self._ended = ended
        self.work = 1.0
        self.worked = 0.0
        self._exit: asyncio.Future[ExitReport] = asyncio.get_running_loop().create_future()

    @property
    def target(self) -> RunningTarget:
        """Where it would answer."""
        return self._target

    @property
    def argv(self) -> tuple[str, ...]:
        """A command as a real launcher would show it."""
        return self._argv

    def activity(self) -> float | None:
        """Grows by what `work` says at each look, so that a test can let it stand still."""
        self.worked += self.work
        return self.worked

    @property
    def is_alive(self) -> bool:
        """False after a stop or a crash."""
        return not self._exit.done()

    async def wait_exit(self) -> ExitReport:
        """Returns when the server was stopped or has crashed."""
        return await asyncio.shield(self._exit)

    async def stop(self, grace_s: float) -> ExitReport:
        """End it at once, whatever the grace."""
        self.end(ExitReport(0, was_asked=True))
        return await self.wait_exit()

    def end(self, report: ExitReport) -> None:
        """Let it end this way; nothing happens when it has ended already."""
        if not self._exit.done():
            self._ended()
            self._exit.set_result(report)


class MemoryLauncher:
    """Implements LauncherPort and remembers what was asked of it.

    base_url_of: where a plan's target answers, as (base URL, port); None makes addresses up.
    info: the answer of engine().
    """

    def __init__(
        self,
        *,
        base_url_of: Callable[[LaunchPlan], tuple[str, int]] | None = None,
        info: EngineInfo | None = None,
    ) -> None:
        self.plans: list[LaunchPlan] = []
        """Every plan that was launched, in order."""
        self.n_starts: Counter[str] = Counter()
        """Launches by public id, also those that failed."""
        self.n_stops: Counter[str] = Counter()
        """Ends by public id: stopped, crashed or cancelled in the load."""
        self.servers: list[MemoryServer] = []
        """Every server that became ready, in order."""
        self.running: dict[str, MemoryServer] = {}
        """The latest living server by public id."""
        self.is_closed = False
        self._scripts: dict[str, Script] = {}
        self._releases: dict[str, asyncio.Event] = {}
        self._base_url_of = base_url_of
        self._info = info or EngineInfo("llama-server", "/usr/bin/llama-server", "memory")

    def script(self, public_id: str, script: Script) -> None:
        """From now on launches of this model go like this."""
        self._scripts[public_id] = script

    def release(self, public_id: str) -> None:
        """Let a load that hangs become ready, or fail if its script says so."""
        self._release_of(public_id).set()

    def crash(self, public_id: str, code: int = -11, cause: str = "ended by signal SIGSEGV") -> None:
        """Let the running server of this model end by itself.

        Raises: KeyError when none is running.
        """
        self.running[public_id].end(ExitReport(code, was_asked=False, cause=cause))

    async def engine(self) -> EngineInfo:
        """The info given at construction."""
        return self._info

    def command(self, plan: LaunchPlan) -> tuple[str, ...]:
        """A short command, port shown as PORT."""
        return _argv(plan, "PORT")

    async def launch(self, plan: LaunchPlan, listener: LaunchListener) -> MemoryServer:
        """Play the model's script."""
        name = plan.spec.public_id
        if plan.spec.problem is not None:
            raise LaunchRejected(
                f"the model file cannot be read: {plan.spec.problem}", reason=SpawnReason.BAD_MODEL_FILE
            )
        script = self._scripts.get(name, Script())
        number = len(self.plans)
        self.plans.append(plan)
        self.n_starts[name] += 1
        target = self._target(plan, script, number)
        argv = _argv(plan, str(target.port))
        listener.spawned(FIRST_PID + number, target.port, argv)
        try:
            await self._load(name, script, listener)
        except BaseException:
            self.n_stops[name] += 1
            raise
        server = MemoryServer(target, argv, lambda: self._note_end(name, server))
        self.running[name] = server
        self.servers.append(server)
        return server

    async def close(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True

    async def _load(self, name: str, script: Script, listener: LaunchListener) -> None:
        for line in script.log:
            listener.log_line(line)
        for value in script.progress:
            listener.progress(value)
            await asyncio.sleep(0)
        if script.hangs:
            release = self._release_of(name)
            await release.wait()
            release.clear()
        if script.failure is not None and (
            script.n_failures is None or self.n_starts[name] <= script.n_failures
        ):
            raise script.failure.with_traceback(None)

    def _release_of(self, name: str) -> asyncio.Event:
        return self._releases.setdefault(name, asyncio.Event())

    def _note_end(self, name: str, server: MemoryServer) -> None:
        self.n_stops[name] += 1
        if self.running.get(name) is server:
            del self.running[name]

    def _target(self, plan: LaunchPlan, script: Script, number: int) -> RunningTarget:
        if self._base_url_of is not None:
            base_url, port = self._base_url_of(plan)
        else:
            port = FIRST_PORT + number
            base_url = f"http://127.0.0.1:{port}"
        return RunningTarget(
            base_url=base_url,
            port=port,
            model_id=plan.spec.model_id,
            model_name=plan.spec.public_id,
            effective_ctx=script.effective_ctx or plan.n_ctx,
            n_slots=plan.spec.options.n_parallel,
            pid=FIRST_PID + number,
            api_key=f"memory-key-{number}",
            adapters=tuple(adapter.name for adapter in plan.spec.options.adapters),
            replica=plan.replica,
        )


def _argv(plan: LaunchPlan, port: str) -> tuple[str, ...]:
    return (
        "llama-server",
        *("-m", str(plan.spec.path), "--port", port, "--alias", plan.spec.public_id, "-c", str(plan.n_ctx)),
        *(word for adapter in plan.spec.options.adapters for word in ("--lora", str(adapter.path))),
    )
