"""The rules of a deployment in words, as they count for what serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.deployment.policies import CapacityPolicy
from ggtui.core.deployment.pricing import usd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.policies import Budget, RateLimits
    from ggtui.core.deployment.runtimes import RuntimeKind


def rules_of(each: Deployment, kind: RuntimeKind) -> list[str]:
    """One phrase for each rule, defaults included where a rule counts without being set."""
    return [
        *_what_it_is(each),
        _serving(each, kind),
        *_rate_limits(each.rate_limits),
        _retry(each, kind),
        _breaker(each),
        _times(each, kind),
        *_prices(each),
        *(_budget(each.budget) if each.budget is not None else ()),
    ]


def _what_it_is(each: Deployment) -> Iterator[str]:
    if each.default:
        yield "serves requests that name no model"
    if each.runtime_config.ctx is not None:
        yield f"{each.runtime_config.ctx} tokens of context"
    if each.replicas > 1:
        yield f"{each.replicas} replicas"
    if each.gpus is not None:
        gpus = f"{each.gpus} {'GPU' if each.gpus == 1 else 'GPUs'}"
        yield f"{gpus} each" if each.replicas > 1 else gpus
    if each.adapters:
        yield "adapters " + ", ".join(f"{each.name}:{adapter.name}" for adapter in each.adapters)
    if each.fallback:
        yield f"falls back to {', then '.join(each.fallback)}"
    if each.groups:
        yield f"only by backends of {', '.join(each.groups)}"
    if each.policy is not None:
        yield f"policy {each.policy}, where several backends have the model"
    if each.runtime_config.api_key is not None:
        yield f"key from {each.runtime_config.api_key.described}"


def _serving(each: Deployment, kind: RuntimeKind) -> str:
    slots = each.serving.slots(kind)
    at_once = "as many requests at once as its server has slots" if slots is None else f"{slots} at once"
    if each.serving.on_capacity_exhausted is CapacityPolicy.QUEUE:
        waiting = f"{each.serving.queue_capacity} may wait {_time(each.serving.queue_timeout_s)}"
        return f"{at_once}, {waiting}"
    is_rejected = each.serving.on_capacity_exhausted is CapacityPolicy.REJECT
    return f"{at_once}, one more {'is refused' if is_rejected else 'goes to the fallback'}"


def _rate_limits(limits: RateLimits) -> Iterator[str]:
    found = [
        f"{most} {words}"
        for most, words in (
            (limits.requests_per_minute, "requests a minute"),
            (limits.tokens_per_minute, "tokens a minute"),
            (limits.concurrent_requests, "requests within the limits at once"),
        )
        if most is not None
    ]
    if found:
        whose = " for each API key" if limits.per_key else ""
        yield f"at most {', '.join(found)}{whose}{', counted with all ggtui here' if limits.strict else ''}"


def _retry(each: Deployment, kind: RuntimeKind) -> str:
    n = each.retry.retries(kind)
    if not each.idempotent or not n:
        return "no retries"
    waits = f"{_time(each.retry.initial_backoff_s)} to {_time(each.retry.max_backoff_s)}"
    return f"{n} {'retry' if n == 1 else 'retries'}, {waits} apart"


def _breaker(each: Deployment) -> str:
    rule = each.circuit_breaker
    return f"left alone for {_time(rule.open_duration_s)} after {rule.failure_threshold} failures in a row"


def _times(each: Deployment, kind: RuntimeKind) -> str:
    limits = each.timeouts.limits(kind)
    return f"{_time(limits.request_s)} to the first byte, {_time(limits.read_s)} between events"


def _prices(each: Deployment) -> Iterator[str]:
    price = each.pricing
    if price.is_free:
        return
    shown = [f"{_usd(price.input_pusd * 10**6)} USD in", f"{_usd(price.output_pusd * 10**6)} USD out"]
    if price.cached_input_pusd is not None:
        shown.insert(1, f"{_usd(price.cached_input_pusd * 10**6)} USD in from its cache")
    yield f"{', '.join(shown)} for a million tokens"


def _budget(budget: Budget) -> Iterator[str]:
    amounts = [
        f"{_usd(most)} USD {words}"
        for most, words in (
            (budget.max_spend_per_hour_pusd, "an hour"),
            (budget.max_spend_per_day_pusd, "a day"),
        )
        if most is not None
    ]
    if amounts:
        yield f"at most {', '.join(amounts)}, then {budget.on_exceeded}"


def _usd(amount_pusd: int) -> str:
    return f"{usd(amount_pusd):f}"


def _time(seconds: float) -> str:
    return f"{seconds:g} s"
