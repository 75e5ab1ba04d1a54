"""What the runtime port raises."""

from __future__ import annotations

import math

from ggtui.core.errors.failure import Failure

NEVER_RETRY_AFTER_S = 60.0
"""Told to a client whose request will never be served as things are: a header must hold a number."""


class ModelRuntimeError(Failure):
    """What a runtime port may raise. Retryable exactly when the status is 503."""

    title = "Model cannot be served"


class ModelNotFound(ModelRuntimeError):
    """No catalog entry has this name; `near` holds what may have been meant."""

    title = "Model not found"
    status = 404
    error_type = "invalid_request_error"
    code = "model_not_found"

    def __init__(self, name: str, *, near: tuple[str, ...] = ()) -> None:
        hint = f"did you mean {', '.join(near)}?" if near else ""
        super().__init__(f"Model not found: {name}", hint=hint, param="model")
        self.near = near


class ModelFileNotFound(ModelRuntimeError):
    """The entry exists, its file does not any more."""

    title = "Model file not found"
    status = 404
    error_type = "invalid_request_error"
    code = "model_file_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"Model file not found: {name}", hint="rescan the catalog", param="model")


class ModelLoading(ModelRuntimeError):
    """The model is loading and the caller chose not to wait."""

    title = "Model is loading, try again"
    status = 503
    error_type = "service_unavailable"
    code = "model_loading"
    retryable = True


class AdmissionTimeout(ModelRuntimeError):
    """The request waited for its turn longer than allowed."""

    title = "Waited too long for the model"
    status = 503
    error_type = "service_unavailable"
    code = "admission_timeout"
    retryable = True


class ModelNotReady(ModelRuntimeError):
    """Its starts kept failing, and it is left alone for `retry_after_s` seconds or until a person acts.

    `retry_after_s` is finite: a header must hold a number.
    """

    title = "Model is not ready"
    status = 503
    error_type = "service_unavailable"
    code = "model_not_ready"
    retryable = True

    def __init__(self, name: str, cause: str, retry_after_s: float) -> None:
        """retry_after_s: infinite where nothing but a person brings it back."""
        because = f": {cause}" if cause else ""
        is_tried_again = math.isfinite(retry_after_s)
        super().__init__(
            f"model '{name}' is not ready (status: error){because}",
            hint="it is tried again later, or at once when you load it yourself"
            if is_tried_again
            else "it is tried again when you load it, resume its deployment or reload the configuration",
            param="model",
        )
        self.retry_after_s = retry_after_s if is_tried_again else NEVER_RETRY_AFTER_S


class QueueFull(ModelRuntimeError):
    """As many requests wait as may wait."""

    title = "Queue is full"
    status = 429
    error_type = "overloaded_error"
    code = "capacity_exhausted"


class NoRoom(ModelRuntimeError):
    """Models that must stay hold the memory."""

    title = "No room for the model"
    status = 503
    error_type = "service_unavailable"
    code = "no_room"
    retryable = True


class EngineStopping(ModelRuntimeError):
    """ggtui is shutting down; nothing new is served."""

    title = "ggtui is stopping"
    status = 503
    error_type = "service_unavailable"
    code = "stopping"
    retryable = True


class Internal(ModelRuntimeError):
    """A defect of ggtui itself."""

    title = "Internal error"

    def __init__(self, cause: str) -> None:
        super().__init__(f"Internal error: {cause}")
