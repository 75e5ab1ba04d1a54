"""Writes GGUF headers from plain keys, without tensors or with infos of tensors that hold no data."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.golden.weights import Tensor

Scalar = int | float | bool | str
Value = Scalar | list[int] | list[float] | list[bool]
Keys = dict[str, Value]

ALIGNMENT = 32
_U32, _I32, _F32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9


def write_header(path: Path, keys: Mapping[str, Value], tensors: Sequence[Tensor] = ()) -> None:
    """Write a file with these keys and tensor infos; with tensors it is as long as its data would be.

    Whole numbers become u32 (in arrays i32), the types that the usual converters write.
    """
    infos, offset = [], 0
    for tensor in tensors:
        shape = struct.pack(f"<I{len(tensor.dims)}Q", len(tensor.dims), *tensor.dims)
        infos.append(_text(tensor.name) + shape + struct.pack("<IQ", tensor.type_id, offset))
        offset += _padded(tensor.n_bytes)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(keys))
    head += b"".join(_text(key) + _value(value) for key, value in keys.items()) + b"".join(infos)
    with path.open("wb") as file:
        file.write(head + bytes(_padded(len(head)) - len(head)))
        file.truncate(_padded(len(head)) + offset)


def _padded(n_bytes: int) -> int:
    return -(-n_bytes // ALIGNMENT) * ALIGNMENT


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _value(value: Value) -> bytes:
    if isinstance(value, list):
        type_id, _ = _scalar(value[0])
        type_id = _I32 if type_id == _U32 else type_id
        return struct.pack("<IIQ", _ARRAY, type_id, len(value)) + b"".join(_scalar(item)[1] for item in value)
    type_id, data = _scalar(value)
    return struct.pack("<I", type_id) + data


def _scalar(value: Scalar) -> tuple[int, bytes]:
    if isinstance(value, bool):
        return _BOOL, struct.pack("<?", value)
    if isinstance(value, int):
        return _U32, struct.pack("<I", value)
    if isinstance(value, float):
        return _F32, struct.pack("<f", value)
    return _STRING, _text(value)
