"""What a client can do about a request that is longer than the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.errors import CatalogFailure

if TYPE_CHECKING:
    from ggtui.core.ports.catalog import ModelCatalogPort


async def context_hint(catalog: ModelCatalogPort, model: str, required: int) -> str:
    """A hint for a request of so many tokens to a model, by its public id; empty when that is unknown."""
    try:
        summary = await catalog.resolve_model(model)
    except CatalogFailure:
        return ""
    if summary is None:
        return ""
    most = summary.n_ctx_train
    if most is None:
        return f"send num_ctx, more than {required}, for a larger context"
    if most > required:
        return f"send num_ctx, up to {most}, for a larger context"
    return f"{model} was trained for {most} tokens; shorten the request or name a model with more"
