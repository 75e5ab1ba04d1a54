"""The NVIDIA driver's library for Python: the right one, loaded late, its refusals in plain words."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib import metadata
from typing import Any, Final

from ggtui.adapters.gpu.provider import NoDevices
from ggtui.core.ports.gpu import NoGpu
from ggtui.core.text import plain

DISTRIBUTION: Final = "nvidia-ml-py"
MODULE: Final = "pynvml"
OWN_NAME: Final = "ggtui_nvml"

_REFUSALS: Final = {
    "NVMLError_LibraryNotFound": (
        NoGpu.NO_LIBRARY,
        "no NVML library (libnvidia-ml.so.1 not found)",
        "",
    ),
    "NVMLError_DriverNotLoaded": (
        NoGpu.DRIVER_BROKEN,
        "NVIDIA driver is installed but not loaded",
        "modprobe nvidia tells why; an update needs a restart, Secure Boot a signature",
    ),
    "NVMLError_NoPermission": (
        NoGpu.NO_PERMISSION,
        "NVIDIA driver present, no permission",
        "let this user open /dev/nvidia*, by its group; in a container, start it with --gpus all",
    ),
    "NVMLError_LibRmVersionMismatch": (
        NoGpu.DRIVER_BROKEN,
        "NVIDIA driver and library differ in version",
        "restart the machine, or unload and load the driver: it was updated under the running one",
    ),
    "NVMLError_GpuIsLost": (
        NoGpu.DRIVER_BROKEN,
        "GPU is lost: it has fallen off the bus",
        "restart the machine; when it happens again, look at power and temperature",
    ),
    "NVMLError_ResetRequired": (
        NoGpu.DRIVER_BROKEN,
        "GPU needs a reset",
        "end what uses it, then nvidia-smi --gpu-reset, or restart the machine",
    ),
    "NVMLError_NotSupported": (NoGpu.DRIVER_BROKEN, "the driver does not tell", ""),
}
"""What each error class of the library means: kind, one line, what to do."""

LOST: Final = frozenset({"NVMLError_GpuIsLost", "NVMLError_ResetRequired"})
"""Errors of a device that was there and no longer answers."""


def load_library() -> Any:
    """The `pynvml` module of nvidia-ml-py.

    An older distribution that is itself called pynvml installs a package of that name, which hides the module
    and has outdated structures; then the module's own file is loaded.
    Raises: ImportError.
    """
    module = importlib.import_module(MODULE)
    return module if not hasattr(module, "__path__") else _from_file()


def _from_file() -> Any:
    try:
        file = metadata.distribution(DISTRIBUTION).locate_file(f"{MODULE}.py")
    except metadata.PackageNotFoundError as error:
        raise ImportError("only the outdated distribution pynvml is installed") from error
    spec = importlib.util.spec_from_file_location(OWN_NAME, str(file))
    if spec is None or spec.loader is None:
        raise ImportError("nvidia-ml-py cannot be loaded from its file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[OWN_NAME] = module  # the module looks itself up there
    spec.loader.exec_module(module)
    return module


def refusal(error: Exception) -> NoDevices:
    """Any error of the library as ours, the cause in one line."""
    if isinstance(error, ImportError):
        return NoDevices(
            NoGpu.NO_LIBRARY,
            "no NVML library for Python (nvidia-ml-py is not installed)",
            hint="pip uninstall pynvml; pip install nvidia-ml-py",
        )
    known = _REFUSALS.get(type(error).__name__)
    if known is None:
        return NoDevices(NoGpu.DRIVER_BROKEN, f"NVIDIA driver: {plain(str(error)) or 'unknown error'}")
    return NoDevices(known[0], known[1], hint=known[2])


def reason(error: Exception) -> str:
    """The same as one line."""
    return refusal(error).detail
