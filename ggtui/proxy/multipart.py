"""Reads one text field out of a multipart form, or gives it another value; the rest stays as it came.

A form parser of a web framework would copy the audio file; only one short field is needed here. Whoever
reads the form next must find the same field in it: what parsers are known to read in several ways is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOUNDARY: Final = re.compile(
    rb"""[;\s]boundary=(?:"([^"\\\r\n]{1,70})"|([0-9A-Za-z'()+_,\-./:=?]{1,70}))\s*(?:;|$)""", re.IGNORECASE
)
_SAYS_BOUNDARY: Final = re.compile(rb"boundary\s*[*=]", re.IGNORECASE)
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_FIELD_LINE: Final = re.compile(_TOKEN + rb":[^\r\n\x00]*")
_PARAMETER: Final = rb'[ \t]*;[ \t]*(%b)=("(?:[^"]*[^"\\])?"|[^\s";]+)' % _TOKEN
"""Behind a backslash a quotation mark ends the text for some readers and is a part of it for others."""
_PARAMETERS: Final = re.compile(_PARAMETER)
_DISPOSITION: Final = re.compile(
    rb"content-disposition:[ \t]*form-data((?:%b)*)[ \t]*" % _PARAMETER, re.IGNORECASE
)
_MAX_PARTS: Final = 64
_MAX_VALUE_BYTES: Final = 1024


def boundary_of(content_type: bytes) -> bytes:
    """The boundary parameter of a Content-Type.

    Raises: InvalidRequest.
    """
    match = _BOUNDARY.search(content_type)
    if match is None or len(_SAYS_BOUNDARY.findall(content_type)) != 1:
        raise InvalidRequest("the form has no boundary that is clear")
    return match[1] or match[2]


def form_field(data: bytes | bytearray, boundary: bytes, name: bytes) -> str:
    """The value of a text field, empty when the form has none.

    Raises: InvalidRequest for a form that is not sound, or that has the field more than once.
    """
    place = _place_of(data, boundary, name)
    return _text(bytes(data[place[0] : place[1]])) if place is not None else ""


def with_form_field(data: bytes | bytearray, boundary: bytes, name: bytes, value: bytes) -> bytes:
    """The same form with this value of a text field, which it need not have.

    Raises: InvalidRequest for a form that is not sound, or that has the field more than once.
    """
    place = _place_of(data, boundary, name)
    if place is not None:
        return b"".join((data[: place[0]], value, data[place[1] :]))
    part = b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (boundary, name, value)
    start = data.find(b"--" + boundary)
    return b"".join((data[:start], part, data[start:]))


def _place_of(data: bytes | bytearray, boundary: bytes, name: bytes) -> tuple[int, int] | None:
    """Start and end of a field's value; None when the form has no such field."""
    found: list[tuple[int, int]] = []
    for head, start, end in _parts(data, b"--" + boundary):
        given = _name_in(head)
        if given.strip().lower().partition(b"[")[0] != name:
            continue
        if given != name or found:
            text = name.decode()
            raise InvalidRequest(
                f"the form must have the field {text} once, under just this name", param=text
            )
        found.append((start, end))
    return found[0] if found else None


def _parts(data: bytes | bytearray, delimiter: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The head of each part, and where its content starts and ends. The delimiter stands nowhere else.

    Raises: InvalidRequest.
    """
    at = data.find(delimiter)
    if at < 0:
        raise InvalidRequest("the form does not begin with its boundary")
    for _ in range(_MAX_PARTS):
        start = at + len(delimiter)
        behind = bytes(data[start : start + 2])
        if (at and data[max(0, at - 2) : at] != b"\r\n") or behind not in (b"\r\n", b"--"):
            raise InvalidRequest("the boundary of the form stands within a line")
        at = data.find(delimiter, start)
        if behind == b"--":
            if at >= 0:
                raise InvalidRequest("the form goes on behind its end")
            return
        head_end = data.find(b"\r\n\r\n", start, max(0, at - 2))
        if at < 0 or head_end < 0:
            raise InvalidRequest("the form is cut short")
        yield bytes(data[start + 2 : head_end]), head_end + 4, at - 2
    raise InvalidRequest(f"the form has more than {_MAX_PARTS} parts")


def _name_in(head: bytes) -> bytes:
    """The name of a part. Raises: InvalidRequest unless it has one that every reader takes for the same."""
    lines = head.split(b"\r\n")
    said = [line for line in lines if line.lower().startswith(b"content-disposition")]
    disposition = _DISPOSITION.fullmatch(said[0]) if len(said) == 1 else None
    if disposition is not None and all(_FIELD_LINE.fullmatch(line) for line in lines):
        parameters = [(key.lower(), value) for key, value in _PARAMETERS.findall(disposition[1])]
        names: list[bytes] = [value.strip(b'"') for key, value in parameters if key.startswith(b"name")]
        if len(names) == 1 and b"name" in dict(parameters) and b"\\" not in names[0]:
            return names[0]
    raise InvalidRequest("a part of the form has no name that is clear")


def _text(value: bytes) -> str:
    if len(value) > _MAX_VALUE_BYTES:
        raise InvalidRequest("model must be a short text", param="model")
    try:
        return value.decode().strip()
    except UnicodeDecodeError as error:
        raise InvalidRequest("model must be text", param="model") from error
