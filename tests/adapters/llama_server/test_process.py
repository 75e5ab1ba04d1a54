"""One child process: nothing it writes or does may hurt us, and nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from ggtui.adapters.llama_server.process import LOG_LINE_BYTES, Child, uninterrupted
from tests.contracts.launching import run

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

LOOPS = pytest.mark.parametrize("on_uvloop", [True, False], ids=["uvloop", "asyncio"])


class Output:
    """Remembers what came; `first_log` is set with the first log line."""

    def __init__(self) -> None:
        self.pushed: list[bytes] = []
        self.logged: list[bytes] = []
        self.n_looks = 0
        self.first_log = asyncio.Event()

    def push_line(self, line: bytes) -> None:
        self.pushed.append(line)

    def log_lines(self, lines: list[bytes]) -> None:
        self.logged += lines
        self.n_looks += 1
        if lines:
            self.first_log.set()


def spawn(output: Output, program: str) -> Child:
    return Child.spawn([sys.executable, "-I", "-S", "-c", program], os.environ, output)


def in_loop(work: Coroutine[Any, Any, None], on_uvloop: bool) -> None:
    """Run it; no descriptor may be left open."""
    before = len(os.listdir("/proc/self/fd"))
    run(work, on_uvloop=on_uvloop)

    assert before == len(os.listdir("/proc/self/fd"))


@LOOPS
def test_lines_that_come_one_by_one_are_taken_together(on_uvloop: bool) -> None:
    async def test() -> None:
        output = Output()
        child = spawn(output, "import os\nfor _ in range(2000): os.write(2, b'line\\n')")
        await child.wait()

        assert [b"line"] * 2000 == output.logged
        assert output.n_looks < 1000

    in_loop(test(), on_uvloop)


@LOOPS
def test_output_is_complete_when_the_end_is_told(on_uvloop: bool) -> None:
    async def test() -> None:
        output = Output()
        child = spawn(output, "import os; os.write(1, b'a\\nb'); os.write(2, b'c\\nd'); os._exit(7)")

        assert 7 == await child.wait()
        assert 7 == await child.wait()
        assert ([b"a", b"b"], [b"c", b"d"]) == (output.pushed, output.logged)
        assert child.has_ended

    in_loop(test(), on_uvloop)


@LOOPS
def test_a_flood_and_a_huge_line_do_no_harm(on_uvloop: bool) -> None:
    program = (
        "import os\n"
        "def put(data):\n"
        "    while data: data = data[os.write(2, data):]\n"
        "put(b'x' * 1_000_000 + b'\\n')\n"
        "put(b''.join(b'line %d\\n' % number for number in range(200_000)))\n"
    )

    async def test() -> None:
        output = Output()
        child = spawn(output, program)

        assert 0 == await child.wait()
        assert [b"x" * LOG_LINE_BYTES] == output.logged[:1]
        assert [b"line %d" % number for number in range(200_000)] == output.logged[1:]

    in_loop(test(), on_uvloop)


@LOOPS
def test_descendants_go_with_their_leader(on_uvloop: bool) -> None:
    program = (
        "import os, time, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pid = os.fork()\n"
        "if pid == 0: time.sleep(3600)\n"
        "os.write(2, b'%d\\n' % pid)\n"
    )

    async def test() -> None:
        output = Output()
        child = spawn(output, program)
        await child.wait()

        assert not is_running(int(output.logged[0]))

    in_loop(test(), on_uvloop)


@LOOPS
@pytest.mark.parametrize("is_deaf", [True, False])
def test_a_stop_is_bounded(on_uvloop: bool, is_deaf: bool) -> None:
    action = "SIG_IGN" if is_deaf else "SIG_DFL"
    program = (
        f"import os, time, signal; signal.signal(signal.SIGTERM, signal.{action}); os.write(2, b'up\\n')\n"
        "time.sleep(3600)"
    )

    async def test() -> None:
        output = Output()
        child = spawn(output, program)
        await output.first_log.wait()
        await child.stop(b"", 0.05 if is_deaf else 20)

        assert (-9 if is_deaf else -15) == await child.wait()

    in_loop(test(), on_uvloop)


def test_the_exit_line_is_sent_once_and_stdin_ends_with_us() -> None:
    program = "import os, sys; os.write(2, b'up\\n'); [os.write(2, line.encode()) for line in sys.stdin]"

    async def test() -> None:
        output = Output()
        child = spawn(output, program)
        await output.first_log.wait()
        await asyncio.gather(child.stop(b"go\n", 0.05), child.stop(b"go\n", 0.05))

        assert [b"up", b"go"] == output.logged

    in_loop(test(), True)


def test_without_pidfd_a_thread_tells_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")

    async def test() -> None:
        output = Output()
        child = spawn(output, "import os, time; os.write(2, b'up\\n'); time.sleep(3600)")
        await output.first_log.wait()
        os.kill(child.pid, signal.SIGKILL)

        assert -9 == await child.wait()

    in_loop(test(), True)


def test_only_the_three_pipes_are_inherited(tmp_path: Path) -> None:
    program = "import os; [os.write(2, b'%s\\n' % os.fsencode(n)) for n in os.listdir('/proc/self/fd')]"

    async def test() -> None:
        secret = os.open(tmp_path / "secret", os.O_CREAT)
        output = Output()
        await spawn(output, program).wait()
        os.close(secret)

        listing = b"3"  # the directory that is being listed
        assert [b"0", b"1", b"2", listing] == sorted(output.logged)

    in_loop(test(), True)


def test_a_missing_program_is_an_os_error() -> None:
    async def test() -> None:
        with pytest.raises(FileNotFoundError):
            Child.spawn(["/nowhere/llama-server"], {}, Output())

    in_loop(test(), True)


def test_work_is_finished_although_the_caller_is_cancelled_twice() -> None:
    async def test() -> None:
        done, may_end = [], asyncio.Event()

        async def work() -> None:
            await may_end.wait()
            done.append(True)

        caller = asyncio.ensure_future(uninterrupted(work()))
        for _ in range(2):
            await asyncio.sleep(0)
            caller.cancel()
        await asyncio.sleep(0)
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await caller

        assert [True] == done

    run(test())


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@LOOPS
def test_an_output_that_fails_and_a_tidying_that_fails_keep_nobody_waiting(
    on_uvloop: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Output):
        def log_lines(self, lines: list[bytes]) -> None:
            raise ValueError

    def fail() -> None:
        raise PermissionError

    async def test() -> None:
        child = spawn(Broken(), "import os; os.write(2, b'a\\n'); os._exit(3)")
        child.at_end(fail)

        assert 3 == await child.wait()

    in_loop(test(), on_uvloop)

    assert {"output was lost", "process %d left something behind"} == {
        record.msg for record in caplog.records
    }
