"""Reads one text field out of a multipart form; the form itself is forwarded as it came.

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
            return ""
        end = data.find(b"\r\n" + delimiter, start)
        head_end = data.find(b"\r\n\r\n", start, end)
        if end < 0 or head_end < 0:
            raise InvalidRequest("the form is cut short")
        if wanted.search(bytes(data[start : head_end + 1])):
            return _text(bytes(data[head_end + 4 : end]))
        start = end + 2
    raise InvalidRequest(f"the form has more than {_MAX_PARTS} parts")


def _text(value: bytes) -> str:
    if len(value) > _MAX_VALUE_BYTES:
        raise InvalidRequest("model must be a short text", param="model")
    try:
        return value.decode().strip()
    except UnicodeDecodeError as error:
        raise InvalidRequest("model must be text", param="model") from error
