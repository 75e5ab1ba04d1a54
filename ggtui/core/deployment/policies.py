"""The rules of a deployment, as values: how many it serves, how fast, how patiently, and for how much.

A default of None depends on what serves the deployment; a method beside it gives what is in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from ggtui.core.deployment.runtimes import RuntimeKind

REMOTE_MAX_CONCURRENT: Final = 32


class CapacityPolicy(StrEnum):
    """What happens to a request when every slot is taken."""

    REJECT = "reject"
    QUEUE = "queue"
    FALLBACK = "fallback"
    """The next deployment of the fallback list is asked."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How many requests are served at once, and how many may wait."""

    max_concurrent: int | None = None
    on_capacity_exhausted: CapacityPolicy = CapacityPolicy.QUEUE
    queue_capacity: int = 1024
    """Requests that may wait at once."""
    queue_timeout_s: float = 30.0

    def slots(self, kind: RuntimeKind) -> int | None:
        """Requests that are served at once; None where the server of this machine knows by itself."""
        if self.max_concurrent is None and not kind.is_local:
            return REMOTE_MAX_CONCURRENT
        return self.max_concurrent


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What is let through at most; None is no limit. The minute is any 60 seconds."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None
    strict: bool = False
    """True: all processes of ggtui on this machine count together."""
    per_key: bool = False
    """True: each API key of the door has these limits for itself."""


class Jitter(StrEnum):
    """How far apart the retries of several clients are spread."""

    NONE = "none"
    EQUAL = "equal"
    """Between half the delay and all of it."""
    FULL = "full"
    """Between nothing and the delay."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a failed request is tried again."""

    max_retries: int | None = None
    """After the first try."""
    initial_backoff_s: float = 1.0
    max_backoff_s: float = 60.0
    backoff_multiplier: float = 2.0
    jitter: Jitter = Jitter.EQUAL
    respect_retry_after: bool = True

    def retries(self, kind: RuntimeKind) -> int:
        """Retries in force: three, and one where another proxy stands between that tries again itself."""
        if self.max_retries is not None:
            return self.max_retries
        return 1 if kind is RuntimeKind.LITE_LLM else 3


@dataclass(frozen=True, slots=True)
class CircuitBreakerPolicy:
    """When a server is left alone, and how it is tried again."""

    failure_threshold: int = 10
    """Failures in a row that open it."""
    open_duration_s: float = 30.0
    half_open_max_probes: int = 1
    """Requests that try the server after that, at once."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """The limits in force for one request, in seconds. Its whole length has none."""

    connect_s: float
    request_s: float
    """From sending to the first byte."""
    read_s: float
    """Between two events of the answer."""


LOCAL_LIMITS: Final = TimeLimits(connect_s=2.0, request_s=600.0, read_s=60.0)
"""Reading a long prompt takes minutes; meanwhile llama-server says every 30 s that it lives."""
REMOTE_LIMITS: Final = TimeLimits(connect_s=10.0, request_s=30.0, read_s=10.0)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """What a person set of the limits."""

    request_timeout_s: float | None = None
    read_timeout_s: float | None = None

    def limits(self, kind: RuntimeKind) -> TimeLimits:
        """The limits in force."""
        usual = LOCAL_LIMITS if kind.is_local else REMOTE_LIMITS
        return TimeLimits(
            usual.connect_s,
            usual.request_s if self.request_timeout_s is None else self.request_timeout_s,
            usual.read_s if self.read_timeout_s is None else self.read_timeout_s,
        )


class BudgetAction(StrEnum):
    """What happens when a budget is spent."""

    REJECT = "reject"
    WARN = "warn"
    THROTTLE = "throttle"
    """Half as many requests are served at once."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent in any hour and in any 24 hours, in pusd (see pricing); None is no limit."""

    max_spend_per_hour_pusd: int | None = None
    max_spend_per_day_pusd: int | None = None
    on_exceeded: BudgetAction = BudgetAction.REJECT


class Priority(IntEnum):
    """Who waits in front of whom."""

    BACKGROUND = 0
    NORMAL = 1
    HIGH = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """As clients write it."""
        return self.name.lower()

    @classmethod
    def parse(cls, word: str) -> Priority:
        """The priority of this word, in any case. Raises: ValueError, with a text that lists them."""
        for priority in cls:
            if priority.word == word.strip().lower():
                return priority
        raise ValueError(f"priority must be one of {', '.join(each.word for each in cls)}")
