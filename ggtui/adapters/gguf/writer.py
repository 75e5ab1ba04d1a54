"""Writes small GGUF files with the standard library alone: models of a megabyte, not of a gigabyte."""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence
    from pathlib import Path

VERSION = 3
ALIGNMENT = 32
_U32, _I32, _F32, _STRING, _ARRAY = 4, 5, 6, 8, 9
_TENSOR_F32 = 0


@dataclass(slots=True)
class GgufWriter:
    """Collects keys and tensors in order, then writes them."""

    _keys: list[bytes] = field(default_factory=list)
    _infos: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    _data: list[bytes] = field(default_factory=list)

    def add_text(self, key: str, value: str) -> None:
        """A string."""
        self._keys.append(_text(key) + struct.pack("<I", _STRING) + _text(value))

    def add_number(self, key: str, value: int) -> None:
        """An unsigned 32-bit number."""
        self._keys.append(_text(key) + struct.pack("<II", _U32, value))

    def add_float(self, key: str, value: float) -> None:
        """A 32-bit float."""
        self._keys.append(_text(key) + struct.pack("<If", _F32, value))

    def add_texts(self, key: str, values: Sequence[str]) -> None:
        """An array of strings."""
        self._add_array(key, _STRING, len(values), b"".join(map(_text, values)))

    def add_floats(self, key: str, values: Sequence[float]) -> None:
        """An array of 32-bit floats."""
        self._add_array(key, _F32, len(values), struct.pack(f"<{len(values)}f", *values))

    def add_integers(self, key: str, values: Sequence[int]) -> None:
        """An array of signed 32-bit numbers."""
        self._add_array(key, _I32, len(values), struct.pack(f"<{len(values)}i", *values))

    def _add_array(self, key: str, element_type: int, count: int, elements: bytes) -> None:
        head = struct.pack("<IIQ", _ARRAY, element_type, count)
        self._keys.append(_text(key) + head + elements)

    def add_tensor(self, name: str, values: array[float], n_columns: int) -> None:
        """A tensor of 32-bit floats, row after row; one row makes a vector."""
        n_rows = len(values) // n_columns
        self._infos.append((name, (n_columns,) if n_rows == 1 else (n_columns, n_rows)))
        if sys.byteorder == "big":
            values = values[:]
            values.byteswap()
        self._data.append(values.tobytes())

    def write(self, path: Path) -> None:
        """Write the file.

        Raises: OSError.
        """
        head = b"GGUF" + struct.pack("<IQQ", VERSION, len(self._infos), len(self._keys))
        infos, offset = [], 0
        for (name, dims), data in zip(self._infos, self._data, strict=True):
            shape = struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
            infos.append(_text(name) + shape + struct.pack("<IQ", _TENSOR_F32, offset))
            offset += len(_padded(data))
        header = head + b"".join(self._keys) + b"".join(infos)
        path.write_bytes(_padded(header) + b"".join(map(_padded, self._data)))


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)
