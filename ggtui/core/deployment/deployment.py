"""A deployment: a name that clients send, what serves it, and the rules it serves by."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.deployment.policies import (
    CircuitBreakerPolicy,
    RateLimits,
    RetryPolicy,
    Serving,
    Timeouts,
)
from ggtui.core.deployment.pricing import FREE, Pricing
from ggtui.core.deployment.runtimes import RuntimeKind, choose_runtime

if TYPE_CHECKING:
    from ggtui.core.deployment.policies import Budget
    from ggtui.core.deployment.secret import SecretRef
    from ggtui.core.routing.adapters import AttachedAdapter


class ChoicePolicy(StrEnum):
    """Which of several places that could serve a request does."""

    AUTO = "auto"
    """As highest-context."""
    RANDOM = "random"
    LOW_LATENCY = "low-latency"
    """As highest-context; of equals the one that answered the last look soonest."""
    HIGHEST_CONTEXT = "highest-context"
    """The first of equals."""
    PRIORITY = "priority"
    """The first that is listed."""


class ApiKind(StrEnum):
    """How a server that is OpenAI's or like it is addressed."""

    DIRECT = "direct"
    AZURE = "azure"


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """What the runtime needs to know; each kind reads its own fields."""

    runtime: RuntimeKind | None = None
    kind: ApiKind = ApiKind.DIRECT
    endpoint: str = ""
    """URL of the server, up to what is common to all its paths."""
    api_key: SecretRef | None = None
    ctx: int | None = None
    """Tokens of context, where ggtui starts the server."""
    rpc: tuple[str, ...] = ()
    """`host:port` of the workers that share the model."""
    resource: str = ""
    """Azure's name for the place; with `deployment` and `api_version` it makes the URL."""
    deployment: str = ""
    api_version: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One `[[deployment]]` of the configuration, or what counts in its place for a model of the catalog."""

    name: str
    """What clients send."""
    model: str
    """Id in the catalog, path, or the name that another server knows."""
    runtime: RuntimeKind | None = None
    runtime_config: RuntimeConfig = field(default_factory=RuntimeConfig)
    gpus: int | None = None
    """For each replica; None leaves it to the server."""
    replicas: int = 1
    default: bool = False
    fallback: tuple[str, ...] = ()
    """Names that are asked, in order, when this one cannot serve."""
    policy: ChoicePolicy | None = None
    """Which backend serves it where several can; None for that of their group, else the common one."""
    groups: tuple[str, ...] = ()
    adapters: tuple[AttachedAdapter, ...] = ()
    serving: Serving = field(default_factory=Serving)
    rate_limits: RateLimits = field(default_factory=RateLimits)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    circuit_breaker: CircuitBreakerPolicy = field(default_factory=CircuitBreakerPolicy)
    timeouts: Timeouts = field(default_factory=Timeouts)
    pricing: Pricing = FREE
    budget: Budget | None = None
    idempotent: bool = True
    """False: a request that may have reached the server is never sent again."""

    def choose_runtime(self, *, is_local: bool) -> tuple[RuntimeKind, str]:
        """What serves it, and why. is_local: the model is in the catalog, or its name is an existing path."""
        return choose_runtime(self.runtime, self.runtime_config.runtime, self.model, is_local=is_local)


def implicit_deployment(public_id: str) -> Deployment:
    """What counts for a model of the catalog that has no deployment: no limit of its own, and no price."""
    return Deployment(public_id, public_id, RuntimeKind.LLAMA_SERVER)
