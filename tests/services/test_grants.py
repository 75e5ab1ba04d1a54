"""Who waits for a server is told once, and only while somebody waits."""

from __future__ import annotations

import asyncio

import pytest

from ggtui.core.errors import LoadCancelled
from ggtui.core.models import RunningTarget
from ggtui.services.grants import Grants

TARGET = RunningTarget.local(1234, 1, "alpha", 4096)


def test_the_first_word_counts() -> None:
    async def scenario() -> None:
        grants = Grants()
        let_in, refused = grants.expect(1), grants.expect(2)
        grants.grant(1, TARGET)
        grants.refuse(1, LoadCancelled("too late"))
        grants.refuse(2, LoadCancelled("another"))
        grants.grant(2, TARGET)

        assert TARGET == await let_in
        with pytest.raises(LoadCancelled):
            await refused

    asyncio.run(scenario())


def test_a_server_that_has_gone_and_a_ticket_that_has_left_are_no_fault() -> None:
    async def scenario() -> None:
        grants = Grants()
        waiting = grants.expect(1)
        grants.grant(1, None)

        assert not waiting.done()

        grants.forget(1)
        grants.grant(1, TARGET)
        grants.refuse(1, LoadCancelled("nobody hears it"))

        assert not waiting.done()

    asyncio.run(scenario())
