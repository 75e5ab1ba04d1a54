"""Adapters, their weights and stacks as plain values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.routing.adapters import (
    BASE_ALONE,
    AdapterRef,
    AdapterStack,
    NamedStack,
    is_adapter_name,
    is_weight,
)

BOTH = AdapterStack().add("code", 0.8).add("chat", 0.5)


def test_a_stack_keeps_its_order_and_adds_up() -> None:
    assert (AdapterRef("code", 0.8), AdapterRef("chat", 0.5)) == BOTH.adapters
    assert 2 == len(BOTH)
    assert pytest.approx(1.3) == BOTH.total_weight
    assert (0, 0) == (len(BASE_ALONE), BASE_ALONE.total_weight)
    assert 1.0 == AdapterRef("code").weight


def test_the_stack_that_was_added_to_stays() -> None:
    BASE_ALONE.add("code")

    assert 0 == len(BASE_ALONE)


def test_normalised_weights_sum_to_one_in_the_same_proportion() -> None:
    weights = {each.name: round(each.weight, 3) for each in BOTH.normalize_weights().adapters}

    assert {"code": 0.615, "chat": 0.385} == weights


@pytest.mark.parametrize("weight", [0.0, 2.0**-24])
def test_where_there_is_nothing_to_share_out_weights_stay(weight: float) -> None:
    stack = AdapterStack((AdapterRef("code", weight), AdapterRef("chat", 0.0)))

    assert stack is stack.normalize_weights()


def test_the_smallest_total_that_is_shared_out_is_a_float32_epsilon() -> None:
    stack = AdapterStack((AdapterRef("code", 2.0**-23),))

    assert 1.0 == stack.normalize_weights().total_weight


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_any_normalised_stack_sums_to_one_or_is_as_it_was(weights: list[float]) -> None:
    stack = AdapterStack(tuple(AdapterRef(str(n), weight) for n, weight in enumerate(weights)))
    normalised = stack.normalize_weights()

    assert [each.name for each in stack.adapters] == [each.name for each in normalised.adapters]
    assert normalised == stack or math.isclose(1.0, normalised.total_weight)


def test_a_named_stack_applies_what_it_says() -> None:
    assert BOTH is NamedStack("both", BOTH).applied
    assert BOTH.normalize_weights() == NamedStack("both", BOTH, normalise=True).applied


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, True),
        (1, True),
        (0.5, True),
        (-0.0, True),
        (-0.01, False),
        (1.01, False),
        (math.nan, False),
        (math.inf, False),
        (10**400, False),
        (True, False),
        ("1", False),
        (None, False),
        ([1], False),
    ],
)
def test_a_weight_is_a_number_from_0_to_1(value: object, expected: bool) -> None:
    assert expected is is_weight(value)


@pytest.mark.parametrize("name", ["code", "Code-2.1_x", "7b", "a" * 64])
def test_names_of_adapters(name: str) -> None:
    assert is_adapter_name(name)


@pytest.mark.parametrize("name", ["", "a" * 65, "a:b", "a+b", "a b", ".a", "-a", "_a", "ä", "a\n", "a/b"])
def test_texts_that_name_no_adapter(name: str) -> None:
    assert not is_adapter_name(name)


def test_a_stack_becomes_a_scale_for_each_adapter_of_a_server() -> None:
    stack = AdapterStack((AdapterRef("code", 0.5), AdapterRef("sql", 0.25), AdapterRef("code", 0.25)))

    assert (0.0, 0.75, 0.25) == stack.scales(("chat", "code", "sql"))
    assert () == stack.scales(())
    assert (0.0,) == AdapterStack().scales(("chat",))


def test_a_stack_tells_what_a_server_lacks_of_it() -> None:
    stack = AdapterStack().add("code").add("sql")

    assert stack.missing(("sql", "code", "chat")) is None
    assert "sql" == stack.missing(("code",))
    assert AdapterStack().missing(()) is None
