"""The body as another server gets it: one member is another, and no other byte."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from ggtui.core.units import MIB
from ggtui.proxy.forward_request import ForwardRequest
from ggtui.proxy.remote_body import renamed

JSON = [(b"content-type", b"application/json")]


def sent(body: bytes, *, asks_usage: bool = False, fields: Any = JSON) -> bytes:
    """The body that goes up when the model is called `there`."""
    request = ForwardRequest("POST", b"/v1/chat/completions", fields, "", body=bytearray(body))
    start, rest = asyncio.run(renamed(request, "there", asks_usage=asks_usage))
    return start + bytes(rest)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model": "a", "x": 1.50}', b'{"model": "there", "x": 1.50}'),
        (b' { "x" : "\\u00e9","model" :"a" } ', b' { "x" : "\\u00e9","model" :"there" } '),
        (b'{"x": "\\"model\\": 1", "model": "a"}', b'{"x": "\\"model\\": 1", "model": "there"}'),
        (b'{"x": 1}', b'{"model":"there","x": 1}'),
        (b"{}", b'{"model":"there"}'),
    ],
)
def test_the_name_is_another_and_all_else_keeps_its_bytes(body: bytes, expected: bytes) -> None:
    assert expected == sent(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "a", "tools": [{"model": "a"}]}',
        b'{"mod\\u0065l": "a"}',
        b'{"mod\\u0065l": "b", "model": "a"}',
        b'{"model": "b", "model": "a"}',
        b'{"model": "a", "mod\\u0065l": "a", "x": {"model": "a"}}',
        b'{"tools": {"model": "a"}, "model": "a\\u0041"}',
        b'{"x": {"model": "nested only"}}',
    ],
)
def test_however_it_is_written_the_model_is_named_once_and_nothing_else_changes(body: bytes) -> None:
    members = json.loads(sent(body), object_pairs_hook=list)
    expected = json.loads(body) | {"model": "there"}

    assert expected == json.loads(sent(body))
    assert ["there"] == [value for name, value in members if name == "model"]


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (b'{"model": "a", "stream": true}', {"include_usage": True}),
        (b'{"stream": true}', {"include_usage": True}),
        (b'{"model": "a", "stream_options": null}', {"include_usage": True}),
        (
            b'{"model": "a", "stream_options": {"include_usage": false, "x": 1}}',
            {"include_usage": True, "x": 1},
        ),
        (b'{"model": "a", "stream_options": "odd"}', "odd"),
    ],
)
def test_the_usage_is_asked_for_beside_what_the_client_wants(body: bytes, options: object) -> None:
    document = json.loads(sent(body, asks_usage=True))

    assert json.loads(body) | {"model": "there", "stream_options": options} == document


def test_a_large_body_is_not_copied_but_for_its_start() -> None:
    body = bytearray(b'{"model": "a", "messages": "' + b"x" * (2 * MIB) + b'"}')
    request = ForwardRequest("POST", b"/", JSON, "", body=body)
    start, rest = asyncio.run(renamed(request, "there", asks_usage=False))

    assert b'{"model": "there"' == start
    assert isinstance(rest, memoryview)
    assert rest.obj is body


def test_a_form_has_its_field_changed() -> None:
    kind = [(b"content-type", b"multipart/form-data; boundary=XX")]
    sound = b'--XX\r\nContent-Disposition: form-data; name="file"\r\n\r\nmodel\r\n'
    name = b'--XX\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n'

    assert sound + name % b"there" + b"--XX--\r\n" == sent(sound + name % b"a" + b"--XX--\r\n", fields=kind)
    assert name % b"there" + sound + b"--XX--\r\n" == sent(sound + b"--XX--\r\n", fields=kind)
