"""The catalog on disk beyond the contract: what is read again, what survives, what stays hidden."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, TypeVar

import pytest

from ggtui.adapters.gguf import reading as reading_module
from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.adapters.gguf.roots import Root
from ggtui.adapters.gguf.scan import read_facts
from ggtui.core.errors import StoreUnavailable
from ggtui.core.models import LaunchOptions
from tests.adapters.gguf import raw
from tests.models import html_model, tiny_model, truncated_model, write_lora, zero_byte_model

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from ggtui.adapters.gguf.facts import ModelFacts
    from ggtui.adapters.gguf.found import FoundModel, Walk
    from ggtui.core.models import ModelSummary

T = TypeVar("T")
GUARD_S = 20.0


def with_catalog(
    tmp_path: Path, work: Callable[[GgufCatalog], Awaitable[T]], folders: Sequence[Path] = ()
) -> T:
    """Run work on a catalog of tmp_path/models, or of other folders, and close it."""

    async def main() -> T:
        catalog = GgufCatalog(
            tmp_path / "data" / "catalog.sqlite3", folders or [tmp_path / "models"], LaunchOptions()
        )
        try:
            return await asyncio.wait_for(work(catalog), GUARD_S)
        finally:
            await catalog.close()

    return asyncio.run(main())


async def refreshed(catalog: GgufCatalog) -> list[ModelSummary]:
    await catalog.refresh()
    return list(await catalog.list_models())


async def known(catalog: GgufCatalog) -> list[ModelSummary]:
    return list(await catalog.list_models())


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose headers are read."""
    names: list[str] = []

    def counted(model: FoundModel) -> ModelFacts:
        names.append(model.first.name)
        return read_facts(model)

    monkeypatch.setattr(reading_module, "read_facts", counted)
    return names


def test_a_tiny_model_is_summed_up(tmp_path: Path, models: Path) -> None:
    path = tiny_model(models / "Tiny-Model-Q4_K_M.gguf", name="Tiny")

    (model,) = with_catalog(tmp_path, refreshed)

    assert ("tiny-model-q4_k_m", "Tiny", "llama", "Q4_K_M", path.stat().st_size) == (
        model.public_id, model.name, model.architecture, model.quantisation, model.size_bytes,
    )  # fmt: skip
    assert ("chat", "completion") == model.capabilities
    assert model.shape is not None


def test_two_quantisations_of_one_name_have_two_ids(tmp_path: Path, models: Path) -> None:
    for quant in ("Q4_K_M", "Q8_0"):
        tiny_model(models / f"llama-3.2-3b-{quant}.gguf", name="Llama 3.2 3B")

    assert ["llama-3.2-3b-q4_k_m", "llama-3.2-3b-q8_0"] == [
        model.public_id for model in with_catalog(tmp_path, refreshed)
    ]


def test_the_next_run_knows_what_this_one_found(tmp_path: Path, models: Path) -> None:
    raw.written(models, raw.header(raw.LLAMA_KEYS), "a.gguf")

    async def choose(catalog: GgufCatalog) -> list[ModelSummary]:
        (model,) = await refreshed(catalog)
        await catalog.set_context(model.id, 2048)
        return await known(catalog)

    async def look(catalog: GgufCatalog) -> tuple[list[ModelSummary], bool]:
        return await known(catalog), catalog.report().scanned_at is not None

    first = with_catalog(tmp_path, choose)

    assert (first, True) == with_catalog(tmp_path, look)
    assert [2048] == [model.n_ctx_chosen for model in first]


def test_unchanged_files_are_not_read_again(tmp_path: Path, models: Path, reads: list[str]) -> None:
    for name in ("a.gguf", "b.gguf"):
        raw.written(models, raw.header(raw.LLAMA_KEYS), name)
    raw.written(models, raw.header([*raw.LLAMA_KEYS, raw.string("adapter.type", "lora")]), "lora.gguf")
    with_catalog(tmp_path, refreshed)
    os.utime(models / "b.gguf", ns=(1, 1))

    with_catalog(tmp_path, refreshed)

    assert ["a.gguf", "b.gguf", "b.gguf", "lora.gguf"] == sorted(reads)


def test_a_moved_file_is_found_in_its_new_place(tmp_path: Path, models: Path) -> None:
    raw.written(models, raw.header(raw.LLAMA_KEYS), "a.gguf")
    with_catalog(tmp_path, refreshed)
    (models / "sub").mkdir()
    (models / "a.gguf").rename(models / "sub" / "b.gguf")

    assert ["b"] == [model.public_id for model in with_catalog(tmp_path, refreshed)]


def test_what_the_tensors_of_an_adapter_take_is_told(tmp_path: Path, models: Path) -> None:
    path = write_lora(models / "code.gguf", rank=4, n_layer=2, parts=("attn_q",))

    async def work(catalog: GgufCatalog) -> list[int]:
        found = (await catalog.refresh()).adapters
        return [each.tensor_bytes for each in (*found, *await catalog.adapters_at([str(path)]))]

    assert [4096, 4096] == with_catalog(tmp_path, work)


def test_adapters_and_projectors_are_not_listed_and_not_resolved(tmp_path: Path, models: Path) -> None:
    raw.written(models, raw.header([*raw.LLAMA_KEYS, raw.string("adapter.type", "lora")]), "lora.gguf")
    raw.written(models, raw.header([raw.string("general.architecture", "clip")]), "mmproj.gguf")

    async def work(catalog: GgufCatalog) -> tuple[object, ...]:
        return await refreshed(catalog), await catalog.resolve_model("lora"), await catalog.resolve_model("1")

    assert ([], None, None) == with_catalog(tmp_path, work)


def test_a_listing_shows_only_models_under_its_folders(tmp_path: Path) -> None:
    one, two = tmp_path / "models", tmp_path / "models-two"
    for folder in (one, two):
        folder.mkdir()
        raw.written(folder, raw.header(raw.LLAMA_KEYS), "m.gguf")
    with_catalog(tmp_path, refreshed, [one, two])

    def size(folder: Path) -> int:
        return len(with_catalog(tmp_path, known, [folder]))

    assert [1, 1, 0] == [size(folder) for folder in (one, two, tmp_path / "mod")]
    assert 2 == len(with_catalog(tmp_path, known, [tmp_path]))


def test_a_refresh_of_one_folder_forgets_nothing_of_another(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        raw.written(folder, raw.header(raw.LLAMA_KEYS), "m.gguf")
        with_catalog(tmp_path, refreshed, [folder])

    assert 2 == len(with_catalog(tmp_path, known, [one, two]))


def test_broken_files_are_listed_with_their_reason_and_hide_nothing(tmp_path: Path, models: Path) -> None:
    tiny_model(models / "good.gguf")
    truncated_model(models / "cut.gguf")
    zero_byte_model(models / "empty.gguf")
    html_model(models / "page.gguf")
    os.mkfifo(models / "pipe.gguf")
    (models / "lost.gguf").symlink_to(models / "absent")

    problems = {model.public_id: model.problem for model in with_catalog(tmp_path, refreshed)}

    assert {
        "cut-f32": "incomplete download: 498744 bytes of 499744 bytes",
        "empty": "file is empty",
        "good-f32": None,
        "lost": "no such file or directory",
        "page": "not a GGUF file",
        "pipe": "not a regular file",
    } == problems


def test_an_unreadable_folder_is_told_in_words(tmp_path: Path) -> None:
    async def work(catalog: GgufCatalog) -> tuple[str, ...]:
        return (await catalog.refresh()).problems

    assert (f"{tmp_path}/models: no such file or directory",) == with_catalog(tmp_path, work)


def test_a_damaged_database_is_told_and_built_anew(tmp_path: Path, models: Path) -> None:
    raw.written(models, raw.header(raw.LLAMA_KEYS), "a.gguf")
    with_catalog(tmp_path, refreshed)
    (tmp_path / "data" / "catalog.sqlite3").write_bytes(b"noise" * 2000)

    async def work(catalog: GgufCatalog) -> tuple[int, float | None, int, tuple[str, ...]]:
        before = await known(catalog)
        scanned_at = catalog.report().scanned_at
        after = await refreshed(catalog)
        return len(before), scanned_at, len(after), catalog.report().problems

    n_before, scanned_at, n_after, problems = with_catalog(tmp_path, work)

    assert (0, None, 1) == (n_before, scanned_at, n_after)
    assert problems[0].startswith("the catalog was damaged")


def test_a_database_in_an_impossible_place_does_not_stop_the_catalog(tmp_path: Path, models: Path) -> None:
    raw.written(models, raw.header(raw.LLAMA_KEYS), "a.gguf")
    (tmp_path / "data").write_text("in the way")

    async def work(catalog: GgufCatalog) -> tuple[int, tuple[str, ...]]:
        return len(await refreshed(catalog)), catalog.report().problems

    n_models, problems = with_catalog(tmp_path, work)

    assert 1 == n_models
    assert problems[0].startswith("the catalog is kept in memory only")


def test_a_launch_sees_the_file_as_it_is_now(tmp_path: Path, models: Path) -> None:
    path = raw.written(models, raw.header(raw.LLAMA_KEYS), "a.gguf")

    async def work(catalog: GgufCatalog) -> list[str | None]:
        await catalog.refresh()
        path.write_bytes(b"<html>" * 20)
        broken = await catalog.resolve_for_launch("a")
        path.unlink()
        vanished = await catalog.resolve_for_launch("a")

        assert broken is not None
        assert vanished is not None
        assert path == vanished.path
        assert (False, True) == (broken.is_missing, vanished.is_missing)
        return [broken.problem, vanished.problem]

    gone = "its file has gone; look for the models again"
    assert ["not a GGUF file", gone] == with_catalog(tmp_path, work)


def test_shards_of_a_hub_cache_are_launched_by_their_names(tmp_path: Path, models: Path) -> None:
    (models / "blobs").mkdir()
    (models / "snapshots").mkdir()
    for number in (1, 2):
        blob = raw.written(models / "blobs", raw.header(raw.LLAMA_KEYS), f"sha{number}")
        (models / "snapshots" / f"m-Q4_0-{number:05}-of-00002.gguf").symlink_to(blob)

    async def work(catalog: GgufCatalog) -> list[str]:
        await catalog.refresh()
        specs = [await catalog.resolve_for_launch("m-q4_0")]
        return [str(spec.path) for spec in specs if spec is not None and spec.problem is None]

    assert [str(models / "snapshots" / "m-Q4_0-00001-of-00002.gguf")] == with_catalog(tmp_path, work)


def test_listing_and_choosing_go_on_while_a_header_is_read_for_long(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.written(models, raw.header(raw.LLAMA_KEYS), "a.gguf")
    released = threading.Event()

    def slow(model: FoundModel) -> ModelFacts:
        released.wait(GUARD_S)
        return read_facts(model)

    async def work(catalog: GgufCatalog) -> tuple[int | None, int]:
        (model,) = await refreshed(catalog)
        raw.written(models, raw.header(raw.LLAMA_KEYS), "b.gguf")
        monkeypatch.setattr(reading_module, "read_facts", slow)
        refreshing = asyncio.create_task(catalog.refresh())
        choosing = asyncio.create_task(catalog.set_context(model.id, 512))
        await asyncio.sleep(0)

        (during,) = await catalog.list_models()
        released.set()
        await asyncio.gather(refreshing, choosing)
        after = await catalog.resolve_model("a")
        assert after is not None
        assert 512 == after.n_ctx_chosen
        return during.n_ctx_chosen, len(await catalog.list_models())

    assert (512, 2) == with_catalog(tmp_path, work)


def test_a_caller_that_gives_up_leaves_the_shared_scan_to_the_other(tmp_path: Path, models: Path) -> None:
    raw.written(models, raw.header(raw.LLAMA_KEYS), "a.gguf")

    async def work(catalog: GgufCatalog) -> int:
        await catalog.list_models()
        impatient = asyncio.create_task(catalog.refresh())
        patient = asyncio.create_task(catalog.refresh())
        await asyncio.sleep(0)
        impatient.cancel()
        return (await patient).n_files

    assert 1 == with_catalog(tmp_path, work)


def test_close_ends_a_scan_and_its_callers_hear_why(tmp_path: Path, models: Path) -> None:
    raw.written(models, raw.header(raw.LLAMA_KEYS), "a.gguf")

    async def work(catalog: GgufCatalog) -> None:
        await catalog.list_models()
        task = asyncio.create_task(catalog.refresh())
        await asyncio.sleep(0)
        await catalog.close()

        with pytest.raises(StoreUnavailable):
            await task

    with_catalog(tmp_path, work)

    for thread in threading.enumerate():
        if thread.name.startswith("catalog"):
            thread.join(GUARD_S)

            assert not thread.is_alive()


def test_other_places_forget_nothing_of_a_look_that_is_under_way(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.written(models, raw.header(raw.LLAMA_KEYS), "a.gguf")
    (tmp_path / "other").mkdir()
    raw.written(tmp_path / "other", raw.header(raw.LLAMA_KEYS), "b.gguf")
    with_catalog(tmp_path, refreshed, [tmp_path / "other"])
    is_walking, released = threading.Event(), threading.Event()
    walk = Root.walk

    def slow(root: Root, is_stopped: Callable[[], bool]) -> Walk:
        is_walking.set()
        released.wait(GUARD_S)
        return walk(root, is_stopped)

    async def work(catalog: GgufCatalog) -> list[str]:
        monkeypatch.setattr(Root, "walk", slow)
        refreshing = asyncio.create_task(catalog.refresh())
        await asyncio.to_thread(is_walking.wait, GUARD_S)
        moving = asyncio.create_task(catalog.reconfigure([tmp_path / "other"], LaunchOptions()))
        for _ in range(10):
            await asyncio.sleep(0)
        released.set()
        await asyncio.gather(refreshing, moving)
        return [model.public_id for model in await catalog.list_models()]

    assert ["b"] == with_catalog(tmp_path, work)
