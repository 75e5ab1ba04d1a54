"""What a child process may see of our environment: a short allow-list, no configuration and no secret."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import ggtui

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.deployment.shares import MachineShare

INSTANCE_VARIABLE: Final = "GGTUI_INSTANCE"
"""Carries the nonce by which the guard finds every descendant, also one that left its process group."""

PUSH_VARIABLE: Final = "LLAMA_SERVER_ROUTER_PORT"
"""Makes the server tell its load progress on stdout and take its exit line from stdin."""

_ALLOWED: Final = frozenset(
    {
        *("PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "XDG_CACHE_HOME"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
        *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES"),
        *("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HSA_OVERRIDE_GFX_VERSION"),
        *("GGML_VK_VISIBLE_DEVICES", "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "ONEAPI_DEVICE_SELECTOR"),
        *("OMP_NUM_THREADS",),
    }
)
_ALLOWED_PREFIXES: Final = ("GGML_CUDA_",)


_CUDA: Final = "CUDA_VISIBLE_DEVICES"
_ROCM: Final = ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
"""By UUID and by number: each counts among what the one before it leaves."""
_BY_NUMBER: Final = {"SYCL": "ZE_AFFINITY_MASK", "Vulkan": "GGML_VK_VISIBLE_DEVICES"}


def shared_environment(env: Mapping[str, str], share: MachineShare) -> dict[str, str]:
    """The environment of a server that may use these devices only.

    Source: CUDA C++ Programming Guide, environment variables; ROCm, GPU isolation techniques; Level Zero,
    affinity mask; llama.cpp ggml-vulkan.cpp.
    """
    if not share.devices:
        return dict(env)
    backend, ids = share.devices[0].backend, [device.id for device in share.devices]
    listed = ",".join(ids)
    if backend == "CUDA":
        order = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"} if all(each.isdigit() for each in ids) else {}
        return {**env, **order, _CUDA: listed}
    if backend in ("ROCm", "HIP"):
        by_uuid, by_number = _ROCM
        if all(each.isdigit() for each in ids):
            return {**env, by_number: listed}
        return {name: value for name, value in env.items() if name != by_number} | {by_uuid: listed}
    return {**env, _BY_NUMBER[backend]: listed} if backend in _BY_NUMBER else dict(env)


def child_environment(ours: Mapping[str, str], instance: str, *, is_embedded: bool) -> dict[str, str]:
    """The whole environment of a server process.

    `LLAMA_ARG_*` and `AIP_*` would silently reconfigure the server, tokens are none of its business.
    instance: the nonce of this ggtui.
    """
    kept = {
        name: value for name, value in ours.items() if name in _ALLOWED or name.startswith(_ALLOWED_PREFIXES)
    }
    if is_embedded:
        kept["PYTHONPATH"] = str(Path(ggtui.__file__).parent.parent)
    return kept | {
        "GGML_NO_BACKTRACE": "1",  # an abort would start a debugger first
        PUSH_VARIABLE: "1",
        INSTANCE_VARIABLE: instance,
    }
