"""No child outlives ggtui, however ggtui ends: one small process watches the other end of a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ggtui.adapters.llama_server import guard_program

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_PROGRAM: Final = Path(guard_program.__file__)
_INTERPRETER_VARIABLES: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class Guard:
    """The guard process of one ggtui. It is started before the first launch.

    The write end of its pipe is in no other process, so the pipe closes exactly when ggtui is gone.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: environ[name] for name in _INTERPRETER_VARIABLES if name in environ}
        self.instance = secrets.token_hex(16)
        """The nonce every child carries in its environment."""
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The guard's own process id; None before the first launch."""
        return None if self._process is None else self._process.pid

    def begin(self) -> None:
        """Have a guard: what is started from now on dies with us, registered or not."""
        if self._process is None or self._process.poll() is not None:
            self._start()

    def register(self, group: int) -> None:
        """Have this process group killed when ggtui ends."""
        self._groups.add(group)
        if not self._tell(f"+{group}\n"):
            self._start()

    def unregister(self, group: int) -> None:
        """The group has ended; its id may be given to others."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    async def close(self) -> None:
        """Let the guard end; it kills what is still registered, and is gone within its own second."""
        process, self._process = self._process, None
        if process is None:
            return
        _close_pipe(process)
        try:
            await asyncio.to_thread(process.wait, 2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> None:
        """Start a guard, or another one when somebody has killed the first."""
        if self._process is not None:
            _close_pipe(self._process)
            self._process.wait()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._environ,  # without the nonce: it would find itself
                cwd="/",
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            self._process = None
            logger.warning("no guard for the servers: %s", error.strerror)
            return
        self._tell("".join([f"{self.instance}\n", *(f"+{group}\n" for group in sorted(self._groups))]))

    def _tell(self, text: str) -> bool:
        if self._process is None or self._process.stdin is None or self._process.poll() is not None:
            return False
        try:
            os.write(self._process.stdin.fileno(), text.encode())
        except OSError:
            return False
        return True


def _close_pipe(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
