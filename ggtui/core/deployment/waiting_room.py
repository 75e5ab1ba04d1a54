"""Who of a deployment's requests is served, who waits, and who is turned away: decisions only, no effects.

A synchronous state machine in the manner of the scheduler: each call takes what happened and the time, and
returns what must be done, in order.

Invariants: never more served than there are slots, except right after their number fell; nobody waits while
a slot is free; higher priorities first, and within one in order of arrival; each ticket is answered once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ggtui.core.deployment.policies import CapacityPolicy, Priority, Serving

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

LEAST_WAIT_S: Final = 1.0
_WEIGHT_OF_NEWEST: Final = 0.2


class TurnedAway(StrEnum):
    """Why a ticket is not served."""

    NO_SLOT = "no_slot"
    """All slots are taken, and the policy is not to wait."""
    QUEUE_FULL = "queue_full"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Admit:
    """Serve this ticket now; say `leave` when it has ended."""

    ticket: Hashable


@dataclass(frozen=True, slots=True)
class TurnAway:
    """Tell this ticket's owner that it is not served."""

    ticket: Hashable
    why: TurnedAway


Answer = Admit | TurnAway


class WaitingRoom:
    """The slots of one deployment and the queue before them. Times are monotonic seconds."""

    def __init__(self, serving: Serving, slots: int | None) -> None:
        """slots: requests served at once, at least 1; None for any number."""
        self._serving = serving
        self._slots = slots
        self._lanes: dict[Priority, dict[Hashable, None]] = {
            each: {} for each in sorted(Priority, reverse=True)
        }
        """By priority, the tickets that wait, in order of arrival."""
        self._n_waiting = 0
        self._served: dict[Hashable, float] = {}
        """When each ticket that is served was admitted."""
        self._n_taken = 0
        """Slots that were taken without a ticket."""
        self._usual_s = 0.0
        """How long a request holds its slot, the newest ones counting most."""

    @property
    def n_served(self) -> int:
        """Tickets that hold a slot."""
        return len(self._served) + self._n_taken

    @property
    def n_waiting(self) -> int:
        """Tickets that wait."""
        return self._n_waiting

    @property
    def retry_after_s(self) -> float:
        """A guess of when somebody new would be served, in seconds, at least one."""
        rounds = (self._n_waiting + 1) / (self._slots or 1)
        return max(LEAST_WAIT_S, rounds * self._usual_s)

    # What happened

    def join(self, ticket: Hashable, priority: Priority, now: float) -> list[Answer]:
        """Somebody wants to be served. A ticket is used once."""
        if self._has_slot():  # nobody waits then
            return [self._admit(ticket, now)]
        if self._serving.on_capacity_exhausted is not CapacityPolicy.QUEUE:
            return [TurnAway(ticket, TurnedAway.NO_SLOT)]
        if self._n_waiting >= self._serving.queue_capacity:
            return [TurnAway(ticket, TurnedAway.QUEUE_FULL)]
        self._lanes[priority][ticket] = None
        self._n_waiting += 1
        return []

    def admits_at_once(self, ticket: Hashable, now: float) -> bool:
        """Serve somebody new if a slot is free, the usual case of `join`; else nothing has happened."""
        if self._slots is not None and len(self._served) + self._n_taken >= self._slots:
            return False
        self._served[ticket] = now
        return True

    def take(self, most: int) -> int:
        """Take free slots without a ticket: all of them, or so many. Each goes back, or ends by `left`."""
        taken = most if self._slots is None else min(most, max(0, self._slots - self.n_served))
        self._n_taken += taken
        return taken

    def give_back(self, n: int) -> None:
        """So many of the slots that were taken without a ticket were not used. Nobody waits meanwhile."""
        self._n_taken -= n

    def left(self, held_s: float, now: float) -> list[Answer]:
        """Somebody without a ticket has ended, after so many seconds."""
        self.have_left(1, held_s)
        return self._fill(now) if self._n_waiting else []

    def have_left(self, n: int, held_s: float) -> None:
        """So many without a ticket have ended, after so many seconds in all. Nobody waits meanwhile."""
        self._n_taken -= n
        self._learn(held_s / n)

    def leave(self, ticket: Hashable, now: float) -> list[Answer]:
        """A ticket has ended, or its owner has gone while it waited. An unknown one is ignored."""
        admitted_at = self._served.pop(ticket, None)
        if admitted_at is not None:
            self._learn(now - admitted_at)
        if not self._n_waiting:
            return []
        self._drop(ticket)
        return self._fill(now)

    def adapt(self, serving: Serving, slots: int | None, now: float) -> list[Answer]:
        """Other rules or another number of slots. Who is served stays; who waits goes on waiting."""
        self._serving, self._slots = serving, slots
        return self._fill(now)

    # How it is decided

    def _has_slot(self) -> bool:
        return self._slots is None or len(self._served) + self._n_taken < self._slots

    def _learn(self, held_s: float) -> None:
        share = _WEIGHT_OF_NEWEST if self._usual_s else 1.0
        self._usual_s += share * (held_s - self._usual_s)

    def _in_order(self) -> Iterator[Hashable]:
        return (ticket for lane in self._lanes.values() for ticket in lane)

    def _fill(self, now: float) -> list[Answer]:
        admitted: list[Answer] = []
        while self._has_slot() and (ticket := next(self._in_order(), None)) is not None:
            self._drop(ticket)
            admitted.append(self._admit(ticket, now))
        return admitted

    def _admit(self, ticket: Hashable, now: float) -> Admit:
        self._served[ticket] = now
        return Admit(ticket)

    def _drop(self, ticket: Hashable) -> None:
        for lane in self._lanes.values():
            if ticket in lane:
                del lane[ticket]
                self._n_waiting -= 1
