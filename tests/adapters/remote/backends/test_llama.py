"""llama-server that somebody else started, alone and as a router."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ggtui.core.backends.backend import BackendType
from tests.adapters.remote.backends.looking import KEY, backend_of, declared_at, error, look, paths
from tests.backends import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.backends import Shape


@pytest.fixture(scope="module")
def one_server() -> Iterator[Shape]:
    with started("llama_server") as shape:
        yield shape


@pytest.fixture
def server(one_server: Shape) -> Shape:
    one_server.have({"name": "qwen", "context_length": 8192, "size": 123, "aliases": ["gpt-4", "mine"]})
    for place in ("list", "props"):
        one_server.script(place)
    return one_server


def test_its_model_has_the_context_of_a_slot(server: Shape) -> None:
    (model,) = look(declared_at(server))

    assert ("qwen", 8192, 123, True) == (model.name, model.context_length, model.size_bytes, model.is_loaded)
    assert ["GET /v1/models", "GET /props"] == paths(server)[-2:]


def test_a_declared_alias_is_a_name_of_it_and_another_is_not(server: Shape) -> None:
    models = look(declared_at(server, "gpt-4"))

    assert [("qwen", ""), ("gpt-4", "qwen")] == [(each.name, each.model) for each in models]


def test_a_build_that_tells_the_context_only_in_its_props(server: Shape) -> None:
    server.script("list", {"json": {"data": [{"id": "old", "meta": {"size": 1}}]}})
    server.have({"name": "old", "context_length": 4096})

    assert [4096] == [each.context_length for each in look(declared_at(server))]


def test_a_server_that_sleeps_is_not_woken_and_has_its_model_out_of_memory(server: Shape) -> None:
    server.script("props", {"json": {"default_generation_settings": {"n_ctx": 512}, "is_sleeping": True}})

    assert [False] == [each.is_loaded for each in look(declared_at(server))]


def test_props_that_are_refused_hide_no_model(server: Shape) -> None:
    server.script("props", {"status": 404})

    assert [("qwen", 8192, None)] == [
        (each.name, each.context_length, each.is_loaded) for each in look(declared_at(server))
    ]


def test_a_server_that_loads_is_an_error(server: Shape) -> None:
    server.script("list", {"status": 503, "json": {"error": {"message": "Loading model", "code": 503}}})

    assert error(declared_at(server)).startswith(
        'Unexpected status: 503 {"error": {"message": "Loading model"'
    )


def test_its_key_is_sent_to_all_that_is_asked(server: Shape) -> None:
    server.ask_key(KEY)
    try:
        assert ["qwen"] == [
            each.name for each in look(backend_of(BackendType.LLAMA_SERVER, server.root + "/v1"), KEY)
        ]
        assert error(declared_at(server)).startswith("Unexpected status: 401 ")
    finally:
        server.ask_key(None)


def _router_row(name: str, state: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "status": {"value": state, "args": ["--ctx-size", "512"]}, **more}


def test_a_router_tells_what_is_in_memory_and_what_could_be() -> None:
    rows = [
        _router_row("idle", "unloaded"),
        _router_row("busy", "loaded", meta={"n_ctx": 2048, "size": 9}),
        _router_row("asleep", "sleeping"),
        _router_row("coming", "downloading"),
    ]
    with started("llama_router") as shape:
        shape.script("list", {"json": {"data": rows}})
        models = look(declared_at(shape))

        assert ["GET /models"] == paths(shape)

    assert [("idle", False, 0), ("busy", True, 2048), ("asleep", True, 0)] == [
        (each.name, each.is_loaded, each.context_length) for each in models
    ]
