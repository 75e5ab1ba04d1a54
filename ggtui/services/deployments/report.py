"""A deployment as views show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.spend import Period
from ggtui.core.snapshot import DeploymentStatus

if TYPE_CHECKING:
    from ggtui.services.deployments.live import LiveDeployment


def status_of(live: LiveDeployment) -> DeploymentStatus:
    """Everything that is shown of it, at this moment."""
    clock, breaker, resources = live.clock, live.breaker, live.resources
    kind, why_kind = live.kind, live.why_kind
    state = breaker.state(clock.monotonic())
    is_timed = state is BreakerState.OPEN and not breaker.is_forced
    return DeploymentStatus(
        name=live.name,
        kind=kind,
        why_kind=why_kind,
        model=live.rules.model,
        state=live.state,
        why=live.why,
        in_flight=live.in_flight,
        queued=live.n_waiting,
        slots=resources.room.slots,
        limits=resources.limits.uses,
        breaker=state,
        is_breaker_forced=breaker.is_forced,
        retry_at=clock.unix() + breaker.retry_after_s(clock.monotonic()) if is_timed else None,
        spent_hour_pusd=resources.spending.spent_pusd(Period.HOUR),
        spent_day_pusd=resources.spending.spent_pusd(Period.DAY),
        budget=live.rules.budget,
        replicas=live.replicas,
        counts=live.counters,
    )
