"""The order of service, and the questions asked of it."""

from __future__ import annotations

import pytest

from ggtui.core.decisions import Ticket
from ggtui.core.line import Line


def _ticket(number: int, model: int = 1, *, urgent: bool = False, needs_slot: bool = True) -> Ticket:
    return Ticket(number, model, 4096, None, float(number), is_urgent=urgent, needs_slot=needs_slot)


def test_urgent_first_then_by_arrival() -> None:
    line = Line()
    tickets = [_ticket(1), _ticket(2, urgent=True), _ticket(3), _ticket(4, urgent=True)]
    for ticket in tickets:
        line.add(ticket)

    assert [2, 4, 1, 3] == [ticket.id for ticket in line]
    assert [2, 1] == [ticket.id for ticket in line.firsts()]
    assert 4 == len(line)


def test_what_leaves_is_forgotten_everywhere() -> None:
    line = Line()
    stays, goes = _ticket(1, model=1), _ticket(2, model=2, needs_slot=False)
    line.add(stays)
    line.add(goes)

    assert ({1, 2}, True) == (set(line.models), line.has_slotless)

    line.remove(goes)

    assert ({1}, False) == (set(line.models), line.has_slotless)
    assert [] == line.of_model(2)
    assert line.get(2) is None
    assert stays == line.get(1)
    with pytest.raises(KeyError):
        line.remove(goes)
