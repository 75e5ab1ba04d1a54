"""Ids, numbers, aliases and the default: what leads where while endpoints come and go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.routing.endpoints import EndpointStatus, ModelEndpoint, ModelId
from ggtui.core.routing.registry import ModelRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable


def endpoint(model_id: str, **more: Any) -> ModelEndpoint:
    return ModelEndpoint(ModelId(model_id), model_id.partition(":")[0], **more)


def registry(*endpoints: ModelEndpoint) -> ModelRegistry:
    made = ModelRegistry()
    for each in endpoints:
        made.register(each)
    return made


def ids(endpoints: Iterable[ModelEndpoint]) -> list[str]:
    return [each.id for each in endpoints]


def id_of(found: ModelEndpoint | None) -> str | None:
    return None if found is None else found.id


def test_the_same_id_is_replaced() -> None:
    made = registry(endpoint("a"), endpoint("b"), endpoint("a", max_context_length=8192))

    assert (2, ["a", "b"]) == (len(made), ids(made.all_endpoints))
    assert endpoint("a", max_context_length=8192) == made.get("a")


def test_endpoints_come_in_the_order_of_their_ids() -> None:
    made = registry(*(endpoint(name) for name in ("b", "a:z", "B", "a", "a-1")))

    assert ["B", "a", "a-1", "a:z", "b"] == ids(made.all_endpoints)


def test_the_default_moves_only_to_one_that_says_so_and_the_last_wins() -> None:
    made = registry(endpoint("a"))
    assert made.default_endpoint is None

    made.register(endpoint("b", is_default=True))
    made.register(endpoint("c", is_default=True))
    made.register(endpoint("d"))

    assert "c" == id_of(made.default_endpoint)
    assert ["c"] == [each.id for each in made.all_endpoints if each.is_default]


def test_a_default_that_is_registered_again_stays_the_default() -> None:
    made = registry(endpoint("a", is_default=True), endpoint("a", max_context_length=1))

    assert endpoint("a", max_context_length=1, is_default=True) == made.default_endpoint


def test_what_is_taken_out_takes_its_aliases_its_number_and_the_default_with_it() -> None:
    made = registry(endpoint("a", is_default=True), endpoint("b"))
    made.add_alias("x", "a")
    made.add_alias("y", "b")
    made.add_number(1, "a")
    removed = made.unregister("a")

    assert endpoint("a", is_default=True) == removed
    assert made.default_endpoint is None
    assert {"y": "b"} == made.aliases

    made.register(endpoint("a"))

    assert [None, None, "b"] == [id_of(made.resolve(name)) for name in ("x", "1", "y")]
    assert made.default_endpoint is None


def test_the_default_stays_when_another_one_goes_or_an_unknown_one_shall() -> None:
    made = registry(endpoint("a", is_default=True), endpoint("b"))
    made.add_alias("x", "a")

    assert made.unregister("nobody") is None
    assert endpoint("b") == made.unregister("b")
    assert ("a", "a") == (id_of(made.default_endpoint), id_of(made.resolve("x")))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", "a"),
        ("1", "a"),  # an alias of this text leads to b
        ("x", "a"),
        ("x2", None),  # leads to an alias
        ("b", "b"),  # an alias of this text leads to a
        ("gone", None),
        ("A", None),
        ("01", None),
        ("", None),
    ],
)
def test_an_id_then_a_number_then_an_alias_of_one_step(name: str, expected: str | None) -> None:
    made = registry(endpoint("a"), endpoint("b"))
    made.add_number(1, "a")
    for alias, target in {"x": "a", "x2": "x", "b": "a", "gone": "c", "1": "b"}.items():
        made.add_alias(alias, target)

    assert expected == id_of(made.resolve(name))


def test_an_alias_waits_for_its_endpoint() -> None:
    made = registry(endpoint("a"))
    made.add_alias("x", "b")
    assert made.resolve("x") is None

    made.register(endpoint("b"))

    assert "b" == id_of(made.resolve("x"))


def test_the_aliases_of_an_endpoint_leave_out_those_that_an_id_shadows() -> None:
    made = registry(endpoint("a"), endpoint("b"))
    for alias in ("z", "b", "y"):
        made.add_alias(alias, "a")

    assert ("y", "z") == made.aliases_of("a")
    assert ["b", "y", "z"] == list(made.aliases)


def test_a_status_changes_in_place_with_its_reason() -> None:
    made = registry(endpoint("a", is_default=True), endpoint("b"))

    assert made.set_status("a", EndpointStatus.DISABLED, "switched off")
    assert not made.set_status("c", EndpointStatus.READY)
    assert ["b"] == ids(made.available_endpoints)
    assert ("disabled", "switched off") == (made.all_endpoints[0].status, made.all_endpoints[0].why)
    assert "a" == id_of(made.default_endpoint)
    assert made.set_status("a", EndpointStatus.READY)
    assert ["a", "b"] == ids(made.available_endpoints)


def test_adapters_of_a_model_are_those_that_it_serves() -> None:
    other = replace(endpoint("m:latest:x"), base_model="m:latest")
    made = registry(*map(endpoint, ("m", "m:b", "m:a", "m2:c")), other)

    assert ("a", "b") == made.adapters_of("m")
    assert ("x",) == made.adapters_of("m:latest")
    assert () == made.adapters_of("m2:c")


IDS = st.sampled_from(["a", "b", "c"])
STEPS = st.one_of(
    st.tuples(st.just("register"), IDS, st.booleans()),
    st.tuples(st.just("unregister"), IDS),
    st.tuples(st.just("add_alias"), st.sampled_from(["a", "x", "y"]), IDS),
)


@given(st.lists(STEPS, max_size=12))
def test_any_run_of_changes_leads_where_a_plain_model_says(steps: list[tuple[Any, ...]]) -> None:
    made = ModelRegistry()
    known: set[str] = set()
    aliases: dict[str, str] = {}
    default: str | None = None
    for step in steps:
        match step:
            case ("register", model_id, is_default):
                made.register(endpoint(model_id, is_default=is_default))
                known.add(model_id)
                default = model_id if is_default else default
            case ("unregister", model_id):
                assert (made.unregister(model_id) is not None) is (model_id in known)
                if model_id in known:
                    aliases = {alias: to for alias, to in aliases.items() if to != model_id}
                    default = None if default == model_id else default
                known.discard(model_id)
            case ("add_alias", alias, target):
                made.add_alias(alias, target)
                aliases[alias] = target

        assert default == id_of(made.default_endpoint)
        assert [default] * (default is not None) == [e.id for e in made.all_endpoints if e.is_default]
        for name in ("a", "b", "c", "x", "y"):
            meant = name if name in known else aliases.get(name)
            assert (meant if meant in known else None) == id_of(made.resolve(name))


def test_a_number_leads_to_what_another_endpoint_has_taken_the_id_of() -> None:
    registry = ModelRegistry()
    registry.register(ModelEndpoint(ModelId("alpha"), "", deployment="alpha"))
    registry.add_number(1, "alpha")
    registry.add_shadowed(1, ModelEndpoint(ModelId("alpha"), "alpha"))
    by_name, by_number = registry.resolve("alpha"), registry.resolve("1")

    assert by_name is not None
    assert by_number is not None
    assert ("", "alpha") == (by_name.base_model, by_number.base_model)
    assert 1 == len(registry)
