"""One child process and its group: output drained, exit watched, signals to all of it, nothing left over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import threading
from typing import IO, TYPE_CHECKING, Final, Protocol

from ggtui.adapters.llama_server import groups
from ggtui.adapters.llama_server.logs import LineSplitter

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

logger = logging.getLogger(__name__)

READ_BYTES: Final = 64 * 1024
"""Read at most this much per turn of the loop, so that a flood leaves time for everything else."""

LOG_PAUSE_S: Final = 0.005
"""Between two looks at the log: a server writes hundreds of lines one by one while it loads."""

LOG_LINE_BYTES: Final = 8 * 1024
PUSH_LINE_BYTES: Final = 64 * 1024

LEFTOVER_BYTES: Final = 4 * 1024 * 1024
"""What is read at most after the end; a pipe holds far less."""

SECOND_SIGNAL_S: Final = 0.5
"""Between the second polite signal and SIGKILL."""

KILL_LIMIT_S: Final = 5.0
"""A process in uninterruptible sleep cannot be killed: do not wait for ever."""


class Output(Protocol):
    """Takes what the process writes; called on the loop, must not raise."""

    def push_line(self, line: bytes) -> None:
        """One line of stdout, without its end."""

    def log_lines(self, lines: list[bytes]) -> None:
        """Lines of stderr, without their ends."""


class Child:
    """A process that leads its own group. It belongs to the loop that was running when it was spawned.

    Its stdin stays open for as long as we live: the server ends when that pipe closes.
    """

    def __init__(self, popen: subprocess.Popen[bytes], output: Output) -> None:
        self.pid = popen.pid
        self._popen = popen
        self._loop = asyncio.get_running_loop()
        self._exit: asyncio.Future[int] = self._loop.create_future()
        self._finishing: asyncio.Task[None] | None = None
        self._was_asked = False
        self._at_end: list[Callable[[], None]] = []
        self._pidfd: int | None = None
        self._drains: dict[int, Callable[[], bool]] = {}
        self._drain(popen.stdout, LineSplitter(PUSH_LINE_BYTES), lambda lines: _each(output.push_line, lines))
        self._drain(popen.stderr, LineSplitter(LOG_LINE_BYTES), output.log_lines, LOG_PAUSE_S)
        if popen.stdin is not None:
            os.set_blocking(popen.stdin.fileno(), False)
        self._watch_exit()

    @classmethod
    def spawn(cls, argv: Sequence[str], env: Mapping[str, str], output: Output) -> Child:
        """Start a process in a session of its own.

        Raises: OSError when it cannot be executed.
        """
        popen = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            bufsize=0,
            start_new_session=True,
        )
        try:
            return cls(popen, output)
        except BaseException:
            groups.kill(popen.pid, signal.SIGKILL)
            popen.wait()
            raise

    @property
    def has_ended(self) -> bool:
        """True when the group is dead and reaped."""
        return self._exit.done()

    def at_end(self, tidy_up: Callable[[], None]) -> None:
        """Call this once the group is dead, before anybody who waits hears of it."""
        self._at_end.append(tidy_up)

    async def wait(self) -> int:
        """The exit status, negative for a signal, once the group is dead and the output is read."""
        return await asyncio.shield(self._exit)

    async def stop(self, exit_line: bytes, grace_s: float) -> None:
        """End the group: politely, then with a second signal, then by force. Returns when it is dead.

        exit_line: what asks the server to end; empty for one that only understands SIGTERM.
        """
        if not self._was_asked:  # a second exit line wedges llama-server
            self._was_asked = True
            if exit_line:
                self.write(exit_line)
            else:
                self.signal_group(signal.SIGTERM)
        if await self._ends_within(grace_s):
            return
        self.close_stdin()
        self.signal_group(signal.SIGTERM)
        if not await self._ends_within(SECOND_SIGNAL_S):
            await self.kill()

    async def kill(self) -> None:
        """End the group by force. Returns when it is dead, or after KILL_LIMIT_S."""
        self.signal_group(signal.SIGKILL)
        await self._ends_within(KILL_LIMIT_S)

    def write(self, data: bytes) -> None:
        """Put data on stdin; a process that no longer reads loses it."""
        if self._popen.stdin is not None and not self._popen.stdin.closed:
            with contextlib.suppress(OSError):
                os.write(self._popen.stdin.fileno(), data)

    def close_stdin(self) -> None:
        """Cut the lifeline."""
        if self._popen.stdin is not None:
            self._popen.stdin.close()

    def signal_group(self, number: signal.Signals) -> None:
        """Signal every process of the group; nothing happens once the leader is reaped."""
        if self._popen.returncode is None:
            groups.kill(self.pid, number)

    async def _ends_within(self, limit_s: float) -> bool:
        done, _ = await asyncio.wait({self._exit}, timeout=limit_s)
        return bool(done)

    def _drain(
        self,
        pipe: IO[bytes] | None,
        splitter: LineSplitter,
        deliver: Callable[[list[bytes]], None],
        pause_s: float = 0.0,
    ) -> None:
        """Hand on what the pipe brings. pause_s: from a look that took everything to the next."""
        assert pipe is not None
        descriptor = pipe.fileno()
        os.set_blocking(descriptor, False)

        def read_some() -> bool:
            """False when there is nothing more for now."""
            try:
                data = os.read(descriptor, READ_BYTES)
            except BlockingIOError:
                return False
            except OSError:
                data = b""
            if data:
                _hand_on(deliver, splitter.feed(data))
                if pause_s and len(data) < READ_BYTES:
                    self._pause(descriptor, pause_s)
                return True
            self._loop.remove_reader(descriptor)
            _hand_on(deliver, splitter.rest())
            return False

        self._drains[descriptor] = read_some
        self._loop.add_reader(descriptor, read_some)

    def _pause(self, descriptor: int, pause_s: float) -> None:
        self._loop.remove_reader(descriptor)
        self._loop.call_later(pause_s, self._resume, descriptor)

    def _resume(self, descriptor: int) -> None:
        read_some = self._drains.get(descriptor)
        if read_some is not None:
            self._loop.add_reader(descriptor, read_some)

    def _watch_exit(self) -> None:
        pidfd_open = getattr(os, "pidfd_open", None)
        try:
            self._pidfd = pidfd_open(self.pid) if pidfd_open is not None else None
        except OSError:
            self._pidfd = None
        if self._pidfd is not None:
            self._loop.add_reader(self._pidfd, self._ended)
        else:
            threading.Thread(target=self._wait_in_thread, daemon=True).start()

    def _wait_in_thread(self) -> None:
        self._popen.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        self._finishing = self._loop.create_task(self._finish())

    async def _finish(self) -> None:
        """Descendants go with their leader; only then is every pipe at its end.

        Whatever goes wrong on the way, the end is told: somebody waits for it before anything else starts.
        """
        groups.kill(self.pid, signal.SIGKILL)  # a leader that is not reaped yet keeps the id ours
        code = self._popen.wait()
        try:
            await groups.is_gone(self.pid)
            self._read_leftovers()
            self._close_pipes()
            for tidy_up in self._at_end:
                tidy_up()
        except Exception:
            logger.exception("process %d left something behind", self.pid)
        finally:
            self._exit.set_result(code)

    def _close_pipes(self) -> None:
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                pipe.close()

    def _read_leftovers(self) -> None:
        drains, self._drains = self._drains, {}
        for descriptor, read_some in drains.items():
            for _ in range(LEFTOVER_BYTES // READ_BYTES):
                if not read_some():
                    break
            self._loop.remove_reader(descriptor)


def _hand_on(deliver: Callable[[list[bytes]], None], lines: list[bytes]) -> None:
    """An output that fails costs its lines: raised in a reader's callback, it would be called for ever."""
    try:
        deliver(lines)
    except Exception:
        logger.exception("output was lost")


def _each(take: Callable[[bytes], None], lines: list[bytes]) -> None:
    for line in lines:
        take(line)


async def uninterrupted(work: Coroutine[object, object, None]) -> None:
    """Finish work that limits itself, however often the caller is cancelled; the cancellation comes after.

    Raises: asyncio.CancelledError when the caller was cancelled.
    """
    task = asyncio.ensure_future(work)
    interruption: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            interruption = error
    if interruption is not None:
        raise interruption
    task.result()
