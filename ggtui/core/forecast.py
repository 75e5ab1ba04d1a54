"""What the memory will hold once a model answers, whether it fits, and how much context would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from ggtui.core.context import advised_context
from ggtui.core.memory.confidence import Confidence, assurance
from ggtui.core.memory.inverse import UNKNOWN_CTX_CAP, LargestContext, Limit, largest_context, most_gpu_layers
from ggtui.core.memory.load import Load
from ggtui.core.memory.parts import Companions, Totals
from ggtui.core.memory.plan import MemoryPlan
from ggtui.core.memory.pool import PoolKind
from ggtui.core.memory.refusals import refusals
from ggtui.core.memory.request import request_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.memory.compute import MeasuredCompute
    from ggtui.core.memory.confidence import Assurance
    from ggtui.core.memory.parts import DeviceShare
    from ggtui.core.memory.pool import MemoryPool
    from ggtui.core.models import KvType, LaunchOptions, ModelSummary

SMALLEST_STOP = 1024
BESIDE = ("adapters_bytes", "projector_bytes", "draft_bytes")
"""Parts of what is loaded beside the model."""


class Verdict(StrEnum):
    """Whether a model can be loaded as chosen."""

    FITS = "fits"
    PART = "part"
    """The devices hold a part of it, main memory the rest."""
    NO = "no"
    GUESS = "guess"
    """It would fit, but a part of the sum is a guess."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One look ahead. The parts are those of the pool; what the host holds beside is in `devices` only."""

    n_ctx: int
    """Tokens of one request, as chosen."""
    after_bytes: int
    """Held by the pool once the model answers: others and the model."""
    total_bytes: int
    spare_bytes: int
    """total - after; the reserve is not taken off."""
    verdict: Verdict
    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    output_bytes: int
    pool: PoolKind
    largest_ctx: int | None
    """Tokens that fit wholly into the pool, a multiple of 256 or the trained maximum; None when none do."""
    n_devices: int = 0
    n_layers_on_gpu: int | None = None
    """For PART: how many layers the devices would take."""
    n_layers: int | None = None
    frees: tuple[str, ...] = ()
    """Public ids of the targets that would be stopped."""
    is_estimate: bool = True
    state_bytes: int = 0
    """Recurrent state, whatever the context."""
    overhead_bytes: int = 0
    """What the driver takes for the process."""
    beside_bytes: int = 0
    """Adapters, projector and draft model."""
    devices: tuple[DeviceShare, ...] = ()
    """What each device and, last, the host would hold; for PART with so many layers on the devices."""
    confidence: Confidence = Confidence.GOOD
    reasons: tuple[str, ...] = ()
    """Why the confidence is not higher."""
    refusal: str = ""
    """Why the launch would be refused whatever the memory; then the verdict is NO."""
    limit: Limit = Limit.MEMORY
    """What keeps `largest_ctx` from being larger."""
    n_servers: int = 1
    """Servers of the model that will be started; the parts are those of all of them."""
    n_wanted: int = 1
    """Servers that it shall have."""

    @property
    def model_bytes(self) -> int:
        """What the model itself takes of the pool."""
        context = self.kv_bytes + self.state_bytes + self.compute_bytes + self.output_bytes
        return self.weights_bytes + context + self.overhead_bytes + self.beside_bytes


def forecast(
    model: ModelSummary,
    n_ctx: int,
    options: LaunchOptions,
    pool: MemoryPool,
    frees: tuple[str, ...] = (),
    *,
    companions: Companions | None = None,
    measured: MeasuredCompute | None = None,
    n_servers: int = 1,
) -> Forecast | None:
    """What loading this model at this context leads to; None for a model that cannot be loaded at all.

    n_ctx: tokens of one request. measured: in place of what earlier loads of the file have taught.
    n_servers: servers alike that go to this pool together.
    Pure arithmetic, below a millisecond.
    """
    if model.problem is not None:
        return None
    load = Load(model, options, pool, companions, measured, n_servers)
    plan = load.plan()
    trust = _trust(load, plan)
    verdict, n_gpu_layers = _verdict(load, plan, n_ctx, trust.confidence)
    refused = refusals(model.shape, plan.request)
    ahead = _figures(load, plan, n_ctx, frees, trust)
    if verdict is Verdict.PART:
        ahead = _in_part(ahead, load, plan, n_gpu_layers)
    return replace(ahead, verdict=Verdict.NO if refused else verdict, refusal="; ".join(refused))


def _figures(load: Load, plan: MemoryPlan, n_ctx: int, frees: tuple[str, ...], trust: Assurance) -> Forecast:
    """The forecast without its verdict."""
    pool, shape = load.pool, load.model.shape
    shares = load.shares(plan, n_ctx)
    in_pool = Totals(tuple(share for share in shares if share.is_host is (pool.kind is PoolKind.RAM)))
    after = pool.used_by_others_bytes + in_pool.of("total_bytes")
    largest = _largest(load, plan)
    return Forecast(
        n_ctx=n_ctx,
        after_bytes=after,
        total_bytes=pool.total_bytes,
        spare_bytes=pool.total_bytes - after,
        verdict=Verdict.GUESS,
        weights_bytes=in_pool.of("weights_bytes"),
        kv_bytes=in_pool.of("kv_bytes"),
        compute_bytes=in_pool.of("compute_bytes"),
        output_bytes=in_pool.of("output_bytes"),
        pool=pool.kind,
        largest_ctx=largest.n_ctx,
        n_devices=pool.n_devices,
        n_layers=shape.n_layer_all if shape is not None else None,
        frees=frees,
        state_bytes=in_pool.of("state_bytes"),
        overhead_bytes=in_pool.of("overhead_bytes"),
        beside_bytes=sum(in_pool.of(part) for part in BESIDE),
        devices=shares,
        confidence=trust.confidence,
        reasons=trust.reasons,
        limit=largest.limit,
        n_servers=load.n_servers,
        n_wanted=load.n_servers,
    )


def _trust(load: Load, plan: MemoryPlan) -> Assurance:
    return assurance(
        load.model,
        plan.request,
        load.taught,
        is_overhead_known=load.pool.kind is PoolKind.RAM or load.overhead_bytes is not None,
        is_use_known=load.pool.is_use_known,
    )


def _in_part(ahead: Forecast, load: Load, plan: MemoryPlan, n_gpu_layers: int | None) -> Forecast:
    """The same with what each device would hold of so many layers, the output counted."""
    if n_gpu_layers is None or ahead.n_layers is None:
        return ahead
    devices = ahead.devices
    if plan.request.n_gpu_layers is None:
        devices = load.shares(load.plan(plan, n_gpu_layers), ahead.n_ctx)
    # For people the output is no layer.
    return replace(ahead, devices=devices, n_layers_on_gpu=min(n_gpu_layers, ahead.n_layers))


def _verdict(load: Load, plan: MemoryPlan, n_ctx: int, confidence: Confidence) -> tuple[Verdict, int | None]:
    """The verdict and, for PART, the layers on the devices, the output counted."""
    if load.pool.total_bytes <= 0:
        return Verdict.GUESS, None
    chosen = plan.request.n_gpu_layers
    n_all = plan.n_places
    if load.fits(plan, n_ctx):
        if confidence is Confidence.LOW:
            return Verdict.GUESS, None
        is_part = plan.uses_host_layers and load.pool.kind is PoolKind.GPU
        return (Verdict.PART, chosen) if is_part else (Verdict.FITS, None)
    if _may_fit(load, plan, n_ctx, confidence):
        return Verdict.GUESS, None
    if load.pool.kind is PoolKind.RAM or chosen is not None:
        return Verdict.NO, None

    def fits_so(n_gpu_layers: int) -> bool:
        return load.fits(load.plan(plan, n_gpu_layers), n_ctx)

    n_gpu_layers = most_gpu_layers(n_all, fits_so)
    if load.fits_in_part(load.plan(plan, n_gpu_layers), n_ctx):
        return Verdict.PART, n_gpu_layers
    return Verdict.NO, None


def _may_fit(load: Load, plan: MemoryPlan, n_ctx: int, confidence: Confidence) -> bool:
    """A cache by guess is rather too large, so only the other parts can prove that a model does not fit."""
    if confidence is not Confidence.LOW:
        return False
    need = sum(share.total_bytes - share.kv_bytes for share in load.shares(plan, n_ctx))
    return need <= load.pool.room_bytes


def largest_by_cache_type(
    model: ModelSummary,
    options: LaunchOptions,
    pool: MemoryPool,
    types: Iterable[KvType],
    *,
    n_servers: int = 1,
) -> tuple[LargestContext, ...]:
    """The largest context for each cache type, K and V alike, and what limits it. n_servers: see forecast."""
    found = []
    for kv_type in types:
        so = replace(options, cache_type_k=kv_type, cache_type_v=kv_type)
        load = Load(model, so, pool, n_servers=n_servers)
        if model.problem is not None or refusals(model.shape, load.request):
            found.append(LargestContext(None, Limit.REFUSED, kv_type))
        else:
            found.append(replace(_largest(load, load.plan()), cache_type=kv_type))
    return tuple(found)


def advised_ctx(
    model: ModelSummary, options: LaunchOptions, pool: MemoryPool, *, n_servers: int = 1
) -> int | None:
    """The context of this model when nobody chooses one, in tokens; None when its memory is not known.

    n_servers: see forecast.
    """
    if model.problem is not None or model.shape is None or pool.total_bytes <= 0:
        return None
    load = Load(model, options, pool, n_servers=n_servers)
    return advised_context(model.n_ctx_train, partial(load.fits, load.plan()))


def _largest(load: Load, plan: MemoryPlan) -> LargestContext:
    if load.model.shape is None:
        return LargestContext(None, Limit.MEMORY)
    return largest_context(load.model.n_ctx_train, partial(load.fits, plan))


def needed_bytes(
    model: ModelSummary, n_ctx: int, options: LaunchOptions, pool: MemoryPool, *, n_servers: int = 1
) -> int:
    """What this model takes of the pool at this context, tokens of one request. n_servers: see forecast."""
    load = Load(model, options, pool, n_servers=n_servers)
    shares = load.shares(load.plan(), n_ctx)
    return sum(share.total_bytes for share in shares if share.is_host is (pool.kind is PoolKind.RAM))


def allocated_bytes(model: ModelSummary, n_ctx: int, options: LaunchOptions) -> int:
    """What the engine allocates for this model beside its weights, wherever it puts it."""
    shares = MemoryPlan(model, request_of(options)).shares(n_ctx)
    return options.adapters_bytes + sum(share.total_bytes - share.weights_bytes for share in shares)


def context_stops(n_ctx_train: int | None) -> tuple[int, ...]:
    """The slider's stops in tokens, ascending: powers of two and their midpoints from 1k, and the maximum.

    n_ctx_train: what the model was trained for; None offers up to 128k.
    """
    cap = n_ctx_train or UNKNOWN_CTX_CAP
    powers = [SMALLEST_STOP << shift for shift in range(max(1, cap.bit_length()))]
    midpoints = [(low + high) // 2 for low, high in pairwise(powers)]
    return tuple(sorted({stop for stop in (*powers, *midpoints) if stop < cap} | {cap}))


def next_stop(n_ctx: int, n_ctx_train: int | None) -> int:
    """The stop above n_ctx, or the last one."""
    stops = context_stops(n_ctx_train)
    return next((stop for stop in stops if stop > n_ctx), stops[-1])


def previous_stop(n_ctx: int, n_ctx_train: int | None) -> int:
    """The stop below n_ctx, or the first one."""
    stops = context_stops(n_ctx_train)
    return next((stop for stop in reversed(stops) if stop < n_ctx), stops[0])
