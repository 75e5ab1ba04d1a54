"""NVIDIA devices through the driver's own library. What one device refuses never hides the others."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from ggtui.adapters.gpu.nvml_device import Device, lost_device, read_device, told
from ggtui.adapters.gpu.nvml_library import load_library, reason, refusal
from ggtui.adapters.gpu.tree import Tree
from ggtui.core.ports.gpu import Vendor

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.adapters.gpu.provider import NoDevices
    from ggtui.core.ports.gpu import GpuSample

_log = logging.getLogger(__name__)

RETRY_AFTER_S = 30.0
"""A missing driver is looked for again after so long: it may be installed or woken meanwhile."""


class NvidiaProvider:
    """Implements GpuProvider. The library is loaded at the first sample and used by one thread only."""

    vendor = Vendor.NVIDIA

    def __init__(self, tree: Tree | None = None, load: Callable[[], Any] | None = None) -> None:
        """load: gives the `pynvml` module; tests put their own driver here."""
        self._tree = tree or Tree()
        self._load = load or load_library
        self._library: Any = None
        self._missing: NoDevices | None = None
        self._missing_since = 0.0

    def probe(self) -> bool:
        """Always: only the library knows, on a machine without a PCI bus too."""
        return True

    def sample(self, pids: frozenset[int] = frozenset()) -> tuple[GpuSample, ...]:
        """One sample per device, or per slice of a device that is cut into slices.

        Raises: NoDevices, with one line why.
        """
        library = self._ready()
        try:
            count = library.nvmlDeviceGetCount()
        except Exception as error:
            self.close()
            raise refusal(error) from error
        samples: list[GpuSample] = []
        for number in range(count):
            samples += self._device(library, number, len(samples))
        return tuple(samples)

    def _device(self, library: Any, number: int, index: int) -> list[GpuSample]:
        try:
            handle = library.nvmlDeviceGetHandleByIndex(number)
        except Exception as error:
            return [lost_device(index, error)]
        slices = _slices(library, handle) or [Device(handle, handle)]
        return [read_device(library, self._tree, each, index + i) for i, each in enumerate(slices)]

    def _ready(self) -> Any:
        if self._library is not None:
            return self._library
        if self._missing is not None and time.monotonic() - self._missing_since < RETRY_AFTER_S:
            raise self._missing
        try:
            library = self._load()
            library.nvmlInit()
        except Exception as error:
            self._missing, self._missing_since = refusal(error), time.monotonic()
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
            _log.debug("driver did not shut down: %s", reason(error))


def _slices(library: Any, handle: Any) -> list[Device]:
    """The MIG instances of a device, which is what an engine sees of it; empty for one that is not cut."""
    try:
        is_cut, _ = library.nvmlDeviceGetMigMode(handle)
        count = library.nvmlDeviceGetMaxMigDeviceCount(handle) if is_cut else 0
    except Exception:
        return []
    places = (told(partial(library.nvmlDeviceGetMigDeviceHandleByIndex, handle, n)) for n in range(count))
    return [Device(instance, handle) for instance in places if instance is not None]
