"""GGUF headers byte by byte, also such as no writer would write."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def u32(key: str | bytes, value: int) -> bytes:
    return text(key) + struct.pack("<II", U32, value)


def string(key: str, value: str | bytes) -> bytes:
    return text(key) + struct.pack("<I", STRING) + text(value)


def array(key: str, element_type: int, count: int, elements: bytes = b"") -> bytes:
    return text(key) + struct.pack("<IIQ", ARRAY, element_type, count) + elements


def u32s(key: str, values: Sequence[int]) -> bytes:
    return array(key, U32, len(values), struct.pack(f"<{len(values)}I", *values))


def tensor(name: str | bytes = "t", dims: Sequence[int] = (32,), type_id: int = 0, offset: int = 0) -> bytes:
    shape = struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
    return text(name) + shape + struct.pack("<IQ", type_id, offset)


def header(
    keys: Sequence[bytes] = (),
    tensors: Sequence[bytes] = (),
    *,
    version: int = 3,
    n_keys: int | None = None,
    n_tensors: int | None = None,
    data: bytes = b"",
) -> bytes:
    counts = (len(tensors) if n_tensors is None else n_tensors, len(keys) if n_keys is None else n_keys)
    head = b"GGUF" + struct.pack("<IQQ", version, *counts) + b"".join(keys) + b"".join(tensors)
    return head + bytes(-len(head) % 32) + data


def written(folder: Path, content: bytes, name: str = "m.gguf") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


LLAMA_KEYS = (
    string("general.architecture", "llama"),
    u32("llama.block_count", 2),
    u32("llama.context_length", 4096),
    u32("llama.embedding_length", 64),
    u32("llama.feed_forward_length", 128),
    u32("llama.attention.head_count", 4),
    u32("llama.attention.head_count_kv", 2),
)
"""The least that facts need."""
