"""One member leaves an object, and nothing else changes."""

from __future__ import annotations

import json

import pytest

from ggtui.proxy.json_member import cut_member, without_members


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"num_ctx": 5}', b"{}"),
        (b'{"a": 1.50,"num_ctx":5}', b'{"a": 1.50}'),
        (b'{"a":1 , "num_ctx" : null }', b'{"a":1 }'),
        (b'{ "num_ctx":5 , "a":1}', b'{  "a":1}'),
        (b'{"a":[1], "num_ctx": [ {"id":0, "b":"]"}, {} ] , "c":1}', b'{"a":[1],  "c":1}'),
        (b'{"num_ctx":[]}', b"{}"),
        (b'{"a":"\\"num_ctx\\": 5","num_ctx":7,"b":"num_ctx"}', b'{"a":"\\"num_ctx\\": 5","b":"num_ctx"}'),
    ],
)
def test_a_member_is_cut_out_in_place(before: bytes, after: bytes) -> None:
    data = bytearray(before)

    assert (True, after) == (cut_member(data, "num_ctx"), bytes(data))


def test_several_leave_together() -> None:
    data = bytearray(b'{"keep_alive": "10m", "a": [1.0], "num_ctx": 8}')

    assert data is without_members(data, ["num_ctx", "keep_alive"])
    assert bytearray(b'{ "a": [1.0]}') == data


def test_bytes_are_copied() -> None:
    assert b'{"a":1.0}' == without_members(b'{"a":1.0, "num_ctx":[1]}', ["num_ctx"])


UNCLEAR = [
    b'{"m":{"num_ctx":[]},"num_ctx":7}',
    b'{"num_ctx":[[1]],"a":1}',
    b'{"num_ctx":["a\\"]"],"a":1}',
    b'{"num_ctx":{"a":1},"a":1}',
    b'{"a":{"num_ctx":3},"num_ctx":5}',
    b'{"num\\u005fctx":5,"m":{"num_ctx":1}}',
    b'{"num\\u005fctx":5}',
    b'{"num_ctx":1,"num_ctx":2}',
    b'{"abc\\"num_ctx":5,"num\\u005fctx":7}',
]


@pytest.mark.parametrize("body", UNCLEAR)
def test_what_is_unclear_is_left_to_the_thorough_way(body: bytes) -> None:
    data = bytearray(body)
    expected = {name: value for name, value in json.loads(body).items() if name != "num_ctx"}

    assert (False, body) == (cut_member(data, "num_ctx"), bytes(data))
    assert expected == json.loads(without_members(data, ["num_ctx"]))
