"""A catalog whose folder is a dictionary."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.core.errors import RemovalRefused, StoreUnavailable
from ggtui.core.labels import UNLABELLED, Labels
from ggtui.core.models import AdapterSummary, LaunchOptions, ModelLaunchSpec
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.removal import DoomedFile, RemovalPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.core.labels import LabelChange
    from ggtui.core.load_history import LoadRecord
    from ggtui.core.models import ModelSummary
    from ggtui.core.stores import StoreRoot


class MemoryCatalog:
    """Knows the models it was made with; what is put on or taken off its disk shows after a refresh."""

    def __init__(
        self,
        models: Iterable[ModelSummary] = (),
        options: LaunchOptions | None = None,
        folder: Path = Path("/models"),
    ) -> None:
        self.options = options or LaunchOptions()
        self.folder = folder
        self.disk: dict[int, ModelSummary] = {model.id: model for model in models}
        """By id: what a refresh will find."""
        self.paths: dict[int, Path] = {}
        """By id, where a model lies elsewhere than `folder/<public id>.gguf`."""
        self.adapters: dict[str, AdapterSummary] = {}
        """LoRA files by path: those that settings name, and what a refresh will find."""
        self.n_refreshes = 0
        self._known = dict(self.disk)
        self._contexts = {model.id: model.n_ctx_chosen for model in self.disk.values()}
        self._report = CatalogReport(folders=(str(folder),), n_files=len(self._known))
        self._loads = {model.id: model.loaded_at for model in self.disk.values()}
        self._records: dict[int, list[LoadRecord]] = {}
        self._overhead_bytes: int | None = None
        self._labels: dict[int, Labels] = {}
        self._is_closed = False

    def put(self, model: ModelSummary) -> None:
        """Place a model on the disk."""
        self.disk[model.id] = model
        self._contexts.setdefault(model.id, model.n_ctx_chosen)

    def take(self, model_id: int) -> None:
        """Take a model off the disk; its id stays its own should it come back."""
        self.disk.pop(model_id, None)

    async def list_models(self) -> Sequence[ModelSummary]:
        """All known models, ordered by public id."""
        self._check_open()
        return sorted(map(self._with_context, self._known.values()), key=lambda model: model.public_id)

    async def resolve_model(self, name: str) -> ModelSummary | None:
        """By public id, else by number."""
        self._check_open()
        by_name = {model.public_id: model for model in self._known.values()}
        by_number = {str(model.id): model for model in self._known.values()}
        model = by_name.get(name) or by_number.get(name)
        return None if model is None else self._with_context(model)

    async def resolve_for_launch(self, name: str) -> ModelLaunchSpec | None:
        """The same with a path."""
        model = await self.resolve_model(name)
        if model is None:
            return None
        is_there = model.id in self.disk
        return ModelLaunchSpec(
            model_id=model.id,
            public_id=model.public_id,
            path=self.paths.get(model.id, self.folder / f"{model.public_id}.gguf"),
            n_ctx_train=model.n_ctx_train,
            n_ctx_chosen=model.n_ctx_chosen,
            capabilities=model.capabilities,
            options=self.options,
            problem=model.problem if is_there else "its file has gone",
            is_missing=not is_there,
        )

    async def note_loaded(self, model_id: int) -> None:
        """Keep that a model was loaded now; unknown ids are ignored."""
        self._check_open()
        if model_id in self._known:
            self._loads[model_id] = time.time()

    async def note_load(self, model_id: int, record: LoadRecord) -> None:
        """Keep a record; unknown ids are ignored."""
        self._check_open()
        if model_id in self._known:
            self._records.setdefault(model_id, []).insert(0, record)
            self._overhead_bytes = record.overhead_bytes or self._overhead_bytes

    async def load_history(self, model_id: int) -> tuple[LoadRecord, ...]:
        """The records, the newest first."""
        self._check_open()
        return tuple(self._records.get(model_id, ()))

    async def set_context(self, model_id: int, n_ctx: int | None) -> None:
        """Keep the choice of a known model."""
        self._check_open()
        if model_id in self._known:
            self._contexts[model_id] = n_ctx

    async def adapters_at(self, paths: Sequence[str]) -> tuple[AdapterSummary, ...]:
        """The LoRA files at these paths."""
        self._check_open()
        missing = "its file does not exist"
        return tuple(
            self.adapters.get(path) or AdapterSummary(Path(path).stem, "", 0, Path(path), problem=missing)
            for path in paths
        )

    async def change_labels(self, model_id: int, change: LabelChange) -> Labels:
        """Keep the labels of a known model."""
        self._check_open()
        if model_id not in self._known:
            return UNLABELLED
        self._labels[model_id] = change.applied_to(self._labels_of(self._known[model_id]))
        return self._labels[model_id]

    def _labels_of(self, model: ModelSummary) -> Labels:
        own = Labels(model.given_name, model.tags, model.is_favourite)
        return self._labels.get(model.id, own)

    async def plan_removal(self, model_id: int) -> RemovalPlan | None:
        """One file of the model's size goes."""
        self._check_open()
        model = self._known.get(model_id)
        if model is None:
            return None
        if model_id not in self.disk:
            return RemovalPlan(model_id, model.public_id, refusal="its file has gone")
        path = self.paths.get(model_id, self.folder / f"{model.public_id}.gguf")
        file = DoomedFile(str(path), model.size_bytes, (0, model_id, model.size_bytes, 0))
        return RemovalPlan(model_id, model.public_id, (file,))

    async def remove(self, plan: RemovalPlan) -> None:
        """Take the model off the disk."""
        if plan.refusal or await self.plan_removal(plan.model_id) != plan:
            raise RemovalRefused(plan.refusal or "its files are not what they were")
        self.take(plan.model_id)

    async def reconfigure(
        self, folders: Sequence[Path], options: LaunchOptions, stores: Sequence[StoreRoot] = ()
    ) -> None:
        """Other folders, other options; what lies on the disk stays."""
        self._check_open()
        self.options = options
        named = tuple(str(folder) for folder in folders)
        self._report = replace(self._report, folders=named, stores=tuple(stores))

    async def refresh_changed(self) -> bool:
        """Refresh when the disk is not what is known."""
        self._check_open()
        if self.disk == self._known:
            return False
        await self.refresh()
        return True

    async def refresh(self) -> CatalogReport:
        """Take over what is on the disk."""
        self._check_open()
        self.n_refreshes += 1
        self._known = dict(self.disk)
        n_files = len(self._known)
        found = tuple(self.adapters[path] for path in sorted(self.adapters))
        self._report = replace(
            self._report, n_files=n_files, scanned_at=float(self.n_refreshes), adapters=found
        )
        return self._report

    def report(self) -> CatalogReport:
        """What the last refresh found; its time is the number of the refresh."""
        return self._report

    async def close(self) -> None:
        """Further calls raise."""
        self._is_closed = True

    def _with_context(self, model: ModelSummary) -> ModelSummary:
        records = self._records.get(model.id, [])
        measured = (record.measured for record in records if record.measured is not None)
        labels = self._labels_of(model)
        return replace(
            model,
            name=labels.name or model.name,
            given_name=labels.name,
            tags=labels.tags,
            is_favourite=labels.is_favourite,
            n_ctx_chosen=self._contexts.get(model.id),
            loaded_at=self._loads.get(model.id),
            measured=tuple(dict.fromkeys(measured)) or model.measured,
            overhead_bytes=self._overhead_bytes or model.overhead_bytes,
        )

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreUnavailable("the catalog is closed")
