"""What everyone who asks backends, and has them fetch, promises."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.backends import MemoryBackends
from ggtui.adapters.remote.backends.observer import BackendObserver
from ggtui.adapters.remote.backends.puller import OllamaPuller
from ggtui.core.backends.backend import Backend, BackendType
from ggtui.core.errors import BackendError
from tests.backends import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ggtui.core.ports.backends import BackendObserverPort, PullerPort
    from tests.backends import Shape

GUARD_S = 30.0


@dataclass
class Rig:
    """An Ollama called `box`, and those who ask it."""

    observer: Callable[[], BackendObserverPort]
    puller: Callable[[], PullerPort]
    have: Callable[..., None]
    fail: Callable[[], None]
    stall_pulls: Callable[[], None]
    base_url: str

    @property
    def box(self) -> Backend:
        return Backend("box", BackendType.OLLAMA, self.base_url)


@pytest.fixture(scope="module")
def ollama() -> Iterator[Shape]:
    with started("ollama") as shape:
        yield shape


@pytest.fixture(params=["memory", "remote"])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "memory":
        return _in_memory()
    shape: Shape = request.getfixturevalue("ollama")
    shape.have()
    for place in ("list", "pull"):
        shape.script(place)
    return Rig(
        BackendObserver,
        OllamaPuller,
        shape.have,
        lambda: shape.script("list", {"status": 500}),
        lambda: shape.script("pull", {"hang_after": 2}),
        shape.url,
    )


def _in_memory() -> Rig:
    one = MemoryBackends()
    return Rig(
        lambda: one,
        lambda: one,
        lambda *names: one.have("box", *names),
        lambda: one.errors.update(box="500 Internal Server Error"),
        one.may_go_on.clear,
        "http://127.0.0.1:11434",
    )


def run(rig: Rig, scenario: Callable[[BackendObserverPort, PullerPort], object]) -> None:
    async def whole() -> None:
        observer, puller = rig.observer(), rig.puller()
        await asyncio.wait_for(scenario(observer, puller), GUARD_S)  # type: ignore[arg-type]
        for _ in range(2):
            await observer.close()
            await puller.close()

    asyncio.run(whole())


def test_what_a_backend_has_is_told_in_its_order(rig: Rig) -> None:
    async def scenario(observer: BackendObserverPort, _: PullerPort) -> None:
        assert () == await observer.observe(rig.box, None)

        rig.have("zeta:latest", "alpha:7b")

        assert ["zeta:latest", "alpha:7b"] == [each.name for each in await observer.observe(rig.box, None)]

    run(rig, scenario)


def test_a_backend_that_fails_is_a_failure_with_a_text(rig: Rig) -> None:
    async def scenario(observer: BackendObserverPort, _: PullerPort) -> None:
        rig.fail()
        with pytest.raises(BackendError, match="500 Internal Server Error"):
            await observer.observe(rig.box, None)

    run(rig, scenario)


def test_what_was_pulled_is_there_and_its_progress_ends_whole(rig: Rig) -> None:
    told: list[tuple[str, str, int, int]] = []

    async def scenario(observer: BackendObserverPort, puller: PullerPort) -> None:
        rig.have("old:1b")
        await puller.pull(rig.box, None, "new", lambda *each: told.append(each))
        await asyncio.sleep(0)

        assert ["old:1b", "new:latest"] == [each.name for each in await observer.observe(rig.box, None)]

    run(rig, scenario)
    layers = [(digest, total, completed) for _, digest, total, completed in told if digest]
    completed = [each[2] for each in layers]

    assert 1 == len({digest for digest, _, _ in layers})
    assert completed == sorted(completed)
    assert completed[0] == 0
    assert completed[-1] == layers[-1][1] > 0


def test_a_pull_that_is_cancelled_ends_and_brings_nothing(rig: Rig) -> None:
    async def scenario(observer: BackendObserverPort, puller: PullerPort) -> None:
        rig.stall_pulls()
        has_begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def progress(_status: str, digest: str, _total: int, completed: int) -> None:
            if digest and completed:
                loop.call_soon_threadsafe(has_begun.set)

        pull = asyncio.ensure_future(puller.pull(rig.box, None, "new", progress))
        await has_begun.wait()
        pull.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pull

        assert () == await observer.observe(rig.box, None)

    run(rig, scenario)


def test_a_model_is_deleted_by_its_name_and_only_once(rig: Rig) -> None:
    async def scenario(observer: BackendObserverPort, puller: PullerPort) -> None:
        rig.have("keep:latest", "drop:latest")
        await puller.delete(rig.box, None, "drop:latest")

        assert ["keep:latest"] == [each.name for each in await observer.observe(rig.box, None)]

        with pytest.raises(BackendError, match="model 'drop:latest' not found"):
            await puller.delete(rig.box, None, "drop:latest")

    run(rig, scenario)


@pytest.mark.parametrize("type", sorted(set(BackendType) - {BackendType.OLLAMA}))
def test_only_an_ollama_is_ordered_about(rig: Rig, type: BackendType) -> None:
    async def scenario(_: BackendObserverPort, puller: PullerPort) -> None:
        other = Backend("other", type, rig.base_url)
        with pytest.raises(BackendError, match=f"^Unsupported backend type: {type}$"):
            await puller.pull(other, None, "new", lambda *_: None)
        with pytest.raises(BackendError, match=f"^Unsupported backend type: {type}$"):
            await puller.delete(other, None, "new")

    run(rig, scenario)
