"""The keys of a `[[deployment]]` and of the tables in it, and what each may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ggtui.config import adapter_tables, kinds
from ggtui.config.kinds import Kind, Misfit
from ggtui.config.settings import LARGEST_CTX
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
from ggtui.core.deployment.secret import Secret, SecretRef, SecretSource
from ggtui.core.routing.name_settings import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from enum import StrEnum

LARGEST_NUMBER: Final = 10**15
"""Of what is counted: far above any use, far below what a database counts with."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: the field that its value becomes, and what it may be. Two spellings may share a field."""

    field: str
    kind: Kind
    is_quoted: bool = True
    """False: a message does not repeat the value, which may be a key."""


@dataclass(frozen=True, slots=True)
class Part:
    """A table inside a deployment, with what is made of it."""

    make: Callable[..., object]
    keys: Mapping[str, Key]

    @property
    def expected(self) -> str:
        """Ends the sentence "serving must be …"."""
        return f"a table with any of {', '.join(each for each in self.keys if not each.endswith('_ms'))}"


def _no_text(_: str) -> NoReturn:
    raise ValueError


def _kind(expected: str, read: Callable[[object], object]) -> Kind:
    """Of what stands in the file only."""
    return Kind(expected, read, _no_text)


def _in_words(read: Callable[[Any, str], object], key: str, subject: str = "") -> Kind:
    """A reader of core that tells by itself what may be written. subject: what its text begins with."""

    def value(raw: object) -> object:
        try:
            return read(raw, key)
        except ValueError as error:
            raise Misfit("", str(error).removeprefix(f"{subject or key} ")) from None

    return _kind("", value)


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


def _text(raw: object) -> str:
    if not isinstance(raw, str) or not raw.isprintable() or len(raw) > LONGEST_NAME:
        raise ValueError
    return raw.strip()


def _texts(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list):
        raise ValueError
    return tuple(_text(each) for each in raw)


def _runtime(raw: object, _key: str) -> object:
    return parse_runtime(raw if isinstance(raw, str) else "")


def _secret(raw: object) -> SecretRef:
    if not isinstance(raw, dict):
        raise ValueError
    for key, value in raw.items():
        if key not in ("from", "name", "value"):
            raise Misfit(f".{key}", "is no key of this table", "the keys are from, name, value")
        if not isinstance(value, str) or not value.isprintable():
            raise Misfit(f".{key}", "must be one line of text")
    if raw.get("from") not in tuple(SecretSource):
        raise Misfit(".from", f"must be one of {', '.join(SecretSource)}")
    value = raw.get("value")
    try:
        return SecretRef(
            SecretSource(raw["from"]), raw.get("name", ""), None if value is None else Secret(value)
        )
    except ValueError as error:
        raise Misfit("", f"is not whole: {error}") from None


_WHOLE: Final = _kind("a whole number", _whole)
_NUMBER: Final = _kind("a number", _number)
_TEXT: Final = _kind(f"one line of text with at most {LONGEST_NAME} characters", _text)
_TEXTS: Final = _kind('a list of texts such as ["one", "two"]', _texts)
_RUNTIME: Final = _in_words(_runtime, "runtime")
_SECRET: Final = _kind('a table such as { from = "env", name = "OPENAI_API_KEY" }', _secret)


def _word(words: type[StrEnum]) -> Kind:
    return _kind("one of " + ", ".join(words), lambda raw: words(str(raw)))


def _span(name: str) -> dict[str, Key]:
    """A length of time, which has two spellings."""
    return {
        each: Key(f"{name}_s", _in_words(parse_duration, each), is_quoted=False)
        for each in (name, f"{name}_ms")
    }


def _keys(kind: Kind, *names: str) -> dict[str, Key]:
    return {name: Key(name, kind) for name in names}


def _hidden(kind: Kind, *names: str) -> dict[str, Key]:
    """Keys whose wrong value no message repeats."""
    return {name: Key(name, kind, is_quoted=False) for name in names}


def _money(read: Callable[[object, str], int], names: Iterable[tuple[str, str]]) -> dict[str, Key]:
    return {name: Key(field, _in_words(read, name)) for name, field in names}


_SERVING: Final = Part(
    Serving,
    _keys(_WHOLE, "max_concurrent", "queue_capacity")
    | _keys(_word(CapacityPolicy), "on_capacity_exhausted")
    | _span("queue_timeout"),
)
_RATE_LIMITS: Final = Part(
    RateLimits,
    _keys(_WHOLE, "requests_per_minute", "tokens_per_minute", "concurrent_requests")
    | _keys(kinds.SWITCH, "strict"),
)
_RETRY: Final = Part(
    RetryPolicy,
    _keys(_WHOLE, "max_retries")
    | _span("initial_backoff")
    | _span("max_backoff")
    | _keys(_NUMBER, "backoff_multiplier")
    | _keys(_word(Jitter), "jitter")
    | _keys(kinds.SWITCH, "respect_retry_after"),
)
_CIRCUIT_BREAKER: Final = Part(
    CircuitBreakerPolicy,
    _keys(_WHOLE, "failure_threshold", "half_open_max_probes") | _span("open_duration"),
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
    | _keys(_word(BudgetAction), "on_exceeded"),
)
_RUNTIME_CONFIG: Final = Part(
    RuntimeConfig,
    _hidden(_RUNTIME, "runtime")
    | _hidden(_word(ApiKind), "kind")
    | _hidden(_TEXT, "endpoint", "resource", "deployment", "api_version")
    | _hidden(_SECRET, "api_key")
    | _hidden(kinds.whole(1, LARGEST_CTX), "ctx")
    | _hidden(_TEXTS, "rpc"),
)

KEYS: Final[Mapping[str, Key | Part]] = {
    **_keys(_TEXT, "name", "model"),
    **_keys(_RUNTIME, "runtime"),
    "runtime_config": _RUNTIME_CONFIG,
    **_keys(_WHOLE, "gpus", "replicas"),
    **_keys(kinds.SWITCH, "default"),
    **_keys(_TEXTS, "fallback"),
    **_keys(_word(ChoicePolicy), "policy"),
    **_keys(_TEXTS, "groups"),
    **_keys(adapter_tables.ADAPTERS, "adapters"),
    "serving": _SERVING,
    "rate_limits": _RATE_LIMITS,
    "retry": _RETRY,
    "circuit_breaker": _CIRCUIT_BREAKER,
    "timeouts": _TIMEOUTS,
    "pricing": _PRICING,
    "budget": _BUDGET,
    **_keys(kinds.SWITCH, "idempotent"),
}
"""What a `[[deployment]]` may hold; the keys are the fields of Deployment."""
