"""The servers of one model beside each other: who leads, who is least busy, and what another one would be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.decisions import Phase
from ggtui.core.deployment.replicas import Replica, ReplicaState, least_loaded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.core.decisions import Resident, Ticket

_FIRST = {Phase.READY: 0, Phase.LOADING: 1, Phase.STOPPING: 2}


def leading(siblings: Sequence[Resident]) -> Resident | None:
    """The one that stands for all: a ready one before a loading one, the oldest of equals; None for none."""
    if len(siblings) < 2:
        return siblings[0] if siblings else None
    return min(siblings, key=lambda each: (_FIRST[each.phase], each.is_unwanted))


def least_busy(siblings: Sequence[Resident]) -> Resident | None:
    """The one with the smallest share of its slots in use; the lowest number of equals, None for none."""
    if len(siblings) < 2:
        return siblings[0] if siblings else None
    chosen = least_loaded(as_replica(each) for each in siblings)
    return next((each for each in siblings if chosen is not None and each.replica == chosen.index), None)


def as_replica(resident: Resident) -> Replica:
    """A server as a deployment counts it."""
    state = {
        Phase.LOADING: ReplicaState.PENDING,
        Phase.READY: ReplicaState.DRAINING if resident.is_unwanted else ReplicaState.SERVING,
        Phase.STOPPING: ReplicaState.DRAINING,
    }[resident.phase]
    return Replica(resident.replica, state, len(resident.leases), resident.n_slots or None)


def suited_elsewhere(ticket: Ticket, resident: Resident, siblings: Iterable[Resident]) -> bool:
    """True when another server of the model serves this ticket, or will: this one needs no restart for it.

    Never for a context that a person chose: all servers of a model get it.
    """
    return not ticket.is_exact and any(
        each is not resident and takes(each) and each.suits(ticket) for each in siblings
    )


def takes(resident: Resident) -> bool:
    """True while it serves, or will, and is not to end."""
    return resident.phase is not Phase.STOPPING and not resident.is_unwanted


def is_asked_for(siblings: Iterable[Resident]) -> bool:
    """True when one serves: then the others are to stand as well."""
    return any(each.phase is Phase.READY and not each.is_unwanted for each in siblings)


def next_ctx(siblings: Sequence[Resident], waiting: Sequence[Ticket]) -> int:
    """Context of another server beside these: what those who wait need more, else as the newest has it."""
    unsuited = [t for t in waiting if not any(takes(each) and each.suits(t) for each in siblings)]
    if unsuited and unsuited[0].is_exact:
        return unsuited[0].start_ctx
    wished = [ticket.start_ctx for ticket in unsuited if not ticket.is_exact]
    return max([*wished, *(each.n_ctx for each in siblings[-1:])])
