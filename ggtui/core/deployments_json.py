"""Deployments in plain JSON values: what serves each, whether it does, and how far its rules are used up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.deployment.pricing import usd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.deployment.policies import Budget
    from ggtui.core.deployment.replicas import Replica
    from ggtui.core.snapshot import DeploymentCounts, DeploymentStatus, LimitUse

SCHEMA = 1
"""Grows when a field changes its meaning or goes away; new fields do not count."""


def deployments_document(deployments: Iterable[DeploymentStatus], now: float) -> dict[str, object]:
    """All deployments in the order of the configuration. now: Unix time."""
    return {"schema": SCHEMA, "deployments": [deployment_document(each, now) for each in deployments]}


def ordered_document(deployments: Iterable[DeploymentStatus], name: str, now: float) -> dict[str, object]:
    """One deployment after an order, under `deployment`; null where there is none of that name."""
    found = next((each for each in deployments if each.name == name), None)
    return {"schema": SCHEMA, "deployment": None if found is None else deployment_document(found, now)}


def declared_document(deployments: Iterable[DeploymentStatus]) -> dict[str, object]:
    """The same of deployments that nobody serves: whatever only a running ggtui knows is null."""
    return {"schema": SCHEMA, "deployments": [_declared(each) for each in deployments]}


def _declared(status: DeploymentStatus) -> dict[str, object]:
    unknown = ("state", "in_flight", "queued", "requests", "tokens_in", "tokens_out")
    amounts = ("cost_usd", "spent_hour_usd", "spent_day_usd")
    return {
        **deployment_document(status, 0.0),
        **dict.fromkeys((*unknown, *amounts)),
        "limits": {str(each.limit): _limit(each) | {"used": None} for each in status.limits},
        "breaker": dict.fromkeys(("state", "is_forced", "retry_after_s")),
    }


def deployment_document(status: DeploymentStatus, now: float) -> dict[str, object]:
    """One deployment. `slots` is null for any number; amounts are USD; now: Unix time.

    `retry_after_s` tells how long an open breaker lets nothing pass, null when nobody knows: it is held open.
    """
    return {
        "name": status.name,
        "runtime": str(status.kind),
        "why_runtime": status.why_kind,
        "model": status.model,
        "state": str(status.state),
        "why": status.why,
        "in_flight": status.in_flight,
        "queued": status.queued,
        "slots": status.slots,
        "replicas": [_replica(each) for each in status.replicas],
        "limits": {str(each.limit): _limit(each) for each in status.limits},
        "breaker": {
            "state": str(status.breaker),
            "is_forced": status.is_breaker_forced,
            "retry_after_s": _seconds_until(status.retry_at, now),
        },
        "requests": outcomes(status.counts),
        "tokens_in": status.counts.input_tokens,
        "tokens_out": status.counts.output_tokens,
        "cost_usd": amount(status.counts.cost_pusd),
        "spent_hour_usd": amount(status.spent_hour_pusd),
        "spent_day_usd": amount(status.spent_day_pusd),
        "budget": None if status.budget is None else _budget(status.budget),
    }


def _limit(each: LimitUse) -> dict[str, object]:
    """`key` names who has used most of it, where each key has the limit for itself."""
    by_key = {"key": each.client} if each.client else {}
    return {"used": each.used, "allowed": each.allowed, **by_key}


def _replica(each: Replica) -> dict[str, object]:
    """One of several servers; they are numbered from 1."""
    return {"number": each.index + 1, "state": str(each.state), "in_flight": each.in_flight}


def amount(pusd: int) -> float:
    """An amount in USD, to the precision of a float."""
    return float(usd(pusd))


def outcomes(counts: DeploymentCounts) -> dict[str, int]:
    """Requests by what became of them."""
    return {
        "succeeded": counts.succeeded,
        "failed": counts.failed,
        "rate_limited": counts.rate_limited,
        "circuit_open": counts.circuit_open,
        "timed_out": counts.timed_out,
        "content_filtered": counts.content_filtered,
        "refused": counts.refused,
    }


def _seconds_until(moment: float | None, now: float) -> float | None:
    return None if moment is None else round(max(0.0, moment - now), 1)


def _budget(budget: Budget) -> dict[str, object]:
    hour, day = budget.max_spend_per_hour_pusd, budget.max_spend_per_day_pusd
    return {
        "max_spend_per_hour_usd": None if hour is None else amount(hour),
        "max_spend_per_day_usd": None if day is None else amount(day),
        "on_exceeded": str(budget.on_exceeded),
    }
