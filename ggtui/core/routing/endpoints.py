"""What a client may name: an id, its status, and the model and adapters behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ggtui.core.routing.adapters import BASE_ALONE, AdapterStack


class ModelId(str):
    """A name that clients send: `model`, or `model:adapter`.

    The two questions below look at the text alone, at the first colon. Names with colons of other kinds
    exist, so that no request is routed by them: see ModelRouter.
    """

    __slots__ = ()

    def is_base(self) -> bool:
        """True when the text has no colon."""
        return ":" not in self

    def adapter_name(self) -> str | None:
        """The text behind the first colon; None without one."""
        _, colon, adapter = self.partition(":")
        return adapter if colon else None


class EndpointStatus(StrEnum):
    """Whether an endpoint serves."""

    READY = "ready"
    """It is served: at once, or as soon as its model is loaded."""
    LOADING = "loading"
    """It can neither be served nor waited for yet."""
    ERROR = "error"
    DISABLED = "disabled"
    """A person switched it off."""

    @property
    def is_available(self) -> bool:
        """True when a request may be brought to it."""
        return self is EndpointStatus.READY


DEFAULT_MAX_CONTEXT = 4096
"""Tokens, for an endpoint of which nothing is known."""


@dataclass(frozen=True, slots=True)
class ModelEndpoint:
    """One thing that clients can ask for: a model alone, or with adapters."""

    id: ModelId
    base_model: str
    """Public id of the model that serves it."""
    display_name: str = ""
    """The id where nothing was given."""
    description: str = ""
    adapter: str | None = None
    """Name of its adapter or stack; need not be what stands behind the colon of the id."""
    max_context_length: int = DEFAULT_MAX_CONTEXT
    """Tokens that one request may use."""
    is_default: bool = False
    status: EndpointStatus = EndpointStatus.READY
    stack: AdapterStack = BASE_ALONE
    """What is applied to the model for each request to this endpoint."""
    capabilities: tuple[str, ...] = ()
    """See ModelSummary.capabilities."""
    deployment: str = ""
    """Name of the deployment whose rules count; empty for a model that has none of its own."""
    backends: tuple[str, ...] = ()
    """Names of the declared backends that serve it now; empty for what they do not serve."""
    why: str = ""
    """The reason for a status other than ready, one sentence; may be empty."""

    def __post_init__(self) -> None:
        if not self.display_name:
            object.__setattr__(self, "display_name", str(self.id))
