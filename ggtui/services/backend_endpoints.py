"""How the models of declared backends become what clients can ask for."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ggtui.core.backends.backend import Capability, Declared
from ggtui.core.backends.offers import offer
from ggtui.core.backends.serving import declared_names, is_by_backends
from ggtui.core.routing.endpoints import DEFAULT_MAX_CONTEXT, ModelEndpoint, ModelId
from ggtui.services.deployment_endpoints import EVERY_CAPABILITY, served_elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ggtui.core.backends.observed import BackendState
    from ggtui.core.backends.offers import BackendOffer
    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.runtimes import RuntimeKind
    from ggtui.core.routing.registry import ModelRegistry

_LOG = logging.getLogger(__name__)
_WORDS: Final = {
    Capability.CHAT: "chat",
    Capability.PROMPT: "completion",
    Capability.EMBED: "embedding",
}
"""As ModelSummary.capabilities has them; streams are no kind of request of their own."""


class BackendEndpoints:
    """One for each name that leads to backends, ready or not: a request is told what is the matter."""

    def __init__(self, declared: Declared | None = None) -> None:
        self._declared = declared or Declared()
        self._states: tuple[BackendState, ...] = ()
        self._names = frozenset(declared_names(self._declared))
        self._offers = self._looked_up()
        self._hidden: frozenset[str] = frozenset()
        """Names that models of the catalog have taken, as a person was told."""

    @property
    def names(self) -> frozenset[str]:
        """Those that lead to backends, also where a deployment or a model of the catalog goes before."""
        return self._names

    def take(self, declared: Declared, states: Sequence[BackendState]) -> bool:
        """From now on this counts. True when an endpoint may be another one than before."""
        before = self._offers, self._declared
        if declared != self._declared:
            self._declared, self._names = declared, frozenset(declared_names(declared))
        self._states = tuple(states)
        self._offers = self._looked_up()
        return before != (self._offers, self._declared)

    def serves(self, each: Deployment, kind: RuntimeKind) -> bool:
        """True when backends serve this deployment. kind: what serves it as it is written."""
        return is_by_backends(each, kind, self._names)

    def of_deployment(self, each: Deployment) -> ModelEndpoint:
        """The endpoint of one that backends serve. One with fallbacks is ready: they serve meanwhile."""
        found = offer(self._declared, self._states, each.model, each.groups)
        n_ctx = each.runtime_config.ctx or found.context_length
        shown = served_elsewhere(each, n_ctx, "")
        shown = replace(shown, backends=found.backends, capabilities=_capabilities(found))
        return shown if each.fallback else replace(shown, status=found.status, why=found.why)

    def others(self, registry: ModelRegistry) -> Iterator[ModelEndpoint]:
        """Those whose names no model and no deployment has taken."""
        hidden = set()
        for name, found in self._offers.items():
            taken_by = registry.get(name)
            if taken_by is None:
                yield _endpoint(name, found)
            elif not taken_by.deployment:
                hidden.add(name)
        for name in sorted(hidden - self._hidden):
            _LOG.warning("%s is a model of this machine: no backend is asked for it", name)
        self._hidden = frozenset(hidden)

    def _looked_up(self) -> dict[str, BackendOffer]:
        names = declared_names(self._declared)
        return {name: offer(self._declared, self._states, name) for name in names}


def _endpoint(name: str, found: BackendOffer) -> ModelEndpoint:
    return ModelEndpoint(
        ModelId(name),
        "",
        max_context_length=found.context_length or DEFAULT_MAX_CONTEXT,
        status=found.status,
        capabilities=_capabilities(found),
        deployment=name,
        backends=found.backends,
        why=found.why,
    )


def _capabilities(found: BackendOffer) -> tuple[str, ...]:
    able = found.capabilities
    return EVERY_CAPABILITY if able is None else tuple(word for each, word in _WORDS.items() if each in able)
