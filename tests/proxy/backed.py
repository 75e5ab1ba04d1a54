"""Declared backends as tests of the door need them: each seen once, and out of the way after a failure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ggtui.core.backends.backend import Backend, BackendType, Declared, DeclaredModel
from ggtui.core.backends.choice import places
from ggtui.core.backends.observed import BackendState, PulledModel
from ggtui.core.deployment.secret import Secret
from ggtui.core.errors import EndpointNotReady
from ggtui.core.routing.endpoints import EndpointStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ggtui.core.backends.backend import Capability, Group
    from ggtui.core.backends.choice import BackendPlace
    from ggtui.core.deployment.deployment import ChoicePolicy
    from ggtui.core.errors import Failure


@dataclass
class StandingBackends:
    """The BackendsPort over what a test says was seen."""

    declared: Declared
    states: dict[str, BackendState] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    lost_keys: set[str] = field(default_factory=set)
    """Names of backends whose key cannot be read."""
    failures: list[tuple[str, str]] = field(default_factory=list)
    """What was reported: name and code of the failure."""
    r: Callable[[], float] = lambda: 0.0
    look: Callable[[], None] | None = None
    """What the look that runs will see; None when none runs."""

    def places(
        self,
        model: str,
        *,
        policy: ChoicePolicy | None = None,
        groups: Sequence[str] = (),
        capability: Capability | None = None,
    ) -> tuple[BackendPlace, ...]:
        states = tuple(self.states.values())
        return places(
            self.declared, states, model, policy=policy, groups=groups, capability=capability, r=self.r
        )

    async def key(self, name: str, chosen: Backend | None = None) -> Secret | None:
        declared = next((each for each in self.declared.backends if each.name == name), None)
        if declared is None or (chosen is not None and chosen.place != declared.place):
            raise EndpointNotReady(name, EndpointStatus.ERROR, hint=f"backend '{name}' is declared no more")
        if name in self.lost_keys:
            raise EndpointNotReady(name, EndpointStatus.ERROR, hint="there is no key")
        return Secret(self.keys[name]) if name in self.keys else None

    def failed(self, name: str, failure: Failure) -> None:
        self.failures.append((name, failure.code))
        self.states[name] = replace(self.states[name], error=failure.public)

    async def look_ended(self, model: str) -> bool:
        if self.look is None:
            return False
        self.look()
        self.look = None
        return True

    def well(self) -> None:
        """All of them are seen well again."""
        self.states = {name: replace(state, error="") for name, state in self.states.items()}


def one_of(
    name: str,
    port: int,
    *models: str | DeclaredModel,
    kind: BackendType = BackendType.VLLM,
    groups: tuple[str, ...] = (),
) -> Backend:
    """A backend of this machine that declares these models."""
    declared = tuple(DeclaredModel(each) if isinstance(each, str) else each for each in models)
    return Backend(name, kind, f"http://127.0.0.1:{port}", groups=groups, models=declared)


def standing(
    *backends: Backend, groups: tuple[Group, ...] = (), models: tuple[DeclaredModel, ...] = (), **more: Any
) -> StandingBackends:
    """All of them were seen well, with just the models that they declare."""
    found = StandingBackends(Declared(backends, models, groups), **more)
    for each in backends:
        see(found, each, *(PulledModel(model.name) for model in each.models))
    return found


def see(found: StandingBackends, backend: Backend, *pulled: PulledModel) -> None:
    """This backend was seen with these models."""
    names = tuple(each.name for each in backend.models)
    found.states[backend.name] = BackendState(
        backend.name, backend.name, backend, names, pulled, observed_at=1.0, last_seen=1.0, latency_s=0.001
    )
