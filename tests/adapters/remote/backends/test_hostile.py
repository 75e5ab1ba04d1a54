"""Backends that mean no good: every look ends in time, with a failure of ours or with what is sound."""

from __future__ import annotations

import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.remote.backends.observer import BackendObserver
from ggtui.core.backends.backend import BackendType
from ggtui.core.errors import BackendError
from tests.adapters.remote.backends.looking import KEY, backend_of, declared_at, error, look
from tests.backends import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.backends import Shape

SHORT_S = 0.25
"""The limit of looks that have to run into it."""
OK = "HTTP/1.1 200 OK\r\n"
ROWS = {"ollama": ("models", "name"), "gemini": ("models", "name")}


@pytest.fixture(scope="module", params=list(BackendType))
def every(request: pytest.FixtureRequest) -> Iterator[Shape]:
    with started(request.param) as shape:
        yield shape


@pytest.fixture(scope="module")
def vllm() -> Iterator[Shape]:
    with started("vllm") as shape:
        yield shape


def listing(shape: Shape, *rows: object) -> str:
    return json.dumps({ROWS.get(shape.type, ("data", "id"))[0]: rows})


def row(shape: Shape, name: object, **more: Any) -> dict[str, Any]:
    return {ROWS.get(shape.type, ("data", "id"))[1]: name, **more}


def key_of(shape: Shape) -> str | None:
    return KEY if BackendType(shape.type).is_remote_list else None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '"models"',
        "<html>not found</html>",
        "[" * 150_000,
        '{"a":' * 150_000,
        "[" + "[]," * 1_000_000,
        '{"data": NaN, "models": NaN}',
        '{"data": [Infinity], "models": [-Infinity]}',
        '{"data": {"id": "a"}, "models": "all"}',
        '{"data": [' + "9" * 5000 + '], "models": [' + "9" * 5000 + "]}",
        "\x00" * 100,
    ],
    ids=lambda text: f"{text[:12]!r}…{len(text)}",
)
def test_an_answer_that_is_no_list(every: Shape, text: str) -> None:
    every.script("list", {"text": text})

    told = error(declared_at(every), key_of(every))

    assert "Failed to decode response: " in told or "its answer cannot be read: " in told
    assert told.isprintable()


def test_rows_that_are_not_as_they_should_be(every: Shape) -> None:
    no_names: list[object] = [None, 1, [], {}, ""]
    hostile: list[object] = [None, 1, "a", [], {}, *(row(every, name) for name in no_names)]
    hidden = ["a\x1b[31m", "a\nb", "a\u202eb", "a\x00", "x" * 600, "\ud800"]
    odd = row(
        every,
        "odd",
        size="big",
        digest="../../etc/passwd",
        modified_at="yesterday",
        created=1e999,
        details=["no"],
        meta=7,
        status=[],
        aliases={"a": 1},
        max_model_len=True,
        context_window=-5,
        inputTokenLimit=1 << 70,
        capabilities="all",
        supportedGenerationMethods=[1, None, "embedContent"],
    )
    rows = [*hostile, *(row(every, name) for name in hidden), odd, odd, row(every, "sound")]
    every.script("list", {"text": listing(every, *rows).replace("Infinity", "1e999")})
    every.script("props", {"json": {"default_generation_settings": {"n_ctx": "all"}}})

    models = look(declared_at(every), key_of(every))

    assert ["odd", "sound"] == [each.name for each in models]
    assert (0, "", None) == (models[0].size_bytes, models[0].digest, models[0].modified_at)
    assert 0 == models[0].context_length


def test_ten_thousand_models(every: Shape) -> None:
    names = [f"model-{n}:1b" for n in range(10_000)]
    every.script("list", {"text": listing(every, *(row(every, name) for name in names))})

    assert names == [each.name for each in look(declared_at(every), key_of(every))]


def test_a_list_without_measure(vllm: Shape) -> None:
    vllm.script("list", {"text": listing(vllm, *(row(vllm, f"m{n}") for n in range(20_001)))})

    assert "Failed to decode response: it lists more than 20000 models" == error(declared_at(vllm))


def test_a_body_without_measure(every: Shape) -> None:
    every.script("list", {"n_bytes": 9_000_000})

    assert error(declared_at(every), key_of(every)).endswith("127.0.0.1 answers with too much")


@pytest.mark.parametrize(
    "raw",
    [
        OK + "X-Filler: " + "x" * 70_000 + "\r\n\r\n",
        OK + "".join(f"X-{n}: 1\r\n" for n in range(200)) + "\r\n{}",
        "HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
        "garbage that is no HTTP\r\n\r\n",
        OK + "Transfer-Encoding: chunked\r\n\r\nZZZ\r\n",
        OK + "Transfer-Encoding: chunked\r\n\r\n" + "f" * 5000 + "\r\n",
        OK + "Content-Length: 100\r\n\r\n{}",
        OK + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
    ],
    ids=lambda raw: f"{raw[16:40]!r}",
)
def test_an_answer_that_is_no_sound_http(every: Shape, raw: str) -> None:
    every.script("list", {"raw": raw})

    assert error(declared_at(every), key_of(every), BackendObserver(5.0)).isprintable()


@pytest.mark.parametrize("answer", [{"hang": True}, {"drip_s": 0.01}], ids=["silence", "drip"])
def test_one_that_takes_its_time_is_left(every: Shape, answer: dict[str, Any]) -> None:
    every.have(*(f"m{n}" for n in range(50)))
    every.script("list", answer)

    told = error(declared_at(every), key_of(every), BackendObserver(SHORT_S))

    assert told.endswith(("127.0.0.1 does not answer in time", f"no whole answer within {SHORT_S} s"))


def test_the_last_of_several_questions_has_no_time_of_its_own() -> None:
    with started("ollama", ["a"]) as ollama:
        ollama.script("ps", {"hang": True})

        assert [("a", None)] == [
            (each.name, each.is_loaded) for each in look(declared_at(ollama), None, BackendObserver(SHORT_S))
        ]


def test_no_key_goes_where_a_redirect_leads(every: Shape, vllm: Shape) -> None:
    n_seen = len(vllm.seen)
    for status in (301, 302, 303, 307, 308):
        every.script("list", {"status": status, "headers": {"Location": vllm.url + "/v1/models"}})

        told = error(declared_at(every), KEY)

        assert told.endswith(f"127.0.0.1 sends on to {vllm.root}, which is not asked")
    assert n_seen == len(vllm.seen)


def test_a_redirect_to_another_path_is_followed_and_a_ring_is_not(vllm: Shape) -> None:
    vllm.have("a")
    vllm.script("list", {"status": 308, "headers": {"Location": "/v1/models?again=1"}}, {})

    assert ["a"] == [each.name for each in look(declared_at(vllm), KEY)]
    assert [f"Bearer {KEY}"] * 2 == [each["headers"]["authorization"] for each in vllm.seen[-2:]]

    vllm.script("list", {"status": 302, "headers": {"Location": "/v1/models"}})

    assert "HTTP request failed: 127.0.0.1 sends on more than 3 times" == error(declared_at(vllm))


@pytest.mark.parametrize("location", ["http://[::1", "ftp://127.0.0.1/x", "//", "http://a:b@127.0.0.1/"])
def test_a_redirect_to_nowhere(vllm: Shape, location: str) -> None:
    vllm.script("list", {"status": 302, "headers": {"Location": location}})

    assert error(declared_at(vllm)).startswith("HTTP request failed: ")


def test_no_key_is_in_any_text(every: Shape, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    escaped = "".join(f"\\u{ord(sign):04x}" for sign in KEY)
    halves = KEY[:9], KEY[9:]
    answers: list[dict[str, Any]] = [
        {"status": 401, "text": f"wrong key {KEY}"},
        {"status": 401, "text": f'{{"error": {{"message": "{escaped}"}}}}'},
        {"status": 401, "text": f'{{"error": "{escaped}"}}'},
        {"status": 401, "text": "\x1b[1m".join(halves)},
        {"status": 401, "text": "x" * (300 - 9) + KEY},
        {"status": 302, "headers": {"Location": f"http://{KEY}.example/"}},
        {"text": KEY},
        {"text": listing(every, row(every, KEY), row(every, f"a-{KEY}"))},
        {"raw": f"{KEY}\r\n\r\n"},
        {"raw": f"{OK}{KEY}: 1\r\nContent-Length: {KEY}\r\n\r\n"},
        {"raw": f"HTTP/1.1 500 {KEY}\r\n\r\n"},
    ]
    for answer in answers:
        every.script("list", answer)
        try:
            shown = str(look(declared_at(every, "wanted"), KEY))
        except BackendError as failure:
            shown = "".join(traceback.format_exception(failure))

        assert KEY not in shown
        assert halves[0] not in shown
    assert KEY not in caplog.text


@pytest.mark.parametrize("key", ["a\r\nX-Other: 1", "schlüssel", "a\x00b"])
def test_a_key_that_no_header_holds_is_not_sent(every: Shape, key: str) -> None:
    n_seen = len(every.seen)

    told = error(declared_at(every), key)

    assert told.endswith("the key holds what cannot be sent")
    assert n_seen == len(every.seen)


def test_a_host_that_is_not_known() -> None:
    told = error(backend_of(BackendType.VLLM, "http://no-such-host.invalid"), None, BackendObserver(5.0))

    assert "no-such-host.invalid is not known" in told or "within 5 s" in told
