"""Everything that can fail, as one tree: catch broadly at the root, recover narrowly at a leaf.

Failure
├── ConfigInvalid                                   a person asked for something impossible
├── RequestFailure                                  the client's request
│   ├── InvalidRequest, RequestTooLarge, UnsupportedMediaType
│   └── InvalidApiKey, HostNotAllowed, OriginNotAllowed, RouteNotFound, MethodNotAllowed
├── CatalogFailure                                  storage and files
│   ├── HeaderUnreadable, RemovalRefused
│   ├── RemoteFailure                               a file on another machine
│   │   └── RemoteRefused, RemoteUnreachable
│   └── StoreUnavailable
├── ModelRuntimeError                               what the runtime port raises
│   ├── ModelNotFound, ModelFileNotFound
│   ├── NoModelsAvailable, ModelLoading, ModelNotReady, AdmissionTimeout, QueueFull, NoRoom
│   ├── SpawnFailed
│   │   └── ServerMissing, LaunchRejected, OutOfMemory, LoadCancelled
│   ├── HealthCheckFailed
│   │   └── StartTimedOut
│   ├── EngineStopping
│   └── Internal
├── UpstreamFailure                                 a server that was ready
│   └── UpstreamUnreachable, UpstreamCrashed, UpstreamProtocolError, UpstreamTimedOut
├── ProbeFailure                                    device memory
│   └── DriverMissing
└── ProxyFailure
    └── PortInUse, BindRefused, InstanceRunning
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class SpawnReason(StrEnum):
    """Why a start failed, as clients may match on it."""

    BINARY_MISSING = "binary_missing"
    BAD_ARGUMENT = "bad_argument"
    BAD_MODEL_FILE = "bad_model_file"
    UNSUPPORTED_ARCH = "unsupported_arch"
    OUT_OF_MEMORY = "out_of_memory"
    PORT_IN_USE = "port_in_use"
    MISSING_LIBRARY = "missing_library"
    ENGINE_ABORT = "engine_abort"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Failure(Exception):
    """What happened, in words a person and a program can both use.

    title: what failed, without the particulars; a dialog needs no table of its own.
    detail: the particulars, one sentence. hint: what to do, may be empty.
    """

    title: ClassVar[str] = "Something failed"
    status: ClassVar[int] = 500
    """HTTP status towards a client."""
    error_type: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str = "", *, hint: str = "", param: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.param = param

    @property
    def message(self) -> str:
        """One line for a client: the detail, or the title when there is none."""
        return self.detail or self.title

    @property
    def is_retryable(self) -> bool:
        """True when the same call may succeed a little later."""
        return self.retryable

    @property
    def suggested_status_code(self) -> int:
        """HTTP status that fits this failure."""
        return self.status


class ConfigInvalid(Failure):
    """A flag, an environment variable or the configuration file is wrong; names the place."""

    title = "Configuration is not valid"
    status = 400
    error_type = "invalid_request_error"
    code = "invalid_configuration"


class RequestFailure(Failure):
    """The client's request cannot be served as it is."""

    title = "Request refused"
    status = 400
    error_type = "invalid_request_error"
    code = "invalid_request"


class InvalidRequest(RequestFailure):
    """Malformed JSON, a wrong type, a bad `num_ctx`."""

    title = "Request is not valid"


class RequestTooLarge(RequestFailure):
    """Body or head over the cap."""

    title = "Request is too large"
    status = 413
    code = "request_too_large"


class UnsupportedMediaType(RequestFailure):
    """Neither JSON nor a form this endpoint takes, or a compressed body."""

    title = "Media type is not supported"
    status = 415
    code = "unsupported_media_type"


class InvalidApiKey(RequestFailure):
    """Key missing or wrong."""

    title = "API key is not valid"
    status = 401
    code = "invalid_api_key"


class HostNotAllowed(RequestFailure):
    """The Host header names another machine: DNS rebinding."""

    title = "Host is not allowed"
    status = 403
    code = "host_not_allowed"


class OriginNotAllowed(RequestFailure):
    """A browser page of another origin is asking."""

    title = "Origin is not allowed"
    status = 403
    code = "origin_not_allowed"


class RouteNotFound(RequestFailure):
    """No such path."""

    title = "No such path"
    status = 404
    code = "not_found"


class MethodNotAllowed(RequestFailure):
    """The path exists, the method does not."""

    title = "Method is not allowed"
    status = 405
    code = "method_not_allowed"


class CatalogFailure(Failure):
    """The catalog or a model file cannot be read."""

    title = "Catalog is not readable"


class HeaderUnreadable(CatalogFailure):
    """A GGUF header that is missing, cut, hostile or of an unknown version."""

    title = "Model file is not readable"


class RemoteFailure(CatalogFailure):
    """A file or a listing on another machine cannot be read."""

    title = "Cannot be read over the network"


class RemoteRefused(RemoteFailure):
    """It answered, and asking again would bring the same; or it is nothing to ask for at all."""


class RemoteUnreachable(RemoteFailure):
    """No answer, a broken one, or none in time."""

    retryable = True


class RemovalRefused(CatalogFailure):
    """A model's files may not be removed, or not all of them could be."""

    title = "The model is not removed"
    status = 409
    error_type = "invalid_request_error"
    code = "removal_refused"


class StoreUnavailable(CatalogFailure):
    """The catalog database cannot be opened or written."""

    title = "Catalog database is not available"


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


class NoModelsAvailable(ModelRuntimeError):
    """The request names no model and there is no default."""

    title = "No models are currently available"
    status = 503
    error_type = "service_unavailable"
    code = "no_models_available"
    retryable = True


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
    """Its starts kept failing, and it is left alone for `retry_after_s` seconds or until a person acts."""

    title = "Model is not ready"
    status = 503
    error_type = "service_unavailable"
    code = "model_not_ready"
    retryable = True

    def __init__(self, name: str, cause: str, retry_after_s: float) -> None:
        because = f": {cause}" if cause else ""
        super().__init__(
            f"model '{name}' is not ready (status: error){because}",
            hint="it is tried again later, or at once when you load it yourself",
            param="model",
        )
        self.retry_after_s = retry_after_s


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


class SpawnFailed(ModelRuntimeError):
    """The server process did not come up. `log_tail` holds its own last lines."""

    title = "Failed to start model"
    code = "model_start_failed"

    def __init__(
        self,
        cause: str,
        *,
        reason: SpawnReason = SpawnReason.UNKNOWN,
        hint: str = "",
        exit_code: int | None = None,
        log_tail: tuple[str, ...] = (),
    ) -> None:
        super().__init__(f"Failed to start model: {cause}", hint=hint)
        self.cause = cause
        self.reason = reason
        self.exit_code = exit_code
        self.log_tail = log_tail


class ServerMissing(SpawnFailed):
    """No llama-server and no embedded engine, or a file that cannot be executed."""

    title = "llama-server is missing"


class LaunchRejected(SpawnFailed):
    """The server refused the model or an argument; trying again would give the same answer."""

    title = "llama-server refused the launch"


class OutOfMemory(SpawnFailed):
    """The device or the machine has too little memory for this model and context."""

    title = "Out of memory"


class LoadCancelled(SpawnFailed):
    """A person or a shutdown ended the load."""

    title = "Load cancelled"
    status = 503
    error_type = "service_unavailable"
    code = "load_cancelled"
    retryable = True


class HealthCheckFailed(ModelRuntimeError):
    """The process is there but never became ready. `log_tail` holds its own last lines."""

    title = "Health check failed"
    code = "health_check_failed"

    def __init__(self, cause: str, *, hint: str = "", log_tail: tuple[str, ...] = ()) -> None:
        super().__init__(f"Health check failed: {cause}", hint=hint)
        self.cause = cause
        self.reason = SpawnReason.TIMEOUT
        self.exit_code: int | None = None
        self.log_tail = log_tail


class StartTimedOut(HealthCheckFailed):
    """The load made no progress for the stall limit."""

    title = "Load made no progress"


class Internal(ModelRuntimeError):
    """A defect of ggtui itself."""

    title = "Internal error"

    def __init__(self, cause: str) -> None:
        super().__init__(f"Internal error: {cause}")


class UpstreamFailure(Failure):
    """A server that was ready did not answer as it should."""

    title = "Upstream failed"
    status = 502
    code = "upstream_error"
    retryable = True


class UpstreamUnreachable(UpstreamFailure):
    """No connection to a server that should be there."""

    title = "Upstream cannot be reached"
    code = "upstream_unreachable"


class UpstreamCrashed(UpstreamFailure):
    """The server ended or dropped the connection in the middle of an answer."""

    title = "Upstream crashed"
    code = "upstream_crashed"


class UpstreamProtocolError(UpstreamFailure):
    """The server's answer is not sound HTTP."""

    title = "Upstream answer is not valid"


class UpstreamTimedOut(UpstreamFailure):
    """No byte came within the limit."""

    title = "Upstream timed out"
    status = 504
    code = "upstream_timeout"


class ProbeFailure(Failure):
    """Device memory cannot be read."""

    title = "Device cannot be read"


class DriverMissing(ProbeFailure):
    """No driver or no library for it; the reason is the detail."""

    title = "No GPU driver"


class ProxyFailure(Failure):
    """The door cannot be opened."""

    title = "Proxy cannot start"


class PortInUse(ProxyFailure):
    """Another program listens there; the detail names it when it can be known."""

    title = "Port is in use"


class BindRefused(ProxyFailure):
    """An address that cannot be bound, or must not be without a key."""

    title = "Address cannot be bound"


class InstanceRunning(ProxyFailure):
    """Another ggtui owns this data directory."""

    title = "Another ggtui is running"
