"""Reads one text field out of a multipart form, or gives it another value; the rest stays as it came.

A form parser of a web framework would copy the audio file; only one short field is needed here.
"""

from __future__ import annotations

import re

from ggtui.core.errors import InvalidRequest

_BOUNDARY = re.compile(
    rb"""boundary=(?:"([^"\r\n]{1,70})"|([0-9A-Za-z'()+_,\-./:=?]{1,70}))""", re.IGNORECASE
)
_MAX_PARTS = 64
_MAX_VALUE_BYTES = 1024


def boundary_of(content_type: bytes) -> bytes:
    """The boundary parameter of a Content-Type.

    Raises: InvalidRequest.
    """
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise InvalidRequest("the form has no boundary")
    return match[1] or match[2]


def form_field(data: bytes | bytearray, boundary: bytes, name: bytes) -> str:
    """The value of a text field, empty when the form has none.

    Raises: InvalidRequest for a form that is not sound.
    """
    place = _place_of(data, boundary, name)
    return _text(bytes(data[place[0] : place[1]])) if place is not None else ""


def with_form_field(data: bytes | bytearray, boundary: bytes, name: bytes, value: bytes) -> bytes:
    """The same form with this value of a text field, which it need not have.

    Raises: InvalidRequest for a form that is not sound.
    """
    place = _place_of(data, boundary, name)
    if place is not None:
        return b"".join((data[: place[0]], value, data[place[1] :]))
    part = b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (boundary, name, value)
    start = data.find(b"--" + boundary)
    return b"".join((data[:start], part, data[start:]))


def _place_of(data: bytes | bytearray, boundary: bytes, name: bytes) -> tuple[int, int] | None:
    """Start and end of a field's value; None when the form has no such field."""
    delimiter = b"--" + boundary
    wanted = re.compile(
        rb'\r\ncontent-disposition:[^\r\n]*[; ]name="?' + re.escape(name) + rb'"?[;\r]', re.IGNORECASE
    )
    start = data.find(delimiter)
    if start < 0:
        raise InvalidRequest("the form does not begin with its boundary")
    for _ in range(_MAX_PARTS):
        start += len(delimiter)
        if data[start : start + 2] == b"--":
            return None
        end = data.find(b"\r\n" + delimiter, start)
        head_end = data.find(b"\r\n\r\n", start, end)
        if end < 0 or head_end < 0:
            raise InvalidRequest("the form is cut short")
        if wanted.search(bytes(data[start : head_end + 1])):
            return head_end + 4, end
        start = end + 2
    raise InvalidRequest(f"the form has more than {_MAX_PARTS} parts")


def _text(value: bytes) -> str:
    if len(value) > _MAX_VALUE_BYTES:
        raise InvalidRequest("model must be a short text", param="model")
    try:
        return value.decode().strip()
    except UnicodeDecodeError as error:
        raise InvalidRequest("model must be text", param="model") from error
