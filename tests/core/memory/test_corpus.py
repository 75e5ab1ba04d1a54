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
from tests.golden.corpus_file import corpus_models, weight_models

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
    """What the model's first launch of at least 4096 tokens teaches."""
    usual = (case for case in measured() if case.name == name and case.row["ctx"] >= 4096)
    case = next(usual, None)
    if case is None:
        return None
    return learned(case.shape, case.request, case.row["ctx"], case.row["compute_bytes"])


def _is_near(predicted: int, real: int) -> bool:
    return abs(predicted - real) <= max(real // 10, 32 * MIB)


@cache
def _forecasts(*, is_learned: bool) -> tuple[tuple[Case, int], ...]:
    """Each launch with its compute buffer as forecast, after the one load or before any."""
    return tuple(_each_forecast(is_learned=is_learned))


def _each_forecast(*, is_learned: bool) -> Iterator[tuple[Case, int]]:
    known: dict[str, MeasuredCompute | None] = {}
    for case in measured():
        if case.row["embedding"]:
            continue
        if is_learned and case.name not in known:
            known[case.name] = _learned(case.name)
        yield case, compute_bytes(case.shape, case.request, case.row["ctx"], known.get(case.name))


@pytest.mark.parametrize("is_learned", [False, True])
def test_every_compute_buffer_is_within_a_tenth_or_32_mib(is_learned: bool) -> None:
    wrong = [
        f"{case}: {predicted}"
        for case, predicted in _forecasts(is_learned=is_learned)
        if not _is_near(predicted, case.row["compute_bytes"])
    ]

    assert [] == wrong[:10]


def test_most_compute_buffers_are_known_exactly_without_a_load() -> None:
    off = [abs(predicted / case.row["compute_bytes"] - 1) for case, predicted in _forecasts(is_learned=False)]

    assert sum(each <= 0.001 for each in off) >= 0.74 * len(off)
    assert sum(each <= 0.01 for each in off) >= 0.85 * len(off)
    assert sum(each <= 0.1 for each in off) >= 0.98 * len(off)


@pytest.mark.parametrize("is_learned", [False, True])
def test_all_that_a_real_file_takes_is_within_a_hundredth_and_never_much_more_than_forecast(
    is_learned: bool,
) -> None:
    """Everything but the compute buffer is exact, so only that one is forecast here."""
    weights = {
        each["name"].rpartition("-")[0]: sum(each["weights_bytes"].values()) for each in weight_models()
    }
    rows, wrong = 0, []
    for case, predicted in _forecasts(is_learned=is_learned):
        if case.name not in weights:
            continue
        row = case.row
        total = weights[case.name] + row["context_bytes"] + row["compute_bytes"] + row["output_bytes"]
        error, rows = (predicted - row["compute_bytes"]) / total, rows + 1
        if not -0.005 <= error <= 0.01:
            wrong.append(f"{case}: {error:.2%}")

    assert rows > 300
    assert [] == wrong[:10]


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
