"""Why a name leads to no endpoint. The texts are those that clients match on."""

from __future__ import annotations

from ggtui.core.errors.runtime import ModelRuntimeError


class NoModelsAvailable(ModelRuntimeError):
    """The request names no model and there is no default."""

    title = "No models are currently available"
    status = 503
    error_type = "service_unavailable"
    code = "no_models_available"
    retryable = True
