"""Launches one server and holds it until it is killed: `hold_server.py ENGINE MODEL DIR [EXTRA...]`.

Prints `INSTANCE PID` once the server is ready.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from ggtui.adapters.llama_server.launcher import LlamaServerLauncher
from ggtui.core.models import LaunchOptions, LaunchPlan, ModelLaunchSpec


class _Silent:
    """A listener that does not care."""

    def spawned(self, pid: int, port: int, argv: tuple[str, ...]) -> None:
        """Nothing."""

    def progress(self, value: float) -> None:
        """Nothing."""

    def log_line(self, line: str) -> None:
        """Nothing."""

    def verbose_line(self, line: str) -> None:
        """Nothing."""


async def hold(engine: str, model: Path, folder: Path, extra: tuple[str, ...]) -> None:
    """Launch, tell, and wait for the end of this process."""
    launcher = LlamaServerLauncher(engine, os.environ, folder / "run", folder / "log")
    spec = ModelLaunchSpec(1, "held", model, options=LaunchOptions(extra_args=extra))
    server = await launcher.launch(LaunchPlan(spec, 512), _Silent())
    sys.stdout.write(f"{launcher.instance} {server.target.pid}\n")
    sys.stdout.flush()
    await server.wait_exit()


if __name__ == "__main__":
    _, engine, model, folder, *extra = sys.argv
    asyncio.run(hold(engine, Path(model), Path(folder), tuple(extra)))
