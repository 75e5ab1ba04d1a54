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
from ggtui.core.memory.plan import MemoryPlan
from ggtui.core.memory.pool import PoolKind
from ggtui.core.memory.refusals import refusals
from ggtui.core.memory.request import LoadRequest, request_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.memory.compute import MeasuredCompute
    from ggtui.core.memory.parts import Companions, DeviceShare
    from ggtui.core.memory.pool import MemoryPool
    from ggtui.core.models import KvType, LaunchOptions, ModelSummary

SMALLEST_STOP = 1024


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

    @property
    def model_bytes(self) -> int:
        """What the model itself takes of the pool."""
        context = self.kv_bytes + self.state_bytes + self.compute_bytes + self.output_bytes
        return self.weights_bytes + context + self.overhead_bytes + self.beside_bytes


@dataclass(frozen=True, slots=True)
class Load:
    """A model, how it would be launched and where: what stays the same while its context moves."""

    model: ModelSummary
    options: LaunchOptions
    pool: MemoryPool
    companions: Companions | None = None
    measured: MeasuredCompute | None = None
    """Given in place of what earlier loads of the file have taught."""

    @property
    def taught(self) -> MeasuredCompute | None:
        """The newest that a load of this kind has taught; None before the first."""
        shape = self.model.shape
        if self.measured is not None or shape is None:
            return self.measured
        return next((each for each in self.model.measured if each.suits(shape, self.request)), None)

    def plan(self, like: MemoryPlan | None = None, n_gpu_layers: int | None = None) -> MemoryPlan:
        """The plan of this load. like: one of the same load, when only the layers on devices differ."""
        return MemoryPlan(
            self.model,
            self.request if like is None else replace(like.request, n_gpu_layers=n_gpu_layers),
            self.pool.rooms,
            companions=self.companions,
            measured=self.taught,
            ladder=None if like is None else like.ladder,
        )

    @property
    def request(self) -> LoadRequest:
        """The load as the memory sees it."""
        return request_of(self.options)

    def fits(self, plan: MemoryPlan, n_ctx: int) -> bool:
        """True when every device, and the host beside them, has room for its share."""
        *on_devices, host = plan.shares(n_ctx)
        if self.pool.kind is PoolKind.RAM:
            return host.total_bytes <= self.pool.room_bytes
        rooms = self.pool.rooms
        if any(share.total_bytes > room.room_bytes for share, room in zip(on_devices, rooms, strict=True)):
            return False
        return host.allocated_bytes <= self.pool.overflow_bytes or not self.pool.overflow_bytes

    def fits_in_part(self, plan: MemoryPlan, n_ctx: int) -> bool:
        """True when main memory also holds the weights that the devices do not."""
        host = plan.shares(n_ctx)[-1]
        return host.total_bytes <= self.pool.overflow_bytes and self.fits(plan, n_ctx)


def forecast(
    model: ModelSummary,
    n_ctx: int,
    options: LaunchOptions,
    pool: MemoryPool,
    frees: tuple[str, ...] = (),
    *,
    companions: Companions | None = None,
    measured: MeasuredCompute | None = None,
) -> Forecast | None:
    """What loading this model at this context leads to; None for a model that cannot be loaded at all.

    n_ctx: tokens of one request. measured: in place of what earlier loads of the file have taught.
    Pure arithmetic, below a millisecond.
    """
    if model.problem is not None:
        return None
    load = Load(model, options, pool, companions, measured)
    plan = load.plan()
    shares = plan.shares(n_ctx)
    in_pool = [share for share in shares if share.is_host is (pool.kind is PoolKind.RAM)]
    taught = load.taught
    trust = assurance(
        model,
        plan.request,
        taught,
        is_overhead_known=pool.kind is PoolKind.RAM
        or (taught is not None and taught.overhead_bytes is not None),
        is_use_known=pool.is_use_known,
    )
    verdict, n_gpu_layers = _verdict(load, plan, n_ctx, trust.confidence)
    refused = refusals(model.shape, plan.request)
    largest = _largest(load, plan)
    if verdict is Verdict.PART and n_gpu_layers is not None and plan.request.n_gpu_layers is None:
        shares = load.plan(plan, n_gpu_layers).shares(n_ctx)
    after = pool.used_by_others_bytes + sum(share.total_bytes for share in in_pool)
    n_layers = model.shape.n_layer_all if model.shape is not None else None
    return Forecast(
        n_ctx=n_ctx,
        after_bytes=after,
        total_bytes=pool.total_bytes,
        spare_bytes=pool.total_bytes - after,
        verdict=Verdict.NO if refused else verdict,
        weights_bytes=sum(share.weights_bytes for share in in_pool),
        kv_bytes=sum(share.kv_bytes for share in in_pool),
        compute_bytes=sum(share.compute_bytes for share in in_pool),
        output_bytes=sum(share.output_bytes for share in in_pool),
        pool=pool.kind,
        largest_ctx=largest.n_ctx,
        n_devices=pool.n_devices,
        n_layers_on_gpu=_in_layers(n_gpu_layers, n_layers) if verdict is Verdict.PART else None,
        n_layers=n_layers,
        frees=frees,
        state_bytes=sum(share.state_bytes for share in in_pool),
        overhead_bytes=sum(share.overhead_bytes for share in in_pool),
        beside_bytes=sum(_beside(share) for share in in_pool),
        devices=shares,
        confidence=trust.confidence,
        reasons=trust.reasons,
        refusal="; ".join(refused),
        limit=largest.limit,
    )


def _tells_overhead(taught: MeasuredCompute | None) -> bool:
    return taught is not None and taught.overhead_bytes is not None


def _beside(share: DeviceShare) -> int:
    return share.adapters_bytes + share.projector_bytes + share.draft_bytes


def _in_layers(n_gpu_layers: int | None, n_layers: int | None) -> int | None:
    """The output does not count as a layer for people."""
    return n_gpu_layers if None in (n_gpu_layers, n_layers) else min(n_gpu_layers or 0, n_layers or 0)


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
    need = sum(share.total_bytes - share.kv_bytes for share in plan.shares(n_ctx))
    return need <= load.pool.room_bytes


def largest_fitting(model: ModelSummary, options: LaunchOptions, pool: MemoryPool) -> int | None:
    """Most tokens for one request that fit wholly into the pool, in steps of 256, at most as trained.

    None when not even one step fits, when the cache is unknown, or for a model that cannot be loaded.
    """
    if model.problem is not None:
        return None
    load = Load(model, options, pool)
    return _largest(load, load.plan()).n_ctx


def largest_by_cache_type(
    model: ModelSummary, options: LaunchOptions, pool: MemoryPool, types: Iterable[KvType]
) -> tuple[LargestContext, ...]:
    """The largest context for each cache type, K and V alike, and what limits it."""
    found = []
    for kv_type in types:
        load = Load(model, replace(options, cache_type_k=kv_type, cache_type_v=kv_type), pool)
        if model.problem is not None or refusals(model.shape, load.request):
            found.append(LargestContext(None, Limit.REFUSED, kv_type))
        else:
            found.append(replace(_largest(load, load.plan()), cache_type=kv_type))
    return tuple(found)


def advised_ctx(model: ModelSummary, options: LaunchOptions, pool: MemoryPool) -> int | None:
    """The context of this model when nobody chooses one, in tokens; None when its memory is not known."""
    if model.problem is not None or model.shape is None or pool.total_bytes <= 0:
        return None
    load = Load(model, options, pool)
    return advised_context(model.n_ctx_train, partial(load.fits, load.plan()))


def _largest(load: Load, plan: MemoryPlan) -> LargestContext:
    if load.model.shape is None:
        return LargestContext(None, Limit.MEMORY)
    return largest_context(load.model.n_ctx_train, partial(load.fits, plan))


def needed_bytes(model: ModelSummary, n_ctx: int, options: LaunchOptions, pool: MemoryPool) -> int:
    """What this model takes of the pool at this context, tokens of one request."""
    shares = Load(model, options, pool).plan().shares(n_ctx)
    return sum(share.total_bytes for share in shares if share.is_host is (pool.kind is PoolKind.RAM))


def allocated_bytes(model: ModelSummary, n_ctx: int, options: LaunchOptions) -> int:
    """What the engine allocates for this model beside its weights, wherever it puts it."""
    shares = MemoryPlan(model, request_of(options)).shares(n_ctx)
    return sum(share.total_bytes - share.weights_bytes for share in shares)


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
