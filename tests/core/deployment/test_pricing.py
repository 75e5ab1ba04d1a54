"""Costs are exact, and read as a person writes them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.deployment.pricing import FREE, PUSD_PER_USD, Pricing, parse_price, parse_usd, usd

MILLION = 1_000_000


def _pricing(per_mtok_in: float, per_mtok_out: float, cached: float | None = None) -> Pricing:
    return Pricing(
        parse_price(per_mtok_in, "in"),
        parse_price(per_mtok_out, "out"),
        None if cached is None else parse_price(cached, "cached"),
    )


def test_a_million_each_way() -> None:
    cost = _pricing(2.5, 10).cost_pusd(MILLION, MILLION)

    assert (12 * PUSD_PER_USD + PUSD_PER_USD // 2, Decimal("12.5")) == (cost, usd(cost))


@pytest.mark.parametrize(
    ("cached_price", "n_cached", "expected"),
    [(None, 400, "0.003"), (0.5, 400, "0.002"), (0.5, 0, "0.003"), (0, 1000, "0"), (0.5, 5000, "0.0005")],
)
def test_cached_input_has_a_price_of_its_own(
    cached_price: float | None, n_cached: int, expected: str
) -> None:
    cost = _pricing(3.0, 15.0, cached_price).cost_pusd(1000, 0, n_cached)

    assert Decimal(expected) == usd(cost)


def test_a_server_cannot_earn_money_by_its_count() -> None:
    pricing = _pricing(1.0, 1.0, 0.5)

    assert 0 == pricing.cost_pusd(-MILLION, -MILLION, -MILLION)
    assert pricing.cost_pusd(10, 0) == pricing.cost_pusd(10, 0, -5)


def test_what_is_free() -> None:
    assert (True, 0) == (FREE.is_free, FREE.cost_pusd(10, 10, 5))
    assert not Pricing(cached_input_pusd=1).is_free


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), max_size=20))
def test_a_sum_of_costs_is_the_cost_of_the_sum(parts: list[tuple[int, int]]) -> None:
    pricing = _pricing(0.0375, 0.15)
    cost = sum(pricing.cost_pusd(*part) for part in parts)

    assert pricing.cost_pusd(sum(a for a, _ in parts), sum(b for _, b in parts)) == cost


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (1, PUSD_PER_USD), (0.1, PUSD_PER_USD // 10), (Decimal("0.000000000001"), 1), (1e-06, 10**6)],
)
def test_amounts_that_are_taken(value: object, expected: int) -> None:
    assert expected == parse_usd(value, "max_spend_per_hour_usd")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "a number of USD"),
        ("1", "a number of USD"),
        (None, "a number of USD"),
        (-1, "from 0 to"),
        (float("nan"), "from 0 to"),
        (float("inf"), "from 0 to"),
        (10**4000, "from 0 to"),
        (1_000_001, "from 0 to"),
        (0.0000001, "at most 6 decimals"),
        (0.1 + 0.2, "at most 6 decimals"),
    ],
)
def test_prices_that_are_refused(value: object, text: str) -> None:
    with pytest.raises(ValueError, match=f"^input_per_mtok_usd must .*{text}"):
        parse_price(value, "input_per_mtok_usd")


@given(st.integers(0, 10**18))
def test_an_amount_survives_being_shown(amount: int) -> None:
    assert amount == parse_usd(usd(amount), "x")
