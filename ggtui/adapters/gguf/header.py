"""Reads the header of a GGUF file and nothing behind it: keys, and what the tensors add up to.

The gguf package was tried: it makes one array view per vocabulary entry (ten seconds for a large vocabulary)
and hangs or raises anything on hostile files.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ggtui.adapters.gguf.tensor_types import TENSOR_TYPES
from ggtui.adapters.gguf.weights import PlaceSums
from ggtui.adapters.gguf.window import Window, opened
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ggtui.core.ports.byte_source import ByteSource

SMALLEST_FILE = 24
MOST_KEYS = 65_536
MOST_TENSORS = 1_048_576
SMALLEST_KEY_RECORD = 13
SMALLEST_TENSOR_RECORD = 24
LONGEST_KEY = 65_535
LONGEST_TENSOR_NAME = 64
MOST_NUMBERS = 16 * 1024 * 1024
MOST_STRINGS = 4 * 1024 * 1024
KEY_TEXT_BUDGET = 4 * MIB
"""Characters of all keys together; real files have a few thousand."""
KEPT_ELEMENTS = 1024
"""Longer arrays are kept as their length only."""
KEPT_TEXT_BYTES = 1024
KEPT_TEMPLATE_BYTES = MIB
KEPT_BUDGET = 4 * MIB
"""Bytes that one header may keep of text and arrays, all keys together."""
LONG_SPAN = 64 * 1024
"""Bytes from which on an array of strings is worth remembering by its length."""
ELEMENT_BYTES = 32
"""What a kept number of an array takes in memory."""

_SCALARS: dict[int, tuple[str, int]] = {
    0: ("B", 1), 1: ("b", 1), 2: ("H", 2), 3: ("h", 2), 4: ("I", 4), 5: ("i", 4),
    6: ("f", 4), 7: ("?", 1), 10: ("Q", 8), 11: ("q", 8), 12: ("d", 8),
}  # fmt: skip
"""struct code and bytes by value type."""
_STRING, _ARRAY, _U32 = 8, 9, 4


class SkippedArray(NamedTuple):
    """An array that was passed over."""

    n_items: int


class StringSpan(NamedTuple):
    """What an array of strings takes in the file."""

    n_items: int
    n_bytes: int


Value = int | float | bool | str | tuple[int | float | bool, ...] | SkippedArray


@dataclass(slots=True)
class TensorSums:
    """What the tensor infos add up to."""

    n_elements: int = 0
    bytes_by_type: dict[int, int] = field(default_factory=dict)
    """Bytes by type number; 0 for a type of unknown size."""
    data_end: int = 0
    """Bytes from the start of the data to the end of the last tensor."""
    places: PlaceSums = field(default_factory=PlaceSums)
    """The same by layer and place."""


@dataclass(frozen=True, slots=True)
class Header:
    """A GGUF header. Text in it is as hostile as the file."""

    version: int
    is_big_endian: bool
    metadata: Mapping[str, Value]
    n_tensors: int
    tensors: TensorSums
    data_start: int
    file_bytes: int
    string_spans: Mapping[str, StringSpan] = field(default_factory=dict)
    """Of the long arrays of strings, by key."""

    @property
    def needed_bytes(self) -> int:
        """Size the file must have to hold all its tensors; more than file_bytes for a cut download."""
        return self.data_start + self.tensors.data_end if self.n_tensors else 0

    @property
    def is_filled(self) -> bool:
        """True when the file ends with its tensors, but for the padding of the last one."""
        alignment = self.metadata.get("general.alignment", 32)
        return isinstance(alignment, int) and 0 <= self.file_bytes - self.needed_bytes < alignment


def read_header(path: Path) -> Header:
    """The header of this file. Bounded in time and memory for any content.

    Raises: HeaderUnreadable, with one plain sentence.
    """
    with opened(path) as window:
        return _Reading(window).header()


def read_header_of(source: ByteSource, time_limit_s: float, alike: Header | None = None) -> Header:
    """The header of a file that lies anywhere, within the same bounds.

    alike: of another file of the same model. Where both hold an array of strings of one key and count, it is
    passed over by the length it has there, unread, which saves most of the bytes. That is believed only of a
    file that is whole by it; any other is read again without.
    Raises: HeaderUnreadable; what the source raises.
    """
    spans = {} if alike is None else alike.string_spans
    if spans:
        with suppress(HeaderUnreadable):
            header = _Reading(Window(source, time_limit_s), spans).header()
            if header.is_filled:
                return header
    return _Reading(Window(source, time_limit_s)).header()


class _Reading:
    def __init__(self, window: Window, known_spans: Mapping[str, StringSpan] | None = None) -> None:
        self._window = window
        self._kept = 0
        self._known_spans = known_spans or {}
        self._spans: dict[str, StringSpan] = {}

    def header(self) -> Header:
        window = self._window
        version = self._version()
        n_tensors, n_keys = window.u64(), window.u64()
        self._check_counts(n_tensors, n_keys)
        metadata = self._metadata(n_keys)
        alignment = self._alignment(metadata)
        sums = self._tensors(n_tensors, alignment)
        data_start = -(-window.position // alignment) * alignment
        return Header(
            version,
            window.is_big_endian,
            metadata,
            n_tensors,
            sums,
            data_start,
            window.file_bytes,
            self._spans,
        )

    def _version(self) -> int:
        window = self._window
        if window.file_bytes == 0:
            raise HeaderUnreadable("file is empty")
        if window.file_bytes < SMALLEST_FILE:
            raise HeaderUnreadable("file is too short for a GGUF file")
        if window.take(4) != b"GGUF":
            raise HeaderUnreadable("not a GGUF file")
        version = window.u32()
        if version & 0xFFFF == 0:
            window.turn_big_endian()
            version = int.from_bytes(version.to_bytes(4, "little"), "big")
        if version == 1:
            raise HeaderUnreadable("GGUF version 1 is no longer supported; get a newer conversion")
        if version not in (2, 3):
            raise HeaderUnreadable(f"GGUF version {version} is not known")
        return version

    def _check_counts(self, n_tensors: int, n_keys: int) -> None:
        remaining = self._window.remaining
        if n_keys > min(MOST_KEYS, remaining // SMALLEST_KEY_RECORD):
            raise HeaderUnreadable("header claims more keys than the file can hold")
        if n_tensors > min(MOST_TENSORS, remaining // SMALLEST_TENSOR_RECORD):
            raise HeaderUnreadable("header claims more tensors than the file can hold")

    def _metadata(self, n_keys: int) -> dict[str, Value]:
        metadata: dict[str, Value] = {}
        n_left = KEY_TEXT_BUDGET
        for _ in range(n_keys):
            key = self._name(LONGEST_KEY, "key")
            if key in metadata:
                raise HeaderUnreadable("a key appears twice")
            n_left -= len(key)
            if n_left < 0:
                raise HeaderUnreadable(f"keys are longer than {KEY_TEXT_BUDGET // MIB} MiB together")
            metadata[key] = self._value(key)
            self._window.check_budget()
        return metadata

    def _name(self, longest: int, what: str) -> str:
        raw = self._window.string(longest + 1)
        if not 1 <= len(raw) <= longest:
            raise HeaderUnreadable(f"a {what} has no sound length")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise HeaderUnreadable(f"a {what} is not UTF-8") from error

    def _value(self, key: str) -> Value:
        value_type = self._window.u32()
        if key == "general.alignment" and value_type != _U32:
            # The engine takes no other type for it, and ends instead of saying so.
            raise HeaderUnreadable("alignment is no unsigned 32-bit number")
        if value_type == _STRING:
            return self._text(key)
        if value_type == _ARRAY:
            return self._array(key)
        if value_type not in _SCALARS:
            raise HeaderUnreadable(f"value type {value_type} is not known")
        return self._window.numbers(_SCALARS[value_type][0], 1)[0]

    def _text(self, key: str) -> str:
        is_template = key.startswith("tokenizer.chat_template")
        wanted = KEPT_TEMPLATE_BYTES if is_template else KEPT_TEXT_BYTES
        raw = self._window.string(min(wanted, KEPT_BUDGET - self._kept))
        self._kept += len(raw)
        return raw.decode("utf-8", "replace")

    def _array(self, key: str) -> tuple[int | float | bool, ...] | SkippedArray:
        element_type, count = self._window.u32(), self._window.u64()
        if element_type == _STRING:
            return self._skip_string_array(key, count)
        if element_type not in _SCALARS:
            raise HeaderUnreadable("an array holds arrays or an unknown type")
        code, size = _SCALARS[element_type]
        if count > MOST_NUMBERS or count * size > self._window.remaining:
            raise HeaderUnreadable("an array is longer than the file")
        n_bytes = count * ELEMENT_BYTES
        if count > KEPT_ELEMENTS or self._kept + n_bytes > KEPT_BUDGET:
            self._window.skip(count * size)
            return SkippedArray(count)
        self._kept += n_bytes
        return self._window.numbers(code, count)

    def _skip_string_array(self, key: str, count: int) -> SkippedArray:
        if count > MOST_STRINGS or count * 8 > self._window.remaining:
            raise HeaderUnreadable("an array of strings is longer than the file")
        start = self._window.position
        known = self._known_spans.get(key)
        if known is not None and known.n_items == count:
            self._window.skip(known.n_bytes)
        else:
            self._window.skip_strings(count)
        n_bytes = self._window.position - start
        if n_bytes >= LONG_SPAN:
            self._spans[key] = StringSpan(count, n_bytes)
        return SkippedArray(count)

    def _alignment(self, metadata: dict[str, Value]) -> int:
        alignment = metadata.get("general.alignment", 32)
        if type(alignment) is not int or not 8 <= alignment <= MIB or alignment & (alignment - 1):
            raise HeaderUnreadable("alignment is not a power of two between 8 and 1 MiB")
        return alignment

    def _tensors(self, n_tensors: int, alignment: int) -> TensorSums:
        sums = TensorSums()
        # Hashes instead of names: a million names would not fit the memory that a header may take.
        names: set[int] = set()
        for index in range(n_tensors):
            name = self._name(LONGEST_TENSOR_NAME, "tensor name")
            names.add(hash(name))
            self._tensor(name, sums, alignment)
            if index % 1024 == 0:
                self._window.check_budget()
        if len(names) != n_tensors:
            raise HeaderUnreadable("a tensor appears twice")
        return sums

    def _tensor(self, name: str, sums: TensorSums, alignment: int) -> None:
        n_dims = self._window.u32()
        if not 1 <= n_dims <= 4:
            raise HeaderUnreadable("a tensor has no sound number of dimensions")
        dims = [self._window.u64() for _ in range(n_dims)]
        n_elements = math.prod(dims)
        if not 0 < n_elements < 1 << 63:
            raise HeaderUnreadable("a tensor has no sound size")
        type_id, offset = self._window.u32(), self._window.u64()
        if offset % alignment:
            raise HeaderUnreadable("a tensor is not aligned")
        n_bytes = _tensor_bytes(type_id, dims[0], n_elements)
        sums.n_elements += n_elements
        sums.bytes_by_type[type_id] = sums.bytes_by_type.get(type_id, 0) + n_bytes
        sums.data_end = max(sums.data_end, offset + n_bytes)
        sums.places.add(name, dims, type_id, n_bytes, offset)


def _tensor_bytes(type_id: int, row_elements: int, n_elements: int) -> int:
    """Bytes of a tensor; 0 when its type is unknown here, which does not make the file bad."""
    if type_id not in TENSOR_TYPES:
        return 0
    _, block, size = TENSOR_TYPES[type_id]
    if row_elements % block:
        raise HeaderUnreadable("a tensor's rows are no whole blocks")
    return n_elements // block * size
