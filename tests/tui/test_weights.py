"""Weights of adapters: steps, and wishes that count until the engine's state has them."""

from __future__ import annotations

from itertools import accumulate

import pytest

from ggtui.core.routing.adapters import AdapterRef
from ggtui.tui.weights import Weights, endpoint_of, stepped
from tests.tui.fake_engine import full, running, target
from tests.tui.fake_names import adapted

PHI = "phi-4-mini"


@pytest.mark.parametrize(
    ("weight", "direction", "expected"),
    [
        (0.8, 1, 0.85),
        (0.8, -1, 0.75),
        (0.15, 1, 0.2),
        (0.33, 1, 0.35),
        (0.33, -1, 0.3),
        (1.0, 1, 1.0),
        (0.0, -1, 0.0),
        (0.02, -1, 0.0),
        (0.99, 1, 1.0),
    ],
)
def test_a_step_leads_to_the_next_twentieth(weight: float, direction: int, expected: float) -> None:
    assert expected == stepped(weight, direction)


def test_twenty_steps_lead_from_nothing_to_all() -> None:
    seen = [*accumulate(range(20), lambda weight, _: stepped(weight, 1), initial=0.0)]

    assert [round(0.05 * place, 2) for place in range(21)] == seen


def test_an_endpoint_is_found_by_its_id_only() -> None:
    snapshot = adapted(full(), PHI, {"code": 0.8})

    assert [PHI, f"{PHI}:code", None, None] == [
        found.id if (found := endpoint_of(snapshot, name)) else None
        for name in (PHI, f"{PHI}:code", f"{PHI}:chat", "zz")
    ]


def test_a_wish_is_shown_until_the_state_has_it() -> None:
    weights, snapshot = Weights(), adapted(full(), PHI, {"code": 0.8})
    weights.wish(PHI, "code", 0.5)

    assert 0.5 == weights.now(snapshot, PHI, "code")
    weights.settle(7)
    assert 0.5 == weights.now(snapshot, PHI, "code")
    weights.granted(PHI, "code", 0.5, version=9)
    weights.settle(8)
    assert 0.5 == weights.now(snapshot, PHI, "code")
    weights.settle(9)
    assert 0.8 == weights.now(snapshot, PHI, "code")


def test_an_earlier_answer_does_not_end_a_later_wish() -> None:
    weights, snapshot = Weights(), adapted(full(), PHI, {"code": 0.8})
    weights.wish(PHI, "code", 0.5)
    weights.wish(PHI, "code", 0.45)
    weights.granted(PHI, "code", 0.5, version=3)
    weights.settle(3)

    assert 0.45 == weights.now(snapshot, PHI, "code")
    weights.refused(PHI, "code")
    assert 0.8 == weights.now(snapshot, PHI, "code")


def test_neither_a_stack_nor_a_stranger_has_one_weight() -> None:
    both = (AdapterRef("code", 0.6), AdapterRef("chat", 0.4))
    snapshot = adapted(full(), PHI, {"code": 0.8}, {"both": both})

    assert [None, None, None] == [Weights().now(snapshot, PHI, name) for name in ("both", "none", "")]


def test_a_server_s_adapters_keep_their_order() -> None:
    weights = Weights()
    weights.wish(PHI, "chat", 0.1)
    carried = adapted(running(target(8)), PHI, {"code": 0.8, "chat": 1.0}).targets[0]

    assert (AdapterRef("code", 0.8), AdapterRef("chat", 0.1)) == weights.of_target(carried)
