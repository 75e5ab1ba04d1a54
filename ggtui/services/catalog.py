"""The catalog as the engine uses it: answers from memory, rescans in the background."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.deployment.replicas import ONE
from ggtui.core.errors import CatalogFailure, ConfigInvalid
from ggtui.core.model_settings import ModelSettings, launch_options
from ggtui.services.adapters import adapters_by_model, files_of
from ggtui.services.deployed_models import DeployedModels, deployed_models
from ggtui.services.model_settings import SettingsBook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.replicas import ReplicaPlan
    from ggtui.core.labels import LabelChange, Labels
    from ggtui.core.load_history import LoadRecord
    from ggtui.core.models import LaunchOptions, ModelLaunchSpec, ModelSummary
    from ggtui.core.ports.catalog import CatalogReport, ModelStorePort
    from ggtui.core.removal import RemovalPlan
    from ggtui.core.routing.adapters import AttachedAdapter
    from ggtui.core.stores import StoreRoot
    from ggtui.services.adapters import ModelAdapter

_LOG = logging.getLogger(__name__)

WATCH_S = (10.0, 30.0)
"""Pause between two looks for changes: after a change, and after a long time without one."""
SLOWING = 1.5
GONE = "its file has gone; it runs until it is stopped"


class CatalogService:
    """Wraps the stored catalog so that a proxied request costs a dictionary look-up.

    Itself a ModelCatalogPort. Lives on the engine's loop; as a Part it loads what is stored, then scans.
    """

    def __init__(
        self,
        store: ModelStorePort,
        settings: SettingsBook | None = None,
        watch_s: tuple[float, float] = WATCH_S,
    ) -> None:
        """settings: of single models; they go before what the store says of context and launch.

        watch_s: shortest and longest pause between two looks for changes, in seconds.
        """
        self.settings = settings or SettingsBook()
        self.changed: Callable[[], None] = lambda: None
        """Called after every change; set by whoever publishes."""
        self.read_anew: Callable[[], None] = lambda: None
        """Called when the models are known anew; set by whoever carries their settings out."""
        self.scanned: Callable[[], None] = lambda: None
        """Called after a look at the folders; set likewise."""
        self.is_resident: Callable[[int], bool] = lambda _model_id: False
        """Tells whether a model has a server, which needs no file any more; set by whoever knows."""
        self.advise: Callable[[ModelSummary], int | None] = lambda _model: None
        """Tells which context a model gets when nobody chooses; set by whoever knows the memory."""
        self.listed: Callable[[], None] = lambda: None
        """Called when the models may be others; set likewise."""
        self.deployments: Sequence[Deployment] = ()
        """What they say of models counts from the next reading on; set by whoever knows them."""
        self._deployed = DeployedModels()
        self._advice: dict[int, int | None] = {}
        self._adapters: dict[str, tuple[ModelAdapter, ...]] = {}
        """By public id; models without any are not in it."""
        self._watch_s = watch_s
        self._watching: asyncio.Task[None] | None = None
        self._store = store
        self._models: tuple[ModelSummary, ...] = ()
        self._by_name: dict[str, ModelSummary] = {}
        self._specs: dict[str, ModelLaunchSpec] = {}
        self._last_specs: dict[int, ModelLaunchSpec] = {}
        """By model id, as last resolved: a server may outlive its file."""
        self._outlived: dict[int, ModelSummary] = {}
        self._scan: asyncio.Task[CatalogReport] | None = None
        self._is_scan_stale = False
        """Something has changed that the scan under way may have passed."""
        self._reading = asyncio.Lock()
        """A reading that waits for files must not end behind a later one, with older settings."""

    async def start(self) -> None:
        """Show what an earlier run knew, then look at the folders in the background."""
        try:
            await self._read()
        except CatalogFailure as error:
            _LOG.warning("%s: %s", error.title, error.message)
        self._begin_scan()
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """Close the store; a scan that still runs is given up."""
        self._is_scan_stale = False
        tasks = [task for task in (self._watching, self._scan) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._store.close()

    async def list_models(self) -> Sequence[ModelSummary]:
        """All models by public id; see ModelCatalogPort. While none is known, waits for the scan to end."""
        if not self._models and self._scan is not None:
            await asyncio.shield(self._scan)
        return self._models

    async def resolve_model(self, name: str) -> ModelSummary | None:
        """Exact public id, else numeric id; see ModelCatalogPort. An unknown one waits for the scan."""
        if name not in self._by_name and self._scan is not None:
            await asyncio.shield(self._scan)
        return self._by_name.get(name)

    async def resolve_for_launch(self, name: str) -> ModelLaunchSpec | None:
        """With files; see ModelCatalogPort. A name unknown so far waits for the scan to end.

        The file is looked at whenever a launch may follow, and not while the model runs.
        """
        model = await self.resolve_model(name)
        if model is None:
            return None
        if not self.is_resident(model.id):
            return await self._spec_now(name, model.id)
        spec = self._specs.get(name) or await self._spec_now(name, model.id)
        if spec is None or not (spec.problem or spec.is_missing):
            return spec  # each request comes by here
        return replace(spec, problem=None, is_missing=False)

    async def _spec_now(self, name: str, model_id: int) -> ModelLaunchSpec | None:
        spec = await self._store.resolve_for_launch(name)
        if spec is not None:
            spec = self._specs[name] = self._last_specs[model_id] = self._with_settings(spec)
            return spec
        last = self._last_specs.get(model_id)
        return None if last is None else replace(last, problem=GONE, is_missing=True)

    async def reread(self) -> None:
        """Draw models and settings together again; looks into no folder."""
        await self._read()

    async def note_loaded(self, model_id: int) -> None:
        """Keep that a model was loaded now; see ModelCatalogPort."""
        await self._store.note_loaded(model_id)
        await self._read()

    async def note_load(self, model_id: int, record: LoadRecord) -> None:
        """Keep what a load took; see ModelStorePort."""
        await self._store.note_load(model_id, record)
        await self._read()

    async def change_labels(self, model_id: int, change: LabelChange) -> Labels:
        """Change what a person calls a model; see ModelStorePort."""
        labels = await self._store.change_labels(model_id, change)
        await self._read()
        return labels

    async def load_history(self, model_id: int) -> tuple[LoadRecord, ...]:
        """What the loads of a model took; see ModelStorePort."""
        return await self._store.load_history(model_id)

    async def plan_removal(self, model_id: int) -> RemovalPlan | None:
        """What taking a model off the disk would do; see ModelStorePort."""
        return await self._store.plan_removal(model_id)

    async def remove(self, plan: RemovalPlan) -> None:
        """Do it, and look at the folders again, also when only a part could be done; see ModelStorePort."""
        try:
            await self._store.remove(plan)
        finally:
            await self._rescan_anew()

    async def reconfigure(
        self, folders: Sequence[Path], options: LaunchOptions, stores: Sequence[StoreRoot] = ()
    ) -> None:
        """Look into other places, launch with other options; returns when they were looked at."""
        await self._store.reconfigure(folders, options, stores)
        await self._read()
        await self._rescan_anew()

    async def rescan(self) -> CatalogReport:
        """Look at the folders again and wait for the result."""
        return await asyncio.shield(self._begin_scan())

    def rescan_soon(self) -> None:
        """Have the folders looked at again: now, or after the scan that is under way."""
        self._is_scan_stale = self.is_scanning
        self._begin_scan()

    async def _rescan_anew(self) -> CatalogReport:
        """The same by a scan that begins now: one that is under way may have passed what has changed."""
        while self._scan is not None and not self._scan.done():
            await asyncio.wait([self._scan])
        return await self.rescan()

    async def refresh(self) -> CatalogReport:
        """See ModelCatalogPort."""
        return await self.rescan()

    def report(self) -> CatalogReport:
        """What the last scan found."""
        return self._store.report()

    async def close(self) -> None:
        """See ModelCatalogPort."""
        await self.stop()

    def by_name(self, name: str) -> ModelSummary | None:
        """What is known now under this public id or number; waits for nothing."""
        return self._by_name.get(name)

    def deployed(self, model: str) -> str | None:
        """Public id of what a deployment calls its model; None for what the catalog does not have."""
        known = self._by_name.get(model)
        return known.public_id if known is not None else self._deployed.by_given.get(model)

    def replicas_of(self, public_id: str) -> ReplicaPlan:
        """How many servers a model has, as its deployments say."""
        return self._deployed.replicas.get(public_id, ONE)

    def why_refused(self, deployment: str, adapter: str) -> str:
        """Why an adapter of a deployment is not attached to its model; empty when it is."""
        return self._deployed.refused.get((deployment, adapter), "")

    def take_advice(self, advice: Mapping[int, int | None]) -> None:
        """Show these contexts, by model, where nobody chose one."""
        self._advice.update(advice)
        fresh = tuple(
            replace(model, n_ctx_advised=self._advice.get(model.id))
            if model.n_ctx_advised != self._advice.get(model.id)
            else model
            for model in self._models
        )
        if any(one is not other for one, other in zip(fresh, self._models, strict=True)):
            self._know(fresh)
            self.changed()

    def keep_alive_of(self, model_id: int) -> float | None:
        """Idle seconds that were set for this model; None when the common ones count."""
        model = self._by_name.get(str(model_id))
        return self.settings.keep_alive_of(model.public_id) if model is not None else None

    def options_of(self, model: ModelSummary) -> LaunchOptions:
        """How this model would be launched now."""
        options = self.settings.options_of(model.public_id)
        adapters = self._adapters.get(model.public_id)
        return replace(options, adapters=files_of(adapters)) if adapters else options

    def adapters_of(self, public_id: str) -> tuple[ModelAdapter, ...]:
        """The adapters of a model, in the order in which a server carries them."""
        return self._adapters.get(public_id, ())

    async def look_at_adapter(self, public_id: str, adapter: AttachedAdapter) -> ModelAdapter:
        """The file behind an adapter that may be attached to a model. Raises: StoreUnavailable."""
        model = self._by_name.get(public_id)
        architectures = {} if model is None else {public_id: model.architecture}
        settings = {public_id: ModelSettings(adapters=(adapter,))}
        return (await adapters_by_model(settings, self._store, architectures))[public_id][0]

    async def scan_ended(self) -> bool:
        """Wait for a look at the folders that is under way; False when there is none."""
        if not self.is_scanning:
            return False
        assert self._scan is not None
        await asyncio.shield(self._scan)
        return True

    @property
    def models(self) -> tuple[ModelSummary, ...]:
        """What is known now."""
        return self._models

    @property
    def is_scanning(self) -> bool:
        """True while the folders are being looked at."""
        return self._scan is not None and not self._scan.done()

    def _begin_scan(self) -> asyncio.Task[CatalogReport]:
        if self._scan is None or self._scan.done():
            self._scan = asyncio.get_running_loop().create_task(self._refresh())
            self._scan.add_done_callback(lambda _task: self._scan_has_ended())
            self.changed()
        return self._scan

    def _scan_has_ended(self) -> None:
        if self._is_scan_stale:
            self._is_scan_stale = False
            self._begin_scan()
        self.changed()

    async def _refresh(self) -> CatalogReport:
        try:
            report = await self._store.refresh()
            await self._hand_over()
            await self._read()
        except CatalogFailure as error:
            _LOG.warning("%s: %s", error.title, error.message)
        except Exception:  # whoever waits for the scan goes on with what is known
            _LOG.exception("the folders cannot be looked at")
        else:
            self.scanned()
            return report
        return self._store.report()

    async def _watch(self) -> None:
        """Look for changes, the less often the longer nothing has changed."""
        shortest_s, longest_s = self._watch_s
        pause_s = shortest_s
        while True:
            await asyncio.sleep(pause_s)
            pause_s = shortest_s if await self._noticed() else min(pause_s * SLOWING, longest_s)

    async def _noticed(self) -> bool:
        """True when something has changed; then it is known."""
        if self.is_scanning:
            return False
        try:
            has_changed = await self._store.refresh_changed()
            if has_changed or any(not self.is_resident(model_id) for model_id in self._outlived):
                await self._read()
        except CatalogFailure as error:
            _LOG.warning("%s: %s", error.title, error.message)
            return False
        if has_changed:
            self.scanned()
        return has_changed

    async def _read(self) -> None:
        async with self._reading:
            await self._read_now()

    async def _read_now(self) -> None:
        stored = await self._store.list_models()
        self._deployed = await deployed_models(self.deployments, stored, self.settings.own, self._store)
        listed = {model.id: self._summary(model) for model in stored}
        architectures = {model.public_id: model.architecture for model in listed.values()}
        settings = self._deployed.with_adapters(self.settings.own)
        self._adapters = await adapters_by_model(settings, self._store, architectures)
        # A server outlives its file, and is found by its name for as long as it runs.
        self._outlived = {
            model.id: replace(model, problem=GONE)
            for model in self._models
            if model.id not in listed and self.is_resident(model.id)
        }
        both = listed | self._outlived
        self._know(tuple(sorted(both.values(), key=lambda model: model.public_id)))
        self._specs.clear()
        self._last_specs = {key: spec for key, spec in self._last_specs.items() if key in both}
        self.read_anew()
        self.listed()
        self.changed()

    def _know(self, models: tuple[ModelSummary, ...]) -> None:
        self._models = models
        self._by_name = {str(model.id): model for model in models} | {
            model.public_id: model for model in models
        }

    async def _hand_over(self) -> None:
        """Contexts that were chosen before there were settings move there from the store, once."""
        try:
            for model in await self._store.list_models():
                if model.n_ctx_chosen is None:
                    continue
                if self.settings.of(model.public_id).ctx is None:
                    await self.settings.write(model.public_id, {"ctx": model.n_ctx_chosen})
                await self._store.set_context(model.id, None)
        except (CatalogFailure, ConfigInvalid) as error:
            _LOG.warning("contexts chosen earlier stay in the catalog: %s", error.message)

    def _summary(self, model: ModelSummary) -> ModelSummary:
        """With the context of its settings, else what is still in the store, else of its deployments."""
        own = self.settings.of(model.public_id).ctx
        n_ctx = own or model.n_ctx_chosen or self._deployed.n_ctx.get(model.public_id)
        advised = self._advice.get(model.id)
        if (n_ctx, advised) == (model.n_ctx_chosen, model.n_ctx_advised):
            return model
        return replace(model, n_ctx_chosen=n_ctx, n_ctx_advised=advised)

    def _with_settings(self, spec: ModelLaunchSpec) -> ModelLaunchSpec:
        own = self.settings.of(spec.public_id)
        n_ctx = own.ctx or spec.n_ctx_chosen or self._deployed.n_ctx.get(spec.public_id)
        adapters = files_of(self.adapters_of(spec.public_id))
        options = replace(launch_options(spec.options, own), adapters=adapters)
        return replace(spec, n_ctx_chosen=n_ctx, n_ctx_advised=self._advised(spec), options=options)

    def _advised(self, spec: ModelLaunchSpec) -> int | None:
        """What is shown counts; a model that was not thought of yet is thought of now."""
        model = self._by_name.get(spec.public_id)
        if model is None or spec.model_id in self._advice:
            return self._advice.get(spec.model_id)
        return self.advise(model)
