"""How far a forecast can be trusted, with its reasons."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.memory.compute import MeasuredCompute
from ggtui.core.memory.confidence import Confidence, assurance
from ggtui.core.memory.request import LoadRequest
from ggtui.core.memory.shape import NO_FIGURES, PerLayer
from ggtui.core.memory.weights import ModelWeights
from ggtui.core.models import KvType, ModelSummary
from tests.shapes import dense_shape

WEIGHTS = ModelWeights(PerLayer.of([1] * 32))
MODEL = ModelSummary(1, "m", "m", "llama", 32, shape=dense_shape(), weights=WEIGHTS)
MEASURED = MeasuredCompute(59_398)


def test_a_known_model_that_was_loaded_once_is_exact() -> None:
    assert (Confidence.EXACT, ()) == _of(MODEL, MEASURED)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (replace(MODEL, shape=dense_shape("brand-new")), "the architecture brand-new is not known"),
        (replace(MODEL, shape=dense_shape("t5")), "t5 keeps caches of its own kind"),
        (replace(MODEL, shape=None), "does not tell the number of layers"),
        (replace(MODEL, shape=replace(dense_shape(), n_head=NO_FIGURES)), "number of heads"),
        (replace(MODEL, weights=replace(WEIGHTS, has_unknown_types=True)), "the size of some tensors"),
        (replace(MODEL, shape=dense_shape(n_embd=0)), "compute buffer of this shape is not known"),
    ],
)
def test_a_guess_in_it_makes_it_low(model: ModelSummary, reason: str) -> None:
    confidence, reasons = _of(model)

    assert Confidence.LOW is confidence
    assert reason in reasons[0]


def test_a_formula_or_a_usual_figure_makes_it_good() -> None:
    quantised = LoadRequest(cache_type_k=KvType.Q8_0)

    assert Confidence.GOOD is _of(MODEL)[0]
    assert Confidence.GOOD is assurance(MODEL, quantised, MEASURED).confidence
    assert Confidence.GOOD is assurance(MODEL, LoadRequest(), MEASURED, is_overhead_known=False).confidence
    assert Confidence.GOOD is _of(replace(MODEL, weights=None), MEASURED)[0]


def _of(model: ModelSummary, measured: MeasuredCompute | None = None) -> tuple[Confidence, tuple[str, ...]]:
    found = assurance(model, LoadRequest(), measured)
    return found.confidence, found.reasons
