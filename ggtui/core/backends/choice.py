"""Which backends a request may go to, and in which order they are tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ggtui.core.backends.names import is_same
from ggtui.core.backends.sight import capabilities, context_length, seen
from ggtui.core.backends.wanted import asked, wanted_as
from ggtui.core.deployment.deployment import ChoicePolicy
from ggtui.core.errors import CapabilityMissing, EndpointNotReady, NoneMatched
from ggtui.core.routing.endpoints import EndpointStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ggtui.core.backends.backend import Backend, Capability, Declared, DeclaredModel
    from ggtui.core.backends.observed import BackendState, PulledModel

_LAST: Final = float("inf")


@dataclass(frozen=True, slots=True)
class BackendPlace:
    """One backend that serves a model."""

    backend: Backend
    model: str
    """The name to send."""
    context_length: int = 0
    """Tokens; 0 where nobody knows."""
    latency_s: float | None = None
    """Of the last look; None where it is not known."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """One backend that should have the model, with what is known of it."""

    backend: Backend
    model: DeclaredModel
    state: BackendState | None
    pulled: PulledModel | None

    @property
    def context_length(self) -> int:
        return context_length(self.model, self.pulled)

    def lacks(self, capability: Capability | None) -> bool:
        able = capabilities(self.model, self.pulled)
        return capability is not None and able is not None and capability not in able

    def is_short(self, n_ctx: int) -> bool:
        return 0 < self.context_length < n_ctx

    @property
    def is_unseen(self) -> bool:
        """True before the first look at it."""
        return self.state is None or self.state.observed_at is None

    @property
    def is_asleep(self) -> bool:
        """True while it gets no traffic at all."""
        return self.state is None or not self.state.is_ready


@dataclass(frozen=True, slots=True)
class _Need:
    """What a request asks of a place."""

    groups: Sequence[str]
    capability: Capability | None
    n_ctx: int


def places(
    declared: Declared,
    states: Sequence[BackendState],
    model: str,
    *,
    policy: ChoicePolicy | None = None,
    groups: Sequence[str] = (),
    capability: Capability | None = None,
    n_ctx: int = 0,
    r: Callable[[], float] = lambda: 0.0,
) -> tuple[BackendPlace, ...]:
    """The backends that serve a model now, in the order to try; at least one.

    policy: None for that of the group, else the common one. groups: only backends in one of them; empty for
    all. capability: what the request asks for; not refused where nobody knows what the model can do.
    n_ctx: tokens that the request needs; 0 for any. r: from 0 up to 1, for the order of `random`.
    Raises: NoneMatched, CapabilityMissing, EndpointNotReady.
    """
    claims = tuple(_claims(declared, states, model, groups))
    able = _able(claims, model, capability)
    wide = [each for each in able if not each.is_short(n_ctx)]
    ready = [each for each in wide if not each.is_asleep and each.pulled is not None]
    if ready:
        order = policy or _policy(declared, ready, groups)
        return tuple(_place(each) for each in _ordered(ready, order, r))
    reasons = _reasons(declared, states, model, claims, _Need(groups, capability, n_ctx))
    asleep = [each for each in wide if each.is_asleep]
    if not asleep:
        raise NoneMatched(hint=reasons)
    is_open = any(each.is_unseen for each in asleep)
    raise EndpointNotReady(model, EndpointStatus.LOADING if is_open else EndpointStatus.ERROR, hint=reasons)


def _claims(
    declared: Declared, states: Sequence[BackendState], model: str, groups: Sequence[str]
) -> Iterator[_Claim]:
    by_name = {each.name: each for each in states}
    for backend in asked(declared):
        if _is_outside(declared, backend, groups):
            continue
        each = wanted_as(declared, backend, model)
        if each is not None:
            state = by_name.get(backend.name)
            yield _Claim(backend, each, state, None if state is None else seen(state, each.name))


def _is_outside(declared: Declared, backend: Backend, groups: Sequence[str]) -> bool:
    return bool(declared.has_groups and groups) and not set(groups) & set(backend.groups)


def _able(claims: Sequence[_Claim], model: str, capability: Capability | None) -> list[_Claim]:
    """Those that can do what is asked. Raises: CapabilityMissing when none of several claims can."""
    able = [each for each in claims if not each.lacks(capability)]
    if claims and not able:
        names = ", ".join(each.backend.name for each in claims)
        raise CapabilityMissing(f"model '{model}' cannot {capability}", hint=f"it is served by {names}")
    return able


def _policy(declared: Declared, ready: Sequence[_Claim], groups: Sequence[str]) -> ChoicePolicy:
    """That of the first group that brings the model to one of these, else the common one."""
    shared = {group for each in ready for group in each.model.groups if not groups or group in groups}
    own = (each.policy for each in declared.groups if each.name in shared and each.policy is not None)
    return next(own, declared.policy)


def _ordered(ready: Sequence[_Claim], policy: ChoicePolicy, r: Callable[[], float]) -> list[_Claim]:
    if policy is ChoicePolicy.PRIORITY:
        return list(ready)
    if policy is ChoicePolicy.RANDOM:
        return _shuffled(ready, r)
    if policy is ChoicePolicy.LOW_LATENCY:
        return sorted(ready, key=lambda each: (-each.context_length, _latency(each)))
    return sorted(ready, key=lambda each: -each.context_length)


def _shuffled(ready: Iterable[_Claim], r: Callable[[], float]) -> list[_Claim]:
    left, order = list(ready), []
    while left:
        order.append(left.pop(min(int(r() * len(left)), len(left) - 1)))
    return order


def _latency(claim: _Claim) -> float:
    latency = None if claim.state is None else claim.state.latency_s
    return _LAST if latency is None else latency


def _place(claim: _Claim) -> BackendPlace:
    assert claim.state is not None
    assert claim.pulled is not None
    name = claim.pulled.model or claim.pulled.name
    return BackendPlace(claim.backend, name, claim.context_length, claim.state.latency_s)


def _reasons(
    declared: Declared,
    states: Sequence[BackendState],
    model: str,
    claims: Sequence[_Claim],
    need: _Need,
) -> str:
    """Each backend that has to do with the model, and why it is no place for it."""
    by_claim = {each.backend.name: each for each in claims}
    by_state = {each.name: each for each in states}
    words = []
    for backend in declared.backends:
        if (claim := by_claim.get(backend.name)) is not None:
            words.append(f"{backend.name}: {_why_not(claim, need)}")
        elif why := _why_no_claim(declared, backend, by_state.get(backend.name), model, need.groups):
            words.append(f"{backend.name}: {why}")
    return "; ".join(words)


def _why_not(claim: _Claim, need: _Need) -> str:
    if claim.lacks(need.capability):
        return f"its model cannot {need.capability}"
    if claim.is_short(need.n_ctx):
        return f"has {claim.context_length} tokens of context, and {need.n_ctx} are needed"
    if claim.state is None or claim.is_unseen:
        return "not asked yet"
    return claim.state.error or "does not have it"


def _why_no_claim(
    declared: Declared, backend: Backend, state: BackendState | None, model: str, groups: Sequence[str]
) -> str:
    if declared.has_groups and not backend.groups:
        return "is in no group"
    if _is_outside(declared, backend, groups):
        return f"is in none of the groups {', '.join(groups)}"
    if state is not None and seen(state, model) is not None:
        return "has it, and it is not declared there"
    is_elsewhere = any(is_same(backend.type, each.name, model) for each in declared.models)
    return "shares no group with it" if declared.has_groups and is_elsewhere else "it is not declared there"
