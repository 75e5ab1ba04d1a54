"""Ollama: its list, what it tells of each model once, and what is in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.remote.backends import ollama as of_ollama
from ggtui.adapters.remote.backends.observer import BackendObserver
from ggtui.core.backends.backend import BackendType
from ggtui.core.backends.observed import ModelDetails, PulledModel
from tests.adapters.remote.backends.looking import backend_of, declared_at, error, look, paths
from tests.backends import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.backends import Shape


@pytest.fixture(scope="module")
def box() -> Iterator[Shape]:
    with started("ollama") as shape:
        yield shape


@pytest.fixture
def ollama(box: Shape) -> Shape:
    box.have("llama3:latest", {"name": "bge:m3", "capabilities": ["embedding"], "family": "bert"})
    for place in ("list", "show", "ps"):
        box.script(place)
    return box


def test_a_model_with_all_that_is_told_of_it(ollama: Shape) -> None:
    ollama.have(
        {
            "name": "llama3:latest",
            "size": 4_661_224_676,
            "digest": "3" * 64,
            "modified_at": "2025-06-01T12:00:00.123456789+02:00",
            "context_length": 8192,
            "capabilities": ["completion", "tools"],
        }
    )

    (model,) = look(declared_at(ollama))

    expected = PulledModel(
        "llama3:latest",
        "llama3:latest",
        modified_at=1_748_772_000.123456,
        size_bytes=4_661_224_676,
        digest="sha256:" + "3" * 64,
        details=ModelDetails("", "gguf", "llama", ("llama",), "8.0B", "Q4_K_M"),
        context_length=8192,
        can_chat=True,
        can_prompt=True,
        can_stream=True,
        is_loaded=False,
    )
    assert expected == model


def test_a_model_for_embeddings(ollama: Shape) -> None:
    _, bge = look(declared_at(ollama))

    assert (True, False, False, False) == (bge.can_embed, bge.can_chat, bge.can_prompt, bge.can_stream)


def test_the_next_look_asks_no_model_again_unless_it_is_another(ollama: Shape) -> None:
    observer = BackendObserver()
    first = look(declared_at(ollama), observer=observer)
    n_asked = len(ollama.seen_at("show"))

    assert first == look(declared_at(ollama), observer=observer)
    assert n_asked == len(ollama.seen_at("show"))

    ollama.have("llama3:latest", {"name": "bge:m3", "digest": "9" * 64, "context_length": 99})

    assert [131_072, 99] == [each.context_length for each in look(declared_at(ollama), observer=observer)]
    assert n_asked + 1 == len(ollama.seen_at("show"))


def test_of_many_models_the_declared_ones_are_asked_first(
    ollama: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_ollama, "MOST_SHOWN", 2)
    ollama.have(*(f"m{n}:1b" for n in range(5)))
    observer = BackendObserver()

    known = [
        [each.name for each in look(declared_at(ollama, "M3:1b"), observer=observer) if each.can_chat]
        for _ in range(3)
    ]

    assert [["m0:1b", "m3:1b"], ["m0:1b", "m1:1b", "m2:1b", "m3:1b"], [f"m{n}:1b" for n in range(5)]] == known


def test_a_model_that_cannot_be_told_of_hides_no_other(ollama: Shape) -> None:
    ollama.script("show", {"status": 500}, model="llama3:latest")

    llama3, bge = look(declared_at(ollama))
    ollama.script("show", model="llama3:latest")

    assert ("llama3:latest", 0, False) == (llama3.name, llama3.context_length, llama3.can_chat)
    assert bge.can_embed


def test_what_is_in_memory_has_the_context_that_it_was_loaded_with(ollama: Shape) -> None:
    ollama.script("ps", {"json": {"models": [{"name": "llama3:latest", "context_length": 4096}]}})

    assert [(True, 4096), (False, 131_072)] == [
        (each.is_loaded, each.context_length) for each in look(declared_at(ollama))
    ]


def test_an_ollama_that_does_not_tell_what_is_in_memory(ollama: Shape) -> None:
    ollama.script("ps", {"status": 404})

    assert [None, None] == [each.is_loaded for each in look(declared_at(ollama))]


def test_a_context_that_its_parameters_set_counts_before_the_trained_one(ollama: Shape) -> None:
    ollama.have({"name": "a:1", "parameters": 'stop "x"\nnum_ctx                        16384\ntop_k 40'})

    assert [16384] == [each.context_length for each in look(declared_at(ollama))]


@pytest.mark.parametrize("path", ["", "/", "/v1", "/api"])
def test_its_url_may_lead_to_either_of_its_apis(ollama: Shape, path: str) -> None:
    n_seen = len(ollama.seen)

    assert 2 == len(look(backend_of(BackendType.OLLAMA, ollama.root + path)))
    assert "GET /api/tags" == paths(ollama)[n_seen]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "Invalid URL: this is no web address of the kind http://HOST:PORT"),
        ("localhost:11434", "Invalid URL: this is no web address of the kind http://HOST:PORT"),
        ("http://a b/", "Invalid URL: this is no web address: its host is no name"),
        ("http://[::1", "Invalid URL: this is no web address"),
        ("http://me:secret@box", "Invalid URL: a web address with a name or a password in it is not taken"),
    ],
)
def test_a_url_that_is_none(url: str, told: str) -> None:
    assert told == error(backend_of(BackendType.OLLAMA, url))


def test_its_errors_are_those_of_the_client(ollama: Shape) -> None:
    ollama.script(
        "list", {"status": 500, "json": {"error": "disk is gone"}}, {"text": "<html>"}, {"drop": True}
    )

    assert "500 Internal Server Error: disk is gone" == error(declared_at(ollama))
    assert error(declared_at(ollama)).startswith("its answer cannot be read: it is no JSON: ")
    assert "127.0.0.1: remote end closed connection without response" == error(declared_at(ollama))

    ollama.down()
    try:
        assert "127.0.0.1: connection refused" == error(declared_at(ollama))
    finally:
        ollama.up()
