"""Downloads in processes of their own: killed at any moment, limited by the system, and two at once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.adapters.remote.downloads.conftest import GUARD_S, MODEL, NAME, gguf, sha256

if TYPE_CHECKING:
    from tests.adapters.remote.downloads.conftest import Desk

ROOT = Path(__file__).parents[4]
N_KILLS = 20


def start(desk: Desk, *before: str) -> subprocess.Popen[str]:
    """A process that fetches the model."""
    command = [*before, sys.executable, "-m", "tests.programs.fetch_model", NAME]
    environ = {**os.environ, **desk.environ}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environ)


def outcome(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=GUARD_S)
    return out.strip()


def test_twenty_kills_cost_little_and_spoil_nothing(desk: Desk) -> None:
    content = gguf(24_000_000)
    desk.hub.repository(NAME, {MODEL: content})
    # Paced, so that little is under way when the process is killed.
    desk.hub.script("content", MODEL, {"drip_s": 0.001, "drip": 32_768}, repeat=True)
    moments = random.Random(7)
    n_killed = 0

    for number in range(N_KILLS):
        process = start(desk)
        share = (number + moments.random()) / (N_KILLS + 1)
        desk.hub.wait(
            "content", MODEL, sent=desk.hub.n_sent(MODEL) + int(len(content) * share / (N_KILLS + 1))
        )
        process.kill()
        n_killed += process.wait() == -9
        assert process.stdout is not None
        process.stdout.close()

    assert "done" == outcome(start(desk))
    assert N_KILLS == n_killed
    assert content == desk.found()
    assert {sha256(content): len(content)} == desk.blobs()
    assert desk.hub.n_sent(MODEL) <= 1.2 * len(content)


def test_two_processes_fetch_it_once(desk: Desk) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})
    desk.hub.script("content", MODEL, {"hold_after": 1_000_000})
    first = start(desk)
    desk.hub.wait("content", MODEL, sent=1_000_000)
    second = start(desk)
    # The second one knows by now that it has to wait, or will see it.
    desk.hub.wait("api", NAME, requests=4)
    desk.hub.release()

    assert ["done", "done"] == [outcome(first), outcome(second)]
    assert content == desk.found()
    assert len(content) == desk.hub.n_sent(MODEL)


def test_a_disk_that_takes_no_more_is_said_and_costs_nothing(desk: Desk) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})

    told = outcome(start(desk, "prlimit", "--fsize=1000000"))

    assert told.startswith("DiskFull: ")
    assert 1_000_000 == max(desk.blobs().values())
    assert "done" == outcome(start(desk))
    assert content == desk.found()
    assert "bytes=1000000-" == desk.ranges()[-1]
