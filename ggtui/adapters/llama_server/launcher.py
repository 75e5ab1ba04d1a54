"""Starts llama-server or the embedded engine, one process per call, and gives back only what answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections import Counter
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from ggtui.adapters.llama_server import argv, discovery, failures, health, lora
from ggtui.adapters.llama_server.environment import child_environment, shared_environment
from ggtui.adapters.llama_server.guard import Guard
from ggtui.adapters.llama_server.logs import RotatedLog, log_path
from ggtui.adapters.llama_server.output import ServerOutput
from ggtui.adapters.llama_server.process import Child, uninterrupted
from ggtui.adapters.llama_server.server import LlamaServerProcess
from ggtui.core.errors import (
    HealthCheckFailed,
    LaunchRejected,
    ModelFileNotFound,
    ServerMissing,
    SpawnFailed,
    SpawnReason,
)
from ggtui.core.models import RunningTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ggtui.adapters.llama_server.identity import ServerFacts
    from ggtui.adapters.llama_server.logs import Capture
    from ggtui.core.models import EngineInfo, LaunchPlan
    from ggtui.core.ports.launcher import LaunchListener

PORT_ATTEMPTS: Final = 3


LOST_LOG_S: Final = 2.0
"""llama-server that ends this early sometimes loses its last log lines, and the reason with them."""


class _Retry(Enum):
    """Why a launch is tried again."""

    OTHER_PORT = auto()
    LOST_LOG = auto()
    OLD_BUILD = auto()


def free_port() -> int:
    """A port that was free a moment ago; somebody else may take it before the server does."""
    with socket.socket() as probe:
        probe.bind((argv.HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class LlamaServerLauncher:
    """Implements LauncherPort. Belongs to one event loop; at most one look at the engine is under way.

    choice: path of llama-server, `embedded`, or None to look for one.
    environ: our own environment; only an allow-list of it reaches a server.
    runtime_dir: for key files, made 0700. log_dir: one rotated log per model.
    """

    def __init__(
        self,
        choice: str | None,
        environ: Mapping[str, str],
        runtime_dir: Path,
        log_dir: Path,
        *,
        choose_port: Callable[[], int] = free_port,
    ) -> None:
        self._environ = environ
        self._runtime_dir = runtime_dir
        self._log_dir = log_dir
        self._choose_port = choose_port
        self._located = discovery.locate(choice, environ)
        self._guard = Guard(environ)
        self._env = child_environment(
            environ, self._guard.instance, is_embedded=self._located.kind == discovery.EMBEDDED
        )
        self._info: asyncio.Task[EngineInfo] | None = None
        self._unknown_flags: frozenset[str] = frozenset()
        self._has_swept = False

    @property
    def instance(self) -> str:
        """The nonce that every process of this launcher carries in its environment."""
        return self._guard.instance

    async def engine(self) -> EngineInfo:
        """What would be launched, looked up once."""
        if self._info is None:
            self._info = asyncio.ensure_future(discovery.describe(self._located, self._env))
        return await asyncio.shield(self._info)

    def command(self, plan: LaunchPlan) -> tuple[str, ...]:
        """The command of a plan for people to read and copy: without the key."""
        program = self._located.command or ("llama-server",)
        return (*program, *argv.server_flags(plan, "PORT", None, self._unknown_flags))

    async def launch(self, plan: LaunchPlan, listener: LaunchListener) -> LlamaServerProcess:
        """Spawn, identify and wait until ready; again where another attempt may end differently."""
        self._refuse_at_once(plan)
        clock, began = asyncio.get_running_loop().time, 0.0
        retries = Counter({_Retry.OTHER_PORT: PORT_ATTEMPTS - 1, _Retry.LOST_LOG: 2})
        while True:
            try:
                began = clock()
                return await self._attempt(plan, listener)
            except SpawnFailed as failure:
                retry = self._worth_retrying(failure, plan, clock() - began)
                if retry is None or (retry in retries and retries[retry] == 0):
                    raise
                retries[retry] -= 1

    async def close(self) -> None:
        """End the guard, and a look at the engine that is under way. All servers must have been stopped."""
        if self._info is not None:
            self._info.cancel()
            await asyncio.gather(self._info, return_exceptions=True)
        await self._guard.close()

    def _worth_retrying(self, failure: SpawnFailed, plan: LaunchPlan, took_s: float) -> _Retry | None:
        """Why another attempt may end differently; None when it would not."""
        if failure.reason is SpawnReason.PORT_IN_USE:
            return _Retry.OTHER_PORT
        if failure.reason is SpawnReason.UNKNOWN and failure.exit_code == 1 and took_s < LOST_LOG_S:
            return _Retry.LOST_LOG
        flag = failures.refused_flag(failure)
        if flag in set(argv.DISPENSABLE) - self._unknown_flags - set(plan.spec.options.extra_args):
            self._unknown_flags |= {flag}
            return _Retry.OLD_BUILD
        return None

    def _refuse_at_once(self, plan: LaunchPlan) -> None:
        spec = plan.spec
        if not spec.path.exists():
            raise ModelFileNotFound(spec.public_id)
        problem = spec.problem or ("" if spec.path.is_file() else "it is not a regular file")
        if problem:
            raise LaunchRejected(
                f"the model file cannot be read: {problem}", reason=SpawnReason.BAD_MODEL_FILE
            )
        if (refusal := lora.refusal(plan)) is not None:
            raise refusal
        if self._located.problem is not None:
            raise ServerMissing(self._located.problem, reason=SpawnReason.BINARY_MISSING)

    async def _attempt(self, plan: LaunchPlan, listener: LaunchListener) -> LlamaServerProcess:
        port, key = self._choose_port(), secrets.token_hex(32)
        key_file = self._write_key(key)
        flags = argv.server_flags(plan, str(port), key_file, self._unknown_flags)
        command = (*self._located.command, *flags)
        output = ServerOutput(listener, RotatedLog(log_path(self._log_dir, plan.log_name)))
        self._guard.begin()
        try:
            child = Child.spawn(command, shared_environment(self._env, plan.share), output)
        except (OSError, ValueError) as error:
            key_file.unlink(missing_ok=True)
            raise failures.unexecutable(error, self._located.path) from error
        self._guard.register(child.pid)
        child.at_end(lambda: self._tidy_up(child, output, key_file))
        try:
            listener.spawned(child.pid, port, command)
            facts = await self._ready(child, port, key, output, plan)
        except BaseException:
            await uninterrupted(child.kill())
            raise
        return LlamaServerProcess(child, output, _target(plan, port, key, child.pid, facts), command)

    async def _ready(
        self, child: Child, port: int, key: str, output: ServerOutput, plan: LaunchPlan
    ) -> ServerFacts:
        """Wait, and put what the log says into a failure.

        Raises: SpawnFailed, HealthCheckFailed.
        """
        try:
            facts = await health.wait_ready(child, port, key, output, plan.stall_timeout_s)
            await lora.settle(port, key, plan.spec.options.adapters)
            return facts
        except health.ServerEnded as end:
            raise _start_failure(end.code, output.capture, plan, port) from None
        except (HealthCheckFailed, SpawnFailed) as failure:
            failure.log_tail = tuple(output.capture.tail)
            raise

    def _tidy_up(self, child: Child, output: ServerOutput, key_file: Path) -> None:
        self._guard.unregister(child.pid)
        key_file.unlink(missing_ok=True)
        output.close()

    def _write_key(self, key: str) -> Path:
        """A 0600 file in a 0700 directory: everybody may read a command line."""
        try:
            self._runtime_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._runtime_dir.chmod(0o700)
            self._sweep()
            path = self._runtime_dir / f"{secrets.token_hex(8)}.key"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{key}\n")
        except OSError as error:
            raise SpawnFailed(f"no key file in {self._runtime_dir}: {error.strerror}") from error
        return path

    def _sweep(self) -> None:
        """Before the first key, remove those that a killed ggtui left: the folder has one owner at a time."""
        if not self._has_swept:
            self._has_swept = True
            for stale in self._runtime_dir.glob("*.key"):
                with contextlib.suppress(OSError):
                    stale.unlink()


def _start_failure(code: int, capture: Capture, plan: LaunchPlan, port: int) -> SpawnFailed:
    folder = f"{plan.spec.path.parent}/"
    head = [line.replace(folder, "") for line in capture.head]
    failure = failures.start_failure(code, head, tuple(capture.tail))
    if failure.reason is SpawnReason.UNKNOWN and _is_taken(port):
        return SpawnFailed("its port is in use", reason=SpawnReason.PORT_IN_USE, exit_code=code)
    return lora.in_words(failure, [*capture.head, *capture.tail], plan)


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((argv.HOST, port))
        except OSError:
            return True
    return False


def _target(plan: LaunchPlan, port: int, key: str, pid: int, facts: ServerFacts) -> RunningTarget:
    spec = plan.spec
    return RunningTarget(
        base_url=f"http://{argv.HOST}:{port}",
        port=port,
        model_id=spec.model_id,
        model_name=spec.public_id,
        effective_ctx=facts.n_ctx or plan.n_ctx,
        n_slots=facts.n_slots or spec.options.n_parallel,
        pid=pid,
        api_key=key,
        adapters=tuple(adapter.name for adapter in spec.options.adapters),
        replica=plan.replica,
    )
