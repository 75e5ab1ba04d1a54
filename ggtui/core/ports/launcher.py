"""How one server process is started, watched and stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ggtui.core.models import EngineInfo, LaunchPlan, RunningTarget


@dataclass(frozen=True, slots=True)
class ExitReport:
    """How a server process ended."""

    code: int
    """Exit status; negative for a signal."""
    was_asked: bool
    """True when ggtui stopped it."""
    cause: str = ""
    """One classified line for an end nobody asked for."""


class LaunchListener(Protocol):
    """Hears of a launch as it goes on. Called on the engine's loop; must not block or raise."""

    def spawned(self, pid: int, port: int, argv: tuple[str, ...]) -> None:
        """The process exists. argv holds no secret."""

    def progress(self, value: float) -> None:
        """Share of the load that is done, 0 to 1, when the engine tells."""

    def log_line(self, line: str) -> None:
        """One line of the server's log, free of control characters; also after the load."""

    def verbose_line(self, line: str) -> None:
        """One line that the server writes only because it was asked to tell what it allocates."""


class ServerProcess(Protocol):
    """One server that became ready."""

    @property
    def target(self) -> RunningTarget:
        """Where it answers."""

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that started it, without secrets."""

    def activity(self) -> float | None:
        """A number that grows while the process works, such as its processor seconds; None when unknown."""

    async def wait_exit(self) -> ExitReport:
        """Returns when the process has ended and is reaped, whoever ended it; may be awaited by many."""

    async def stop(self, grace_s: float) -> ExitReport:
        """End it: politely, after grace_s seconds by force. Bounded; returns with the group dead.

        May be called twice and after the end.
        """


class LauncherPort(Protocol):
    """Starts llama-server or the embedded engine, one process per call."""

    async def engine(self) -> EngineInfo:
        """What would be launched, looked up once; never raises: a missing engine is an answer."""

    def command(self, plan: LaunchPlan) -> tuple[str, ...]:
        """The command of a plan as a person may read and copy it: no secret, port shown as PORT."""

    async def launch(self, plan: LaunchPlan, listener: LaunchListener) -> ServerProcess:
        """Spawn, identify and wait until ready.

        When it raises or is cancelled the process group is dead and reaped.
        Raises: ServerMissing, LaunchRejected, OutOfMemory, SpawnFailed, StartTimedOut, ModelFileNotFound.
        """

    async def close(self) -> None:
        """End what guards the children. All servers must have been stopped."""
