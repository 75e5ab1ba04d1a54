"""What was seen of a declared model: which of the observed ones it is, what it can do, how much it reads."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ggtui.core.backends.backend import Capability
from ggtui.core.backends.names import canonical, identity

if TYPE_CHECKING:
    from ggtui.core.backends.backend import BackendType, DeclaredModel
    from ggtui.core.backends.observed import BackendState, PulledModel


def seen(state: BackendState, name: str) -> PulledModel | None:
    """The observed model that this name means there; None where it was not seen."""
    type = state.backend.type
    alike = _by_identity(type, _Models(state.pulled_models)).get(identity(type, name), ())
    exact = (each for each in alike if canonical(type, each.name) == canonical(type, name))
    return next(exact, alike[0] if alike else None)


class _Models:
    """The models of one look, the same only as themselves: to compare thousands costs more than to ask."""

    __slots__ = ("models",)

    def __init__(self, models: tuple[PulledModel, ...]) -> None:
        self.models = models

    def __hash__(self) -> int:
        return id(self.models)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Models) and other.models is self.models


@lru_cache(maxsize=32)
def _by_identity(type: BackendType, seen: _Models) -> dict[str, list[PulledModel]]:
    """Providers list thousands, and each declared model is looked for in every cycle."""
    found: dict[str, list[PulledModel]] = {}
    for each in seen.models:
        found.setdefault(identity(type, each.name), []).append(each)
    return found


def told_capabilities(pulled: PulledModel) -> frozenset[Capability] | None:
    """What the backend tells; None where it tells nothing."""
    told = {
        Capability.CHAT: pulled.can_chat,
        Capability.EMBED: pulled.can_embed,
        Capability.PROMPT: pulled.can_prompt,
        Capability.STREAM: pulled.can_stream,
    }
    return frozenset(each for each, can in told.items() if can) or None


def capabilities(model: DeclaredModel, pulled: PulledModel | None) -> frozenset[Capability] | None:
    """What counts: the declared ones, else those that the backend tells; None when nobody knows."""
    if model.capabilities is not None:
        return model.capabilities
    return None if pulled is None else told_capabilities(pulled)


def context_length(model: DeclaredModel, pulled: PulledModel | None) -> int:
    """Tokens that count: the declared ones, else those that the backend tells; 0 when nobody knows."""
    if model.context_length is not None:
        return model.context_length
    return 0 if pulled is None else pulled.context_length
