"""The keys of a `[[deployment]]` and of the tables in it, and what each may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ggtui.config import adapter_tables, kinds
from ggtui.config.kinds import Kind, Misfit
from ggtui.config.settings import LARGEST_CTX
from ggtui.config.table_kinds import SECRET, TEXT, TEXTS, file_kind, hidden_keys_of, keys_of, word_of
from ggtui.config.table_reader import Key, Part
from ggtui.core.deployment.deployment import ApiKind, ChoicePolicy, RuntimeConfig
from ggtui.core.deployment.durations import parse_duration
from ggtui.core.deployment.policies import (
    Budget,
    BudgetAction,
    CapacityPolicy,
    CircuitBreakerPolicy,
    Jitter,
    RateLimits,
    RetryPolicy,
    Serving,
    Timeouts,
)
from ggtui.core.deployment.pricing import Pricing, parse_price, parse_usd
from ggtui.core.deployment.runtimes import parse_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LARGEST_NUMBER: Final = 10**15
"""Of what is counted: far above any use, far below what a database counts with."""


def _in_words(read: Callable[[Any, str], object], key: str, subject: str = "") -> Kind:
    """A reader of core that tells by itself what may be written. subject: what its text begins with."""

    def value(raw: object) -> object:
        try:
            return read(raw, key)
        except ValueError as error:
            raise Misfit("", str(error).removeprefix(f"{subject or key} ")) from None

    return file_kind("", value)


def _whole(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or abs(raw) > LARGEST_NUMBER:
        raise ValueError
    return raw


def _number(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        raise ValueError
    if not abs(raw) <= LARGEST_NUMBER:  # so that nan is refused too
        raise ValueError
    return float(raw)


def _runtime(raw: object, _key: str) -> object:
    return parse_runtime(raw if isinstance(raw, str) else "")


_WHOLE: Final = file_kind("a whole number", _whole)
_NUMBER: Final = file_kind("a number", _number)
_RUNTIME: Final = _in_words(_runtime, "runtime")


def _span(name: str) -> dict[str, Key]:
    """A length of time, which has two spellings."""
    return {
        each: Key(f"{name}_s", _in_words(parse_duration, each), is_quoted=False)
        for each in (name, f"{name}_ms")
    }


def _money(read: Callable[[object, str], int], names: Iterable[tuple[str, str]]) -> dict[str, Key]:
    return {name: Key(field, _in_words(read, name)) for name, field in names}


_SERVING: Final = Part(
    Serving,
    keys_of(_WHOLE, "max_concurrent", "queue_capacity")
    | keys_of(word_of(CapacityPolicy), "on_capacity_exhausted")
    | _span("queue_timeout"),
)
_RATE_LIMITS: Final = Part(
    RateLimits,
    keys_of(_WHOLE, "requests_per_minute", "tokens_per_minute", "concurrent_requests")
    | keys_of(kinds.SWITCH, "strict", "per_key"),
)
_RETRY: Final = Part(
    RetryPolicy,
    keys_of(_WHOLE, "max_retries")
    | _span("initial_backoff")
    | _span("max_backoff")
    | keys_of(_NUMBER, "backoff_multiplier")
    | keys_of(word_of(Jitter), "jitter")
    | keys_of(kinds.SWITCH, "respect_retry_after"),
)
_CIRCUIT_BREAKER: Final = Part(
    CircuitBreakerPolicy,
    keys_of(_WHOLE, "failure_threshold", "half_open_max_probes") | _span("open_duration"),
)
_TIMEOUTS: Final = Part(Timeouts, _span("request_timeout") | _span("read_timeout"))
_PRICING: Final = Part(
    Pricing,
    _money(
        parse_price,
        [(f"{each}_per_mtok_usd", f"{each}_pusd") for each in ("input", "output", "cached_input")],
    ),
)
_BUDGET: Final = Part(
    Budget,
    _money(
        parse_usd,
        [(f"max_spend_per_{each}_usd", f"max_spend_per_{each}_pusd") for each in ("hour", "day")],
    )
    | keys_of(word_of(BudgetAction), "on_exceeded"),
)
_RUNTIME_CONFIG: Final = Part(
    RuntimeConfig,
    hidden_keys_of(_RUNTIME, "runtime")
    | hidden_keys_of(word_of(ApiKind), "kind")
    | hidden_keys_of(TEXT, "endpoint", "resource", "deployment", "api_version")
    | hidden_keys_of(SECRET, "api_key")
    | hidden_keys_of(kinds.whole(1, LARGEST_CTX), "ctx")
    | hidden_keys_of(TEXTS, "rpc"),
)

KEYS: Final[Mapping[str, Key | Part]] = {
    **keys_of(TEXT, "name", "model"),
    **keys_of(_RUNTIME, "runtime"),
    "runtime_config": _RUNTIME_CONFIG,
    **keys_of(_WHOLE, "gpus", "replicas"),
    **keys_of(kinds.SWITCH, "default"),
    **keys_of(TEXTS, "fallback"),
    **keys_of(word_of(ChoicePolicy), "policy"),
    **keys_of(TEXTS, "groups"),
    **keys_of(adapter_tables.ADAPTERS, "adapters"),
    "serving": _SERVING,
    "rate_limits": _RATE_LIMITS,
    "retry": _RETRY,
    "circuit_breaker": _CIRCUIT_BREAKER,
    "timeouts": _TIMEOUTS,
    "pricing": _PRICING,
    "budget": _BUDGET,
    **keys_of(kinds.SWITCH, "idempotent"),
}
"""What a `[[deployment]]` may hold; the keys are the fields of Deployment."""
