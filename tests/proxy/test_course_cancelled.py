"""A stream that leaves in the moment in which its wait ends holds nothing of its deployment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from ggtui.proxy.course import Course
from ggtui.proxy.judged_answer import all_written
from ggtui.proxy.waiting import Telling
from tests.services.deployments.rig import NOTHING, ONE, Rig, asking, gone, left_over, remote, run

if TYPE_CHECKING:
    from ggtui.core.admission import Admission
    from ggtui.proxy.answers import Reply


class Answering:
    """In place of what leases a server: it tells of waits at once, and answers at once."""

    def telling(self, request: Any, reply: Reply, admission: Admission, waited_s: float = 0.0) -> Telling:
        return Telling(reply, admission, 0.001, 0.01)

    async def answer(self, *arguments: Any) -> None:
        await all_written(arguments[-1].leave())


class Stream:
    """Of a request and of its reply, what a course asks for."""

    is_stream = True
    model = "tiny"
    is_begun = True
    is_only_waiting = False

    async def begin_events(self) -> None: ...

    async def write(self, body: bytes) -> None: ...


@pytest.mark.parametrize("n_steps", range(6))
def test_it_holds_nothing_however_far_it_has_come(n_steps: int) -> None:
    async def scenario() -> None:
        rig = Rig((remote(serving=ONE),))
        first = await rig.live().enter(asking())
        course = Course(cast("Any", None), cast("Any", Answering()), cast("Any", None))
        stream = cast("Any", Stream())
        waiting = asyncio.create_task(
            course._through(rig.live(), stream, asking(), stream, cast("Any", None))
        )
        await asyncio.sleep(0.05)
        await gone(first)
        for _ in range(n_steps):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

        assert NOTHING == left_over(rig)

    run(scenario())
