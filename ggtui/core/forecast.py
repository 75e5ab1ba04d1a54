"""What the memory will hold once a model answers, whether it fits, and how much context would."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from ggtui.core.fit import CELL_STEP, MemoryParts, estimate
from ggtui.core.units import GIB

if TYPE_CHECKING:
    from collections.abc import Collection

    from ggtui.core.models import LaunchOptions, ModelSummary
    from ggtui.core.ports.gpu import GpuSample, MemoryReading

GPU_RESERVE_BYTES = GIB
"""Device memory kept free: driver context, library pools, the desktop."""

RAM_RESERVE_BYTES = GIB // 2
"""Main memory kept free, or an eighth of it where that is less."""

UNKNOWN_CTX_CAP = 131_072
"""Largest context offered for a model whose header does not tell what it was trained for."""

SMALLEST_STOP = 1024


class Verdict(StrEnum):
    """Whether a model can be loaded as chosen."""

    FITS = "fits"
    PART = "part"
    """The devices hold a part of it, main memory the rest."""
    NO = "no"
    GUESS = "guess"
    """Weights would fit, but the cache of this architecture is not modelled."""


class PoolKind(StrEnum):
    """The memory that a load is measured against."""

    GPU = "GPU"
    RAM = "RAM"


@dataclass(frozen=True, slots=True)
class MemoryPool:
    """The memory a model goes to. `used_by_others_bytes` leaves out what a swap gives back."""

    kind: PoolKind
    total_bytes: int
    """0 when it cannot be read."""
    used_by_others_bytes: int
    reserve_bytes: int
    overflow_bytes: int = 0
    """Main memory that may take what the devices do not hold; 0 when the pool is main memory itself."""
    n_devices: int = 0
    """GPUs that make up the pool; 0 for main memory."""

    @property
    def room_bytes(self) -> int:
        """What a model may take; negative when others already use the reserve."""
        return self.total_bytes - self.reserve_bytes - self.used_by_others_bytes


@dataclass(frozen=True, slots=True)
class Forecast:
    """One look ahead. Always an estimate: the parts are arithmetic, not a measurement."""

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
    """For PART: about how many layers the devices would take."""
    n_layers: int | None = None
    frees: tuple[str, ...] = ()
    """Public ids of the targets that would be stopped."""
    is_estimate: bool = True

    @property
    def model_bytes(self) -> int:
        """What the model itself takes."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.output_bytes


def own_bytes(reading: MemoryReading, pids: Collection[int], *, engine_has_gpu: bool) -> int:
    """What our own servers hold of the pool that `pool_of` would choose, in bytes.

    In main memory only what is private to them: mapped weights are page cache, which never counts as used.
    """
    if _gpu_pool_devices(reading, engine_has_gpu):
        return sum(gpu.process_bytes.get(pid, 0) for gpu in reading.gpus for pid in pids)
    return sum(reading.process_private_bytes.get(pid, 0) for pid in pids)


def pool_of(
    reading: MemoryReading,
    our_bytes: int = 0,
    engine_has_gpu: bool = False,
    reserve_bytes: int | None = None,
) -> MemoryPool:
    """The pool of the next load: all working GPUs when the engine can use them, else main memory.

    our_bytes: held there by targets that the load would evict, see `own_bytes`.
    reserve_bytes: memory kept free; None for the default of the pool.
    """
    ram_total, ram_available = reading.ram_total_bytes, reading.ram_available_bytes
    ram_reserve = min(RAM_RESERVE_BYTES, ram_total // 8)
    gpus = _gpu_pool_devices(reading, engine_has_gpu)
    if not gpus:
        reserve = ram_reserve if reserve_bytes is None else reserve_bytes
        used = max(0, ram_total - ram_available - our_bytes)
        return MemoryPool(PoolKind.RAM, ram_total, used, reserve)
    return MemoryPool(
        kind=PoolKind.GPU,
        total_bytes=sum(gpu.total_bytes or 0 for gpu in gpus),
        used_by_others_bytes=max(0, sum(gpu.used_bytes or 0 for gpu in gpus) - our_bytes),
        reserve_bytes=GPU_RESERVE_BYTES if reserve_bytes is None else reserve_bytes,
        overflow_bytes=max(0, ram_available - ram_reserve),
        n_devices=len(gpus),
    )


def _gpu_pool_devices(reading: MemoryReading, engine_has_gpu: bool) -> tuple[GpuSample, ...]:
    if not engine_has_gpu:
        return ()
    return tuple(gpu for gpu in reading.gpus if gpu.total_bytes and gpu.used_bytes is not None)


def forecast(
    model: ModelSummary,
    n_ctx: int,
    options: LaunchOptions,
    pool: MemoryPool,
    frees: tuple[str, ...] = (),
) -> Forecast | None:
    """What loading this model at this context leads to; None for a model that cannot be loaded at all.

    n_ctx: tokens of one request. Pure arithmetic, far below a millisecond.
    """
    if model.problem is not None:
        return None
    parts = estimate(model, n_ctx, options)
    after = pool.used_by_others_bytes + parts.total_bytes
    verdict = _verdict(model, parts, pool)
    return Forecast(
        n_ctx=n_ctx,
        after_bytes=after,
        total_bytes=pool.total_bytes,
        spare_bytes=pool.total_bytes - after,
        verdict=verdict,
        weights_bytes=parts.weights_bytes,
        kv_bytes=parts.kv_bytes,
        compute_bytes=parts.compute_bytes,
        output_bytes=parts.output_bytes,
        pool=pool.kind,
        largest_ctx=largest_fitting(model, options, pool),
        n_devices=pool.n_devices,
        n_layers_on_gpu=_layers_on_gpu(model, parts, pool) if verdict is Verdict.PART else None,
        n_layers=None if model.attention is None else model.attention.n_layer,
        frees=frees,
    )


def _verdict(model: ModelSummary, parts: MemoryParts, pool: MemoryPool) -> Verdict:
    is_modelled = model.attention is not None and model.attention.is_ordinary
    # The plain sum overstates a windowed or compressed cache, so only the other parts can prove a "no".
    need = parts.total_bytes if is_modelled else parts.total_bytes - parts.kv_bytes
    if pool.total_bytes <= 0:
        return Verdict.GUESS
    if need <= pool.room_bytes:
        return Verdict.FITS if is_modelled else Verdict.GUESS
    return Verdict.PART if need <= max(0, pool.room_bytes) + pool.overflow_bytes else Verdict.NO


def _layers_on_gpu(model: ModelSummary, parts: MemoryParts, pool: MemoryPool) -> int | None:
    if model.attention is None:
        return None
    room = max(0, pool.room_bytes - parts.compute_bytes - parts.output_bytes)
    per_layers = parts.weights_bytes + parts.kv_bytes
    n_layer = model.attention.n_layer
    return min(n_layer, n_layer * room // per_layers) if per_layers else n_layer


def largest_fitting(model: ModelSummary, options: LaunchOptions, pool: MemoryPool) -> int | None:
    """Most tokens for one request that fit wholly into the pool, in steps of 256, at most as trained.

    None when not even one step fits, when the cache is unknown, or for a model that cannot be loaded.
    """
    if model.problem is not None or model.attention is None:
        return None
    cap = model.n_ctx_train or UNKNOWN_CTX_CAP

    def fits(n_steps: int) -> bool:
        n_ctx = min(cap, n_steps * CELL_STEP)
        return estimate(model, n_ctx, options).total_bytes <= pool.room_bytes

    low, high = 0, -(-cap // CELL_STEP)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return min(cap, low * CELL_STEP) if low else None


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
