"""What a person or a script may ask of a running ggtui: the one surface behind screen, CLI and HTTP."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.context import choose_context, clamp_context
from ggtui.core.errors import (
    ConfigInvalid,
    ModelNotFound,
    ReadOnly,
    RemovalRefused,
    StoreUnavailable,
)
from ggtui.core.models import LaunchPlan
from ggtui.core.nearness import near_names
from ggtui.core.reload import ReloadReport
from ggtui.core.removal import RemovalPlan
from ggtui.services.deployments.control import DeploymentsControl
from ggtui.services.downloads.control import DownloadsControl
from ggtui.services.hub_look import HubLook

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ggtui.core.health import Check
    from ggtui.core.labels import LabelChange
    from ggtui.core.load_history import LoadRecord
    from ggtui.core.model_settings import SettingsView
    from ggtui.core.models import LaunchOptions, ModelSummary, RunningTarget
    from ggtui.core.ports.catalog import CatalogReport
    from ggtui.core.ports.launcher import LauncherPort
    from ggtui.core.ports.models_folders import ModelsFoldersPort
    from ggtui.core.snapshot import EngineSnapshot, LogBatch
    from ggtui.services.catalog import CatalogService
    from ggtui.services.doctor import Doctor
    from ggtui.services.logs import LogBook
    from ggtui.services.names import Names
    from ggtui.services.publisher import Publisher
    from ggtui.services.runtime import ModelRuntime
    from ggtui.services.settings_effects import SettingsEffects

_LOG = logging.getLogger(__name__)

IN_USE = "it is loaded, or a request waits for it"


class Control:
    """Everything that changes ggtui from outside passes here, so that read-only is one gate.

    All methods run on the engine's loop.
    """

    def __init__(
        self,
        *,
        catalog: CatalogService,
        runtime: ModelRuntime,
        launcher: LauncherPort,
        logs: LogBook,
        publisher: Publisher,
        settings: SettingsEffects,
        names: Names,
        deployments: DeploymentsControl | None = None,
        downloads: DownloadsControl | None = None,
        reload: Callable[[], Awaitable[ReloadReport]] | None = None,
        folders: ModelsFoldersPort | None = None,
        doctor: Doctor | None = None,
        hub_look: HubLook | None = None,
        is_read_only: bool = False,
    ) -> None:
        """reload: reads the configuration again and applies it; None where there is none to read.

        folders: where a models folder is named for good; None where there is no such place.
        doctor: who looks everything over; None where nobody does. hub_look: who reads headers on the hub.
        """
        self._catalog = catalog
        self._runtime = runtime
        self._launcher = launcher
        self._logs = logs
        self._publisher = publisher
        self._settings = settings
        self._reload = reload
        self._folders = folders
        self._doctor = doctor
        self._is_read_only = is_read_only
        self.names = names
        self.hub_look = hub_look or HubLook()
        self.deployments = deployments or DeploymentsControl(is_read_only=is_read_only)
        self.downloads = downloads or DownloadsControl(is_read_only=is_read_only)

    def snapshot(self) -> EngineSnapshot:
        """The state now."""
        return self._publisher.snapshot()

    def subscribe(self, hear: Callable[[EngineSnapshot], None]) -> Callable[[], None]:
        """Call `hear` on the engine's loop with every new snapshot; returns what ends it."""
        return self._publisher.subscribe(hear)

    def subscribe_logs(self, hear: Callable[[LogBatch], None]) -> Callable[[], None]:
        """Call `hear` on the engine's loop with new log lines; returns what ends it."""
        return self._logs.subscribe(hear)

    def log_tail(self, public_id: str, n_lines: int, *, is_verbose: bool = False) -> tuple[str, ...]:
        """The last lines of a model's server in this run; empty when it was never started.

        is_verbose: with those that the engine writes at its verbose level, what it allocates among them.
        """
        return self._logs.tail(public_id, n_lines, is_verbose=is_verbose)

    async def load(self, name: str, n_ctx: int | None = None) -> RunningTarget:
        """Make this model the running one, at exactly n_ctx when given; swaps without waiting a turn.

        Requests in flight on another model end first. A given context is kept as the model's own choice,
        unless it is the one that the model gets anyway.
        Raises: ModelRuntimeError, ReadOnly.
        """
        self._refuse_when_read_only()
        summary = await self._model(name)
        if n_ctx is not None:
            n_ctx = clamp_context(n_ctx, summary.n_ctx_train)
            await self._keep_context(summary, n_ctx)
        return await self._runtime.load(summary.public_id, n_ctx)

    async def _keep_context(self, model: ModelSummary, n_ctx: int) -> None:
        default = self._catalog.settings.common.n_ctx
        own = choose_context(None, model.n_ctx_chosen, default, model.n_ctx_train, model.n_ctx_advised)
        if n_ctx == own.n_ctx:
            return
        try:
            await self._settings.choose_context(model.public_id, n_ctx)
        except (ConfigInvalid, StoreUnavailable) as error:  # the load itself needs no file
            _LOG.warning("the context of %s is not kept: %s", model.public_id, error.message)

    async def stop(self, name: str | None = None, *, is_forced: bool = False) -> None:
        """Stop this model, or whatever runs or loads; nothing running is success.

        Requests in flight end first unless forced.
        Raises: ModelNotFound, ReadOnly.
        """
        self._refuse_when_read_only()
        model_id = (await self._model(name)).id if name is not None else None
        await self._runtime.stop(model_id, is_forced=is_forced)

    async def pin(self, name: str, is_pinned: bool) -> None:
        """Keep this model resident once it is loaded, or no longer.

        Raises: ModelNotFound, ReadOnly.
        """
        self._refuse_when_read_only()
        self._runtime.pin((await self._model(name)).id, is_pinned)

    async def set_context(self, name: str, n_ctx: int | None) -> None:
        """Keep a context choice for a model in its settings; a running server is not touched.

        Raises: ModelNotFound, ConfigInvalid, StoreUnavailable, ReadOnly.
        """
        self._refuse_when_read_only()
        summary = await self._model(name)
        if n_ctx is not None:
            n_ctx = clamp_context(n_ctx, summary.n_ctx_train)
        await self._settings.choose_context(summary.public_id, n_ctx)

    async def settings(self, name: str) -> SettingsView:
        """The settings of a model, with what is in force where none was set.

        Raises: ModelNotFound.
        """
        model = await self._model(name)
        return self._catalog.settings.view(model.public_id, model.n_ctx_advised)

    async def change_settings(self, name: str, changes: Mapping[str, object]) -> SettingsView:
        """Write settings of a model, by key of models.toml; None removes a key. They count at once.

        A running server that would be launched otherwise now ends after its requests.
        Raises: ModelNotFound, ConfigInvalid, StoreUnavailable, ReadOnly.
        """
        self._refuse_when_read_only()
        return await self._settings.change((await self._model(name)).public_id, changes)

    async def load_history(self, name: str) -> tuple[LoadRecord, ...]:
        """What the loads of a model took and what was forecast for them, the newest first.

        Raises: ModelNotFound, StoreUnavailable.
        """
        return await self._catalog.load_history((await self._model(name)).id)

    async def label(self, name: str, change: LabelChange) -> ModelSummary:
        """Change what a person calls a model; returns the model as it is shown then.

        Raises: ModelNotFound, InvalidRequest, StoreUnavailable, ReadOnly.
        """
        self._refuse_when_read_only()
        public_id = (model := await self._model(name)).public_id
        await self._catalog.change_labels(model.id, change)
        return await self._model(public_id)

    async def paths(self, name: str) -> tuple[str, ...]:
        """Where the files of a model lie, all shards in their order.

        Raises: ModelNotFound, StoreUnavailable.
        """
        spec = await self._catalog.resolve_for_launch(name)
        if spec is None:
            raise ModelNotFound(name)
        return tuple(map(str, spec.paths))

    async def plan_removal(self, name: str) -> RemovalPlan:
        """What taking this model off the disk would do now, or why it may not go.

        Raises: ModelNotFound, StoreUnavailable, ReadOnly.
        """
        self._refuse_when_read_only()
        model = await self._model_called(name)
        if self._is_in_use(model.id):
            return RemovalPlan(model.id, model.public_id, refusal=IN_USE, hint="stop it first")
        plan = await self._catalog.plan_removal(model.id)
        if plan is None:
            raise ModelNotFound(name)
        return plan

    async def remove(self, plan: RemovalPlan) -> CatalogReport:
        """Take a model off the disk, exactly as the plan says; returns what is found then.

        Raises: RemovalRefused, StoreUnavailable, ReadOnly.
        """
        self._refuse_when_read_only()
        if self._is_in_use(plan.model_id):
            raise RemovalRefused(IN_USE, hint="stop it first")
        await self._catalog.remove(plan)
        return self._catalog.report()

    def _is_in_use(self, model_id: int) -> bool:
        scheduler = self._runtime.scheduler
        used = {each.model_id for each in scheduler.residents} | {each.model_id for each in scheduler.waiting}
        return model_id in used

    async def rescan(self) -> CatalogReport:
        """Look at the model folders again; what failed before may be tried again."""
        self._runtime.forgive()
        return await self._catalog.rescan()

    async def reload(self) -> ReloadReport:
        """Read the configuration again and apply what changed; requests in flight are not cut.

        Raises: ConfigInvalid, naming the place; then everything stays as it is.
        """
        return await self._reload() if self._reload is not None else ReloadReport()

    async def examine(self) -> tuple[Check, ...]:
        """What is in order, what is not, and what cures it; takes a moment of looking at folders."""
        return await self._doctor.examine(self._publisher.url) if self._doctor is not None else ()

    async def add_folder(self, folder: str) -> CatalogReport:
        """Name a models folder in the configuration, as a person typed it, and look into it at once.

        Raises: ConfigInvalid, StoreUnavailable, ReadOnly.
        """
        self._refuse_when_read_only()
        if self._folders is None:
            raise ConfigInvalid("this ggtui has no configuration file to name a folder in")
        path = await self._folders.add(folder)
        await self.reload()
        report = self._catalog.report()
        if str(path) not in report.folders:
            raise ConfigInvalid(
                f"{path} is named in the configuration, but other folders count in this run",
                hint="they come from --models-dir or GGTUI_MODELS_DIRS",
            )
        return report

    async def command(self, name: str, n_ctx: int, options: LaunchOptions | None = None) -> tuple[str, ...]:
        """The command that would start this model, to read and copy; holds no secret.

        options: to see what others would lead to; None for those in force.
        Raises: ModelNotFound.
        """
        spec = await self._catalog.resolve_for_launch(name)
        if spec is None:
            raise ModelNotFound(name)
        return self._launcher.command(LaunchPlan(replace(spec, options=options or spec.options), n_ctx))

    async def _model(self, name: str) -> ModelSummary:
        """The model behind any name that a client may send: an alias, or the model with an adapter."""
        base = self.names.base_of(name)
        if base is None and await self._catalog.scan_ended():
            base = self.names.base_of(name)
        return await self._model_called(base or name)

    async def _model_called(self, name: str) -> ModelSummary:
        """The model of this very id or number."""
        summary = await self._catalog.resolve_model(name)
        if summary is None:
            known = [model.public_id for model in await self._catalog.list_models()]
            raise ModelNotFound(name, near=near_names(name, known))
        return summary

    def _refuse_when_read_only(self) -> None:
        if self._is_read_only:
            raise ReadOnly
