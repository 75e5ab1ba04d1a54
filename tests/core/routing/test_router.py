"""Where a request goes by its name, by the default and by the context that it needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ggtui.core.errors import ContextTooLong, EndpointNotFound, EndpointNotReady, NoModelsAvailable
from ggtui.core.routing.adapters import AdapterRef, AdapterStack
from ggtui.core.routing.endpoints import EndpointStatus, ModelEndpoint, ModelId
from ggtui.core.routing.registry import ModelRegistry
from ggtui.core.routing.router import CREATED, ModelRouter


def model(model_id: str, max_context_length: int = 4096, **more: Any) -> ModelEndpoint:
    return ModelEndpoint(ModelId(model_id), model_id, max_context_length=max_context_length, **more)


def adapted(base: str, name: str, weight: float = 1.0, **more: Any) -> ModelEndpoint:
    stack = AdapterStack().add(name, weight)
    return ModelEndpoint(ModelId(f"{base}:{name}"), base, adapter=name, stack=stack, **more)


def router(*endpoints: ModelEndpoint, aliases: dict[str, str] | None = None) -> ModelRouter:
    registry = ModelRegistry()
    for each in endpoints:
        registry.register(each)
    for alias, target in (aliases or {}).items():
        registry.add_alias(alias, target)
    return ModelRouter(registry)


STACKED = replace(
    adapted("qwen", "both"), stack=AdapterStack((AdapterRef("code", 0.6), AdapterRef("chat", 0.4)))
)
QWEN = (model("qwen"), adapted("qwen", "code", 0.8), adapted("qwen", "chat", 0.5), STACKED)

# By name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("qwen", "qwen"), ("gpt-4", "qwen"), ("coder", "qwen:code"), ("qwen:code", "qwen:code")],
)
def test_a_name_leads_to_its_endpoint(name: str, expected: str) -> None:
    assert expected == router(*QWEN, aliases={"gpt-4": "qwen", "coder": "qwen:code"}).route(name).id


@pytest.mark.parametrize("name", ["nobody", "Qwen", "qwen ", "", "qwen:", "qwen:nobody", ":code", "gone"])
def test_an_unknown_name_is_not_found(name: str) -> None:
    with pytest.raises(EndpointNotFound) as caught:
        router(*QWEN, aliases={"gone": "removed"}).route(name)

    assert (404, "model_not_found", f"model '{name}' not found") == (
        caught.value.status,
        caught.value.code,
        caught.value.detail,
    )


@pytest.mark.parametrize("status", [EndpointStatus.LOADING, EndpointStatus.ERROR, EndpointStatus.DISABLED])
def test_what_is_not_ready_says_so_with_its_reason(status: EndpointStatus) -> None:
    with pytest.raises(EndpointNotReady) as caught:
        router(model("qwen", status=status, why="it is so")).route("qwen")

    assert (503, f"model 'qwen' is not ready (status: {status})", "it is so") == (
        caught.value.status,
        caught.value.detail,
        caught.value.hint,
    )


def test_an_alias_is_told_by_its_id_when_that_is_not_ready() -> None:
    found = router(model("qwen", status=EndpointStatus.DISABLED), aliases={"gpt-4": "qwen"})

    with pytest.raises(EndpointNotReady, match="model 'qwen' is not ready"):
        found.route("gpt-4")


# By default


def test_no_name_is_the_default() -> None:
    assert "b" == router(model("a"), model("b", is_default=True)).route(None).id


def test_without_a_default_no_name_is_served_by_nobody() -> None:
    with pytest.raises(NoModelsAvailable) as caught:
        router(model("a")).route(None)

    assert (503, "no models are currently available") == (caught.value.status, caught.value.detail)


def test_nothing_takes_the_place_of_a_default_that_is_not_ready() -> None:
    found = router(model("a"), model("b", is_default=True, status=EndpointStatus.DISABLED))

    with pytest.raises(EndpointNotReady, match=r"model 'b' is not ready \(status: disabled\)"):
        found.route(None)
    with pytest.raises(EndpointNotReady):
        found.route_for_context(None, 1)


# Several adapters at once


def test_adapters_are_composed_in_the_order_asked_for_each_with_its_weight() -> None:
    found = router(*QWEN).route("qwen:chat+code")

    assert ("qwen:chat+code", "qwen", "chat+code") == (found.id, found.base_model, found.adapter)
    assert (AdapterRef("chat", 0.5), AdapterRef("code", 0.8)) == found.stack.adapters


@pytest.mark.parametrize(
    "name",
    [
        "qwen:code+nobody",
        "qwen:code+code",
        "qwen:code+",
        "qwen:+code",
        "qwen:code+both",  # a stack is no part of another
        "qwen:solo+code",
        "qwen+code",
        "gpt-4:code+chat",
        "llama:code+chat",
    ],
)
def test_what_is_not_made_of_adapters_of_one_model_is_not_found(name: str) -> None:
    solo = replace(adapted("qwen", "solo"), stack=AdapterStack().add("code", 0.5))
    found = router(*QWEN, solo, model("llama"), aliases={"gpt-4": "qwen"})

    with pytest.raises(EndpointNotFound, match="not found"):
        found.route(name)


def test_the_longest_id_before_a_colon_is_the_model() -> None:
    short = (model("llama"), adapted("llama", "a"), adapted("llama", "b"))
    long = (model("llama:latest", 8192), adapted("llama:latest", "a"), adapted("llama:latest", "b"))
    found = router(*short, *long)

    assert ("llama:latest", 8192) == (
        found.route("llama:latest:a+b").base_model,
        found.route("llama:latest:a+b").max_context_length,
    )
    assert "llama" == found.route("llama:a+b").base_model


def test_an_id_goes_before_what_could_be_composed() -> None:
    assert (
        "Own"
        == router(*QWEN, model("qwen:code+chat", display_name="Own")).route("qwen:code+chat").display_name
    )


def test_a_composed_one_is_as_ready_as_its_parts() -> None:
    broken = replace(adapted("qwen", "chat"), status=EndpointStatus.ERROR, why="adapter chat: no file")

    with pytest.raises(EndpointNotReady, match=r"model 'qwen:code\+chat' is not ready") as caught:
        router(*QWEN, broken).route("qwen:code+chat")

    assert "adapter chat: no file" == caught.value.hint


def test_a_composed_one_is_not_the_default() -> None:
    assert not router(model("qwen", is_default=True), *QWEN[1:]).route("qwen:code+chat").is_default


# Hints


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("qwem", "did you mean qwen?"),
        ("gpt-5", "did you mean gpt-4?"),
        ("zzz", ""),
        ("qwen:cod", "qwen has the adapters both, chat, code"),
        ("qwen:code+nobody", "qwen has the adapters both, chat, code"),
        ("llama:code", "llama has no adapters"),
        ("nobody:code", "did you mean qwen:code?"),
        ("gone", "the alias leads to removed, which does not exist"),
        ("gonee", ""),
    ],
)
def test_a_name_that_leads_nowhere_gets_what_may_be_meant(name: str, hint: str) -> None:
    with pytest.raises(EndpointNotFound) as caught:
        router(*QWEN, model("llama"), aliases={"gpt-4": "llama", "gone": "removed"}).route(name)

    assert hint == caught.value.hint


# By context


@pytest.mark.parametrize(
    ("name", "required", "expected"),
    [
        ("small", 4096, "small"),
        ("small", 0, "small"),
        (None, 4096, "small"),
        (None, 4097, "large"),
        (None, 32768, "large"),
        ("middle", 5000, "middle"),
        ("tiny", 4096, "small"),
    ],
)
def test_the_context_decides_only_where_nothing_is_named(
    name: str | None, required: int, expected: str
) -> None:
    found = router(
        model("small", is_default=True),
        model("middle", 8192),
        model("large", 32768),
        aliases={"tiny": "small"},
    )

    assert expected == found.route_for_context(name, required).id


@pytest.mark.parametrize("name", ["small", "tiny"])
def test_a_named_one_that_is_too_small_is_refused_with_both_numbers(name: str) -> None:
    found = router(model("small"), model("large", 32768), aliases={"tiny": "small"})

    with pytest.raises(ContextTooLong) as caught:
        found.route_for_context(name, 4097)

    text = "model 'small' cannot handle context length 4097 (max: 4096)"
    assert (400, "context_length_exceeded", text) == (
        caught.value.status,
        caught.value.code,
        caught.value.detail,
    )
    assert (4097, 4096) == (caught.value.required, caught.value.available)


def test_what_is_too_long_for_all_is_refused_with_the_numbers_of_the_default() -> None:
    found = router(model("small", is_default=True), model("large", 32768))

    with pytest.raises(
        ContextTooLong, match=r"model 'small' cannot handle context length 40000 \(max: 4096\)"
    ):
        found.route_for_context(None, 40_000)


def test_among_equals_the_first_by_name_is_taken_and_none_that_is_not_ready() -> None:
    found = router(
        model("default", is_default=True),
        model("c", 8192),
        model("b", 8192),
        model("a", 8192, status=EndpointStatus.DISABLED),
        model("z", 65536, status=EndpointStatus.ERROR),
    )

    assert "b" == found.route_for_context(None, 5000).id


def test_what_cannot_do_what_is_asked_is_not_taken() -> None:
    found = router(
        model("default", is_default=True),
        model("embedder", 65536, capabilities=("embedding",)),
        model("chatty", 8192, capabilities=("chat",)),
    )

    assert "chatty" == found.route_for_context(None, 5000, "chat").id
    with pytest.raises(ContextTooLong):
        found.route_for_context(None, 5000, "vision")


def test_a_server_that_runs_with_more_counts_for_what_it_holds() -> None:
    found = router(model("a", 8192), model("b", 8192), model("c", 16384))

    assert "c" == _id(found.roomiest(9000))
    assert "b" == _id(found.roomiest(9000, running={"b": 32768}))
    assert "a" == _id(found.roomiest(9000, running={"b": 32768, "a": 32768}))
    assert "c" == _id(found.roomiest(9000, running={"c": 512}))
    assert found.roomiest(40_000, running={"b": 32768}) is None
    assert router().roomiest(0) is None


def _id(endpoint: ModelEndpoint | None) -> str:
    assert endpoint is not None
    return endpoint.id


def test_without_a_default_no_context_helps() -> None:
    with pytest.raises(NoModelsAvailable):
        router(model("large", 32768)).route_for_context(None, 5000)
    with pytest.raises(EndpointNotFound):
        router(model("large", 32768)).route_for_context("nobody", 5000)


# Listing


def test_what_is_listed_is_ready_in_the_order_of_ids_and_never_changes() -> None:
    found = router(*QWEN, model("a"), model("off", status=EndpointStatus.DISABLED))
    listed = found.models_list()

    assert ["a", "qwen", "qwen:both", "qwen:chat", "qwen:code"] == [each.id for each in listed]
    assert {("model", "ggtui", CREATED)} == {(each.object, each.owned_by, each.created) for each in listed}
    assert listed == found.models_list()
