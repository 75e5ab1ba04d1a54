"""The forecast against the engine's own figures for nearly every architecture it knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.gguf.shape import Keys, model_shape
from ggtui.core.memory.cache import kv_bytes
from ggtui.core.memory.compute import MeasuredCompute, compute_bytes, learned, uses_flash_attention
from ggtui.core.memory.refusals import refusals
from ggtui.core.memory.request import N_BATCH, LoadRequest
from ggtui.core.memory.state import state_bytes
from ggtui.core.models import KvType
from ggtui.core.units import MIB
from tests.golden.corpus_file import corpus_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ggtui.core.memory.shape import ModelShape

FLASH = {"auto": None, "on": True, "off": False}
ODD_COMPUTE = frozenset({"t5", "t5encoder"})
"""Their attention keeps scores of its own kind; the forecast calls itself unsure of them."""


class TotalRequest(LoadRequest):
    """A load whose context is what `-c` says, as the corpus has it."""

    __slots__ = ()

    def total_ctx(self, n_ctx: int) -> int:
        """The context as it is."""
        return n_ctx


@dataclass(frozen=True)
class Case:
    """One launch of the corpus."""

    name: str
    shape: ModelShape
    request: LoadRequest
    row: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.name} {self.row}"


@cache
def cases() -> tuple[Case, ...]:
    """Every launch but those of a separate draft context."""
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for model in corpus_models():
        metadata = {key: tuple(v) if isinstance(v, list) else v for key, v in model["keys"].items()}
        shape = model_shape(Keys(metadata, model["arch"]))
        assert shape is not None
        for row in model["cases"]:
            if not row["mtp"]:
                yield Case(model["name"], shape, _request(row), row)


def _request(row: dict[str, Any]) -> LoadRequest:
    return TotalRequest(
        n_parallel=row["np"],
        kv_unified=row["unified"],
        cache_type_k=KvType(row["ctk"]),
        cache_type_v=KvType(row["ctv"]),
        flash_attn=FLASH[row["fa"]],
        n_batch=row["ub"] if row["embedding"] else N_BATCH,
        n_ubatch=row["ub"],
        swa_full=row["swa_full"],
    )


def measured() -> list[Case]:
    """The launches that the engine took."""
    return [case for case in cases() if "refused" not in case.row]


def test_the_corpus_is_broad() -> None:
    assert len(measured()) > 5000
    assert len({case.shape.architecture for case in cases()}) > 100


def test_caches_and_states_are_those_of_the_engine_to_the_byte() -> None:
    wrong = [
        str(case)
        for case in measured()
        if case.row["kv_bytes"]
        != kv_bytes(case.shape, case.request, case.row["ctx"], flash_attn=case.row["flash"])
        or case.row["state_bytes"] != state_bytes(case.shape, case.request)
    ]

    assert [] == wrong[:10]


def test_flash_attention_is_used_where_the_engine_uses_it() -> None:
    wrong = [
        str(case)
        for case in measured()
        if case.row["flash"] is not uses_flash_attention(case.shape, case.request)
    ]

    assert [] == wrong[:10]


def test_what_the_engine_refuses_is_refused_and_nothing_else() -> None:
    wrong = [
        str(case)
        for case in cases()
        if case.shape.architecture not in ODD_COMPUTE
        and ("refused" in case.row) is not bool(refusals(case.shape, case.request))
    ]

    assert [] == wrong[:10]


def _learned(name: str) -> MeasuredCompute | None:
    usual = (case for case in measured() if case.name == name and case.row["ctx"] >= 4096)
    case = next(usual, None)
    if case is None:
        return None
    return learned(case.shape, case.request, case.row["ctx"], case.row["compute_bytes"])


def _is_near(predicted: int, real: int) -> bool:
    return abs(predicted - real) <= max(real // 10, 32 * MIB)


@pytest.mark.parametrize(("is_learned", "least"), [(False, 0.96), (True, 0.993)])
def test_compute_buffers_are_near_by_formula_and_nearer_after_one_load(
    is_learned: bool, least: float
) -> None:
    """Near: within a tenth or 32 MiB. The one load is the model's first of at least 4096 tokens."""
    known: dict[str, Any] = {}
    near, rows = 0, [case for case in measured() if not case.row["embedding"]]
    for case in rows:
        n_ctx, real = case.row["ctx"], case.row["compute_bytes"]
        if is_learned and case.name not in known:
            known[case.name] = _learned(case.name)
        near += _is_near(compute_bytes(case.shape, case.request, n_ctx, known.get(case.name)), real)

    assert near / len(rows) >= least


def test_logits_take_what_the_engine_says() -> None:
    # Pooled vectors beside the logits are not modelled: some kilobytes of an embedding model.
    wrong = [
        str(case)
        for case in measured()
        if not case.row["embedding"]
        and case.shape.architecture not in ODD_COMPUTE
        and case.row["output_bytes"] != 4 * case.shape.n_vocab * case.row["np"]
    ]

    assert [] == wrong[:10]
