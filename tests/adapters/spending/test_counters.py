"""Strict counts: two processes share one exactly, and a dead one holds nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from typing import IO, TYPE_CHECKING

import pytest

from ggtui.adapters.spending.counters import SqliteCounters
from ggtui.adapters.spending.shared_place import check_private, shared_file
from ggtui.core.deployment.limits import Limit, Wait
from ggtui.core.deployment.policies import RateLimits
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

CHILD = """
import asyncio, sys
from pathlib import Path
from ggtui.adapters.spending.counters import SqliteCounters
from ggtui.core.deployment.policies import RateLimits

async def main():
    counters = SqliteCounters(Path(sys.argv[1]), lambda: 1000.0)
    limits = RateLimits(**eval(sys.argv[2]))
    print("ready", flush=True)
    sys.stdin.readline()
    found = [await counters.reserve("a", 1, limits) for _ in range(int(sys.argv[3]))]
    print(sum(isinstance(each, int) for each in found), flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""
"""Asks so often when it is told to, prints how often it was let through, and holds that."""


class Child:
    """Another process that counts with us."""

    def __init__(self, path: Path, limits: str, n_asked: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path), limits, str(n_asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert "ready\n" == self._out.readline()

    @property
    def _out(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def n_let_through(self) -> int:
        return int(self._out.readline())

    def kill(self) -> None:
        with self.process:
            self.process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shared" / "counters.sqlite3"


def test_two_processes_at_once_share_one_count_exactly(path: Path) -> None:
    children = [Child(path, "{'requests_per_minute': 301}", 200) for _ in range(2)]
    for child in children:
        child.go()
    n_let_through = [child.n_let_through() for child in children]
    for child in children:
        child.kill()

    assert 301 == sum(n_let_through)


def test_a_killed_process_holds_none_of_those_at_once_and_what_it_let_through_counts(path: Path) -> None:
    at_once = RateLimits(concurrent_requests=3)
    child = Child(path, "{'concurrent_requests': 3}", 5)
    child.go()

    async def scenario() -> None:
        counters = SqliteCounters(path, lambda: 1001.0)

        assert Wait(1.0, Limit.CONCURRENT) == await counters.reserve("a", 1, at_once)

        child.kill()

        assert isinstance(await counters.reserve("a", 1, at_once), int)
        assert Wait(59.0, Limit.REQUESTS) == await counters.reserve("a", 1, RateLimits(4))
        assert isinstance(await counters.reserve("a", 1, RateLimits(5)), int)

        await counters.close()

    assert 3 == child.n_let_through()
    asyncio.run(scenario())

    assert {"counters.sqlite3"} == {each.name for each in path.parent.iterdir() if each.stat().st_size}
    assert [] == [each for each in path.parent.iterdir() if "holder" in each.name]


def test_two_in_one_process_are_two(path: Path) -> None:
    async def scenario() -> None:
        limits = RateLimits(concurrent_requests=2)
        first, second = SqliteCounters(path, lambda: 1000.0), SqliteCounters(path, lambda: 1000.0)
        found = [await each.reserve("a", 0, limits) for each in (first, second, first, second)]

        assert {int: 2, Wait: 2} == Counter(type(each) for each in found)

        await first.close()

        assert isinstance(await second.reserve("a", 0, limits), int)

        await second.close()

    asyncio.run(scenario())


def test_what_counts_no_more_is_forgotten(path: Path) -> None:
    now = 1000.0

    async def scenario() -> None:
        nonlocal now
        counters = SqliteCounters(path, lambda: now)
        for _ in range(2000):
            now += 1.0
            found = await counters.reserve("a", 1, RateLimits(requests_per_minute=60))
            assert isinstance(found, int), found
            await counters.settle(found, 1)
        await counters.close()

    asyncio.run(scenario())

    assert path.stat().st_size < 64 * 1024


def test_the_common_place_is_this_persons_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    assert tmp_path / f"ggtui-{os.getuid()}" / "counters.sqlite3" == shared_file()


def test_a_place_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(PermissionError):
        check_private(folder)
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        check_private(tmp_path / "link")

    async def scenario() -> None:
        counters = SqliteCounters(folder / "counters.sqlite3")
        with pytest.raises(StoreUnavailable, match="belongs to somebody else"):
            await counters.reserve("a", 0, RateLimits(1))
        await counters.close()

    asyncio.run(scenario())
