"""Which of the earlier loads of a file a new one is forecast by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ggtui.core.memory.compute import MeasuredCompute
from ggtui.core.memory.load import Load
from ggtui.core.memory.parts import Companions, projector_bytes
from ggtui.core.memory.pool import MemoryPool, PoolKind
from ggtui.core.models import AdapterFile, KvType, LaunchOptions, ModelSummary
from ggtui.core.units import GIB
from tests.shapes import dense_shape

POOL = MemoryPool(PoolKind.RAM, 64 * GIB, 0, GIB)
MODEL = ModelSummary(1, "m", "m", "llama", 5 * GIB, shape=dense_shape())
PLAIN, QUANTISED = MeasuredCompute(60_000.0), MeasuredCompute(61_000.0, has_quantised_cache=True)


def test_a_load_of_the_same_kind_goes_before_a_newer_one() -> None:
    load = Load(replace(MODEL, measured=(QUANTISED, PLAIN)), LaunchOptions(), POOL)

    assert PLAIN == load.taught


def test_any_load_is_better_than_none() -> None:
    options = LaunchOptions(cache_type_k=KvType.Q8_0, cache_type_v=KvType.Q8_0)

    assert PLAIN == Load(replace(MODEL, measured=(PLAIN,)), options, POOL).taught
    assert Load(MODEL, options, POOL).taught is None


def test_adapters_are_loaded_beside_the_model_with_what_their_tensors_take() -> None:
    known = AdapterFile("code", Path("/l/code.gguf"), size_bytes=5000, tensor_bytes=4000)
    unread = AdapterFile("chat", Path("/l/chat.gguf"), size_bytes=300)
    options = LaunchOptions(adapters=(known, unread))

    assert Companions(adapters_bytes=4300) == Load(MODEL, options, POOL).beside
    assert Load(MODEL, LaunchOptions(), POOL).beside is None
    assert Companions() == Load(MODEL, options, POOL, Companions()).beside
    seeing = replace(MODEL, projector_bytes=7)
    assert Companions(4300, projector_bytes(7)) == Load(seeing, options, POOL).beside
    assert Companions(4300) == Load(seeing, replace(options, projector=False), POOL).beside
