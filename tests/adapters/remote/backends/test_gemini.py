"""Gemini: pages, details, methods, and where its key goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.core.backends.backend import BackendType
from ggtui.core.backends.observed import PulledModel
from tests.adapters.remote.backends.looking import KEY, backend_of, declared_at, error, look, paths
from tests.backends import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.backends import Shape


@pytest.fixture(scope="module")
def google() -> Iterator[Shape]:
    with started("gemini", key=KEY) as shape:
        yield shape


@pytest.fixture(autouse=True)
def gemini(google: Shape) -> Shape:
    google.have(
        "gemini-2.5-pro", {"name": "text-embedding-004", "methods": ["embedContent"], "context_length": 2048}
    )
    google.page(1000)
    for place in ("list", "show"):
        google.script(place)
    return google


def test_methods_are_what_a_model_can_do(gemini: Shape) -> None:
    pro, embedder = look(declared_at(gemini), KEY)

    assert (
        PulledModel(
            "gemini-2.5-pro", context_length=1_048_576, can_chat=True, can_prompt=True, can_stream=True
        )
        == pro
    )
    assert PulledModel("text-embedding-004", context_length=2048, can_embed=True) == embedder


def test_the_key_is_in_a_header_and_in_no_address(gemini: Shape) -> None:
    look(declared_at(gemini, "models/gemini-2.5-pro"), KEY)

    asked = gemini.seen[-2:]

    assert [KEY, KEY] == [each["headers"]["x-goog-api-key"] for each in asked]
    assert KEY not in str([(each["path"], each["query"]) for each in asked])
    assert "authorization" not in asked[0]["headers"]


def test_all_pages_are_read(gemini: Shape) -> None:
    gemini.have(*(f"m{n}" for n in range(5)))
    gemini.page(2)

    assert [f"m{n}" for n in range(5)] == [each.name for each in look(declared_at(gemini), KEY)]
    assert 3 * ["GET /v1beta/models"] == paths(gemini)[-3:]


def test_pages_without_an_end_are_refused(gemini: Shape) -> None:
    gemini.script("list", {"json": {"models": [{"name": "models/a"}], "nextPageToken": "1"}})

    assert "Failed to decode response: its list of models has no end" == error(declared_at(gemini), KEY)


def test_only_declared_models_are_asked_for_one_by_one(gemini: Shape) -> None:
    n_before = len(gemini.seen)
    gemini.script("show", {"json": {"name": "models/gemini-2.5-pro", "inputTokenLimit": 77}})

    models = look(declared_at(gemini, "models/gemini-2.5-pro"), KEY)

    assert ["GET /v1beta/models", "GET /v1beta/models/gemini-2.5-pro"] == paths(gemini)[n_before:]
    assert [77, 2048] == [each.context_length for each in models]


def test_a_detail_that_fails_is_named(gemini: Shape) -> None:
    gemini.script("show", {"status": 500, "json": {"error": "overloaded"}})

    told = error(declared_at(gemini, "gemini-2.5-pro"), KEY)

    assert "Failed to fetch model info: API returned 500: overloaded" == told


def test_none_of_the_declared_models(gemini: Shape) -> None:
    told = error(declared_at(gemini, "gemini-9"), KEY)

    assert told.startswith(
        "None of the declared models are available in the Gemini API: declared models: gemini-9"
    )


@pytest.mark.parametrize("path", ["", "/v1beta", "/v1beta/openai"])
def test_its_url_may_lead_to_either_of_its_apis(gemini: Shape, path: str) -> None:
    models = look(backend_of(BackendType.GEMINI, gemini.root + path), KEY)

    assert ["gemini-2.5-pro", "text-embedding-004"] == [each.name for each in models]


def test_a_wrong_key_is_told_by_its_status(gemini: Shape) -> None:
    assert error(declared_at(gemini), "another-key-1234").startswith("API returned 401: ")


def test_without_a_key_it_is_not_asked(gemini: Shape) -> None:
    n_seen = len(gemini.seen)

    assert "API key not configured" == error(declared_at(gemini))
    assert n_seen == len(gemini.seen)
