"""A step of the context slider: one whole forecast of a large model, and what ten thousand models keep."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from benchmarks.figures import Figure
from ggtui.adapters.gguf.facts import ModelFacts
from ggtui.core.forecast import forecast
from ggtui.core.memory.pool import MemoryPool, PoolDevice, PoolKind
from ggtui.core.memory.shape import ExpertKeys, ModelShape, PerLayer
from ggtui.core.memory.weights import ModelWeights, PlaceWeights
from ggtui.core.models import LaunchOptions, ModelSummary
from ggtui.core.units import GIB, MIB

if TYPE_CHECKING:
    from benchmarks.bench import Bench

N_LAYER = 94
STEPS = 200
MODELS = 2000
MS = 1e3


def forecasts(bench: Bench) -> list[Figure]:
    """The same model where it fits, where it fits in part, and without devices."""
    model = _large_model()
    pools = {"fits": _pool(4, 80), "in part": _pool(2, 24), "main memory": _pool(0, 512)}
    figures = [
        Figure(
            f"{N_LAYER} layers of experts",
            f"a step, {name}",
            "ms",
            "ggtui",
            tuple(_step_ms(model, pool) for _ in range(bench.scale.rounds)),
        )
        for name, pool in pools.items()
    ]
    kept = tuple(_kept_kib(model) for _ in range(bench.scale.rounds))
    return [*figures, Figure(f"{N_LAYER} layers of experts", "kept for each model", "KiB", "ggtui", kept)]


def _large_model() -> ModelSummary:
    """A mixture of experts with as many layers as the largest published ones, its tensors of two kinds."""
    shape = ModelShape(
        architecture="qwen3moe",
        n_layer_all=N_LAYER,
        n_embd=4096,
        n_vocab=151_936,
        n_ctx_train=262_144,
        n_head=PerLayer.of([64] * N_LAYER),
        n_head_kv=PerLayer.of([4] * N_LAYER),
        n_ff=PerLayer.of([12_288] * N_LAYER),
        key_length=128,
        value_length=128,
        key_length_swa=128,
        value_length_swa=128,
        experts=ExpertKeys(n_expert=128, n_used=8, n_ff=1536),
    )
    weights = ModelWeights(
        layers=PerLayer.of(40 * MIB + at % 2 * MIB for at in range(N_LAYER)),
        experts=PerLayer.of(1350 * MIB + at % 3 // 2 * 90 * MIB for at in range(N_LAYER)),
        input=PlaceWeights(350 * MIB, 0, 350 * MIB),
        output=PlaceWeights(500 * MIB, 0),
        span_bytes=133 * GIB,
    )
    return ModelSummary(
        1, "large", "large", "qwen3moe", 133 * GIB, n_ctx_train=262_144, shape=shape, weights=weights
    )


def _pool(n_devices: int, gib: int) -> MemoryPool:
    if not n_devices:
        return MemoryPool(PoolKind.RAM, gib * GIB, 0, GIB)
    devices = tuple(PoolDevice(f"GPU{at}", gib * GIB, at * MIB) for at in range(n_devices))
    return MemoryPool(PoolKind.GPU, n_devices * gib * GIB, 0, n_devices * GIB, 256 * GIB, n_devices, devices)


def _step_ms(model: ModelSummary, pool: MemoryPool) -> float:
    options = LaunchOptions()
    begun = time.perf_counter()
    for step in range(STEPS):
        forecast(model, 4096 + 1024 * step, options, pool)
    return (time.perf_counter() - begun) / STEPS * MS


def _kept_kib(model: ModelSummary) -> float:
    """What the facts of one of many models keep, read from the catalog's own form."""
    facts = ModelFacts(name="large", architecture="qwen3moe", shape=model.shape, weights=model.weights)
    assert facts.weights is not None
    rows = [
        msgspec.json.encode(replace(facts, weights=replace(facts.weights, span_bytes=133 * GIB + at)))
        for at in range(MODELS)
    ]
    tracemalloc.start()
    kept = [msgspec.json.decode(row, type=ModelFacts) for row in rows]
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / len(kept) / 1024
