"""What was seen of a declared model: which of the observed ones it is, what it can do, how much it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.backends.backend import Capability
from ggtui.core.backends.names import canonical, is_same

if TYPE_CHECKING:
    from ggtui.core.backends.backend import DeclaredModel
    from ggtui.core.backends.observed import BackendState, PulledModel


def seen(state: BackendState, name: str) -> PulledModel | None:
    """The observed model that this name means there; None where it was not seen."""
    type = state.backend.type
    alike = [each for each in state.pulled_models if is_same(type, each.name, name)]
    exact = (each for each in alike if canonical(type, each.name) == canonical(type, name))
    return next(exact, alike[0] if alike else None)


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
