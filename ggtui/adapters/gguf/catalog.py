"""The catalog of GGUF files: answers from memory, looks at folders and database in a thread of its own."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.gguf import removing
from ggtui.adapters.gguf.adapter_files import adapter_at
from ggtui.adapters.gguf.found import merged, models_of
from ggtui.adapters.gguf.freshness import file_as_it_is
from ggtui.adapters.gguf.listing import entries, summary
from ggtui.adapters.gguf.reading import Task
from ggtui.adapters.gguf.report import report_of, scan_of
from ggtui.adapters.gguf.roots import has_changed, roots_of
from ggtui.adapters.gguf.store_thread import StoreThread
from ggtui.core.errors import RemovalRefused, StoreUnavailable
from ggtui.core.models import ModelLaunchSpec
from ggtui.core.ports.catalog import CatalogReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ggtui.adapters.gguf.found import Walk
    from ggtui.adapters.gguf.listing import Entry
    from ggtui.adapters.gguf.roots import Root
    from ggtui.adapters.gguf.store import StoredModel
    from ggtui.core.labels import LabelChange, Labels
    from ggtui.core.load_history import LoadRecord
    from ggtui.core.models import AdapterSummary, LaunchOptions, ModelSummary
    from ggtui.core.removal import RemovalPlan
    from ggtui.core.stores import StoreRoot


class GgufCatalog:
    """The models under some folders and in some stores. The database may know more, which never shows here.

    All blocking work runs in one worker thread, in small steps, so that a long scan delays nothing else.
    """

    def __init__(
        self,
        database: Path,
        folders: Sequence[Path],
        options: LaunchOptions,
        stores: Sequence[StoreRoot] = (),
    ) -> None:
        self._folders = tuple(folders)
        self._roots = roots_of(folders, stores)
        self._options = options
        self.thread = StoreThread(database, opened=self._load)
        """Where the database is; what else is kept there may share it."""
        self._refreshing: asyncio.Task[CatalogReport] | None = None
        self._is_partial = False
        self._rows: dict[int, StoredModel] = {}
        self._entries: dict[int, Entry] = {}
        self._overhead_bytes: int | None = None
        self._walks: dict[Root, Walk] = {}
        self._report = self._empty_report()

    async def list_models(self) -> Sequence[ModelSummary]:
        """All models, ordered by public id."""
        await self.thread.opened()
        return sorted(map(self._summary, self._entries.values()), key=lambda model: model.public_id)

    async def resolve_model(self, name: str) -> ModelSummary | None:
        """The model of this exact public id, else of this numeric id, else None."""
        await self.thread.opened()
        entry = self._resolved(name)
        return None if entry is None else self._summary(entry)

    def _summary(self, entry: Entry) -> ModelSummary:
        return summary(entry, self._overhead_bytes)

    async def resolve_for_launch(self, name: str) -> ModelLaunchSpec | None:
        """The same with its files; a file that has changed since the last look is read again."""
        await self.thread.opened()
        entry = self._resolved(name)
        if entry is None:
            return None
        model = entry.row
        facts, is_missing = await self.thread.run(partial(file_as_it_is, model))
        return ModelLaunchSpec(
            model_id=model.id,
            public_id=model.public_id,
            path=Path(model.path),
            n_ctx_train=facts.n_ctx_train,
            n_ctx_chosen=model.n_ctx,
            capabilities=facts.capabilities,
            options=self._options,
            problem=facts.problem,
            is_missing=is_missing,
            projector=Path(entry.projector.row.path) if entry.projector else None,
        )

    def _resolved(self, name: str) -> Entry | None:
        by_id = next((each for each in self._entries.values() if each.row.public_id == name), None)
        if by_id is not None or not (name.isascii() and name.isdigit()):
            return by_id
        return next((each for each in self._entries.values() if str(each.row.id) == name), None)

    async def set_context(self, model_id: int, n_ctx: int | None) -> None:
        """Keep a person's choice of context; shows at once and is then written."""
        await self.thread.opened()
        if model_id not in self._rows:
            return
        self._choose(model_id, n_ctx)
        await self.thread.run(partial(self._write_context, model_id, n_ctx))
        self._choose(model_id, n_ctx)

    def _choose(self, model_id: int, n_ctx: int | None) -> None:
        if model_id in self._rows:
            self._put(replace(self._rows[model_id], n_ctx=n_ctx))

    def _put(self, row: StoredModel) -> None:
        self._rows[row.id] = row
        if row.id in self._entries:
            self._entries[row.id].row = row

    def _write_context(self, model_id: int, n_ctx: int | None) -> None:
        self.thread.store.set_context(model_id, n_ctx)

    async def note_loaded(self, model_id: int) -> None:
        """Keep that a model was loaded now."""
        await self.thread.opened()
        if model_id not in self._rows:
            return
        now = time.time()
        self._put(replace(self._rows[model_id], loaded_at=now))
        await self.thread.run(partial(self._write_loaded, model_id, now))

    def _write_loaded(self, model_id: int, loaded_at: float) -> None:
        self.thread.store.note_loaded(model_id, loaded_at)

    async def note_load(self, model_id: int, record: LoadRecord) -> None:
        """Keep what a load took; later summaries have what it teaches."""
        await self.thread.opened()
        await self.thread.run(lambda: self.thread.store.note_load(model_id, record))
        self._overhead_bytes = record.overhead_bytes or self._overhead_bytes
        row = self._rows.get(model_id)
        if row is not None and record.measured is not None:
            self._put(replace(row, measured=tuple(dict.fromkeys((record.measured, *row.measured)))))

    async def load_history(self, model_id: int) -> tuple[LoadRecord, ...]:
        """What the loads of a model took, the newest first."""
        await self.thread.opened()
        return await self.thread.run(lambda: self.thread.store.load_history(model_id))

    async def adapters_at(self, paths: Sequence[str]) -> tuple[AdapterSummary, ...]:
        """The LoRA files at these paths, as they are now."""
        await self.thread.opened()
        return await self.thread.run(lambda: tuple(map(adapter_at, paths)))

    async def change_labels(self, model_id: int, change: LabelChange) -> Labels:
        """Change what a person calls a model, by what the database has of it at this moment."""
        await self.thread.opened()
        labels = await self.thread.run(lambda: self.thread.store.change_labels(model_id, change))
        if model_id in self._rows:
            self._put(replace(self._rows[model_id], labels=labels))
        return labels

    async def plan_removal(self, model_id: int) -> RemovalPlan | None:
        """What taking this model off the disk would do now."""
        await self.thread.opened()
        return await self.thread.run(lambda: self._plan_removal(model_id))

    async def remove(self, plan: RemovalPlan) -> None:
        """Make the plan once more, and do it when it is the same."""
        await self.thread.opened()
        await self.thread.run(lambda: self._remove(plan))

    def _plan_removal(self, model_id: int) -> RemovalPlan | None:
        entry = self._entries.get(model_id)
        return None if entry is None else removing.plan_of(entry, self._roots)

    def _remove(self, plan: RemovalPlan) -> None:
        if self._plan_removal(plan.model_id) != plan:
            raise RemovalRefused(removing.CHANGED, hint=removing.LOOK_AGAIN)
        removing.remove(plan)

    async def reconfigure(
        self, folders: Sequence[Path], options: LaunchOptions, stores: Sequence[StoreRoot] = ()
    ) -> None:
        """Look into these folders and stores from now on, and launch like this.

        A look that is under way ends first: what it finds in the former places says nothing of the new ones.
        """
        await self.thread.opened()
        while self._refreshing is not None and not self._refreshing.done():
            await asyncio.wait([self._refreshing])
        self._options = options
        self._folders, self._roots = tuple(folders), roots_of(folders, stores)
        self._walks = {}
        self._report = self._empty_report()
        await self.thread.run(self._load)

    def _empty_report(self) -> CatalogReport:
        return CatalogReport(folders=tuple(str(folder) for folder in self._folders))

    async def refresh(self) -> CatalogReport:
        """Look at everything again; two calls at once share one scan."""
        await self.thread.opened()
        while self._is_partial and self._refreshing is not None and not self._refreshing.done():
            await asyncio.wait([self._refreshing])
        if self._refreshing is None or self._refreshing.done():
            self._refreshing, self._is_partial = asyncio.create_task(self._refresh(self._roots)), False
        try:
            return await asyncio.shield(self._refreshing)
        except asyncio.CancelledError:
            # Closing cancels the shared scan, not the callers that wait for it.
            caller = asyncio.current_task()
            if caller is None or caller.cancelling():
                raise
            raise StoreUnavailable("the catalog is closed") from None

    async def refresh_changed(self) -> bool:
        """Look again at the places whose folders have changed; see ModelStorePort."""
        await self.thread.opened()
        is_busy = self._refreshing is not None and not self._refreshing.done()
        if is_busy or not self._walks:
            return False
        changed = await self.thread.run(self._changed_roots)
        if not changed:
            return False
        if self._refreshing is None or self._refreshing.done():
            self._refreshing, self._is_partial = asyncio.create_task(self._refresh(changed)), True
        await asyncio.shield(self._refreshing)
        return True

    def _changed_roots(self) -> tuple[Root, ...]:
        return tuple(
            root for root, found in self._walks.items() if has_changed(found, self.thread.stopping.is_set)
        )

    async def _refresh(self, changed: Sequence[Root]) -> CatalogReport:
        """Walk through these places; what the others held at the last look still counts."""
        roots = self._roots
        walks = {
            root: await self.thread.run(partial(root.walk, self.thread.stopping.is_set)) for root in changed
        }
        self._walks = {root: found for root in roots if (found := walks.get(root) or self._walks.get(root))}
        task = await self.thread.run(self._task)
        while await self.thread.run(task.read_for_a_while):
            pass
        await self.thread.run(partial(self._keep, task, walks))
        return self._report

    def _task(self) -> Task:
        models = merged(model for found in self._walks.values() for model in models_of(found.files))
        return Task.of(models, self._rows.values(), self.thread.store.remembered)

    def _keep(self, task: Task, walks: Mapping[Root, Walk]) -> None:
        now = time.time()
        scans = {root.path: scan_of(found, now) for root, found in walks.items()}
        self.thread.store.keep(list(task.readings.values()), task.gone, scans, task.moved)
        self._load()

    def report(self) -> CatalogReport:
        """What the last refresh found; empty until the first of the other calls has opened the database."""
        return self._report

    async def close(self) -> None:
        """Stop a scan and release the database."""
        self.thread.stopping.set()
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
        await self.thread.close()

    def _load(self) -> None:
        """Draw the models and the report from the database; the event loop sees them appear as a whole."""
        store = self.thread.store
        rows = {row.id: row for row in store.models() if self._is_ours(row)}
        found = {entry.row.id: entry for entry in entries(rows.values())}
        places = (self._folders, self._roots, store.folders())
        self._report = report_of(*places, rows.values(), found.values(), store.problem)
        self._rows, self._entries, self._overhead_bytes = rows, found, store.newest_overhead()

    def _is_ours(self, model: StoredModel) -> bool:
        return any(root.holds(path) for root in self._roots for path in (model.path, model.canonical))
