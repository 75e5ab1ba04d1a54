"""The memory regions of an Intel card, asked of the kernel's i915 or xe driver."""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

I915_QUERY: Final = 0xC0106479
"""DRM_IOWR(DRM_COMMAND_BASE + 0x39, struct drm_i915_query), 16 bytes. Source: include/uapi/drm/i915_drm.h."""

I915_MEMORY_REGIONS: Final = 4
XE_DEVICE_QUERY: Final = 0xC0286440
"""DRM_IOWR(DRM_COMMAND_BASE + 0, struct drm_xe_device_query), 40 bytes. Source: include/uapi/drm/xe_drm.h."""

XE_MEMORY_REGIONS: Final = 1
OWN_MEMORY: Final = 1
"""The class of a region that is the device's own, in both drivers; 0 is main memory."""

REGION_BYTES: Final = 88
ANSWER_LIMIT: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Region:
    """One memory region as the driver tells it."""

    is_own: bool
    """False for main memory."""
    total_bytes: int
    used_bytes: int
    """Always 0 for a caller without CAP_PERFMON."""


def memory_regions(node: Path, driver: str) -> tuple[Region, ...] | None:
    """The regions of the card behind a render node; None when its driver cannot be asked.

    Blocks for as long as the driver does.
    """
    ask, parse = (_ask_xe, parse_xe) if driver == "xe" else (_ask_i915, parse_i915)
    try:
        descriptor = os.open(node, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return parse(ask(descriptor))
    except (OSError, ImportError, struct.error):
        return None
    finally:
        os.close(descriptor)


def parse_i915(answer: bytes) -> tuple[Region, ...]:
    """struct drm_i915_query_memory_regions: a count, 12 bytes unused, then the regions.

    Raises: struct.error for an answer that is too short.
    """
    (count,) = struct.unpack_from("=I", answer)
    regions = []
    for index in range(count):
        kind, _, _, probed, unallocated = struct.unpack_from("=HHIQQ", answer, 16 + index * REGION_BYTES)
        regions.append(Region(kind == OWN_MEMORY, probed, max(0, probed - unallocated)))
    return tuple(regions)


def parse_xe(answer: bytes) -> tuple[Region, ...]:
    """struct drm_xe_query_mem_regions: a count, 4 bytes unused, then the regions.

    Raises: struct.error for an answer that is too short.
    """
    (count,) = struct.unpack_from("=I", answer)
    regions = []
    for index in range(count):
        kind, _, _, total, used = struct.unpack_from("=HHIQQ", answer, 8 + index * REGION_BYTES)
        regions.append(Region(kind == OWN_MEMORY, total, used))
    return tuple(regions)


def _ask_i915(descriptor: int) -> bytes:
    """Asked twice: the first answer is only its length. Raises: OSError."""
    length = _i915(descriptor, 0, 0)
    answer = ctypes.create_string_buffer(_bounded(length))
    _i915(descriptor, len(answer), ctypes.addressof(answer))
    return answer.raw


def _i915(descriptor: int, length: int, address: int) -> int:
    item = ctypes.create_string_buffer(struct.pack("=QiIQ", I915_MEMORY_REGIONS, length, 0, address), 24)
    query = bytearray(struct.pack("=IIQ", 1, 0, ctypes.addressof(item)))
    _ioctl(descriptor, I915_QUERY, query)
    return int(struct.unpack_from("=i", item.raw, 8)[0])


def _ask_xe(descriptor: int) -> bytes:
    """Asked twice: the first answer is only its length. Raises: OSError."""
    answer = ctypes.create_string_buffer(_bounded(_xe(descriptor, 0, 0)))
    _xe(descriptor, len(answer), ctypes.addressof(answer))
    return answer.raw


def _xe(descriptor: int, length: int, address: int) -> int:
    query = bytearray(struct.pack("=QIIQQQ", 0, XE_MEMORY_REGIONS, length, address, 0, 0))
    _ioctl(descriptor, XE_DEVICE_QUERY, query)
    return int(struct.unpack_from("=I", query, 12)[0])


def _ioctl(descriptor: int, request: int, argument: bytearray) -> None:
    import fcntl  # not on Windows, where this module is imported too

    fcntl.ioctl(descriptor, request, argument)


def _bounded(length: int) -> int:
    if not 0 < length <= ANSWER_LIMIT:
        raise OSError("the driver does not tell its memory regions")
    return length
