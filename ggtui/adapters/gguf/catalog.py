"""The catalog of GGUF files: answers from memory, looks at folders and database in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ggtui.adapters.gguf.facts import KIND_MODEL
from ggtui.adapters.gguf.scan import FoundModel, Walk, look_at, models_of, read_facts, walk
from ggtui.adapters.gguf.store import FolderScan, Store, StoredModel, stamp_of
from ggtui.core.errors import StoreUnavailable
from ggtui.core.models import ModelLaunchSpec, ModelSummary
from ggtui.core.ports.catalog import CatalogReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ggtui.adapters.gguf.facts import ModelFacts
    from ggtui.core.models import LaunchOptions

T = TypeVar("T")
Read: TypeAlias = "tuple[FoundModel, ModelFacts]"

SLICE_S = 0.05
"""Headers are read for so long before the thread looks for other work."""


class GgufCatalog:
    """The models under some folders. The database may know more: other folders never show here.

    All blocking work runs in one worker thread, in small steps, so that a long scan delays nothing else.
    """

    def __init__(self, database: Path, folders: Sequence[Path], options: LaunchOptions) -> None:
        self._database = database
        self._roots = _absolute(folders)
        self._options = options
        self._worker: ThreadPoolExecutor | None = None
        self._stopping = threading.Event()
        self._store: Store | None = None
        self._opening: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[CatalogReport] | None = None
        self._rows: dict[int, StoredModel] = {}
        self._report = CatalogReport(folders=tuple(str(folder) for folder in folders))

    async def list_models(self) -> Sequence[ModelSummary]:
        """All models, ordered by public id."""
        await self._opened()
        return sorted((_summary(row) for row in self._listed()), key=lambda model: model.public_id)

    async def resolve_model(self, name: str) -> ModelSummary | None:
        """The model of this exact public id, else of this numeric id, else None."""
        await self._opened()
        model = self._resolved(name)
        return None if model is None else _summary(model)

    async def resolve_for_launch(self, name: str) -> ModelLaunchSpec | None:
        """The same with its files; a file that has changed since the last look is read again."""
        await self._opened()
        model = self._resolved(name)
        if model is None:
            return None
        facts = await self._in_worker(partial(_current_facts, model))
        return ModelLaunchSpec(
            model_id=model.id,
            public_id=model.public_id,
            path=Path(model.path),
            n_ctx_train=facts.n_ctx_train,
            n_ctx_chosen=model.n_ctx,
            capabilities=facts.capabilities,
            options=self._options,
            problem=facts.problem,
        )

    def _listed(self) -> list[StoredModel]:
        """Models only; adapters and projectors are remembered but not shown."""
        return [row for row in self._rows.values() if row.facts.kind == KIND_MODEL]

    def _resolved(self, name: str) -> StoredModel | None:
        listed = self._listed()
        by_id = next((row for row in listed if row.public_id == name), None)
        if by_id is not None or not (name.isascii() and name.isdigit()):
            return by_id
        return next((row for row in listed if str(row.id) == name), None)

    async def set_context(self, model_id: int, n_ctx: int | None) -> None:
        """Keep a person's choice of context; shows at once and is then written."""
        await self._opened()
        if model_id not in self._rows:
            return
        self._choose(model_id, n_ctx)
        await self._in_worker(partial(self._write_context, model_id, n_ctx))
        self._choose(model_id, n_ctx)

    def _choose(self, model_id: int, n_ctx: int | None) -> None:
        if model_id in self._rows:
            self._rows[model_id] = replace(self._rows[model_id], n_ctx=n_ctx)

    def _write_context(self, model_id: int, n_ctx: int | None) -> None:
        self._opened_store().set_context(model_id, n_ctx)

    async def note_loaded(self, model_id: int) -> None:
        """Keep that a model was loaded now."""
        await self._opened()
        if model_id not in self._rows:
            return
        now = time.time()
        self._rows[model_id] = replace(self._rows[model_id], loaded_at=now)
        await self._in_worker(partial(self._write_loaded, model_id, now))

    def _write_loaded(self, model_id: int, loaded_at: float) -> None:
        self._opened_store().note_loaded(model_id, loaded_at)

    async def reconfigure(self, folders: Sequence[Path], options: LaunchOptions) -> None:
        """Look into these folders from now on, and launch like this."""
        await self._opened()
        self._options = options
        self._roots = _absolute(folders)
        self._report = CatalogReport(folders=tuple(str(folder) for folder in folders))
        await self._in_worker(self._load)

    async def refresh(self) -> CatalogReport:
        """Look at the folders again; two calls at once share one scan."""
        await self._opened()
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())
        try:
            return await asyncio.shield(self._refreshing)
        except asyncio.CancelledError:
            # Closing cancels the shared scan, not the callers that wait for it.
            caller = asyncio.current_task()
            if caller is None or caller.cancelling():
                raise
            raise StoreUnavailable("the catalog is closed") from None

    async def _refresh(self) -> CatalogReport:
        walks = {root: await self._in_worker(partial(self._walk, root)) for root in self._roots}
        files = {path: file for found in walks.values() for path, file in found.files.items()}
        models = list(models_of(files.values()))
        known = {row.canonical: row for row in self._rows.values()}
        changed = await self._read(
            model for model in models if not _is_unchanged(model, known.get(model.first.canonical))
        )
        present = {model.first.canonical for model in models}
        gone = [row.id for canonical, row in known.items() if canonical not in present]
        await self._in_worker(partial(self._keep, changed, gone, walks))
        return self._report

    def _walk(self, root: str) -> Walk:
        return walk([Path(root)], self._stopping.is_set)

    async def _read(self, models: Iterable[FoundModel]) -> list[Read]:
        """Headers of these models, in slices, so that other work for the thread never waits long."""
        waiting = deque(models)
        read: list[Read] = []
        while waiting:
            read.extend(await self._in_worker(partial(_read_for_a_while, waiting)))
        return read

    def _keep(self, changed: Sequence[Read], gone: Sequence[int], walks: Mapping[str, Walk]) -> None:
        now = time.time()
        scans = {
            root: FolderScan(now, len(found.files), tuple(found.problems)) for root, found in walks.items()
        }
        self._opened_store().keep(changed, gone, scans)
        self._load()

    def report(self) -> CatalogReport:
        """What the last refresh found; empty until the first of the other calls has opened the database."""
        return self._report

    async def close(self) -> None:
        """Stop a scan and release the database."""
        self._stopping.set()
        tasks = [task for task in (self._opening, self._refreshing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._worker is not None:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._close_store)
            self._worker.shutdown(wait=False)
            self._worker = None

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()

    async def _opened(self) -> None:
        if self._stopping.is_set():
            raise StoreUnavailable("the catalog is closed")
        if self._opening is None or (self._opening.done() and self._store is None):
            self._opening = asyncio.create_task(self._in_worker(self._open))
        await asyncio.shield(self._opening)

    def _open(self) -> None:
        self._store = Store(self._database)
        self._load()

    def _load(self) -> None:
        """Draw the models and the report from the database; the event loop sees them appear as a whole."""
        store = self._opened_store()
        rows = {row.id: row for row in store.models() if self._is_ours(row)}
        scans = store.folders()
        self._report = self._drawn_report([scans.get(root) for root in self._roots], store.problem)
        self._rows = rows

    def _drawn_report(self, scans: Sequence[FolderScan | None], problem: str | None) -> CatalogReport:
        done = [scan for scan in scans if scan is not None]
        return replace(
            self._report,
            problems=(*((problem,) if problem else ()), *(text for scan in done for text in scan.problems)),
            n_files=sum(scan.n_files for scan in done),
            scanned_at=min(scan.scanned_at for scan in done) if done and len(done) == len(scans) else None,
        )

    def _is_ours(self, model: StoredModel) -> bool:
        return any(_is_under(path, root) for root in self._roots for path in (model.path, model.canonical))

    def _opened_store(self) -> Store:
        if self._store is None:
            raise StoreUnavailable("the catalog is not open")
        return self._store

    async def _in_worker(self, work: Callable[[], T]) -> T:
        if self._stopping.is_set():
            raise StoreUnavailable("the catalog is closed")
        if self._worker is None:
            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="catalog")
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)


def _absolute(folders: Sequence[Path]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(os.path.abspath(folder) for folder in folders))


def _is_unchanged(model: FoundModel, row: StoredModel | None) -> bool:
    return row is not None and row.path == model.first.path and row.stamp == stamp_of(model)


def _read_for_a_while(waiting: deque[FoundModel]) -> list[Read]:
    until = time.monotonic() + SLICE_S
    read: list[Read] = []
    while waiting and (not read or time.monotonic() < until):
        model = waiting.popleft()
        read.append((model, read_facts(model)))
    return read


def _is_under(path: str, root: str) -> bool:
    return path.startswith(root.rstrip(os.sep) + os.sep)


def _current_facts(model: StoredModel) -> ModelFacts:
    """The facts as the first file is now; a vanished file keeps those it had."""
    found = look_at(model.path)
    is_whole_model = model.stamp[4:5] == (1,)
    if found.problem is not None or not is_whole_model:
        return model.facts
    current = FoundModel((found,))
    return model.facts if stamp_of(current) == model.stamp else read_facts(current)


def _summary(model: StoredModel) -> ModelSummary:
    facts = model.facts
    return ModelSummary(
        id=model.id,
        public_id=model.public_id,
        name=facts.name,
        architecture=facts.architecture,
        size_bytes=model.size_bytes,
        quantisation=facts.quantisation,
        n_params=facts.n_params,
        n_ctx_train=facts.n_ctx_train,
        n_ctx_chosen=model.n_ctx,
        loaded_at=model.loaded_at,
        capabilities=facts.capabilities,
        attention=facts.attention,
        n_embd=facts.n_embd,
        n_ff=facts.n_ff,
        n_vocab=facts.n_vocab,
        problem=facts.problem,
    )
