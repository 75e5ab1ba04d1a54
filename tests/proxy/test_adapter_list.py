"""The `lora` list: what a client may say in it, and what reaches the server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ggtui.core.errors import InvalidRequest
from ggtui.core.routing.adapters import AdapterRef, AdapterStack
from ggtui.proxy.adapter_list import (
    NOTHING,
    AdapterNotCarried,
    AdapterWish,
    OwnEntry,
    opened,
    own_entries,
)

CARRIED = ("code", "chat", "sql")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "lora must be a list"),
        ("code", "lora must be a list"),
        ([1], "an entry of lora is"),
        ([{"id": 0}], "an entry of lora is"),
        ([{"id": 0, "scale": 1, "name": "code"}], "an entry of lora is"),
        ([{"id": "a", "scale": 1}], "id in lora must be a whole number"),
        ([{"id": True, "scale": 1}], "id in lora must be a whole number"),
        ([{"id": 0, "scale": "1"}], "scale in lora must be a number from -100 to 100"),
        ([{"id": 0, "scale": None}], "scale in lora must be a number from -100 to 100"),
        ([{"id": 0, "scale": 1e30}], "scale in lora must be a number from -100 to 100"),
        ([{"name": 1, "weight": 1}], "name in lora must be a text"),
        ([{"name": "code", "weight": 1.5}], "weight in lora must be a number from 0 to 1"),
        ([{"name": "code", "weight": True}], "weight in lora must be a number from 0 to 1"),
        ([{"id": 0, "scale": 1}, {"id": 0, "scale": 2}], "lora names an adapter twice"),
        ([{"id": 0, "scale": 1}] * 257, "lora has more than 256 entries"),
    ],
)
def test_a_list_that_is_not_sound_is_refused_in_words(value: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as caught:
        own_entries(value)

    assert "lora" == caught.value.param


def test_a_client_names_adapters_by_number_or_by_name() -> None:
    entries = own_entries([{"id": 2, "scale": -1}, {"name": "code", "weight": 0.25}]) or ()

    assert (OwnEntry(2, -1.0), OwnEntry("code", 0.25)) == entries
    assert (0.25, 0.0, -1.0) == AdapterWish(own=entries).scales(CARRIED)


def test_null_says_nothing_and_an_empty_list_the_model_alone() -> None:
    assert own_entries(None) is None
    assert () == own_entries([])
    assert (0.0, 0.0, 0.0) == AdapterWish(own=()).scales(CARRIED)


def test_each_adapter_of_the_server_gets_a_scale_in_its_order() -> None:
    stack = AdapterStack((AdapterRef("sql", 0.5), AdapterRef("code", 0.8)))

    assert (0.8, 0.0, 0.5) == AdapterWish(stack).scales(CARRIED)
    assert (0.0, 0.0, 0.0) == NOTHING.scales(CARRIED)
    assert () == NOTHING.scales(())


@pytest.mark.parametrize(
    "wish", [AdapterWish(AdapterStack().add("new")), AdapterWish(own=(OwnEntry("new", 1.0),))]
)
def test_an_adapter_that_the_server_lacks_is_told_by_name(wish: AdapterWish) -> None:
    with pytest.raises(AdapterNotCarried, match="new"):
        wish.scales(CARRIED)


@pytest.mark.parametrize(
    ("carried", "number", "words"),
    [
        (("code", "chat"), 2, "lora names the adapter 2, but 0 is code, 1 is chat"),
        (("code",), -1, "lora names the adapter -1, but 0 is code"),
        ((), 0, "lora names the adapter 0, but the model has none"),
    ],
)
def test_a_number_that_no_adapter_has_is_refused(carried: tuple[str, ...], number: int, words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        AdapterWish(own=(OwnEntry(number, 1.0),)).scales(carried)

    assert words == caught.value.message


@pytest.mark.parametrize("body", [b"{}", b' \n{ "a": 1e2 } ', b'{"a":{"lora":[]}}', b"{\t}"])
def test_the_list_goes_to_the_start_and_the_rest_keeps_its_bytes(body: bytes) -> None:
    start, rest = opened(bytearray(body), (0.0, 0.8))
    expected = {
        "lora": [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 0.8}],
        "cache_prompt": True,
        **json.loads(body),
    }

    assert expected == json.loads(start + bytes(rest))
    assert body.endswith(bytes(rest))


def test_a_client_may_still_switch_the_prompt_cache_off() -> None:
    start, rest = opened(b'{"cache_prompt":false}', (1.0,))

    assert json.loads(start + bytes(rest))["cache_prompt"] is False


def test_a_large_body_is_neither_copied_nor_changed() -> None:
    body = bytearray(b'{"prompt":"' + b"x" * 20_000_000 + b'"}')
    _, rest = opened(body, (1.0,))

    assert rest.obj is body
    assert len(body) - 1 == len(rest)
