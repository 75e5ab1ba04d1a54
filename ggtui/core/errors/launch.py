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
    NOT_ENOUGH_GPUS = "not_enough_gpus"
    NO_GPU_NODES = "no_gpu_nodes"
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


class NotEnoughGpus(LaunchRejected):
    """A deployment says how many devices each replica has for itself, and there are fewer."""

    title = "Not enough GPUs"

    def __init__(self, wanted: int, there: int, n_replicas: int) -> None:
        """wanted: by all replicas together. there: devices that the engine can use."""
        of = f"its {n_replicas} replicas need" if n_replicas > 1 else "it needs"
        super().__init__(
            f"{of} {wanted} GPUs, and there {'is' if there == 1 else 'are'} {there}",
            reason=SpawnReason.NOT_ENOUGH_GPUS,
            hint="lower gpus or replicas of its deployment",
        )


class NoGpuNodes(LaunchRejected):
    """A deployment wants devices, and the engine has none that it can use."""

    title = "No GPU"

    def __init__(self, wanted: int) -> None:
        """wanted: by all replicas together."""
        super().__init__(
            f"it needs {wanted} GPU{'s' if wanted > 1 else ''}, and there is none that this engine can use",
            reason=SpawnReason.NO_GPU_NODES,
            hint="ggtui gpu tells why; gpus = 0 in its deployment serves it from main memory",
        )


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
