"""Slots, and the queue before them: who is served, who waits, who is turned away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ggtui.core.deployment.policies import CapacityPolicy, Priority, Serving
from ggtui.core.deployment.waiting_room import Admit, Answer, TurnAway, TurnedAway, WaitingRoom

BACKGROUND, NORMAL, HIGH, CRITICAL = sorted(Priority)

if TYPE_CHECKING:
    from collections.abc import Hashable


def _room(slots: int | None = 1, *, capacity: int = 10, policy: str = "queue") -> WaitingRoom:
    return WaitingRoom(Serving(None, CapacityPolicy(policy), capacity, 30.0), slots)


@pytest.mark.parametrize("policy", ["reject", "fallback"])
def test_who_may_not_wait_is_turned_away_at_once(policy: str) -> None:
    room = _room(2, policy=policy)
    answers = [room.join(ticket, CRITICAL, 0.0) for ticket in range(3)]

    assert [[Admit(0)], [Admit(1)], [TurnAway(2, TurnedAway.NO_SLOT)]] == answers
    assert [] == room.leave(0, 1.0)
    assert [Admit(3)] == room.join(3, NORMAL, 1.0)


def test_higher_priorities_go_first_and_within_one_the_first() -> None:
    room = _room()
    room.join(0, NORMAL, 0.0)
    waiting = [(1, BACKGROUND), (2, NORMAL), (3, HIGH), (4, CRITICAL), (5, HIGH), (6, NORMAL)]
    for ticket, priority in waiting:
        assert [] == room.join(ticket, priority, 0.0)
    served: Hashable = 0
    order = []
    while answers := room.leave(served, 1.0):
        (answer,) = answers
        served = answer.ticket
        order.append(served)

    assert [4, 3, 5, 2, 6, 1] == order


def test_the_queue_holds_so_many() -> None:
    room = _room(capacity=1)
    answers = [room.join(ticket, CRITICAL, 0.0) for ticket in range(3)]

    assert [[Admit(0)], [], [TurnAway(2, TurnedAway.QUEUE_FULL)]] == answers


def test_who_goes_while_waiting_frees_its_place() -> None:
    room = _room(capacity=1)
    room.join(0, NORMAL, 0.0)
    room.join(1, NORMAL, 0.0)

    assert [] == room.leave(1, 1.0)
    assert (0, []) == (room.n_waiting, room.join(2, NORMAL, 1.0))
    assert ([], 1) == (room.leave(99, 1.0), room.n_served)


def test_any_number_is_served_without_slots_to_count() -> None:
    room = _room(None)

    for ticket in range(50):
        assert [Admit(ticket)] == room.join(ticket, NORMAL, 0.0)


def test_more_slots_let_in_who_waits_and_fewer_throw_nobody_out() -> None:
    room = _room(1)
    for ticket in range(5):
        room.join(ticket, NORMAL, 0.0)

    assert [Admit(1), Admit(2)] == room.adapt(Serving(), 3, 1.0)
    assert [] == room.adapt(Serving(), 1, 1.0)
    assert (3, [], [], [Admit(3)]) == (room.n_served, *(room.leave(ticket, 2.0) for ticket in range(3)))
    assert [Admit(4)] == room.adapt(Serving(), None, 3.0)


def test_the_guess_of_a_wait_comes_from_what_was_served() -> None:
    room = _room(2)
    room.join(0, NORMAL, 0.0)

    assert 1.0 == room.retry_after_s

    room.leave(0, 10.0)

    assert 5.0 == room.retry_after_s

    for ticket in range(1, 6):
        room.join(ticket, NORMAL, 10.0)

    assert 20.0 == room.retry_after_s

    room.leave(1, 10.0)

    assert 12.0 == room.retry_after_s


class RoomMachine(RuleBasedStateMachine):
    """Requests that come, end and leave while they wait, against a list that is sorted each time."""

    @initialize(
        slots=st.sampled_from([None, 1, 2, 3]),
        policy=st.sampled_from([*[CapacityPolicy.QUEUE] * 3, CapacityPolicy.REJECT]),
        capacity=st.integers(0, 4),
    )
    def begin(self, slots: int | None, policy: CapacityPolicy, capacity: int) -> None:
        self.slots, self.serving = slots, Serving(None, policy, capacity, 30.0)
        self.room = WaitingRoom(self.serving, slots)
        self.now = 0.0
        self.next_id = 0
        self.served: set[int] = set()
        self.waiting: list[tuple[int, int, float]] = []
        """Sorted by the order of service: the higher the priority the less, id, arrival."""

    def is_free(self) -> bool:
        return self.slots is None or len(self.served) < self.slots

    def filled(self) -> list[Answer]:
        admitted: list[Answer] = []
        while self.waiting and self.is_free():
            _, ticket, _ = self.waiting.pop(0)
            self.served.add(ticket)
            admitted.append(Admit(ticket))
        return admitted

    @rule(priority=st.sampled_from(Priority))
    def come(self, priority: Priority) -> None:
        ticket = self.next_id
        self.next_id += 1
        expected: list[Answer] = []
        if self.is_free():
            self.served.add(ticket)
            expected = [Admit(ticket)]
        elif self.serving.on_capacity_exhausted is not CapacityPolicy.QUEUE:
            expected = [TurnAway(ticket, TurnedAway.NO_SLOT)]
        elif len(self.waiting) >= self.serving.queue_capacity:
            expected = [TurnAway(ticket, TurnedAway.QUEUE_FULL)]
        else:
            self.waiting = sorted([*self.waiting, (-priority, ticket, self.now)])

        assert expected == self.room.join(ticket, priority, self.now)

    @rule(data=st.data())
    def somebody_leaves(self, data: st.DataObject) -> None:
        ticket = data.draw(st.integers(0, self.next_id))
        self.served.discard(ticket)
        self.waiting = [each for each in self.waiting if each[1] != ticket]

        assert self.filled() == self.room.leave(ticket, self.now)

    @rule(seconds=st.sampled_from([0.5, 10.0, 29.5, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(slots=st.sampled_from([None, 1, 2, 3]))
    def other_slots(self, slots: int | None) -> None:
        self.slots = slots

        assert self.filled() == self.room.adapt(self.serving, slots, self.now)

    @invariant()
    def the_books_agree(self) -> None:
        if hasattr(self, "room"):
            assert (len(self.served), len(self.waiting)) == (self.room.n_served, self.room.n_waiting)
            assert not self.waiting or not self.is_free(), "somebody waits beside a free slot"
            assert self.room.retry_after_s >= 1.0


TestRoom = RoomMachine.TestCase
TestRoom.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
