"""A model that no catalog lists, as a catalog would show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.models import ModelSummary
from ggtui.core.naming import slug

if TYPE_CHECKING:
    from ggtui.adapters.gguf.facts import ModelFacts
    from ggtui.adapters.gguf.found import FoundModel


def summary_of(model: FoundModel, facts: ModelFacts) -> ModelSummary:
    """The model as a catalog would show it, under the id that its file asks for."""
    return ModelSummary(
        id=0,
        public_id=slug(model.first.name, facts.quantisation),
        name=facts.name,
        architecture=facts.architecture,
        size_bytes=model.size_bytes,
        quantisation=facts.quantisation,
        n_params=facts.n_params,
        n_ctx_train=facts.n_ctx_train,
        capabilities=facts.capabilities,
        shape=facts.shape,
        weights=facts.weights,
        problem=facts.problem,
    )
