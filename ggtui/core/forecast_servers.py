"""What the memory will hold once all servers of a model answer, each on the part that it gets."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Final

from ggtui.core.deployment.replicas import ONE
from ggtui.core.deployment.server_pools import pool_of_server, roster_of_pool, shared_pools
from ggtui.core.deployment.shares import check_gpus
from ggtui.core.errors.launch import NoGpuNodes, NotEnoughGpus
from ggtui.core.forecast import (
    Forecast,
    Verdict,
    advised_ctx,
    forecast,
    largest_by_cache_type,
    needed_bytes,
)
from ggtui.core.memory.parts import together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.deployment.replicas import ReplicaPlan
    from ggtui.core.memory.compute import MeasuredCompute
    from ggtui.core.memory.inverse import LargestContext
    from ggtui.core.memory.parts import DeviceShare
    from ggtui.core.memory.pool import MemoryPool
    from ggtui.core.models import KvType, LaunchOptions, ModelSummary

_BEST_FIRST: Final = (Verdict.FITS, Verdict.GUESS, Verdict.PART, Verdict.NO)


def forecast_servers(
    model: ModelSummary,
    n_ctx: int,
    options: LaunchOptions,
    pool: MemoryPool,
    plan: ReplicaPlan = ONE,
    frees: tuple[str, ...] = (),
    *,
    n_servers: int | None = None,
    measured: MeasuredCompute | None = None,
) -> Forecast | None:
    """As `forecast`, of all servers of a model together; the verdict is that of the one that fares worst.

    n_servers: how many will be started; None for as many as there shall be.
    """
    if plan == ONE:
        return forecast(model, n_ctx, options, pool, frees, measured=measured)
    ahead = [
        forecast(model, n_ctx, options, each.pool, frees, measured=measured, n_servers=each.n_servers)
        for each in shared_pools(plan, pool, n_servers)
    ]
    known = [each for each in ahead if each is not None]
    if len(known) < len(ahead):
        return None
    found = replace(reduce(_both, known), n_wanted=plan.n)
    try:
        check_gpus(plan, roster_of_pool(pool))
    except (NoGpuNodes, NotEnoughGpus) as failure:
        return replace(found, verdict=Verdict.NO, refusal=found.refusal or failure.cause)
    return found


def _both(one: Forecast, other: Forecast) -> Forecast:
    """Two forecasts of servers alike on different parts of the memory, as one."""
    worst = max(one, other, key=lambda each: _BEST_FIRST.index(each.verdict))
    smaller = min(one, other, key=lambda each: each.largest_ctx or 0)
    *of_one, host = one.devices
    *of_other, other_host = other.devices
    sums = (
        *("after_bytes", "total_bytes", "spare_bytes", "weights_bytes", "kv_bytes", "compute_bytes"),
        *("output_bytes", "state_bytes", "overhead_bytes", "beside_bytes", "n_devices", "n_servers"),
    )
    devices: tuple[DeviceShare, ...] = (*of_one, *of_other, together((host, other_host)))
    return replace(
        worst,
        largest_ctx=smaller.largest_ctx,
        limit=smaller.limit,
        devices=devices,
        **{name: getattr(one, name) + getattr(other, name) for name in sums},
    )


def needs(
    model: ModelSummary, n_ctx: int, options: LaunchOptions, pool: MemoryPool, plan: ReplicaPlan = ONE
) -> tuple[int, int]:
    """What the first server of a model takes, and what each further one takes beside it.

    What several map of the same file is there once.
    """
    own = pool_of_server(plan, pool)
    first = needed_bytes(model, n_ctx, options, own)
    return first, needed_bytes(model, n_ctx, options, own, n_servers=2) - first if plan.n > 1 else first


def advised_ctx_of_servers(
    model: ModelSummary, options: LaunchOptions, pool: MemoryPool, plan: ReplicaPlan = ONE
) -> int | None:
    """As `advised_ctx`, where every server of the model is to have it."""
    if plan == ONE:
        return advised_ctx(model, options, pool)
    found = [
        advised_ctx(model, options, each.pool, n_servers=each.n_servers) for each in shared_pools(plan, pool)
    ]
    return min((each for each in found if each is not None), default=None)


def largest_of_servers(
    model: ModelSummary,
    options: LaunchOptions,
    pool: MemoryPool,
    types: Iterable[KvType],
    plan: ReplicaPlan = ONE,
) -> tuple[LargestContext, ...]:
    """As `largest_by_cache_type`, where every server of the model is to have it."""
    types = tuple(types)
    found = [
        largest_by_cache_type(model, options, each.pool, types, n_servers=each.n_servers)
        for each in shared_pools(plan, pool)
    ]
    return tuple(min(each, key=lambda largest: largest.n_ctx or 0) for each in zip(*found, strict=True))
