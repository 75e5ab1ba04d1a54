"""Why a name leads to no endpoint. The texts are those that clients match on."""

from __future__ import annotations

from ggtui.core.errors.runtime import ModelRuntimeError


class RoutingError(ModelRuntimeError):
    """A request cannot be brought to an endpoint."""

    title = "No endpoint for the request"


class EndpointNotFound(RoutingError):
    """Neither an id nor an alias, nor a model with adapters that it has."""

    title = "Model not found"
    status = 404
    error_type = "invalid_request_error"
    code = "model_not_found"

    def __init__(self, name: str, *, hint: str = "") -> None:
        super().__init__(f"model '{name}' not found", hint=hint, param="model")


class NoneMatched(RoutingError):
    """The model is known, and no place that has it may serve this request."""

    title = "No place serves the model"
    status = 404
    error_type = "invalid_request_error"
    code = "model_not_found"

    def __init__(self, *, hint: str = "") -> None:
        """hint: which places there are, and why each is none for it."""
        super().__init__("no model matched the requirements", hint=hint, param="model")


class ContextTooLong(RoutingError):
    """The request needs more tokens of context than the endpoint has."""

    title = "Context is too long"
    status = 400
    error_type = "invalid_request_error"
    code = "context_length_exceeded"

    def __init__(self, name: str, *, required: int, available: int, hint: str = "") -> None:
        """required, available: tokens."""
        super().__init__(
            f"model '{name}' cannot handle context length {required} (max: {available})", hint=hint
        )
        self.required = required
        self.available = available


class NoModelsAvailable(RoutingError):
    """The request names no model and there is no default."""

    title = "No model is available"
    status = 503
    error_type = "service_unavailable"
    code = "no_models_available"
    retryable = True

    def __init__(self, *, hint: str = "") -> None:
        super().__init__("no models are currently available", hint=hint, param="model")


class EndpointNotReady(RoutingError):
    """The endpoint exists and serves nobody at this moment."""

    title = "Model is not ready"
    status = 503
    error_type = "service_unavailable"
    code = "model_not_ready"
    retryable = True

    def __init__(self, name: str, status: str, *, hint: str = "") -> None:
        """status: an EndpointStatus."""
        super().__init__(f"model '{name}' is not ready (status: {status})", hint=hint, param="model")
        self.endpoint_status = status
