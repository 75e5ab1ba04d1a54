"""The texts that clients match on."""

from __future__ import annotations

import pytest

from ggtui.adapters.remote.backends.words import LONGEST_TOLD, told_in, words_of
from ggtui.core.backends.backend import BackendType
from ggtui.core.deployment.secret import Secret

KEY = Secret("sk-0123456789abcdef")


@pytest.mark.parametrize(
    ("type", "address", "answer", "garbage", "status"),
    [
        (
            BackendType.OLLAMA,
            "Invalid URL: x",
            "x",
            "its answer cannot be read: x",
            "500 Internal Server Error: x",
        ),
        (
            BackendType.VLLM,
            "Failed to create request: x",
            "HTTP request failed: x",
            "Failed to decode response: x",
            "Unexpected status: 500 x",
        ),
        (
            BackendType.OPENAI,
            "Failed to create request: x",
            "HTTP request failed: x",
            "Failed to decode response: x",
            "API returned 500: x",
        ),
    ],
)
def test_each_way_to_fail(type: BackendType, address: str, answer: str, garbage: str, status: str) -> None:
    words = words_of(type)

    assert address == words.bad_address.format("x")
    assert answer == words.no_answer.format("x")
    assert garbage == words.garbage.format("x")
    assert status == words.refused(500, "x")


def test_the_others_speak_as_one_of_these() -> None:
    assert words_of(BackendType.OPENAI) == words_of(BackendType.GEMINI)
    for type in (BackendType.LLAMA_SERVER, BackendType.LLAMA_ROUTER, BackendType.GGTUI):
        assert words_of(BackendType.VLLM) == words_of(type)


def test_a_status_that_nobody_knows() -> None:
    assert "999: x" == words_of(BackendType.OLLAMA).refused(999, "x")
    assert "404 Not Found" == words_of(BackendType.OLLAMA).refused(404, "")
    assert "Unexpected status: 404" == words_of(BackendType.VLLM).refused(404, "")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", ""),
        (b" not\r\nfound\x1b[0m ", "not  found"),
        (b'{"error":"model is gone"}', "model is gone"),
        (b'{"error": {"message": "no", "code": 5}}', '{"error": {"message": "no", "code": 5}}'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"key sk-0123456789abcdef is wrong", "key … is wrong"),
        (b'{"key":"sk-\\u0030123456789abcdef"}', '{"key": "…"}'),
    ],
)
def test_what_a_server_says(body: bytes, told: str) -> None:
    assert told == told_in(body, KEY)


def test_what_a_server_says_is_short() -> None:
    assert LONGEST_TOLD == len(told_in(b"x" * 5000, None))
