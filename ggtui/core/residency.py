"""Which servers may stand side by side, and which one makes way first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ggtui.core.decisions import Resident

SHORTEST_LOAD_S = 0.05
"""A load that took less counts as this long, so that no model is free to evict."""


class Room(Protocol):
    """How much can be resident at once."""

    def admits(self, standing: Sequence[Resident], model_id: int, n_ctx: int) -> bool:
        """True when a server for this model and context may start beside those that stand.

        With nothing standing it is always true: a model alone is tried, whatever was forecast.
        """


class SingleRoom:
    """One model at a time, with all its replicas."""

    def admits(self, standing: Sequence[Resident], model_id: int, n_ctx: int) -> bool:
        """True when nothing stands, or nothing but replicas of this model."""
        return all(resident.model_id == model_id for resident in standing)


class MemoryRoom:
    """As many servers as the memory holds by forecast.

    need_of: bytes a model takes at a context, by forecast. budget: bytes that all our servers may take
    together now: what other programs leave, less the reserve. more_of: bytes that another server of a model
    takes beside one that stands; None for as many as that one.
    """

    def __init__(
        self,
        need_of: Callable[[int, int], int],
        budget: Callable[[], int],
        more_of: Callable[[int, int], int] | None = None,
    ) -> None:
        self._need_of = need_of
        self._more_of = more_of or need_of
        self._budget = budget

    def admits(self, standing: Sequence[Resident], model_id: int, n_ctx: int) -> bool:
        """True when the forecasts of all together stay within the budget."""
        if not standing:
            return True
        taken, known = 0, set[int]()
        for each, at in (*((one.model_id, one.n_ctx) for one in standing), (model_id, n_ctx)):
            taken += self._more_of(each, at) if each in known else self._need_of(each, at)
            known.add(each)
        return taken <= self._budget()


def eviction_order(candidates: Iterable[Resident], now: float) -> list[Resident]:
    """Who goes first: idle before busy, then the longest unused in relation to what its reload costs.

    Busy ones are all in use now, so the cheapest reload goes first. Whoever is to end must stay the same
    while requests come and go: else one would take new ones again when another is chosen, and none ends.
    """

    def place(resident: Resident) -> tuple[bool, float]:
        cost_s = max(resident.load_s, SHORTEST_LOAD_S)
        is_busy = bool(resident.leases)
        return is_busy, cost_s if is_busy else -(now - resident.last_used) / cost_s

    return sorted(candidates, key=place)


def victims_for(
    room: Room,
    standing: Sequence[Resident],
    candidates: Iterable[Resident],
    model_id: int,
    n_ctx: int,
    now: float,
) -> list[Resident] | None:
    """The fewest servers that must go, in eviction order, so that this model may start.

    standing: what stays if nothing is evicted. candidates: those of them that may go.
    Returns None when even without all candidates there is no room.
    """
    left = list(standing)
    gone: list[Resident] = []
    for resident in eviction_order(candidates, now):
        if room.admits(left, model_id, n_ctx):
            break
        left.remove(resident)
        gone.append(resident)
    if not room.admits(left, model_id, n_ctx):
        return None
    for resident in list(gone):
        if room.admits([*left, resident], model_id, n_ctx):
            left.append(resident)
            gone.remove(resident)
    return gone
