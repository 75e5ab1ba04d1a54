"""Why a server did not come up."""

from __future__ import annotations

from enum import StrEnum

from ggtui.core.errors.runtime import ModelRuntimeError


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
