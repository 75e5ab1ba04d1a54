"""What the launcher tests share: a listener that remembers, the engines to try, and a look for survivors."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import uvloop

from ggtui.adapters.llama_server.launcher import LlamaServerLauncher, free_port
from ggtui.adapters.memory.launcher import MemoryLauncher
from ggtui.core.models import LaunchOptions, LaunchPlan, ModelLaunchSpec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

FAKE = Path(__file__).parents[1] / "programs" / "fakellama.py"
HANG_GUARD_S = 30.0
Result = TypeVar("Result")

REAL = pytest.param("real", marks=pytest.mark.llama)
EVERY = pytest.mark.parametrize("kind", ["memory", "fake", "embedded", REAL])
PROCESSES = pytest.mark.parametrize("kind", ["fake", "embedded", REAL])
ENGINES = pytest.mark.parametrize("kind", ["embedded", REAL])


class RecordingListener:
    """Remembers everything; `spawned_event` and `lines_event` tell a test when to go on."""

    def __init__(self) -> None:
        self.pids: list[int] = []
        self.ports: list[int] = []
        self.argv: tuple[str, ...] = ()
        self.values: list[float] = []
        self.lines: list[str] = []
        self.verbose_lines: list[str] = []
        self.spawned_event = asyncio.Event()
        self.loading_event = asyncio.Event()

    def spawned(self, pid: int, port: int, argv: tuple[str, ...]) -> None:
        """Remember the process."""
        self.pids.append(pid)
        self.ports.append(port)
        self.argv = argv
        self.spawned_event.set()

    def progress(self, value: float) -> None:
        """Remember the share."""
        self.values.append(value)
        self.loading_event.set()

    def log_line(self, line: str) -> None:
        """Remember the line."""
        self.lines.append(line)

    def verbose_line(self, line: str) -> None:
        """Remember the line."""
        self.verbose_lines.append(line)


@dataclass
class Rig:
    """One launcher and plans for it."""

    kind: str
    launcher: Any
    model: Path

    def plan(self, *extra: str, n_ctx: int = 512, stall_timeout_s: float = 20.0, **spec: Any) -> LaunchPlan:
        """A plan for the tiny model; extra arguments and fields of the spec as given."""
        options = spec.pop("options", LaunchOptions(extra_args=extra))
        described = ModelLaunchSpec(7, "tiny", spec.pop("path", self.model), options=options, **spec)
        return LaunchPlan(described, n_ctx, stall_timeout_s)


def engine_choice(kind: str) -> str:
    """What to give a launcher for this kind; skips the test where the machine has no such engine."""
    if kind == "fake":
        return str(FAKE)
    if kind == "embedded":
        if importlib.util.find_spec("xllamacpp") is None:
            pytest.skip("the embedded engine (xllamacpp) is not installed")
        return "embedded"
    binary = os.environ.get("GGTUI_TEST_LLAMA_SERVER")
    if not binary:
        pytest.skip("GGTUI_TEST_LLAMA_SERVER names no llama-server")
    return binary


def build_launcher(kind: str, folder: Path, choose_port: Callable[[], int] = free_port) -> Any:
    """The launcher of this kind."""
    if kind == "memory":
        return MemoryLauncher()
    return LlamaServerLauncher(
        engine_choice(kind), os.environ, folder / "run", folder / "log", choose_port=choose_port
    )


def run(work: Coroutine[Any, Any, Result], *, on_uvloop: bool = True) -> Result:
    """Run a test's work to its end, on the loop that serves in production unless told otherwise."""
    factory = uvloop.new_event_loop if on_uvloop else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(asyncio.wait_for(work, HANG_GUARD_S))


def using(
    kind: str,
    folder: Path,
    model: Path,
    test: Callable[[Rig], Awaitable[None]],
    choose_port: Callable[[], int] = free_port,
) -> None:
    """Run a test on a launcher of this kind; afterwards no process and no key file may be left."""

    async def work() -> str:
        launcher = build_launcher(kind, folder, choose_port)
        try:
            await test(Rig(kind, launcher, model))
        finally:
            left = [] if kind == "memory" else survivors(launcher.instance)
            await launcher.close()

        assert [] == left
        return "" if kind == "memory" else str(launcher.instance)

    run(work())

    assert [] == list((folder / "run").glob("*"))


def survivors(instance: str) -> list[int]:
    """Processes that carry an instance nonce and are more than zombies."""
    mark = f"GGTUI_INSTANCE={instance}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                environment = Path(f"/proc/{entry}/environ").read_bytes()
            except OSError:
                continue
            if mark in environment.split(b"\0"):
                found.append(int(entry))
    return found


def wait_for_none(instance: str, limit_s: float = 10.0) -> list[int]:
    """The survivors once there are none, or at the hang guard."""
    deadline = time.monotonic() + limit_s
    while (left := survivors(instance)) and time.monotonic() < deadline:
        time.sleep(0.005)
    return left
