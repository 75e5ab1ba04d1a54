"""How a deployment becomes what clients can ask for."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ggtui.core.routing.endpoints import DEFAULT_MAX_CONTEXT, EndpointStatus, ModelEndpoint, ModelId

if TYPE_CHECKING:
    from ggtui.core.deployment.deployment import Deployment

EVERY_CAPABILITY: Final = ("chat", "completion", "embedding", "rerank")
"""Of a server that nobody has asked what it can: it says so by itself."""


def served_elsewhere(each: Deployment, n_ctx: int | None, problem: str) -> ModelEndpoint:
    """The endpoint of a deployment that no model of the catalog stands behind."""
    return ModelEndpoint(
        ModelId(each.name),
        "",
        max_context_length=n_ctx or DEFAULT_MAX_CONTEXT,
        status=EndpointStatus.ERROR if problem else EndpointStatus.READY,
        capabilities=EVERY_CAPABILITY,
        deployment=each.name,
        why=problem,
    )


def by_rules(each: Deployment, endpoint: ModelEndpoint, public_id: str) -> ModelEndpoint:
    """An endpoint of a model, or of an adapter of it, by the name and the rules of a deployment."""
    most = endpoint.max_context_length
    return replace(
        endpoint,
        id=ModelId(each.name + endpoint.id.removeprefix(public_id)),
        display_name="",
        deployment=each.name,
        max_context_length=min(most, each.runtime_config.ctx or most),
    )


def why_unknown(model: str) -> str:
    """Why the model of a local deployment cannot be served."""
    if os.path.isabs(model) and os.path.isfile(model):
        return f"{model} lies in no folder that ggtui looks into: add its folder to models_dirs"
    return f"there is no model {model} in the catalog"
