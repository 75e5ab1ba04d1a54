"""Launch options one by one: every value can be typed, written out and stepped through."""

from __future__ import annotations

import pytest

from ggtui.core.model_settings import AUTO, Value
from ggtui.core.models import KvType
from ggtui.tui.launch_fields import (
    OPTION_KEYS,
    Typed,
    Typing,
    around,
    stepped,
    stops_of,
    text_of,
    typed,
    typing_of,
)
from tests.tui.fake_engine import model

SUMMARY = model(1, "m", 4.0, n_ctx_train=131072, n_layer=48)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("ctx", "32768", 32768),
        ("ctx", " 32k ", 32768),
        ("slots", "6", 6),
        ("gpu_layers", "auto", AUTO),
        ("gpu_layers", "0", 0),
        ("threads", "AUTO", AUTO),
        ("template", "chatml", "chatml"),
        ("extra_args", "--lora '/a b.gguf'", ("--lora", "/a b.gguf")),
        ("keep_alive", "10m", "10m"),
        ("slots", "", None),
    ],
)
def test_what_is_typed_is_a_value(key: str, text: str, expected: Value | None) -> None:
    assert Typed(expected) == typed(key, text)


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("ctx", "many", "must be a whole number from 1"),
        ("ctx", "0", "must be a whole number from 1"),
        ("slots", "2000", "must be a whole number from 1 to 1024"),
        ("gpu_layers", "-1", 'or "auto"'),
        ("extra_args", "--lora 'open", "must be a list of texts"),
        ("keep_alive", "soon", 'a time such as "10m"'),
    ],
)
def test_what_is_no_value_says_what_would_be_one(key: str, text: str, words: str) -> None:
    read = typed(key, text)

    assert read.value is None
    assert words in read.problem


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ctx", 12345),
        ("gpu_layers", AUTO),
        ("keep_alive", "10m"),
        ("template", "chatml"),
        ("extra_args", ("--lora", "/a b.gguf", "it's")),
    ],
)
def test_a_value_is_written_as_it_would_be_typed(key: str, value: Value) -> None:
    assert Typed(value) == typed(key, text_of(key, value))


@pytest.mark.parametrize(
    ("key", "value", "direction", "expected"),
    [
        ("ctx", 32768, 1, 49152),
        ("ctx", 32768, -1, 24576),
        ("ctx", 33000, -1, 32768),
        ("ctx", 33000, 1, 49152),
        ("ctx", 131072, 1, 131072),
        ("slots", 1, -1, 1),
        ("slots", 5, 1, 6),
        ("cache_type_k", KvType.F16, 1, KvType.BF16),
        ("gpu_layers", None, -1, 49),
        ("gpu_layers", 49, 1, AUTO),
        ("flash_attn", None, 1, True),
        ("flash_attn", True, -1, AUTO),
        ("keep_alive", -1.0, -1, "12h"),
        ("keep_alive", "10m", 1, "15m"),
        ("keep_alive", 900, 1, "30m"),
        ("pinned", False, 1, True),
        ("extra_args", ("-v",), 1, ("-v",)),
    ],
)
def test_a_step(key: str, value: Value | None, direction: int, expected: Value) -> None:
    assert expected == stepped(key, value, direction, SUMMARY)


def test_enter_leads_through_few_values_and_round_again() -> None:
    assert True is around("flash_attn", None, SUMMARY)
    assert False is around("flash_attn", True, SUMMARY)
    assert KvType.F32 == around("cache_type_v", KvType.IQ4_NL, SUMMARY)


def test_what_is_never_typed_has_stops_and_what_has_none_is_typed() -> None:
    for key in OPTION_KEYS:
        assert stops_of(key, SUMMARY) or typing_of(key) is Typing.ON, key
