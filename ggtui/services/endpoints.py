"""Which endpoints there are, from models, their adapters, deployments and what a person said about names."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.context import AUTO_CTX, choose_context
from ggtui.core.deployment.runtimes import can_serve
from ggtui.core.errors import EndpointNotFound, EndpointNotReady, NoModelsAvailable
from ggtui.core.routing.adapters import AdapterRef, AdapterStack
from ggtui.core.routing.endpoints import DEFAULT_MAX_CONTEXT, EndpointStatus, ModelEndpoint, ModelId
from ggtui.core.routing.name_settings import NameSettings, Unnamed
from ggtui.core.routing.registry import ModelRegistry
from ggtui.core.routing.route import Route, RouteRule
from ggtui.core.routing.router import ModelRouter
from ggtui.core.snapshot import RouteNote
from ggtui.services.backend_endpoints import BackendEndpoints
from ggtui.services.deployment_endpoints import by_rules, served_elsewhere, why_unknown
from ggtui.services.live_weights import LiveWeights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ggtui.core.backends.backend import Declared
    from ggtui.core.backends.observed import BackendState
    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.models import ModelSummary
    from ggtui.core.routing.adapters import NamedStack
    from ggtui.services.adapters import ModelAdapter
    from ggtui.services.catalog import CatalogService

_LOG = logging.getLogger(__name__)


class Endpoints:
    """Answers from memory; made anew when models, their settings, deployments or names have changed.

    Lives on the engine's loop.
    """

    def __init__(
        self,
        catalog: CatalogService,
        names: NameSettings | None = None,
        default_ctx: int = AUTO_CTX,
        deployments: Sequence[Deployment] = (),
        declared: Declared | None = None,
    ) -> None:
        """default_ctx: tokens for a model for which nobody chose; AUTO_CTX for what fits.

        deployments: the catalog hears of them too, so that they count from its next reading on. declared:
        what is declared of backends.
        """
        self.changed: Callable[[], None] = lambda: None
        """Called after every change of names or weights; set by whoever publishes."""
        self.weighed: Callable[[str], None] = lambda _public_id: None
        """Called when weights of a model's adapters have changed; set by whoever keeps the history."""
        self.last_route: RouteNote | None = None
        """See EngineSnapshot."""
        self._catalog = catalog
        self._deployments = catalog.deployments = tuple(deployments)
        self._backends = BackendEndpoints(declared)
        self._told = names or NameSettings()
        self._names = self._effective()
        self._default_ctx = default_ctx
        self._weights = LiveWeights(catalog)
        self._router = ModelRouter(ModelRegistry())
        self._all: tuple[ModelEndpoint, ...] = ()
        self._made_of: object = None
        self._led: set[str] = set()
        """Names of the deployments that lead to backends."""
        self._shadowed: frozenset[str] = frozenset()
        """Public ids that deployments have taken, as a person was told."""

    @property
    def names(self) -> NameSettings:
        """Aliases, the default, what is switched off."""
        return self._names

    def take(self, names: NameSettings) -> None:
        """From now on these names count."""
        if names != self._told:
            self._told = names
            self._names = self._effective()
            self._renew()

    async def take_deployments(self, deployments: Sequence[Deployment]) -> None:
        """From now on these count. Raises: StoreUnavailable; then they count for models a little later."""
        if tuple(deployments) == self._deployments:
            return
        self._deployments = self._catalog.deployments = tuple(deployments)
        self._names = self._effective()
        self._renew()
        await self._catalog.reread()

    def take_backends(self, declared: Declared, states: Sequence[BackendState]) -> None:
        """From now on this is declared of backends, and this was seen of them."""
        if self._backends.take(declared, states):
            self._renew()

    @property
    def default_deployment(self) -> str:
        """Name of the deployment that says it is the default; empty when none does."""
        return next((each.name for each in self._deployments if each.default), "")

    def is_local(self, model: str) -> bool:
        """True for a model of the catalog, as a deployment names it, and for a path that exists."""
        return self._catalog.deployed(model) is not None or (os.path.isabs(model) and os.path.isfile(model))

    def _effective(self) -> NameSettings:
        """What a person said, with the default that a deployment is."""
        return replace(self._told, default=self._told.default or self.default_deployment)

    @property
    def router(self) -> ModelRouter:
        """The rule of names over what there is now."""
        self._make_anew()
        return self._router

    @property
    def all(self) -> tuple[ModelEndpoint, ...]:
        """Every endpoint in the order of ids; the same object until something changes."""
        self._make_anew()
        return self._all

    async def route(self, name: str | None, running: str | None = None) -> Route:
        """The endpoint that a request is for. What is unknown waits for a look at the folders to end.

        One that is not ready is given where others may serve in its place: whoever asks those looks at its
        status. name: None or empty for a request that names none. running: public id of what became ready
        last.
        Raises: EndpointNotFound, NoModelsAvailable, EndpointNotReady.
        """
        try:
            return self._route(name or None, running)
        except (EndpointNotFound, NoModelsAvailable):
            if not await self._catalog.scan_ended():
                raise
        except EndpointNotReady:
            await self._catalog.scan_ended()
        return self._route(name or None, running, may_fall_back=True)

    def _route(self, name: str | None, running: str | None, *, may_fall_back: bool = False) -> Route:
        if name is not None:
            endpoint = self._named(name, may_fall_back=may_fall_back)
            is_alias = name in self._names.aliases and endpoint.id != name
            return Route(endpoint, RouteRule.ALIAS if is_alias else RouteRule.NAMED, name if is_alias else "")
        if self.router.registry.default_endpoint is not None:
            return Route(self._default(may_fall_back=may_fall_back), RouteRule.DEFAULT)
        if self._names.unnamed is Unnamed.RUNNING and running is not None:
            return Route(self.router.route(running), RouteRule.RUNNING)
        raise NoModelsAvailable(hint=self._why_no_default())

    def _named(self, name: str, *, may_fall_back: bool) -> ModelEndpoint:
        """A model whose file is broken is not refused here: its load looks at the file, and tells why."""
        found = self.router.find(name)
        is_model = found is not None and not (found.stack.adapters or found.deployment)
        if found is not None and is_model and found.status is EndpointStatus.ERROR:
            return found
        is_for_others = found is not None and self._is_for_others(found, may_fall_back=may_fall_back)
        return found if found is not None and is_for_others else self.router.route(name)

    def _default(self, *, may_fall_back: bool) -> ModelEndpoint:
        try:
            return self.router.route(None)
        except EndpointNotReady:
            default = self.router.registry.default_endpoint
            if default is None or not self._is_for_others(default, may_fall_back=may_fall_back):
                raise
            return default

    def _is_for_others(self, endpoint: ModelEndpoint, *, may_fall_back: bool) -> bool:
        """True for one that is not ready and still not refused here.

        The places of its backends tell what is the matter, or others are asked in its place.
        """
        if endpoint.status not in (EndpointStatus.ERROR, EndpointStatus.LOADING):
            return False
        is_by_backends = endpoint.deployment in self._backends.names or endpoint.deployment in self._led
        return is_by_backends or (may_fall_back and endpoint.deployment in self._with_fallback)

    @property
    def _with_fallback(self) -> set[str]:
        return {each.name for each in self._deployments if each.fallback}

    def _why_no_default(self) -> str:
        if self._names.default:
            return f"the default, {self._names.default}, does not exist; name a model in the request"
        return "name a model in the request, or choose a default: ggtui default MODEL"

    def brought_elsewhere(self, endpoint: str, words: str) -> None:
        """Tell people of a request whose context decided where it went."""
        self.last_route = RouteNote(str(endpoint), words, time.time())
        self.changed()

    # Live weights

    def weight_of(self, public_id: str, adapter: ModelAdapter) -> float:
        """How much of an adapter `model:adapter` applies now."""
        return self._weights.of(public_id, adapter)

    def weights(self, public_id: str, carried: Iterable[str]) -> tuple[AdapterRef, ...]:
        """These adapters of a model with the weights that they have now."""
        return self._weights.applied(public_id, carried)

    def set_weight(self, public_id: str, adapter: str, weight: float) -> None:
        """Apply so much of an adapter from now on, until ggtui ends. weight: 0 to 1.

        Raises: EndpointNotFound when the model has no such adapter.
        """
        self._weights.set(public_id, adapter, weight)
        self._renew()
        self.weighed(public_id)

    def forget_weight(self, public_id: str, adapter: str) -> None:
        """Apply what the settings say again; nothing set is success."""
        if self._weights.forget(public_id, adapter):
            self._renew()

    # Making them

    def _renew(self) -> None:
        self._made_of = None
        self.changed()

    def _make_anew(self) -> None:
        """From what is known now, unless they were made of just that."""
        models = self._catalog.models
        if self._made_of is models:
            return
        registry = ModelRegistry()
        for model in models:
            for endpoint in self._of_model(model):
                registry.register(self._as_told(endpoint))
            registry.add_number(model.id, model.public_id)
        self._add_deployments(registry, models)
        for endpoint in self._backends.others(registry):
            registry.register(self._as_told(endpoint))
        for alias, target in self._names.aliases.items():
            registry.add_alias(alias, target)
        self._router, self._all, self._made_of = ModelRouter(registry), registry.all_endpoints, models

    def _add_deployments(self, registry: ModelRegistry, models: Sequence[ModelSummary]) -> None:
        """A deployment goes before a model of the same id, to which its number leads as before."""
        named = {each.name for each in self._deployments}
        hidden = [model for model in models if model.public_id in named]
        self._led = set()
        for model in hidden:
            registry.add_shadowed(model.id, self._base(model))
        for each in self._deployments:
            for endpoint in self._of_deployment(each):
                registry.register(self._as_told(endpoint))
        for public_id in {model.public_id for model in hidden} - self._shadowed:
            _LOG.warning("%s is a deployment: the model of that name is reached by its number", public_id)
        self._shadowed = frozenset(model.public_id for model in hidden)

    def _of_deployment(self, each: Deployment) -> Iterator[ModelEndpoint]:
        kind, why = each.choose_runtime(is_local=self.is_local(each.model))
        n_ctx = each.runtime_config.ctx
        if self._backends.serves(each, kind):
            self._led.add(each.name)
            yield self._backends.of_deployment(each)
            return
        if not kind.is_local:
            problem = f"{kind} has no engine here and needs runtime_config.endpoint; chosen because {why}"
            yield served_elsewhere(
                each, n_ctx, "" if can_serve(kind, each.runtime_config.endpoint) else problem
            )
            return
        model = self._catalog.by_name(self._catalog.deployed(each.model) or "")
        if model is None:
            yield served_elsewhere(each, n_ctx, why_unknown(each.model))
            return
        for endpoint in self._of_model(model):
            yield by_rules(each, endpoint, model.public_id)
        for adapter in each.adapters:
            problem = self._catalog.why_refused(each.name, adapter.name)
            if problem:
                stack = AdapterStack((AdapterRef(adapter.name, adapter.weight),))
                yield _with_stack(
                    by_rules(each, self._base(model), model.public_id), adapter.name, stack, problem
                )

    def _as_told(self, endpoint: ModelEndpoint) -> ModelEndpoint:
        """With what a person said of it."""
        is_default = endpoint.id == self._names.default
        if endpoint.id in self._names.disabled:
            why = f"it is switched off; ggtui enable {endpoint.id} switches it on"
            return replace(endpoint, is_default=is_default, status=EndpointStatus.DISABLED, why=why)
        return replace(endpoint, is_default=True) if is_default else endpoint

    def _of_model(self, model: ModelSummary) -> Iterator[ModelEndpoint]:
        base = self._base(model)
        yield base
        adapters = self._catalog.adapters_of(model.public_id)
        for each in adapters:
            name = each.setting.name
            stack = AdapterStack((AdapterRef(name, self.weight_of(model.public_id, each)),))
            yield _with_stack(base, name, stack, each.problem)
        problems = {each.setting.name: each.problem for each in adapters}
        for named in self._catalog.settings.of(model.public_id).stacks or ():
            yield _with_stack(base, named.name, named.applied, _problem_of(named, problems))

    def _base(self, model: ModelSummary) -> ModelEndpoint:
        # A server outlives its file.
        is_broken = model.problem is not None and not self._catalog.is_resident(model.id)
        n_ctx = choose_context(
            None, model.n_ctx_chosen, self._default_ctx, model.n_ctx_train, model.n_ctx_advised
        ).n_ctx
        return ModelEndpoint(
            ModelId(model.public_id),
            model.public_id,
            display_name=model.name,
            max_context_length=n_ctx or DEFAULT_MAX_CONTEXT,
            status=EndpointStatus.ERROR if is_broken else EndpointStatus.READY,
            capabilities=model.capabilities,
            why=(model.problem or "") if is_broken else "",
        )


def _with_stack(base: ModelEndpoint, name: str, stack: AdapterStack, problem: str) -> ModelEndpoint:
    endpoint = replace(base, id=ModelId(f"{base.id}:{name}"), display_name="", adapter=name, stack=stack)
    if not problem:
        return endpoint
    return replace(endpoint, status=EndpointStatus.ERROR, why=f"adapter {name}: {problem}")


def _problem_of(stack: NamedStack, problems: dict[str, str]) -> str:
    """Why a stack cannot be used: the first of its adapters that cannot."""
    names = (ref.name for ref in stack.adapters.adapters)
    return next(filter(None, (problems.get(name, f"there is no adapter {name}") for name in names)), "")
