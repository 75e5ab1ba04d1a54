"""What passes to a person who may order downloads, and what to one who may only look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.core.downloads.jobs import JobState
from ggtui.core.errors import DownloadNotFound, ReadOnly, StoreUnavailable
from ggtui.core.ports.downloads import RepositoryHit
from ggtui.services.downloads.control import DownloadsControl
from tests.services.downloads.rig import A, B, Rig, offered, run, running, settled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ORDERS: list[Callable[[DownloadsControl], Awaitable[object]]] = [
    lambda control: control.add(A),
    lambda control: control.pause(1),
    lambda control: control.cancel(1),
    lambda control: control.resume(1),
    lambda control: control.move(1, 0),
    lambda control: control.remove(1),
]


def test_orders_reach_the_book() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            control = DownloadsControl(rig.book, rig.hub)
            job = await control.add(A, revision="v2")

            assert (A, "v2", True) == (job.model, job.revision, job.by_person)

            await control.add("llama3", backend="box")
            await control.move(2, 0)

            assert [2, 1] == [each.number for each in control.jobs]

            for order, state in (
                (control.pause, JobState.PAUSED),
                (control.resume, JobState.RUNNING),
                (control.cancel, JobState.PAUSED),
            ):
                await order(1)
                await settled()

                assert state == rig.state(A)

            await control.remove(1)

            assert ["llama3"] == rig.models

    run(scenario)


@pytest.mark.parametrize("order", ORDERS)
def test_a_read_only_one_changes_nothing(order: Callable[[DownloadsControl], Awaitable[object]]) -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(B)
            before = rig.book.jobs
            with pytest.raises(ReadOnly):
                await order(DownloadsControl(rig.book, rig.hub, is_read_only=True))

            assert before == rig.book.jobs

    run(scenario)


@pytest.mark.parametrize("order", ORDERS)
def test_without_downloads_every_order_is_told(
    order: Callable[[DownloadsControl], Awaitable[object]],
) -> None:
    async def scenario() -> None:
        with pytest.raises((DownloadNotFound, StoreUnavailable)):
            await order(DownloadsControl())

        assert () == DownloadsControl().jobs
        assert () == await DownloadsControl().search("qwen")
        assert () == await DownloadsControl().offers("owner/repo")

    run(scenario)


def test_looking_at_the_hub_changes_nothing_and_is_allowed() -> None:
    async def scenario() -> None:
        rig = Rig()
        rig.hub.hits = (RepositoryHit("owner/repo"), RepositoryHit("other/thing"))
        control = DownloadsControl(rig.book, rig.hub, is_read_only=True)

        assert (RepositoryHit("owner/repo"),) == await control.search("REPO")
        assert offered(A) == (await control.offers("owner/repo"))[0]

    run(scenario)
