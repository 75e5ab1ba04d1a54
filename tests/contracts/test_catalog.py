"""What every catalog promises, over the one in memory and the one on disk."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.adapters.memory.catalog import MemoryCatalog
from ggtui.core.errors import InvalidRequest, RemovalRefused, StoreUnavailable
from ggtui.core.labels import Labels, label_change
from ggtui.core.load_history import LoadRecord
from ggtui.core.memory.compute import MeasuredCompute
from ggtui.core.memory.parts import DeviceShare
from ggtui.core.models import LaunchOptions, ModelSummary
from tests.adapters.gguf import raw

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ggtui.core.ports.catalog import ModelStorePort

OPTIONS = LaunchOptions(n_parallel=2)


class Place(Protocol):
    """A catalog and the place it looks at."""

    catalog: ModelStorePort

    def add(self, public_id: str, *, is_broken: bool = False) -> None:
        """Put a model there."""

    def remove(self, public_id: str) -> None:
        """Take it away."""


class MemoryPlace:
    def __init__(self, _: Path) -> None:
        self.fake = MemoryCatalog(options=OPTIONS)
        self.catalog: ModelStorePort = self.fake
        self._ids: dict[str, int] = {}

    def add(self, public_id: str, *, is_broken: bool = False) -> None:
        number = self._ids.setdefault(public_id, len(self._ids) + 1)
        problem = "broken" if is_broken else None
        self.fake.put(
            ModelSummary(number, public_id, public_id, "llama", 1, n_ctx_train=4096, problem=problem)
        )

    def remove(self, public_id: str) -> None:
        self.fake.take(self._ids[public_id])


class DiskPlace:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "models"
        self.folder.mkdir()
        self.catalog: ModelStorePort = GgufCatalog(
            folder / "data" / "catalog.sqlite3", [self.folder], OPTIONS
        )

    def add(self, public_id: str, *, is_broken: bool = False) -> None:
        content = b"<html>" * 10 if is_broken else raw.header(raw.LLAMA_KEYS)
        raw.written(self.folder, content, f"{public_id}.gguf")

    def remove(self, public_id: str) -> None:
        (self.folder / f"{public_id}.gguf").unlink()


@pytest.fixture(params=[MemoryPlace, DiskPlace], ids=["memory", "gguf"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    make: Callable[[Path], Place] = request.param
    return make(tmp_path)


def run(place: Place, work: Coroutine[None, None, None]) -> None:
    async def main() -> None:
        try:
            await work
        finally:
            await place.catalog.close()

    asyncio.run(main())


async def listed(place: Place) -> list[str]:
    return [model.public_id for model in await place.catalog.list_models()]


def test_nothing_is_known_before_the_first_look(place: Place) -> None:
    async def work() -> None:
        place.add("a")

        assert [] == await listed(place)
        assert place.catalog.report().scanned_at is None

    run(place, work())


def test_a_refresh_shows_what_is_there_ordered_by_public_id(place: Place) -> None:
    async def work() -> None:
        for name in ("b", "c", "a"):
            place.add(name)
        report = await place.catalog.refresh()

        assert ["a", "b", "c"] == await listed(place)
        assert 3 == report.n_files
        assert report.scanned_at is not None
        assert () == report.problems
        assert report == place.catalog.report()

    run(place, work())


def test_new_and_vanished_models_show_after_the_next_refresh_only(place: Place) -> None:
    async def work() -> None:
        place.add("a")
        await place.catalog.refresh()
        place.add("b")
        place.remove("a")

        assert ["a"] == await listed(place)
        await place.catalog.refresh()
        assert ["b"] == await listed(place)

    run(place, work())


def test_a_model_that_comes_back_has_its_number_again(place: Place) -> None:
    async def work() -> None:
        place.add("a")
        place.add("b")
        await place.catalog.refresh()
        before = await place.catalog.list_models()
        place.remove("a")
        await place.catalog.refresh()
        place.add("a")
        await place.catalog.refresh()

        assert [model.id for model in before] == [model.id for model in await place.catalog.list_models()]

    run(place, work())


def test_names_resolve_exactly_and_then_by_number(place: Place) -> None:
    async def work() -> None:
        place.add("some-model")
        await place.catalog.refresh()
        (model,) = await place.catalog.list_models()
        resolve = place.catalog.resolve_model

        assert model == await resolve("some-model")
        assert model == await resolve(str(model.id))
        for wrong in ("Some-Model", "some", "", "99", f"0{model.id}", f"+{model.id}", "²", "9" * 5000):
            assert await resolve(wrong) is None
            assert await place.catalog.resolve_for_launch(wrong) is None

    run(place, work())


def test_only_the_launch_spec_knows_the_file(place: Place) -> None:
    async def work() -> None:
        place.add("a")
        await place.catalog.refresh()
        (model,) = await place.catalog.list_models()
        spec = await place.catalog.resolve_for_launch("a")

        assert spec is not None
        assert (model.id, "a", "a.gguf") == (spec.model_id, spec.public_id, spec.path.name)
        assert (OPTIONS, None, 4096) == (spec.options, spec.problem, spec.n_ctx_train)
        assert "a.gguf" not in repr(model)

    run(place, work())


def test_a_broken_model_is_listed_with_its_problem(place: Place) -> None:
    async def work() -> None:
        place.add("a", is_broken=True)
        await place.catalog.refresh()
        (model,) = await place.catalog.list_models()
        spec = await place.catalog.resolve_for_launch("a")

        assert model.problem
        assert spec is not None
        assert model.problem == spec.problem

    run(place, work())


def test_a_file_that_has_gone_is_told_before_the_next_look(place: Place) -> None:
    async def work() -> None:
        place.add("a")
        await place.catalog.refresh()
        there = await place.catalog.resolve_for_launch("a")
        place.remove("a")
        gone = await place.catalog.resolve_for_launch("a")

        assert there is not None
        assert gone is not None
        assert [(False, False), (True, True)] == [
            (spec.is_missing, spec.problem is not None) for spec in (there, gone)
        ]

    run(place, work())


def test_only_what_has_changed_is_looked_at_again(place: Place) -> None:
    async def work() -> None:
        assert await place.catalog.refresh_changed() is False
        await place.catalog.refresh()
        place.add("a")

        assert await place.catalog.refresh_changed() is True
        assert ["a"] == await listed(place)
        place.remove("a")
        assert await place.catalog.refresh_changed() is True
        assert [] == await listed(place)

    run(place, work())


def test_a_chosen_context_is_kept_and_can_be_forgotten(place: Place) -> None:
    async def chosen() -> list[int | None]:
        spec = await place.catalog.resolve_for_launch("a")
        model = await place.catalog.resolve_model("a")
        return [entry.n_ctx_chosen for entry in (spec, model) if entry is not None]

    async def work() -> None:
        place.add("a")
        await place.catalog.refresh()
        (model,) = await place.catalog.list_models()

        await place.catalog.set_context(model.id, 2048)
        assert [2048, 2048] == await chosen()
        await place.catalog.refresh()
        assert [2048, 2048] == await chosen()
        await place.catalog.set_context(model.id, None)
        assert [None, None] == await chosen()
        await place.catalog.set_context(12_345, 2048)

    run(place, work())


def test_refreshes_at_once_all_tell_the_same(place: Place) -> None:
    async def work() -> None:
        place.add("a")
        reports = await asyncio.gather(*(place.catalog.refresh() for _ in range(3)))

        assert {1} == {report.n_files for report in reports}
        assert ["a"] == await listed(place)

    run(place, work())


def test_a_closed_catalog_says_so(place: Place) -> None:
    async def work() -> None:
        await place.catalog.refresh()
        await place.catalog.close()
        catalog = place.catalog
        for call in (
            catalog.list_models(),
            catalog.resolve_model("a"),
            catalog.resolve_for_launch("a"),
            catalog.set_context(1, 1),
            catalog.refresh(),
        ):
            with pytest.raises(StoreUnavailable):
                await call

    run(place, work())


def test_when_a_model_was_loaded_is_kept(place: Place) -> None:
    async def scenario() -> None:
        place.add("alpha")
        place.add("beta")
        await place.catalog.refresh()
        alpha = (await place.catalog.list_models())[0]
        await place.catalog.note_loaded(alpha.id)
        await place.catalog.note_loaded(999)
        await place.catalog.refresh()
        loaded = {model.name: model.loaded_at for model in await place.catalog.list_models()}

        assert [True, False] == [moment is not None for moment in loaded.values()]

    run(place, scenario())


def test_what_loads_took_is_kept_and_taught(place: Place) -> None:
    share = DeviceShare("CPU", is_host=True, weights_bytes=1000, kv_bytes=24)
    first = LoadRecord(1.0, "llama-server 1", 4096, 4, (share,), (share,), MeasuredCompute(100.5))
    second = replace(first, at=2.0, n_ctx=8192, measured=MeasuredCompute(90.0, has_quantised_cache=True))

    async def scenario() -> None:
        place.add("alpha")
        place.add("beta")
        await place.catalog.refresh()
        alpha, beta = await place.catalog.list_models()
        for record in (first, second):
            await place.catalog.note_load(alpha.id, record)
        await place.catalog.note_load(999, first)

        for _ in range(2):  # before a look at the folders and after it
            taught = {model.id: model.measured for model in await place.catalog.list_models()}

            assert {alpha.id: (second.measured, first.measured), beta.id: ()} == taught
            assert (second, first) == await place.catalog.load_history(alpha.id)
            assert () == await place.catalog.load_history(beta.id)

            await place.catalog.refresh()

    run(place, scenario())


def test_labels_are_kept_beside_the_model(place: Place) -> None:
    async def labels() -> dict[str, tuple[str, str, tuple[str, ...], bool]]:
        models = await place.catalog.list_models()
        return {each.public_id: (each.name, each.given_name, each.tags, each.is_favourite) for each in models}

    async def scenario() -> None:
        place.add("alpha")
        place.add("beta")
        await place.catalog.refresh()
        before = await labels()
        alpha = (await place.catalog.list_models())[0]

        change = label_change(name="Fox", added=("Coding", "small"), is_favourite=True)
        kept = await place.catalog.change_labels(alpha.id, change)
        assert Labels("Fox", ("coding", "small"), is_favourite=True) == kept
        for _ in range(2):  # before a look at the folders and after it
            wanted = ("Fox", "Fox", ("coding", "small"), True)
            assert {**before, "alpha": wanted} == await labels()
            await place.catalog.refresh()
        one, both = label_change(removed=("small",)), label_change(added=("b",))
        await asyncio.gather(*(place.catalog.change_labels(alpha.id, each) for each in (one, both)))
        assert ("Fox", "Fox", ("coding", "b"), True) == (await labels())["alpha"]
        await place.catalog.change_labels(alpha.id, label_change(name="", tags=(), is_favourite=False))
        assert before == await labels()

    run(place, scenario())


def test_labels_come_back_with_the_model(place: Place) -> None:
    async def scenario() -> None:
        place.add("alpha")
        await place.catalog.refresh()
        (alpha,) = await place.catalog.list_models()
        await place.catalog.change_labels(alpha.id, label_change(added=("kept",)))
        place.remove("alpha")
        await place.catalog.refresh()
        place.add("alpha")
        await place.catalog.refresh()

        assert [("kept",)] == [model.tags for model in await place.catalog.list_models()]

    run(place, scenario())


def test_unknown_models_keep_no_labels_and_a_refused_change_keeps_what_was(place: Place) -> None:
    async def scenario() -> None:
        place.add("alpha")
        await place.catalog.refresh()
        (alpha,) = await place.catalog.list_models()
        await place.catalog.change_labels(12_345, label_change(name="nobody"))
        many = label_change(tags=tuple(f"t{number}" for number in range(17)))
        await place.catalog.change_labels(alpha.id, label_change(added=("a",)))
        with pytest.raises(InvalidRequest):
            await place.catalog.change_labels(alpha.id, many)

        (kept,) = await place.catalog.list_models()
        assert (alpha.name, ("a",)) == (kept.name, kept.tags)

    run(place, scenario())


def test_a_model_is_removed_as_its_plan_says_and_only_then(place: Place) -> None:
    async def scenario() -> None:
        place.add("alpha")
        place.add("beta")
        await place.catalog.refresh()
        alpha, beta = await place.catalog.list_models()
        first, second = [await place.catalog.plan_removal(each.id) for each in (alpha, beta)]
        assert first is not None
        assert second is not None
        place.remove("beta")
        await place.catalog.remove(first)
        with pytest.raises(RemovalRefused):
            await place.catalog.remove(second)
        await place.catalog.refresh()

        assert (1, alpha.size_bytes, "") == (len(first.files), first.freed_bytes, first.refusal)
        assert [] == await listed(place)
        assert await place.catalog.plan_removal(alpha.id) is None

    run(place, scenario())


def test_what_the_driver_took_in_one_load_counts_for_every_model(place: Place) -> None:
    device = DeviceShare("CUDA0", weights_bytes=1000)
    record = LoadRecord(1.0, "llama-server 1", 4096, 4, (device,), (device,), process_bytes=1300)
    silent = replace(record, at=2.0, process_bytes=None)

    async def scenario() -> None:
        place.add("alpha")
        place.add("beta")
        await place.catalog.refresh()
        alpha = (await place.catalog.list_models())[0]
        for each in (record, silent):
            await place.catalog.note_load(alpha.id, each)

        for _ in range(2):  # before a look at the folders and after it
            assert [300, 300] == [model.overhead_bytes for model in await place.catalog.list_models()]
            await place.catalog.refresh()

    run(place, scenario())


def test_other_folders_and_options_count_from_the_next_refresh(place: Place, tmp_path: Path) -> None:
    async def scenario() -> None:
        place.add("alpha")
        await place.catalog.refresh()
        own = [Path(folder) for folder in place.catalog.report().folders]
        await place.catalog.reconfigure([*own, tmp_path / "more"], LaunchOptions(n_parallel=7))
        report = await place.catalog.refresh()
        spec = await place.catalog.resolve_for_launch("1")

        assert str(tmp_path / "more") in report.folders
        assert spec is not None
        assert 7 == spec.options.n_parallel

    run(place, scenario())
