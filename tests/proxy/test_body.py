"""What a JSON body may be, and that the rest goes up as it came."""

from __future__ import annotations

import json

import pytest

from ggtui.core.errors import InvalidRequest
from ggtui.proxy.adapter_list import OwnEntry
from ggtui.proxy.body import OFF_LOOP_BYTES, judge
from tests.programs.fakeup import RawUpstream, answering, plain
from tests.proxy.rig import JSON, Answer, door, run

OK = plain(b'{"ok": true}')
FILLER = b'"pad": "' + b"x" * OFF_LOOP_BYTES + b'"'

MALFORMED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xef\xbb\xbf{}",
    b"{} x",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": "\\ud800"}',
    b'{"a": 01}',
    b'{"a": "\x01"}',
    b'{"a": 1,}',
    b'{"a": "\xff"}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: str(body[:20]))
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        judge(body)


@pytest.mark.parametrize("body", [each for each in MALFORMED if each.startswith(b"{") and each[-1:] == b"}"])
def test_a_large_body_is_judged_as_strictly(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        judge(b"{" + FILLER + b"," + body[1:])


@pytest.mark.parametrize("number", [b"1e400", b"1" * 10_000])
def test_a_number_out_of_range_is_refused(number: bytes) -> None:
    with pytest.raises(InvalidRequest):
        judge(b'{"temperature": ' + number + b"}")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model": 1}', "model"),
        (b'{"stream": "yes"}', "stream"),
        (b'{"num_ctx": 0}', "num_ctx"),
        (b'{"num_ctx": -1}', "num_ctx"),
        (b'{"num_ctx": 2.5}', "num_ctx"),
        (b'{"num_ctx": "4096"}', "num_ctx"),
        (b'{"num_ctx": true}', "num_ctx"),
        (b'{"n": 1000000}', "n"),
        (b'{"max_tokens": -5}', "max_tokens"),
        (b'{"n_discard": -1}', "n_discard"),
        (b'{"grammar": "root ::= ' + b"(" * 60_000 + b'"}', "grammar"),
        (b'{"grammar": "' + b"x" * 300_000 + b'"}', "grammar"),
        (b'{"json_schema": ' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"}", "json_schema"),
        (b'{"response_format": {"schema": {"pattern": "' + b"(" * 100 + b'"}}}', "response_format"),
    ],
)
@pytest.mark.parametrize("is_large", [False, True])
def test_a_wrong_field_is_named(body: bytes, param: str, is_large: bool) -> None:
    with pytest.raises(InvalidRequest) as caught:
        judge(b"{" + FILLER + b"," + body[1:] if is_large else body)

    assert param == caught.value.param


@pytest.mark.parametrize("name", ["tools", "text", "response_format", "model", "stream", "num_ctx"])
def test_a_field_of_a_large_body_that_is_large_itself_is_not_decoded(name: str) -> None:
    body = f'{{"{name}": ['.encode() + b'{"a":1},' * 200_000 + b"{}]}"

    with pytest.raises(InvalidRequest, match=f"{name} is too long"):
        judge(body)


@pytest.mark.parametrize("is_large", [False, True])
def test_a_name_that_no_model_can_have_is_not_looked_for(is_large: bool) -> None:
    pad = FILLER + b"," if is_large else b""

    with pytest.raises(InvalidRequest, match="model is longer than 512 characters"):
        judge(b"{" + pad + b'"model": "' + b"a" * 513 + b'"}')


def test_an_ordinary_grammar_is_not_in_the_way() -> None:
    alternatives = " | ".join(f'("{n}" [a-z]*)' for n in range(500))

    assert "a" == judge(json.dumps({"model": "a", "grammar": f"root ::= {alternatives}"}).encode()).model


def test_a_body_without_num_ctx_is_the_same_object() -> None:
    body = bytearray(b'{"model":"a", "x": [1.0, 2e3], "y": "\\u00e9", "model": "b"}')
    judged = judge(body)

    assert body is judged.data
    assert "b" == judged.model


def test_num_ctx_leaves_a_body_without_a_copy_of_it() -> None:
    body = bytearray(b'{"num_ctx": 512, ' + FILLER + b"}")
    judged = judge(body)

    assert body is judged.data
    assert (b"{ " + FILLER + b"}", 512) == (bytes(judged.data), judged.num_ctx)


@pytest.mark.parametrize("is_large", [False, True])
def test_keep_alive_is_read_and_taken_out(is_large: bool) -> None:
    pad = FILLER + b"," if is_large else b""
    judged = judge(bytearray(b"{" + pad + b'"a": 1.50, "keep_alive": "10m"}'))

    assert 600.0 == judged.keep_alive_s
    assert judged.data.endswith(b'"a": 1.50}')


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("value", [b"8192", b"null"])
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_num_ctx_is_taken_out_and_the_rest_keeps_its_bytes(
    kind: type[bytes | bytearray], value: bytes, is_large: bool
) -> None:
    pad = FILLER + b"," if is_large else b""
    judged = judge(kind(b"{" + pad + b'"a": 1.50, "num_ctx": ' + value + b', "m": {"num_ctx": 1}}'))
    root = json.loads(judged.data)

    assert json.loads(value) == judged.num_ctx
    assert {"num_ctx": 1} == root["m"]
    assert "num_ctx" not in root
    assert b"1.50" in judged.data


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("", 0),
        ('"max_tokens": 7, ', 7),
        ('"max_completion_tokens": 8, "max_tokens": 7, ', 8),
        ('"max_output_tokens": 9, ', 9),
        ('"n_predict": 3, "max_tokens": 7, ', 3),
        ('"n_predict": null, "max_tokens": 7, ', 7),
        ('"n_predict": -1, ', 0),
        ('"n_predict": "7", ', 0),
        ('"model": "tiny", "max_tokens": 7, ', 7),
    ],
)
def test_what_may_be_generated_is_read_of_a_request(member: str, expected: int, is_large: bool) -> None:
    text = "x" * (OFF_LOOP_BYTES if is_large else 1)
    body = judge(f'{{{member}"prompt": "{text}"}}'.encode())

    assert expected == body.max_tokens


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("has_list", [False, True])
def test_a_list_of_adapters_is_read_and_taken_out_where_the_path_has_one(
    has_list: bool, is_large: bool
) -> None:
    rest = b' "prompt": "' + b"x" * (OFF_LOOP_BYTES if is_large else 1) + b'"}'
    data = bytearray(b'{"lora": [{"id": 1, "scale": 0.5}],' + rest)
    whole = bytes(data)
    body = judge(data, has_list=has_list)

    assert ((OwnEntry(1, 0.5),) if has_list else None) == body.lora
    assert (b"{" + rest if has_list else whole) == body.data
    assert data is body.data


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (["Content-Type: text/plain"], 415),
        ([], 415),
        (["Content-Type: multipart/form-data; boundary=x"], 415),
        ([JSON, "Content-Encoding: gzip"], 415),
        ([JSON, "Content-Encoding: identity"], 200),
        (["Content-Type: Application/JSON; charset=utf-8"], 200),
    ],
)
def test_only_json_enters(fields: list[str], status: int) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            raw = proxy.head("POST /v1/completions", *fields, "Connection: close", body=b'{"model":"tiny"}')
            answer = Answer.parse(await proxy.ask(raw))

            assert status == answer.status
            assert (status == 200) == bool(upstream.requests)

    run(check())


def test_a_large_body_arrives_whole() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            body = ('{"model": "tiny", "image": "' + "é" * 4_000_000 + '"}').encode()
            answer = Answer.parse(await proxy.ask(proxy.post(body)))

            assert 200 == answer.status
            assert body == upstream.requests[0].body

    run(check())
