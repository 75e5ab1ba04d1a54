"""How far a forecast can be trusted, and why not further, in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.memory.compute import ComputeSource, compute_source
from ggtui.core.memory.families import GLM_INDEXER_FROM_CTX, KNOWN, OWN_CACHES, RECURRENT

if TYPE_CHECKING:
    from ggtui.core.memory.compute import MeasuredCompute
    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.models import ModelSummary


class Confidence(StrEnum):
    """How close the forecast will be to what the load takes."""

    EXACT = "exact"
    """Every part is computed as the engine does, or was measured on this very model."""
    GOOD = "good"
    """Weights and caches are exact; the compute buffer or the driver's share is by formula."""
    LOW = "low"
    """A part of it is a guess."""


@dataclass(frozen=True, slots=True)
class Assurance:
    """A confidence with its reasons."""

    confidence: Confidence
    reasons: tuple[str, ...] = ()
    """Short sentences without a full stop; empty for EXACT."""


def assurance(
    model: ModelSummary,
    request: LoadRequest,
    measured: MeasuredCompute | None = None,
    *,
    is_overhead_known: bool = True,
    is_use_known: bool = True,
) -> Assurance:
    """How far the forecast of this load can be trusted.

    is_overhead_known: False when a device takes part whose driver's share was never measured.
    is_use_known: False when a device does not tell how much of it is used.
    """
    guesses = _guesses(model, request, measured)
    if not is_use_known:
        guesses = (*guesses, "the device does not tell how much of it is used")
    if guesses:
        return Assurance(Confidence.LOW, guesses)
    rough = _rough(model, request, measured, is_overhead_known=is_overhead_known)
    return Assurance(Confidence.GOOD if rough else Confidence.EXACT, rough)


def _guesses(model: ModelSummary, request: LoadRequest, measured: MeasuredCompute | None) -> tuple[str, ...]:
    shape = model.shape
    if shape is None:
        return ("the header does not tell the number of layers",)
    found = []
    if shape.architecture not in KNOWN:
        found.append(f"the architecture {shape.architecture} is not known, so full attention is assumed")
    if not shape.n_head.values and shape.architecture not in RECURRENT:
        found.append("the header does not tell the number of heads")
    if shape.architecture in OWN_CACHES:
        found.append(f"{shape.architecture} keeps caches of its own kind")
    is_long = shape.n_ctx_train >= GLM_INDEXER_FROM_CTX
    if shape.architecture == "glm-dsa" and is_long and shape.indexer_types is None:
        found.append("the file does not list which layers have an indexer")
    if model.weights is not None and model.weights.has_unknown_types:
        found.append("the size of some tensors is not known, so all layers count alike")
    if compute_source(shape, request, measured) is ComputeSource.UNKNOWN:
        found.append("the compute buffer of this shape is not known")
    return tuple(found)


def _rough(
    model: ModelSummary,
    request: LoadRequest,
    measured: MeasuredCompute | None,
    *,
    is_overhead_known: bool,
) -> tuple[str, ...]:
    found = []
    if model.weights is None:
        found.append("the size of single tensors is not known, so all layers count alike")
    if model.shape is not None and compute_source(model.shape, request, measured) is not (
        ComputeSource.MEASURED
    ):
        found.append("the compute buffer is by formula until this model has been loaded once")
    if model.projector_bytes:
        found.append("the work space of the vision projector is a usual figure")
    if not is_overhead_known:
        found.append("what the driver takes is a usual figure, not measured here")
    return tuple(found)
