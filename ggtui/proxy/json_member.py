"""Takes members out of a JSON object, or gives them other values; all others keep their bytes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PLAIN_VALUE = re.compile(rb'(?:null|-?[0-9][0-9.eE+\-]*|"[^"\\]*"|\[(?:[^]["\\]|"[^"\\]*")*\])\s*(,?)')
"""A list is plain when no other is in it."""
_OPENING = re.compile(rb"[ \t\r\n]*\{[ \t\r\n]*")
_SPACE = b" \t\r\n"
_TEXT = re.compile(rb'"[^"\\]*"')
_BACKSLASH = 0x5C


def without_members(data: bytes | bytearray, names: Collection[str]) -> bytes | bytearray:
    """The same object without these members, which it has and which may be repeated.

    A bytearray is changed in place where that is possible, so that a large body is not held twice.
    Raises: msgspec.DecodeError.
    """
    if isinstance(data, bytearray) and all(cut_member(data, name) for name in names):
        return data
    members = _RAW.decode(data)
    for name in names:
        members.pop(name, None)
    return msgspec.json.encode(members)


def cut_member(data: bytearray, name: str) -> bool:
    """Cut a member with a plain value, no object and no nested list, out of a sound object that has it.

    False when it is not clear where it stands, as when its name is spelled with escapes or occurs again
    deeper inside; then nothing is changed.
    """
    place = _only_place(data, name)
    if place is None:
        return False
    start, end, is_last = place
    if is_last:
        while data[start - 1] in _SPACE:
            start -= 1
        start -= data[start - 1 : start] == b","
    taken = bytes(data[start:end])
    del data[start:end]
    if _has_member(data, name):
        data[start:start] = taken
        return False
    return True


def _only_place(data: bytearray, name: str) -> tuple[int, int, bool] | None:
    """Start, end and whether no comma follows; None unless the name is a key once, with a plain value."""
    # Behind a backslash the first quotation mark is a part of a text. bytes.find is slower here.
    keys = [key.span() for key in _key(name).finditer(data) if data[key.start() - 1] != _BACKSLASH]
    if len(keys) != 1:
        return None
    start, value_start = keys[0]
    value = _PLAIN_VALUE.match(data, value_start)
    return (start, value.end(), not value[1]) if value is not None else None


@lru_cache(maxsize=4)
def _key(name: str) -> re.Pattern[bytes]:
    return re.compile(rb'"%b"\s*:\s*' % re.escape(name.encode()))


def _has_member(data: bytes | bytearray, name: str) -> bool:
    return len(memoryview(getattr(_looking_for(name).decode(data), name))) > 0


@lru_cache(maxsize=4)
def _looking_for(name: str) -> msgspec.json.Decoder[Any]:
    """Reads one member of an object as it stands, nothing when there is none."""
    return msgspec.json.Decoder(msgspec.defstruct("Looked", [(name, msgspec.Raw, msgspec.Raw(b""))]))


def with_values(
    data: bytes | bytearray, values: Mapping[str, bytes], absent: Mapping[str, bytes]
) -> tuple[bytes, bytes | memoryview]:
    """The same object with these members, in two pieces: a new start, and the old rest where that may stay.

    values: JSON by name, in place of what each member is now; `absent` is for those it is known not to have.
    Raises: msgspec.DecodeError.
    """
    if len(values) == 1:
        ((name, value),) = values.items()
        if not _has_member(data, name):
            return _opened_with(data, {**values, **absent})
        place = _value_place(data, name)
        if place is not None:
            start, end = place
            return bytes(data[:start]) + value + _listed(absent, b",%b"), memoryview(data)[end:]
    members = _RAW.decode(data)
    members.update({name: msgspec.Raw(value) for name, value in (*values.items(), *absent.items())})
    return msgspec.json.encode(members), b""


def _opened_with(data: bytes | bytearray, values: Mapping[str, bytes]) -> tuple[bytes, memoryview]:
    """With further members at its start."""
    opening = _OPENING.match(data)
    rest = memoryview(data)[opening.end() if opening is not None else 0 :]
    start = b"{" + _listed(values, b"%b,")
    return start[:-1] if rest[:1].tobytes() == b"}" else start, rest


def _listed(values: Mapping[str, bytes], form: bytes) -> bytes:
    return b"".join(form % (b'"%b":%b' % (name.encode(), value)) for name, value in values.items())


def _value_place(data: bytes | bytearray, name: str) -> tuple[int, int] | None:
    """Where the value of a member stands that the object has; None unless its key is written only once.

    Keys that are spelled with escapes count too: another one could be what the next reader takes.
    """
    pattern = _any_spelling(name) if b"\\u" in data else _key(name)
    keys = [key.span() for key in pattern.finditer(data) if data[key.start() - 1] != _BACKSLASH]
    if len(keys) != 1:
        return None
    value = _TEXT.match(data, keys[0][1])
    return value.span() if value is not None else None


@lru_cache(maxsize=4)
def _any_spelling(name: str) -> re.Pattern[bytes]:
    letters = b"".join(rb"(?:%b|\\u(?i:%04x))" % (re.escape(each.encode()), ord(each)) for each in name)
    return re.compile(rb'"%b"\s*:\s*' % letters)
