"""Which models of the catalog deployments serve, and what deployments say of how those are launched."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from ggtui.core.deployment.replicas import ONE, ReplicaPlan
from ggtui.core.model_settings import NOTHING_SET
from ggtui.core.naming import slug

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.model_settings import ModelSettings
    from ggtui.core.models import ModelLaunchSpec, ModelSummary
    from ggtui.core.ports.catalog import ModelStorePort
    from ggtui.core.routing.adapters import AttachedAdapter


@dataclass(frozen=True, slots=True)
class DeployedModels:
    """What follows for models from the deployments that name them."""

    by_given: Mapping[str, str] = field(default_factory=dict)
    """What a deployment writes as its model -> public id; what the catalog does not have is not in it."""
    n_ctx: Mapping[str, int] = field(default_factory=dict)
    """By public id: tokens that the model is started with when nobody chose, the most that one asks for."""
    adapters: Mapping[str, tuple[AttachedAdapter, ...]] = field(default_factory=dict)
    """By public id: those that its own settings do not have."""
    refused: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Deployment and adapter -> why it cannot be attached."""

    replicas: Mapping[str, ReplicaPlan] = field(default_factory=dict)
    """By public id: how many servers it has, and what each gets."""

    def with_adapters(self, own: Mapping[str, ModelSettings]) -> dict[str, ModelSettings]:
        """Settings by public id, with the adapters of deployments behind their own."""
        settings = dict(own)
        for public_id, more in self.adapters.items():
            before = settings.get(public_id, NOTHING_SET)
            settings[public_id] = replace(before, adapters=(*(before.adapters or ()), *more))
        return settings


async def deployed_models(
    deployments: Sequence[Deployment],
    models: Sequence[ModelSummary],
    own: Mapping[str, ModelSettings],
    store: ModelStorePort,
) -> DeployedModels:
    """Find them. own: settings of models by public id. Raises: StoreUnavailable."""
    found = _Found(own)
    for each in deployments:
        public_id = await _public_id(each.model, models, store)
        if public_id is not None:
            found.add(each, public_id)
    return DeployedModels(found.by_given, found.n_ctx, found.adapters, found.refused, found.replicas)


class _Found:
    """What is known of the deployments so far."""

    def __init__(self, own: Mapping[str, ModelSettings]) -> None:
        self._own = own
        self.by_given: dict[str, str] = {}
        self.n_ctx: dict[str, int] = {}
        self.adapters: dict[str, tuple[AttachedAdapter, ...]] = {}
        self.refused: dict[tuple[str, str], str] = {}
        self.replicas: dict[str, ReplicaPlan] = {}

    def add(self, deployment: Deployment, public_id: str) -> None:
        """deployment: one whose model is this one."""
        self.by_given[deployment.model] = public_id
        n_ctx = deployment.runtime_config.ctx
        if n_ctx is not None:
            self.n_ctx[public_id] = max(n_ctx, self.n_ctx.get(public_id, 0))
        plan = ReplicaPlan(deployment.replicas, deployment.gpus)
        self.replicas[public_id] = plan.with_also(self.replicas.get(public_id, ONE))
        for adapter in deployment.adapters:
            before = self._paths(public_id)
            if adapter.name not in before:
                self.adapters[public_id] = (*self.adapters.get(public_id, ()), adapter)
            elif before[adapter.name] != adapter.path:
                why = f"{public_id} has another adapter or stack of that name"
                self.refused[deployment.name, adapter.name] = why

    def _paths(self, public_id: str) -> dict[str, str | None]:
        """Of the adapters that the model has, by name; None for a stack."""
        own = self._own.get(public_id, NOTHING_SET)
        adapters = (*(own.adapters or ()), *self.adapters.get(public_id, ()))
        return {each.name: None for each in own.stacks or ()} | {each.name: each.path for each in adapters}


async def _public_id(given: str, models: Sequence[ModelSummary], store: ModelStorePort) -> str | None:
    """By public id, by number, by path, by the name of its file: the one that is meant, if just one is."""
    known = [model.public_id for model in models]
    named = next((each.public_id for each in models if given in (each.public_id, str(each.id))), None)
    if named is not None:
        return named
    if not (os.path.isabs(given) or given.lower().endswith(".gguf")):
        return None
    likely = [name for name in known if name.startswith(_slugs(given))]
    specs = [await store.resolve_for_launch(public_id) for public_id in likely]
    meant = {spec.public_id for spec in specs if spec is not None and _is_of(given, spec)}
    return meant.pop() if len(meant) == 1 else None


def _slugs(given: str) -> tuple[str, ...]:
    """What the public id of the model in this file begins with; a catalog may know a link by its end."""
    return tuple({slug(PurePath(path).name) for path in (given, os.path.realpath(given))})


def _is_of(given: str, spec: ModelLaunchSpec) -> bool:
    """True when this path, or this end of a path, is one of the model's files."""
    if os.path.isabs(given):
        return os.path.realpath(given) in {os.path.realpath(path) for path in spec.paths}
    return any(PurePath(path).match(given) for path in spec.paths)
