"""What each model would be launched with now, and which servers were launched otherwise."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ggtui.core.context import choose_context
from ggtui.core.errors import CatalogFailure, LaunchRejected, ModelFileNotFound, ModelNotFound, SpawnReason
from ggtui.core.nearness import near_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from ggtui.core.context import ContextChoice
    from ggtui.core.decisions import Resident
    from ggtui.core.deployment.replicas import ReplicaPlan
    from ggtui.core.deployment.shares import MachineShare
    from ggtui.core.models import ModelLaunchSpec
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.services.launches import LaunchLedger
    from ggtui.services.replicas import Replicas

_LOG = logging.getLogger(__name__)


class LaunchSpecs:
    """Learns what a model is launched with whenever it is asked for, and keeps that for later starts.

    Lives on the engine's loop.
    """

    def __init__(self, catalog: ModelCatalogPort, ledger: LaunchLedger, replicas: Replicas) -> None:
        """ledger: what the servers were launched with. replicas: told of each model that is asked for."""
        self._catalog = catalog
        self._ledger = ledger
        self._replicas = replicas
        self._specs: dict[int, ModelLaunchSpec] = {}

    async def resolve(self, model_name: str) -> ModelLaunchSpec:
        """What the wanted model is launched with now.

        Raises: ModelNotFound, ModelFileNotFound, LaunchRejected.
        """
        spec = await self._catalog.resolve_for_launch(model_name)
        if spec is None:
            known = [model.public_id for model in await self._catalog.list_models()]
            raise ModelNotFound(model_name, near=near_names(model_name, known))
        if spec.is_missing:
            gone = ModelFileNotFound(spec.public_id)
            self._ledger.refused(spec, gone)
            raise gone
        if spec.problem is not None:
            refused = LaunchRejected(spec.problem, reason=SpawnReason.BAD_MODEL_FILE)
            self._ledger.refused(spec, refused)
            raise refused
        self._specs[spec.model_id] = spec
        self._replicas.learn(spec)
        await self._replicas.prepare(spec.model_id)
        return spec

    def of(self, model_id: int) -> ModelLaunchSpec:
        """As it was last learned. Raises: KeyError for a model that was never asked for."""
        return self._specs[model_id]

    def shared(self, model_id: int) -> tuple[ReplicaPlan, MachineShare]:
        """What deployments say of a model's servers, and what the next one may use of the machine."""
        return self._replicas.plan(model_id), self._replicas.share(model_id, self._ledger.standing)

    async def learn_anew(self) -> None:
        """Ask the catalog again for every model that was ever asked for."""
        for spec in list(self._specs.values()):
            now = await self._catalog.resolve_for_launch(spec.public_id)
            if now is not None and now.model_id == spec.model_id:  # a name can be another model's by now
                self._specs[spec.model_id] = now
                self._replicas.learn(now)

    def outdated(
        self, residents: Iterable[Resident], default_ctx: int, other_ctx: Collection[int]
    ) -> list[int]:
        """Launch ids of those that would be launched otherwise now.

        other_ctx: ids of the models whose own context counts here as well.
        """
        return [each.launch_id for each in residents if self._is_outdated(each, default_ctx, other_ctx)]

    def _is_outdated(self, resident: Resident, default_ctx: int, other_ctx: Collection[int]) -> bool:
        spec, launch = self._specs[resident.model_id], self._ledger.launch(resident.launch_id)
        if launch is None:
            return False
        if launch.options != spec.options or launch.plan != self._replicas.plan(spec.model_id):
            return True
        own = choice_of(spec, None, default_ctx)
        return resident.model_id in other_ctx and resident.n_ctx != own.n_ctx

    def lacking(self, residents: Iterable[Resident], spec: ModelLaunchSpec) -> list[int]:
        """Launch ids of this model's servers that were started before an adapter's file was there."""
        return [
            each.launch_id
            for each in residents
            if each.model_id == spec.model_id and not each.is_unwanted and self._lacks(each, spec)
        ]

    def _lacks(self, resident: Resident, spec: ModelLaunchSpec) -> bool:
        launch = self._ledger.launch(resident.launch_id)
        return launch is not None and not set(spec.options.adapters) <= set(launch.options.adapters)

    async def note_loaded(self, model_id: int) -> None:
        """Have the catalog keep that this model was loaded now; when it cannot, that is only told."""
        try:
            await self._catalog.note_loaded(model_id)
        except CatalogFailure as error:
            _LOG.warning("%s: %s", error.title, error.message)


def choice_of(spec: ModelLaunchSpec, n_ctx: int | None, default_ctx: int) -> ContextChoice:
    """The context of a start of this model when n_ctx tokens are asked for, None for any size."""
    return choose_context(n_ctx, spec.n_ctx_chosen, default_ctx, spec.n_ctx_train, spec.n_ctx_advised)
