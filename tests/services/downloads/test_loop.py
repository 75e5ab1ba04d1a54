"""The schedule: as many at once as may, at once when there is work, and a breaker before defects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.downloads.jobs import JobState
from tests.services.downloads.rig import A, B, C, Rig, run, running, settled

if TYPE_CHECKING:
    import pytest


def test_more_may_run_and_then_fewer() -> None:
    async def scenario() -> None:
        async with running(Rig(parallel=1)) as rig:
            await rig.add(A, B, C)

            assert [A] == rig.fetching

            rig.book.take(parallel=3, max_bytes_per_s=0)
            await settled()

            assert [A, B, C] == rig.fetching

            rig.book.take(parallel=1, max_bytes_per_s=0)
            await rig.add("owner/repo:Z")
            await rig.end(A)

            assert [B, C] == rig.fetching
            assert JobState.PENDING == rig.state("owner/repo:Z")

    run(scenario)


def test_nothing_begins_after_its_end() -> None:
    async def scenario() -> None:
        rig = Rig()
        async with running(rig):
            await rig.loop.stop()
            await rig.add(A)

            assert [] == rig.fetching

    run(scenario)


def test_after_three_defects_in_a_row_nothing_is_begun_for_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    n_cycles = 0

    async def broken() -> bool:
        nonlocal n_cycles
        n_cycles += 1
        raise RuntimeError("a defect")

    async def scenario() -> None:
        async with running(Rig(parallel=1)) as rig:
            whole = rig.book.run_download_cycle
            monkeypatch.setattr(rig.book, "run_download_cycle", broken)
            await rig.add(A)

            assert 3 == n_cycles

            rig.loop.trigger()
            await rig.advance(9)

            assert 3 == n_cycles

            await rig.advance(2)

            assert 4 == n_cycles  # one probe

            monkeypatch.setattr(rig.book, "run_download_cycle", whole)
            await rig.advance(10)

            assert [A] == rig.fetching

    run(scenario)

    assert 4 == sum("a cycle of downloads failed" == message for message in caplog.messages)
