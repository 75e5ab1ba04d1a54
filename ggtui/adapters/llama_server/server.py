"""One server that became ready: where it answers, how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psutil

from ggtui.adapters.llama_server import failures, identity, push
from ggtui.core.ports.launcher import ExitReport

if TYPE_CHECKING:
    from ggtui.adapters.llama_server.output import ServerOutput
    from ggtui.adapters.llama_server.process import Child
    from ggtui.core.models import RunningTarget

UNKILLABLE = ExitReport(-9, was_asked=True, cause="the process cannot be killed: it waits in the kernel")


class LlamaServerProcess:
    """A ready llama-server or embedded engine. Implements ServerProcess."""

    def __init__(
        self, child: Child, output: ServerOutput, target: RunningTarget, argv: tuple[str, ...]
    ) -> None:
        self._child = child
        self._output = output
        self._target = target
        self._argv = argv
        self._was_asked = False
        self._stops: set[asyncio.Task[None]] = set()

    @property
    def target(self) -> RunningTarget:
        """Where it answers."""
        return self._target

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that started it, without secrets."""
        return self._argv

    def activity(self) -> float | None:
        """Processor seconds so far; None when it has ended or cannot be asked.

        Descendants count: behind a wrapper script it is one of them that works.
        """
        try:
            times = [member.cpu_times() for member in identity.family(self._child.pid)]
        except psutil.Error:
            return None
        return sum(each.user + each.system for each in times)

    async def wait_exit(self) -> ExitReport:
        """Returns when the process has ended and is reaped, whoever ended it."""
        return self._report(await self._child.wait())

    async def stop(self, grace_s: float) -> ExitReport:
        """End it. A second call may be shorter than the first, and then forces earlier."""
        if not self._child.has_ended:
            self._was_asked = True
            exit_line = push.EXIT_LINE if self._output.takes_exit_line else b""
            stopping = asyncio.ensure_future(self._child.stop(exit_line, grace_s))
            self._stops.add(stopping)
            stopping.add_done_callback(self._stops.discard)
            await asyncio.shield(stopping)
        return self._report(await self._child.wait()) if self._child.has_ended else UNKILLABLE

    def _report(self, code: int) -> ExitReport:
        if self._was_asked:
            return ExitReport(code, was_asked=True)
        return ExitReport(code, was_asked=False, cause=failures.exit_cause(code, self._output.capture.tail))
