"""Applies a configuration that was read again."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from ggtui.bootstrap.settings import runtime_settings
from ggtui.core.reload import ReloadReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.bootstrap.reconciliation import Reconciliation
    from ggtui.config.schema import Config
    from ggtui.services.catalog import CatalogService
    from ggtui.services.deployments.book import Deployments
    from ggtui.services.endpoints import Endpoints
    from ggtui.services.foresight import Foresight
    from ggtui.services.runtime import ModelRuntime
    from ggtui.services.settings_effects import SettingsEffects

LIVE = {
    "models_dirs": "models_dirs",
    "stores": "stores",
    "options": "[launch]",
    "names": "[names] and [aliases]",
    "deployments": "[[deployment]]",
    "declared": "[[backend]], [[model]], [[group]] and [backends]",
    "backends_interval_s": "[backends] interval_s",
    "downloads_parallel": "[downloads] parallel",
    "downloads_max_mb_per_s": "[downloads] max_mb_per_s",
    "admission_timeout_s": "admission_timeout_s",
    "turn_quantum_s": "turn_quantum_s",
    "max_queue": "max_queue",
    "memory_budget_mb": "memory_budget_mb",
    "keep_alive_s": "keep_alive_s",
    "pinned": "pinned",
    "stop_grace_s": "stop_grace_s",
    "stall_timeout_s": "stall_timeout_s",
    "stuck_timeout_s": "stuck_timeout_s",
}
"""Fields of Config that a reload applies at once, and what a person calls them."""

AS_WRITTEN = {"client_keys": "api_key_file"}
"""Fields that count from the next start, where a person calls them otherwise."""

SETTLED = frozenset({"data_dir", "cache_dir", "log_dir", "runtime_dir", "config_file", "models_file"})
"""Fields that say where ggtui lives; a running one has settled that."""

BY_MODEL = "model_settings"
"""The field that a reload compares model by model, with what is in force."""


class Reloader:
    """Applies a configuration that was read again, and says what of it counts now."""

    def __init__(
        self,
        config: Config,
        reread: Callable[[], Config],
        catalog: CatalogService,
        runtime: ModelRuntime,
        effects: SettingsEffects,
        foresight: Foresight,
        endpoints: Endpoints,
        deployments: Deployments,
        reconciliation: Reconciliation,
    ) -> None:
        self._started_with = config
        self._config = config
        self._reread = reread
        self._catalog = catalog
        self._runtime = runtime
        self._effects = effects
        self._foresight = foresight
        self._endpoints = endpoints
        self._deployments = deployments
        self._reconciliation = reconciliation
        self._turn = asyncio.Lock()

    async def __call__(self) -> ReloadReport:
        """Read and apply, one at a time: what is read last counts. Raises: ConfigInvalid; nothing changed."""
        async with self._turn:
            return await self._apply()

    async def _apply(self) -> ReloadReport:
        before, after = self._config, self._reread()
        book = self._catalog.settings
        own_before = book.own
        # The default context is one of those that count from the next start.
        book.take(after.model_settings, replace(after.common_settings, n_ctx=self._started_with.n_ctx))
        if _launching(after) != _launching(before):
            await self._catalog.reconfigure(after.models_dirs, after.options, after.stores)
        self._foresight.most_bytes = after.memory_budget_bytes
        self._endpoints.take(after.names)
        await self._take_deployments(after)
        self._reconciliation.take(after)
        self._runtime.reconfigure(runtime_settings(after, self._catalog))
        models = await self._effects.settle(own_before)
        self._config = after
        changed = (LIVE[name] for name in _differing(before, after) if name in LIVE)
        return ReloadReport(
            changed=(*changed, *(f'["{name}"]' for name in models)),
            at_next_start=tuple(
                AS_WRITTEN.get(name, name)
                for name in _differing(self._started_with, after)
                if name not in LIVE
            ),
        )

    async def _take_deployments(self, config: Config) -> None:
        """A model that is deployed no more ends after its requests."""
        before = self._deployed_models()
        await self._deployments.take(config.deployments)
        await self._endpoints.take_deployments(config.deployments)
        self._runtime.retire(before - self._deployed_models())

    def _deployed_models(self) -> set[int]:
        local = (each.rules.model for each in self._deployments.all if each.kind.is_local)
        models = (self._catalog.by_name(self._catalog.deployed(given) or "") for given in local)
        return {model.id for model in models if model is not None}


def _launching(config: Config) -> tuple[object, ...]:
    return config.options, config.models_dirs, config.stores


def _differing(one: Config, other: Config) -> list[str]:
    names = [each.name for each in fields(other) if each.name not in {*SETTLED, BY_MODEL}]
    return [name for name in names if getattr(one, name) != getattr(other, name)]
