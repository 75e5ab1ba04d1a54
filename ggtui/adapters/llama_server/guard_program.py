"""Outlives ggtui by a moment: when the pipe on stdin closes, whatever ggtui had started is killed.

Run as `python -I -S guard_program.py`, so it imports nothing but the standard library's core. It reads the
instance nonce on the first line, then `+GROUP` and `-GROUP` lines.
"""

import contextlib
import os
import signal
import sys
import time

LIMIT_S = 1.0
"""How long the guard looks for survivors."""

VARIABLE = b"GGTUI_INSTANCE="


def main() -> None:
    """Read until the end of stdin, then end every registered group and every process with the nonce."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    mark = VARIABLE + sys.stdin.buffer.readline().strip()
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        with contextlib.suppress(ValueError):
            group = int(line[1:])
            (groups.add if line[:1] == b"+" else groups.discard)(group)
    deadline = time.monotonic() + LIMIT_S
    n_quiet = 0
    while n_quiet < 2 and time.monotonic() < deadline:
        for group in groups:
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)
        # Twice nothing: a process may have forked just behind the first look.
        n_quiet = 0 if kill_marked(mark) else n_quiet + 1
        time.sleep(0.005)


def kill_marked(mark: bytes) -> bool:
    """Kill every process whose environment holds the mark; False when there was none, or no /proc."""
    was_found = False
    for entry in _process_ids():
        try:
            with open(f"/proc/{entry}/environ", "rb") as environment:
                is_ours = mark in environment.read().split(b"\0")
        except OSError:
            continue
        if is_ours:
            was_found = True
            with contextlib.suppress(OSError):
                os.kill(int(entry), signal.SIGKILL)
    return was_found


def _process_ids() -> list[str]:
    try:
        return [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    except OSError:
        return []


if __name__ == "__main__":
    main()
