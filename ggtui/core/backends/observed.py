"""What was observed of a backend: its models, and what went wrong when it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ggtui.core.backends.backend import Backend


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What a backend tells of a model beyond its name, as Ollama names it; empty where it tells nothing."""

    parent_model: str = ""
    format: str = ""
    family: str = ""
    families: tuple[str, ...] = ()
    parameter_size: str = ""
    quantization_level: str = ""


@dataclass(frozen=True, slots=True)
class PulledModel:
    """A model that a backend has."""

    name: str
    model: str = ""
    """The name to send; empty for the same."""
    modified_at: float | None = None
    """Unix time; None where it is not told."""
    size_bytes: int = 0
    digest: str = ""
    details: ModelDetails = field(default_factory=ModelDetails)
    context_length: int = 0
    """Tokens; 0 where it is not told."""
    can_chat: bool = False
    can_embed: bool = False
    can_prompt: bool = False
    can_stream: bool = False
    is_loaded: bool | None = None
    """Whether it is in memory now; None where it is not told."""


@dataclass(frozen=True, slots=True)
class BackendState:
    """What is known of one backend now."""

    id: str
    name: str
    backend: Backend
    models: tuple[str, ...] = ()
    """Names that are wanted there: the declared ones."""
    pulled_models: tuple[PulledModel, ...] = ()
    """What it has. After an error those of the last time when it was well, which get no traffic."""
    error: str = ""
    """Why the last look failed; empty when it went well."""
    last_seen: float | None = None
    """Unix time of the last look that went well."""
    observed_at: float | None = None
    """Unix time of the last look; None before the first."""
    latency_s: float | None = None
    """How long it took to answer the last look."""
    key_ending: str = ""
    """The last four characters of its key, as it was read last; empty without one, and of a short one."""

    @property
    def looked_at(self) -> float:
        """Unix time at which the last look began: what came later it need not have seen."""
        return (self.observed_at or 0.0) - (self.latency_s or 0.0)

    @property
    def is_ready(self) -> bool:
        """True when it may get traffic."""
        return self.observed_at is not None and not self.error
