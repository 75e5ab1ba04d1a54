"""vLLM, providers in OpenAI's form, and another ggtui."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.core.backends.backend import BackendType
from ggtui.core.backends.observed import ModelDetails, PulledModel
from tests.adapters.remote.backends.looking import KEY, backend_of, declared_at, error, look, paths
from tests.backends import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.backends import Shape


@pytest.fixture(scope="module")
def vllm() -> Iterator[Shape]:
    with started("vllm") as shape:
        yield shape


@pytest.fixture(scope="module")
def openai() -> Iterator[Shape]:
    with started("openai", key=KEY) as shape:
        yield shape


@pytest.fixture(autouse=True)
def well(request: pytest.FixtureRequest) -> None:
    for name in {"vllm", "openai"} & set(request.fixturenames):
        request.getfixturevalue(name).script("list")


def test_vllm_tells_its_models_and_their_context(vllm: Shape) -> None:
    vllm.have({"name": "org/Qwen3", "context_length": 32768}, "my-lora")

    models = look(declared_at(vllm, "org/Qwen3"))

    assert (
        PulledModel("org/Qwen3", context_length=32768),
        PulledModel("my-lora", context_length=4096),
    ) == models
    assert "GET /v1/models" == paths(vllm)[-1]


def test_two_looks_without_a_change_see_the_same(vllm: Shape) -> None:
    rows = [{"id": "a", "created": 1_750_000_000 + n} for n in range(2)]
    vllm.script("list", *({"json": {"data": [row]}} for row in rows))

    assert look(declared_at(vllm)) == look(declared_at(vllm))


def test_vllm_without_models_is_an_error(vllm: Shape) -> None:
    vllm.have()

    assert "No models found in response" == error(declared_at(vllm, "a"))


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_a_url_with_and_without_its_version_is_the_same_place(vllm: Shape, path: str) -> None:
    vllm.have("a")

    assert ["a"] == [each.name for each in look(backend_of(BackendType.VLLM, vllm.root + path))]
    assert "GET /v1/models" == paths(vllm)[-1]


def test_a_provider_is_asked_with_its_key_at_its_url(openai: Shape) -> None:
    openai.have("gpt-4o-mini", "o3")

    models = look(declared_at(openai, "gpt-4o-mini"), KEY)

    assert ["gpt-4o-mini", "o3"] == [each.name for each in models]
    assert 1_750_000_000 == models[0].modified_at
    assert f"Bearer {KEY}" == openai.seen[-1]["headers"]["authorization"]
    assert "GET /v1/models" == paths(openai)[-1]


def test_a_provider_without_a_key_is_not_asked(openai: Shape) -> None:
    n_seen = len(openai.seen)

    assert "API key not configured" == error(declared_at(openai))
    assert "API key not configured" == error(declared_at(openai), "")
    assert n_seen == len(openai.seen)


def test_a_provider_that_has_none_of_the_declared_models_says_so(openai: Shape) -> None:
    openai.have("o3", "gpt-5")

    told = error(declared_at(openai, "gpt-4o-mini", "gpt-4"), KEY)

    assert (
        "None of the declared models are available in the OpenAI API: "
        "declared models: gpt-4o-mini, gpt-4; available models: o3, gpt-5"
    ) == told


def test_one_of_several_declared_models_is_enough(openai: Shape) -> None:
    openai.have("o3")

    assert ["o3"] == [each.name for each in look(declared_at(openai, "gpt-4", "o3"), KEY)]


def test_a_name_is_exact(openai: Shape) -> None:
    openai.have("GPT-4")

    assert error(declared_at(openai, "gpt-4"), KEY).startswith("None of the declared models are available")


def test_a_list_that_tells_contexts_is_believed(openai: Shape) -> None:
    rows = [{"id": "a", "context_length": 8192}, {"id": "b", "context_window": 4096}, {"id": "c"}]
    openai.script("list", {"json": {"data": rows}})

    assert [8192, 4096, 0] == [each.context_length for each in look(declared_at(openai), KEY)]


def test_another_ggtui_tells_what_its_models_can_do_and_have() -> None:
    row = {
        "id": "qwen",
        "aliases": ["gpt-4", "other"],
        "context_window": 8192,
        "capabilities": ["chat", "completion"],
        "is_running": True,
        "meta": {"architecture": "qwen3", "quantisation": "Q4_K_M", "size": 5_000_000_000},
    }
    embedder = {"id": "bge", "context_window": None, "max_context_window": 512, "capabilities": ["embedding"]}
    with started("ggtui") as shape:
        shape.script("list", {"json": {"object": "list", "data": [row, embedder]}})
        qwen, alias, bge = look(declared_at(shape, "gpt-4"))

    expected = PulledModel(
        "qwen",
        size_bytes=5_000_000_000,
        details=ModelDetails(family="qwen3", quantization_level="Q4_K_M"),
        context_length=8192,
        can_chat=True,
        can_prompt=True,
        can_stream=True,
        is_loaded=True,
    )
    assert expected == qwen
    assert ("gpt-4", "qwen", 8192) == (alias.name, alias.model, alias.context_length)
    assert PulledModel("bge", context_length=512, can_embed=True) == bge
