"""Downloads in a process that is killed: the queue, the hub's cache and the person's word outlive it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.core.units import MIB
from tests.hub import FakeHub, serving_hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM = "tests.programs.downloads"
ROOT = Path(__file__).parents[3]
MODEL = "owner/repo:Q4_K_M"
N_KILLS = 20
SIZES = (10 * MIB, 6 * MIB)
SLOW = 2 * MIB
"""Bytes per second: what comes between two reports is a small part of the whole."""


class Worker:
    """A process that works on the queue."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.told: Any = []

    def read(self) -> bool:
        """Read what it tells next into `told`; False when it has ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            self.told = json.loads(line)
        return bool(line)

    def until(self, is_so: Callable[[list[Any]], bool]) -> list[Any]:
        """Read until this is so of the first job: its model, state, completed, total and why."""
        while not self.told or not is_so(self.told[0]):
            assert self.read(), self.told
        first: list[Any] = self.told[0]
        return first

    def read_all(self) -> Any:
        """What it told last before its end."""
        while self.read():
            pass
        self.process.wait()
        return self.told

    def order(self, order: str) -> None:
        """Such as `cancel=1`."""
        assert self.process.stdin is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """With SIGKILL."""
        self.process.kill()
        self.process.wait()


class Place:
    """The hub, its cache and the queue."""

    def __init__(self, hub: FakeHub, folder: Path) -> None:
        self.hub = hub
        self.cache = folder / "hub"
        self.queue = folder / "data" / "downloads.sqlite3"
        self.environ = {**os.environ, **hub.environ(self.cache)}

    @contextmanager
    def working(self, *wishes: str, bytes_per_s: float = 0) -> Iterator[Worker]:
        """Ended with the block."""
        command = [sys.executable, "-m", PROGRAM, str(self.queue), str(bytes_per_s), *wishes]
        with subprocess.Popen(
            command, cwd=ROOT, env=self.environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            try:
                yield Worker(process)
            finally:
                process.kill()

    def found(self) -> list[bytes]:
        """The contents of the model's files, by name."""
        return [each.read_bytes() for each in sorted(self.cache.glob("models--*/snapshots/*/*.gguf"))]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serving_hub() as hub:
        yield Place(hub, tmp_path)


@pytest.fixture
def shards(place: Place) -> list[bytes]:
    """What the hub has of the model."""
    shards = [b"GGUF" + random.Random(number).randbytes(size - 4) for number, size in enumerate(SIZES)]
    names = (f"m-Q4_K_M-0000{number}-of-00002.gguf" for number in (1, 2))
    place.hub.repository("owner/repo", dict(zip(names, shards, strict=True)))
    return shards


def test_killed_twenty_times_it_goes_on_and_is_whole(place: Place, shards: list[bytes]) -> None:
    completed, n_requests = 0, 0
    for _ in range(N_KILLS):
        with place.working(MODEL, bytes_per_s=SLOW) as worker:
            worker.until(partial(_is_beyond, completed))
            place.hub.wait("content", requests=n_requests + 1)
            _, state, now, total, _ = worker.told[0]
            worker.kill()

            assert ("running", sum(SIZES)) == (state, total)
            assert completed <= _begin(place.hub.requests("content")[n_requests])

            completed, n_requests = now, len(place.hub.requests("content"))
    with place.working(MODEL) as worker:
        assert "done" == worker.read_all()[0][1]
    assert shards == place.found()


def _begin(request: dict[str, Any]) -> int:
    """With which byte of the whole model it begins."""
    asked = request["headers"].get("range", "bytes=0-")
    return int(asked.removeprefix("bytes=").removesuffix("-")) + SIZES[0] * ("-00002-" in request["path"])


def _is_beyond(completed: int, job: list[Any]) -> bool:
    return bool(job[2] > completed)


def test_cancelled_it_stays_so_after_a_kill_and_a_person_resumes_it_by_range(
    place: Place, shards: list[bytes]
) -> None:
    with place.working(MODEL, bytes_per_s=SLOW) as worker:
        worker.until(partial(_is_beyond, 2 * MIB))
        worker.order("cancel=1")
        worker.until(lambda job: job[1] == "paused")
        worker.kill()
    n_requests = len(place.hub.requests("content"))
    for _ in range(3):
        with place.working(MODEL) as worker:
            assert "paused" == worker.read_all()[0][1]

    assert n_requests == len(place.hub.requests("content"))

    with place.working(MODEL, "resume=1") as worker:
        assert "done" == worker.read_all()[0][1]

    assert 2 * MIB <= _begin(place.hub.requests("content")[n_requests]) < SIZES[0]
    assert shards == place.found()


def test_a_second_process_on_the_queue_is_told_so(place: Place, shards: list[bytes]) -> None:
    with place.working(MODEL, bytes_per_s=SLOW) as first:
        first.until(partial(_is_beyond, 0))
        with place.working(MODEL) as second:
            assert {"failure": "another ggtui works on the queue of downloads"} == second.read_all()
        first.kill()
    with place.working(MODEL) as third:
        assert "done" == third.read_all()[0][1]
    assert shards == place.found()
