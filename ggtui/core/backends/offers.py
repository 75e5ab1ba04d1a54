"""What declared backends offer under one name, as far as was seen: how much it reads, what it can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.backends.backend import Capability
from ggtui.core.backends.choice import places
from ggtui.core.backends.names import is_same
from ggtui.core.backends.sight import capabilities, seen
from ggtui.core.backends.wanted import asked, wanted
from ggtui.core.errors import EndpointNotReady, NoneMatched
from ggtui.core.routing.endpoints import EndpointStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ggtui.core.backends.backend import Backend, Declared
    from ggtui.core.backends.observed import BackendState


@dataclass(frozen=True, slots=True)
class BackendOffer:
    """One name, served by all its backends together."""

    backends: tuple[str, ...] = ()
    """Names of those that serve it now, as listed."""
    context_length: int = 0
    """Tokens, the most that one of them reads; 0 where nobody knows."""
    capabilities: frozenset[Capability] | None = None
    """What one of them or another can do; None where nobody knows of one of them."""
    status: EndpointStatus = EndpointStatus.READY
    why: str = ""
    """The reason for a status other than ready: each backend and why it is no place for it."""


def offer(
    declared: Declared, states: Sequence[BackendState], model: str, groups: Sequence[str] = ()
) -> BackendOffer:
    """What is offered under this name. groups: only backends in one of them; empty for all."""
    try:
        found = places(declared, states, model, groups=groups)
    except (EndpointNotReady, NoneMatched) as failure:
        return BackendOffer(status=_status(declared, states, model), why=failure.hint)
    names = {each.backend.name for each in found}
    able = [
        each
        for backend in asked(declared)
        if backend.name in names
        for each in _capabilities(declared, states, backend, model)
    ]
    known = [each for each in able if each is not None]
    return BackendOffer(
        tuple(each.name for each in asked(declared) if each.name in names),
        max(each.context_length for each in found),
        frozenset[Capability]().union(*known) if len(known) == len(able) else None,
    )


def _status(declared: Declared, states: Sequence[BackendState], model: str) -> EndpointStatus:
    """Why it is not ready: not looked at yet, or looked at in vain."""
    looked_at = {each.name for each in states if each.observed_at is not None}
    is_open = any(
        backend.name not in looked_at
        and any(is_same(backend.type, each.name, model) for each in wanted(declared, backend))
        for backend in asked(declared)
    )
    return EndpointStatus.LOADING if is_open else EndpointStatus.ERROR


def _capabilities(
    declared: Declared, states: Sequence[BackendState], backend: Backend, model: str
) -> Iterator[frozenset[Capability] | None]:
    state = next(each for each in states if each.name == backend.name)
    for each in wanted(declared, backend):
        if is_same(backend.type, each.name, model):
            yield capabilities(each, seen(state, each.name))
