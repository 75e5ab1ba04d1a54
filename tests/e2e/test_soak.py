"""A short storm on a whole ggtui: every request is answered or excused, and afterwards all is as before."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.e2e.crowd import LETTERS, Crowd
from tests.e2e.instance import GUARD_S, Instance, ended, running
from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

N_CLIENTS = 16
N_REQUESTS = 4
"""Of each client."""

EXCUSED = {
    *("200", "left", "cut"),
    "200 upstream_crashed",
    # A stream that has waited for long has its status already; the reason comes as an event.
    *("200 model_start_failed", "200 model_not_ready", "200 load_cancelled"),
    "502 upstream_crashed",
    "502 upstream_unreachable",
    "503 load_cancelled cancelled",
    "503 model_not_ready",
    "500 model_start_failed out_of_memory",
}
"""What may come of a request while others stop, choose and kill; `out_of_memory` is how SIGKILL reads."""

OF_A_TRANSACTION = "-journal"
"""End of the name of a file that SQLite opens and closes as it writes."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def four_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("four")
    for number, name in enumerate(("ant", "bee", "cat", "dog")):
        tiny_model(folder / f"{name}.gguf", name, seed=number, n_ctx_train=8192)
    return folder


@pytest.mark.parametrize("strategy", ["single", "memory"])
def test_after_the_storm(four_models: Path, tmp_path: Path, engine_flag: str, strategy: str) -> None:
    flags = ("--llama-server", engine_flag, "--strategy", strategy)
    with running(four_models, tmp_path / "data", *flags) as one:
        asyncio.run(_storm(one, random.Random(11)))
        one.chat("ant-f32", **LETTERS)
        family = one.family()
        one.process.kill()
        one.process.wait(GUARD_S)
    assert family
    assert [] == ended(family)

    log = (tmp_path / "data.err").read_text() + (tmp_path / "data" / "logs" / "_ggtui.log").read_text()

    assert [] == [
        line for line in log.splitlines() if "ERROR" in line or "Traceback" in line or "never" in line
    ]


async def _storm(one: Instance, chance: random.Random) -> None:
    models = [entry["id"] for entry in (await asyncio.to_thread(one.get, "/v1/models?all=1"))["data"]]
    crowd = Crowd(one.url, models, chance)
    for model in models:
        assert "200" == await crowd.chat(model)
    # The thread that writes a chosen context stays once it was needed.
    await crowd.ask("/ggtui/load", {"model": models[0], "num_ctx": 512})
    before = await _calm(one)

    is_over = asyncio.Event()
    trouble = asyncio.create_task(_trouble(one, crowd, is_over))
    async with asyncio.timeout(GUARD_S):
        await asyncio.gather(*(crowd.client(N_REQUESTS) for _ in range(N_CLIENTS)))
    is_over.set()
    await trouble

    assert set() == set(crowd.seen) - EXCUSED, {word: crowd.latest[word] for word in crowd.seen}
    assert crowd.seen["200"] > N_CLIENTS / 2
    assert before == await _calm(one, before)


async def _trouble(one: Instance, crowd: Crowd, is_over: asyncio.Event) -> None:
    """Loads, stops and kills, until it is over."""
    chance = crowd.chance
    while not is_over.is_set():
        model = chance.choice(crowd.models)
        match chance.choice(("load", "choose", "stop", "force", "kill")):
            case "load":
                await crowd.ask("/ggtui/load", {"model": model})
            case "choose":
                await crowd.ask("/ggtui/load", {"model": model, "num_ctx": chance.choice((512, 2048, 8192))})
            case "stop":
                await crowd.ask("/ggtui/stop", {"model": model}, chance.choice((None, "before the answer")))
            case "force":
                await crowd.ask("/ggtui/stop", {"force": True})
            case "kill":
                for server in await asyncio.to_thread(_servers, one):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(server, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(is_over.wait(), chance.random() * 0.5)


async def _calm(one: Instance, like: dict[str, Any] | None = None) -> dict[str, Any]:
    """Stop what runs; what is left of ggtui when nothing is under way, or when it is like that."""
    answer = await asyncio.to_thread(one.post, "/ggtui/stop", {})

    assert 200 == answer.status_code

    clock = asyncio.get_running_loop().time
    deadline = clock() + GUARD_S / 4
    while True:
        state = await asyncio.to_thread(one.get, "/ggtui/state")
        left = _left(one) | {"targets": state["targets"], "queue": state["queue"]}
        is_quiet = 1 == left["descriptors"].count("socket")
        if (left == like if like else is_quiet) or clock() > deadline:
            return left
        await asyncio.sleep(0.05)


def _left(one: Instance) -> dict[str, Any]:
    pid = one.process.pid
    return {
        "descriptors": sorted(_descriptors(pid)),
        "threads": psutil.Process(pid).num_threads(),
        "servers": _servers(one),
    }


def _descriptors(pid: int) -> Iterator[str]:
    """Kinds of what a process holds open; files by their name, less those of a transaction under way."""
    folder = f"/proc/{pid}/fd"
    for number in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            path = os.readlink(f"{folder}/{number}")
            if not path.endswith(OF_A_TRANSACTION):
                yield path if path.startswith("/") else path.partition(":")[0]


def _servers(one: Instance) -> list[int]:
    """Processes of servers, the guard not among them."""
    return [process.pid for process in one.family() if "--alias" in _command(process)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
