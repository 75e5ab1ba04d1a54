"""What a load leads to: who goes for it, who stays, and what the memory holds then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ggtui.core.decisions import Phase, Resident
from ggtui.core.deployment.replicas import ONE
from ggtui.core.forecast import Forecast, Verdict
from ggtui.core.forecast_servers import forecast_servers, needs
from ggtui.core.residency import MemoryRoom, SingleRoom, victims_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.deployment.replicas import ReplicaPlan
    from ggtui.core.memory.compute import MeasuredCompute
    from ggtui.core.memory.pool import MemoryPool
    from ggtui.core.models import LaunchOptions, ModelSummary
    from ggtui.core.residency import Room

MEMORY = "memory"
"""The strategy that keeps as many models as the memory holds; any other keeps one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A server that takes up memory, as far as a look ahead needs to know it."""

    model_id: int
    public_id: str
    n_ctx: int = 0
    n_bytes: int = 0
    """What it takes of the pool, by forecast."""
    is_pinned: bool = False
    is_busy: bool = False
    """It has requests: it goes after those that have none."""
    is_ending: bool = False
    """It is being stopped anyway."""
    idle_s: float = 0.0
    """Seconds since it was last used."""
    load_s: float = 0.0
    """How long its load took."""


def look_ahead(
    model: ModelSummary,
    n_ctx: int,
    options: LaunchOptions,
    pool: MemoryPool,
    standing: Sequence[Standing] = (),
    *,
    strategy: str = "",
    budget_bytes: int = 0,
    measured: MeasuredCompute | None = None,
    plan: ReplicaPlan = ONE,
) -> Forecast | None:
    """The forecast of a load among the servers that stand; None for a model that cannot be loaded at all.

    pool: with the memory of all our servers given back. budget_bytes: what they may take together at
    most; 0 for what the machine has. Those that would go are chosen by the rule of the scheduler.
    plan: of a model that has several servers; as many are counted as will be started.
    """
    others = [each for each in standing if each.model_id != model.id and not each.is_ending]
    is_measured = strategy == MEMORY and model.problem is None
    first, more = needs(model, n_ctx, options, pool, plan) if is_measured else (0, 0)
    most = min(pool.room_bytes, budget_bytes) if budget_bytes else pool.room_bytes
    goes = _goes(model, n_ctx, first, most, others, strategy)
    stays = [each for each in others if goes is None or each not in goes]
    held = sum(each.n_bytes for each in stays)
    n_servers = plan.n
    while is_measured and n_servers > 1 and held + first + (n_servers - 1) * more > most:
        n_servers -= 1  # nobody is stopped for the second and later ones
    beside, frees = pool.beside(held), tuple(each.public_id for each in goes or ())
    ahead = forecast_servers(
        model, n_ctx, options, beside, plan, frees, n_servers=n_servers, measured=measured
    )
    if ahead is None or goes is not None:
        return ahead
    names = ", ".join(each.public_id for each in others if each.is_pinned)
    return replace(ahead, verdict=Verdict.NO, refusal=ahead.refusal or f"{names} is pinned and stays")


def _goes(
    model: ModelSummary,
    n_ctx: int,
    need_bytes: int,
    most_bytes: int,
    others: Sequence[Standing],
    strategy: str,
) -> list[Standing] | None:
    """Who goes, in the order of going; None when those who may go are too few.

    need_bytes: what the model takes. most_bytes: what all may take together.
    """
    if not others:
        return []
    residents = [_resident(number, each) for number, each in enumerate(others)]
    room: Room = SingleRoom()
    if strategy == MEMORY:
        taken = {each.model_id: each.n_bytes for each in others}
        taken[model.id] = need_bytes
        room = MemoryRoom(lambda model_id, _n_ctx: taken[model_id], lambda: most_bytes)
    candidates = [one for one, each in zip(residents, others, strict=True) if not each.is_pinned]
    victims = victims_for(room, residents, candidates, model.id, n_ctx, now=0.0)
    return None if victims is None else [others[each.launch_id] for each in victims]


def _resident(number: int, each: Standing) -> Resident:
    return Resident(
        launch_id=number,
        model_id=each.model_id,
        n_ctx=each.n_ctx,
        phase=Phase.READY,
        last_used=-each.idle_s,
        load_s=each.load_s,
        leases={0} if each.is_busy else set(),
    )
