"""NVIDIA devices through the driver's own library. What one device refuses never hides the others."""

from __future__ import annotations

import importlib
import logging
import time
from typing import TYPE_CHECKING, Any, TypeVar

from ggtui.core.errors import DriverMissing
from ggtui.core.ports.gpu import GpuSample
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_log = logging.getLogger(__name__)

RETRY_AFTER_S = 30.0
"""A missing driver is looked for again after so long: it may be installed or woken meanwhile."""

_REASONS = {
    "NVMLError_LibraryNotFound": "no NVIDIA driver library (libnvidia-ml.so.1 not found)",
    "NVMLError_DriverNotLoaded": "NVIDIA driver is installed but not loaded",
    "NVMLError_NoPermission": "NVIDIA driver is present, but this user may not use it",
    "NVMLError_LibRmVersionMismatch": "NVIDIA driver and library differ in version; a restart helps",
    "NVMLError_GpuIsLost": "GPU is lost; a restart helps",
    "NVMLError_NotSupported": "the driver does not tell",
}
"""One line per error class of the library."""


class NvmlDriver:
    """The driver's library, loaded at the first sample and used by one thread only."""

    def __init__(self, load: Callable[[], Any] | None = None) -> None:
        """load: gives the `pynvml` module; tests put their own driver here."""
        self._load = load or (lambda: importlib.import_module("pynvml"))
        self._library: Any = None
        self._missing: DriverMissing | None = None
        self._missing_since = 0.0

    def sample(self) -> tuple[GpuSample, ...]:
        """One sample per device, by index.

        Raises: DriverMissing, with one line why.
        """
        library = self._ready()
        try:
            count = library.nvmlDeviceGetCount()
        except Exception as error:
            self.close()
            raise DriverMissing(_reason(error)) from error
        return tuple(_sample(library, index) for index in range(count))

    def _ready(self) -> Any:
        if self._library is not None:
            return self._library
        if self._missing is not None and time.monotonic() - self._missing_since < RETRY_AFTER_S:
            raise self._missing
        try:
            library = self._load()
            library.nvmlInit()
        except Exception as error:
            self._missing, self._missing_since = DriverMissing(_reason(error)), time.monotonic()
            raise self._missing from error
        self._missing, self._library = None, library
        return library

    def close(self) -> None:
        """Release the driver; a further sample begins anew."""
        library, self._library = self._library, None
        if library is None:
            return
        try:
            library.nvmlShutdown()
        except Exception as error:
            _log.debug("driver did not shut down: %s", _reason(error))


def _sample(library: Any, index: int) -> GpuSample:
    try:
        handle = library.nvmlDeviceGetHandleByIndex(index)
    except Exception as error:
        return GpuSample(index, f"GPU {index}", problem=_reason(error))
    memory, problem = _memory(library, handle)
    utilisation = _told(lambda: library.nvmlDeviceGetUtilizationRates(handle))
    power_mw = _told(lambda: library.nvmlDeviceGetPowerUsage(handle))
    return GpuSample(
        index=index,
        name=_text(_told(lambda: library.nvmlDeviceGetName(handle))) or f"GPU {index}",
        uuid=_text(_told(lambda: library.nvmlDeviceGetUUID(handle))),
        total_bytes=None if memory is None else int(memory.total),
        used_bytes=None if memory is None else int(memory.used),
        utilisation_percent=None if utilisation is None else int(utilisation.gpu),
        temperature_c=_told(lambda: int(library.nvmlDeviceGetTemperature(handle, 0))),
        power_w=None if power_mw is None else power_mw / 1000,
        process_bytes=_processes(library, handle),
        problem=problem,
    )


def _memory(library: Any, handle: Any) -> tuple[Any, str | None]:
    try:
        return library.nvmlDeviceGetMemoryInfo(handle), None
    except Exception as error:
        return None, _reason(error)


def _processes(library: Any, handle: Any) -> dict[int, int]:
    """Memory by process; a process the driver gives no figure for is left out."""
    found: dict[int, int] = {}
    for query in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
        for process in _told(lambda query=query: getattr(library, query)(handle)) or ():  # type: ignore[misc]
            if process.usedGpuMemory is not None:
                found[process.pid] = max(found.get(process.pid, 0), int(process.usedGpuMemory))
    return found


def _told(question: Callable[[], T]) -> T | None:
    """The driver's answer; None where it is silent about this figure."""
    try:
        return question()
    except Exception:
        return None


def _text(value: str | bytes | None) -> str:
    return plain(value.decode("utf-8", "replace") if isinstance(value, bytes) else value or "", 96)


def _reason(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "no NVIDIA library for Python (nvidia-ml-py is not installed)"
    return _REASONS.get(type(error).__name__) or f"NVIDIA driver: {plain(str(error)) or 'unknown error'}"
