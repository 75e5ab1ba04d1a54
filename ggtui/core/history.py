"""Generations: what was served, one after the other, each as long as it was served in one way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.routing.adapters import AdapterRef

SHOWN: Final = 32
"""How many generations are shown, the newest."""
MOST_KEPT: Final = 100_000
"""How many are kept; the oldest beyond them go."""
ENDED_WITH_GGTUI: Final = "ended with ggtui"
"""What is known of the end of one that was still served when ggtui was killed: nobody saw it."""
WEIGHTS_CHANGED: Final = "adapter weights changed"


class HistoryUnavailable(StoreUnavailable):
    """What is kept of it cannot be opened, read or written."""

    title = "History is not available"


@dataclass(frozen=True, slots=True)
class Generation:
    """One period in which a model was served in one way: from ready, or from other weights, to the end."""

    number: int
    """Grows by one for ever, across runs."""
    public_id: str
    path: str
    """The model file, as plain text."""
    n_ctx: int
    """Tokens that one request could use."""
    began: float
    """Unix time."""
    why: str
    """Why it began."""
    adapters: tuple[AdapterRef, ...] = ()
    """What the server carried, with the weights that `model:adapter` applied."""
    ended: float | None = None
    """Unix time; None while it serves, and where nobody saw the end."""
    how_ended: str = ""
    """Empty while it serves."""
    n_requests: int | None = None
    """Requests that were let in to it; None while it serves, and where nobody saw the end."""

    @property
    def is_serving(self) -> bool:
        """True until it has ended."""
        return not self.how_ended

    def lasted_s(self, now: float) -> float | None:
        """Seconds from the beginning to the end, or to now; None where nobody saw the end."""
        until = now if self.is_serving else self.ended
        return max(0.0, until - self.began) if until is not None else None


def left_behind(generation: Generation) -> Generation:
    """One that was read when no ggtui runs that could serve it: then it has ended, nobody knows when."""
    return replace(generation, how_ended=ENDED_WITH_GGTUI) if generation.is_serving else generation


def with_newest(recent: Iterable[Generation], changed: Generation) -> tuple[Generation, ...]:
    """These, newest first, with one that is new, or that stands in place of its older self; SHOWN at most.

    One that is older than all that are shown stays out.
    """
    by_number = {each.number: each for each in recent}
    by_number[changed.number] = changed
    return tuple(by_number[number] for number in sorted(by_number, reverse=True)[:SHOWN])
