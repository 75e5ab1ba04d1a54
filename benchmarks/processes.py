"""Processes under measurement: started on a free port, waited for, read and ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOST = "127.0.0.1"
ROOT = Path(__file__).parent.parent
"""Where `python -m benchmarks` can be started."""
READY_S = 60.0
"""Nothing that is started here takes longer."""
END_S = 10.0


class NotReady(Exception):
    """A process ended, or said nothing, before it served."""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Ours without anything that configures ggtui or llama-server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GGTUI_", "LLAMA_"))}
    return kept | {"HOME": str(home), **more}


@contextlib.contextmanager
def started(command: Sequence[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its errors in a file; ended by SIGTERM, by force if it must be."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=env, cwd=ROOT
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def first_line(process: subprocess.Popen[bytes], log: Path) -> str:
    """The first line of its output.

    Raises: NotReady with the end of its log when there is none.
    """
    assert process.stdout is not None
    line = process.stdout.readline().decode().strip()
    if not line:
        raise NotReady(f"{log.name}: {log.read_text(errors='replace')[-400:]}")
    return line


def wait_healthy(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when `/health` answers 200.

    Raises: NotReady.
    """
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=2)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.02)
    raise NotReady(f"{log.name}: {log.read_text(errors='replace')[-400:]}")


def cpu_seconds(pid: int) -> float:
    """Time its threads were on a core: to the nanosecond where Linux tells, else to the clock tick.

    Source: the first number of /proc/PID/task/TID/schedstat.
    """
    try:
        stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    except OSError:
        stats = []
    if stats:
        return sum(int(text.split()[0]) for text in stats) / 1e9
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def resident_bytes(pid: int) -> int:
    """Memory of one process, its children not counted."""
    return int(psutil.Process(pid).memory_info().rss)


def forget_peak(pid: int) -> None:
    """Let the peak of resident memory begin again from now.

    Raises: OSError where the system keeps no such peak.
    """
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_bytes(pid: int) -> int:
    """Largest resident memory since `forget_peak`.

    Raises: OSError, ValueError where the system keeps none.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no peak")
