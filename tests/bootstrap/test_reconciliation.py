"""Backends and downloads as the whole engine has them, against real backends on loopback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.downloads import MemoryHub
from ggtui.adapters.memory.gpu import MemoryProbe
from ggtui.adapters.memory.launcher import MemoryLauncher
from ggtui.bootstrap import build
from ggtui.bootstrap.reconciliation import Neighbours
from ggtui.config.load import load
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.backends.rows import RowState
from ggtui.core.downloads.jobs import FilePart, JobState
from ggtui.core.errors import BackendNotFound, ReadOnly
from ggtui.core.ports.downloads import Offer
from tests.backends import started
from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ggtui.config.schema import Config
    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.services.engine import Engine

GUARD_S = 20.0
TINY = "me/tiny:F32"
RARELY = "[backends]\ninterval_s = 3600\n"
"""What happens does so because something has changed."""


class Home:
    """A configuration file, and engines that read it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "config.toml"
        self.models = folder / "models"
        self.models.mkdir()
        self.data_dir = folder / "data"
        self.hub = MemoryHub(Offer(TINY, "F32", "a" * 40, (FilePart("tiny.gguf", 1000),)))
        self.engines: list[Engine] = []

    def read(self, **flags: object) -> Config:
        places = {"data_dir": str(self.data_dir), "models_dirs": [str(self.models)]}
        return load({**places, **flags}, {}, self.file)

    def engine(self, text: str, **flags: object) -> Engine:
        self.file.write_text(RARELY + text)
        engine = build(
            self.read(**flags),
            None,
            launcher=MemoryLauncher(),
            probe=MemoryProbe(),
            neighbours=Neighbours(hub=self.hub),
            reread=lambda: self.read(**flags),
        )
        self.engines.append(engine)
        engine.start()
        engine.started.result(GUARD_S)
        return engine


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    one = Home(tmp_path)
    yield one
    for engine in one.engines:
        assert engine.stop()


def backend(name: str, type: str, url: str, *models: str) -> str:
    return f'[[backend]]\nname = "{name}"\ntype = "{type}"\nbase_url = "{url}"\nmodels = {list(models)}\n'


def seen(engine: Engine, is_so: Callable[[EngineSnapshot], bool]) -> EngineSnapshot:
    """The first state in which this is so."""

    async def wait() -> EngineSnapshot:
        found: asyncio.Future[EngineSnapshot] = asyncio.get_running_loop().create_future()

        def hear(snapshot: EngineSnapshot) -> None:
            if is_so(snapshot) and not found.done():
                found.set_result(snapshot)

        end = engine.control.subscribe(hear)
        try:
            return await asyncio.wait_for(found, GUARD_S)
        finally:
            end()

    return engine.submit(wait()).result(GUARD_S + 1)


def states(snapshot: EngineSnapshot) -> dict[tuple[str, str], RowState]:
    return {(row.backend, row.model): row.state for row in snapshot.rows}


def is_row(backend: str, model: str, state: RowState) -> Callable[[EngineSnapshot], bool]:
    return lambda snapshot: states(snapshot).get((backend, model)) is state


def test_a_backend_that_dies_and_comes_back_is_shown_so_and_its_models_are_endpoints(home: Home) -> None:
    with started("vllm", ["qwen", "other"]) as box:
        engine = home.engine(backend("box", "vllm", box.url, "qwen"))
        snapshot = seen(engine, is_row("box", "qwen", RowState.IN_SYNC))

        assert {("box", "qwen"): RowState.IN_SYNC, ("box", "other"): RowState.EXTRA} == states(snapshot)
        assert ["qwen"] == [str(each.id) for each in snapshot.endpoints]

        box.down()
        engine.submit(engine.control.backends.reconcile()).result(GUARD_S)
        snapshot = seen(engine, is_row("box", "", RowState.ERROR))

        assert snapshot.backends[0].error
        assert snapshot.rows[0].why == snapshot.backends[0].error
        assert snapshot.backends[0].last_seen is not None

        box.up()
        engine.submit(engine.control.backends.reconcile()).result(GUARD_S)

        assert seen(engine, is_row("box", "qwen", RowState.IN_SYNC)).backends[0].is_ready
        assert 0 == len(box.seen_at("delete"))


def test_another_configuration_counts_at_once_and_what_is_no_more_in_it_has_gone(home: Home) -> None:
    with started("vllm", ["qwen"]) as box, started("vllm", ["gemma"]) as other:
        engine = home.engine(backend("box", "vllm", box.url, "qwen"))
        seen(engine, is_row("box", "qwen", RowState.IN_SYNC))
        home.file.write_text(RARELY + backend("other", "vllm", other.url, "gemma"))
        report = engine.submit(engine.control.reload()).result(GUARD_S)
        snapshot = seen(engine, is_row("other", "gemma", RowState.IN_SYNC))

        assert ("[[backend]], [[model]], [[group]] and [backends]",) == report.changed
        assert {("other", "gemma"): RowState.IN_SYNC} == states(snapshot)
        assert ["gemma"] == [str(each.id) for each in snapshot.endpoints]

        home.file.write_text("")
        report = engine.submit(engine.control.reload()).result(GUARD_S)

        assert "[backends] interval_s" in report.changed
        assert () == seen(engine, lambda snapshot: not snapshot.backends).rows


def test_what_is_missing_on_ollama_is_pulled_one_after_the_other_until_all_is_there(home: Home) -> None:
    with started("ollama", ["extra:7b"]) as pond:
        engine = home.engine(backend("pond", "ollama", pond.url, "llama3", "qwen:0.5b"))
        snapshot = seen(
            engine,
            lambda now: {RowState.IN_SYNC, RowState.EXTRA} == set(states(now).values()),
        )

        assert RowState.EXTRA is states(snapshot)["pond", "extra:7b"]
        assert ["llama3", "qwen:0.5b"] == [job.model for job in snapshot.downloads]
        assert {JobState.DONE} == {job.state for job in snapshot.downloads}
        assert 2 == len(pond.seen_at("pull"))

        for _ in range(3):
            engine.submit(engine.control.backends.reconcile()).result(GUARD_S)

        assert 2 == len(pond.seen_at("pull"))
        assert [] == pond.seen_at("delete")

        engine.submit(engine.control.backends.prune("pond", "extra:7b")).result(GUARD_S)

        assert 1 == len(pond.seen_at("delete"))
        seen(engine, lambda now: {RowState.IN_SYNC} == set(states(now).values()))


def test_a_model_for_this_disk_is_fetched_and_the_catalog_has_it_at_once(home: Home) -> None:
    engine = home.engine('[[model]]\nname = "tiny"\nrepository = "me/tiny:F32"\n')
    seen(engine, is_row(THIS_MACHINE, "tiny", RowState.DOWNLOADING))
    seen(engine, lambda now: JobState.RUNNING is now.downloads[0].state and bool(home.hub.fetching))

    assert () == seen(engine, lambda _: True).models

    tiny_model(home.models / "tiny.gguf")

    async def finish() -> None:
        home.hub.fetching[TINY].finish()

    engine.submit(finish()).result(GUARD_S)
    snapshot = seen(engine, lambda now: bool(now.models) and is_row("local", "tiny", RowState.IN_SYNC)(now))

    assert ["tiny-f32"] == [row.summary.public_id for row in snapshot.models]


def test_read_only_orders_neither_a_cycle_nor_a_download(home: Home) -> None:
    engine = home.engine("", read_only=True)
    control = engine.control
    for order in (control.backends.reconcile(), control.downloads.add("me/tiny")):
        with pytest.raises(ReadOnly):
            engine.submit(order).result(GUARD_S)
    assert () == engine.submit(control.backends.reconcile(is_dry_run=True)).result(GUARD_S)


def test_read_only_looks_at_backends_and_fetches_nothing_by_itself(home: Home) -> None:
    with started("ollama", ["extra:7b"]) as pond:
        declared = backend("pond", "ollama", pond.url, "llama3")
        engine = home.engine(declared + '[[model]]\nrepository = "me/tiny:F32"\n', read_only=True)
        snapshot = seen(engine, is_row("pond", "llama3", RowState.MISSING))

        assert RowState.EXTRA is states(snapshot)["pond", "extra:7b"]

        snapshot = seen(engine, is_row(THIS_MACHINE, "me/tiny:F32", RowState.MISSING))

        assert () == snapshot.downloads
        assert [] == pond.seen_at("pull")
        assert {} == home.hub.fetching


def test_a_pull_is_asked_of_a_declared_backend_only(home: Home) -> None:
    engine = home.engine("")
    with pytest.raises(BackendNotFound):
        engine.submit(engine.control.downloads.add("llama3", backend="gone")).result(GUARD_S)
