"""Why a launch began and how it ended is told as it was, whatever led to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.launcher import Script
from ggtui.core.errors import OutOfMemory
from ggtui.core.schedule import Rules
from ggtui.services.runtime import RuntimeSettings
from ggtui.services.servers import ServerTimes
from ggtui.services.warm_up import WarmUp
from tests.services.desk import Desk, desk

if TYPE_CHECKING:
    from ggtui.services.launches import Launch

ASKED = "asked for by a request"
PERSON = "loaded by a person"


class Told:
    """What the ledger tells of beginnings and ends."""

    def __init__(self, it: Desk) -> None:
        self.began: list[tuple[str, str]] = []
        self.ended: list[tuple[str, str]] = []
        it.ledger.when_up.append(self._up)
        it.ledger.when_ended.append(self._ended)

    def _up(self, launch: Launch) -> None:
        self.began.append((launch.public_id, launch.why))

    def _ended(self, launch: Launch) -> None:
        self.ended.append((launch.public_id, launch.end_words))


async def ask(it: Desk, name: str, n_ctx: int | None = None) -> None:
    await it.runtime.ensure_model_running(name, n_ctx, 4096)


def test_a_request_a_swap_and_a_person() -> None:
    async def scenario() -> None:
        async with desk() as it:
            told = Told(it)
            await ask(it, "alpha")
            await it.control.load("beta")
            await it.control.stop()
            await ask(it, "alpha")

            assert [("alpha", ASKED), ("beta", PERSON), ("alpha", ASKED)] == told.began
            assert [("alpha", "made room for beta"), ("beta", "stopped by a person")] == told.ended

        assert ("alpha", "ggtui ended") == told.ended[-1]

    asyncio.run(scenario())


def test_a_larger_context_and_a_persons_other_one() -> None:
    async def scenario() -> None:
        async with desk() as it:
            told = Told(it)
            await ask(it, "alpha", 1024)
            await ask(it, "alpha", 8192)
            await it.control.load("alpha", 2048)

            assert [ASKED, "restarted with a larger context for a request", PERSON] == [
                why for _, why in told.began
            ]
            assert ["larger context", "other context"] == [words for _, words in told.ended]

    asyncio.run(scenario())


def test_an_earlier_context_that_comes_back() -> None:
    async def scenario() -> None:
        async with desk() as it:
            told = Told(it)
            await ask(it, "alpha", 1024)
            it.launcher.script("alpha", Script(failure=OutOfMemory("no room"), n_failures=2))
            with pytest.raises(OutOfMemory):
                await ask(it, "alpha", 8192)
            await it.until(lambda: len(told.began) == 2)

            assert "started again with its earlier context, as the other one failed" == told.began[1][1]

    asyncio.run(scenario())


def test_a_crash_and_settings_that_changed() -> None:
    async def scenario() -> None:
        async with desk() as it:
            told = Told(it)
            await ask(it, "alpha")
            it.launcher.crash("alpha")
            await it.until(lambda: bool(told.ended))
            await ask(it, "alpha")
            await it.control.change_settings("alpha", {"slots": 2})
            await ask(it, "alpha")

            restarted = ["restarted after a crash", "restarted after its settings changed"]
            assert [ASKED, *restarted] == [why for _, why in told.began]
            assert told.ended[0][1].startswith("crashed: ")
            assert "settings changed" == told.ended[1][1]

    asyncio.run(scenario())


def test_a_server_that_hangs() -> None:
    async def scenario() -> None:
        settings = RuntimeSettings(times=ServerTimes(stuck_timeout_s=0.0, stuck_check_s=0.001))
        async with desk(settings=settings) as it:
            told = Told(it)
            async with it.runtime.acquire("alpha", None, 4096):
                it.launcher.running["alpha"].work = 0.0
                await it.until(lambda: bool(told.ended))
            await ask(it, "alpha")

            assert ("alpha", "hung") == told.ended[0]
            assert ("alpha", "restarted after it hung") == told.began[1]

    asyncio.run(scenario())


def test_an_idle_time_that_ran_out() -> None:
    async def scenario() -> None:
        async with desk(settings=RuntimeSettings(rules=Rules(keep_alive_s=0))) as it:
            told = Told(it)
            await ask(it, "alpha")
            await it.until(lambda: bool(told.ended))

            assert [("alpha", "idle for 0s")] == told.ended

    asyncio.run(scenario())


def test_what_is_loaded_at_the_start() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await ask(it, "alpha")
            await it.control.stop()
            told = Told(it)
            warm_up = WarmUp(it.catalog, it.runtime, preload=["beta"], restores_last=True)
            await warm_up.start()
            await it.until(lambda: len(told.began) == 2)
            await warm_up.stop()

            expected = [("alpha", "restored from the last run"), ("beta", "loaded at the start (preload)")]
            assert expected == told.began

    asyncio.run(scenario())
