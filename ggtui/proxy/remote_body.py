"""The body of a request as another server gets it: with its own name of the model, and asking for usage."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec

from ggtui.core.errors import InvalidRequest
from ggtui.proxy.body import OFF_LOOP_BYTES
from ggtui.proxy.json_member import with_values
from ggtui.proxy.multipart import boundary_of, with_form_field

if TYPE_CHECKING:
    from ggtui.proxy.forward_request import ForwardRequest
    from ggtui.proxy.upstream_connection import Body

_ASKS_FOR_USAGE: Final = b'{"include_usage":true}'


class _Options(msgspec.Struct):
    stream_options: msgspec.Raw = msgspec.Raw(b"")


_OPTIONS: Final = msgspec.json.Decoder(_Options)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


async def renamed(request: ForwardRequest, model: str, *, asks_usage: bool) -> tuple[bytes, Body]:
    """The body in two pieces, a new start and the old rest; everything else in it keeps its bytes.

    asks_usage: the server is to tell the usage of its stream.
    Raises: InvalidRequest.
    """
    body = request.body or b""
    kind = next((value for name, value in request.fields if name == b"content-type"), b"")
    if kind.partition(b";")[0].strip().lower() == b"multipart/form-data":
        return b"", with_form_field(body, boundary_of(kind), b"model", model.encode())
    try:
        if len(body) > OFF_LOOP_BYTES:
            return await asyncio.to_thread(_with_name, body, model, asks_usage)
        return _with_name(body, model, asks_usage)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise InvalidRequest("the body is not valid JSON") from None


def _with_name(body: bytes | bytearray, model: str, asks_usage: bool) -> tuple[bytes, Body]:
    name = {"model": msgspec.json.encode(model)}
    if not asks_usage:
        return with_values(body, name, {})
    options = bytes(_OPTIONS.decode(body).stream_options)
    if not options:
        return with_values(body, name, {"stream_options": _ASKS_FOR_USAGE})
    if options != b"null" and options[:1] != b"{":
        return with_values(body, name, {})
    members = _MEMBERS.decode(options) if options != b"null" else {}
    members["include_usage"] = msgspec.Raw(b"true")
    return with_values(body, name | {"stream_options": msgspec.json.encode(members)}, {})
