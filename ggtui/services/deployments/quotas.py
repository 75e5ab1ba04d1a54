"""The rate limits of a deployment: one for all who ask, or one for each key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ggtui.core.deployment.policies import RateLimits, Serving
    from ggtui.core.errors import Failure
    from ggtui.core.snapshot import LimitUse
    from ggtui.services.deployments.limits import Limits


class Quotas:
    """Makes the limits of each who asks with the first request; there are no more of them than keys."""

    def __init__(self, make: Callable[[str], Limits], limits: RateLimits) -> None:
        """make: the limits of a client, by the name of who holds its key; of all clients for none."""
        self.common = make("")
        """Of all clients, and of those without a key."""
        self.is_per_key = limits.per_key
        """True when each key has the limits for itself."""
        self._make = make
        self._of: dict[str, Limits] = {"": self.common}

    @property
    def all(self) -> Iterable[Limits]:
        """Those that were asked for."""
        return self._of.values()

    def of(self, client: str) -> Limits:
        """What counts for this client."""
        if not self.is_per_key:
            return self.common
        found = self._of.get(client)
        if found is None:
            found = self._of[client] = self._make(client)
        return found

    @property
    def n_waiting(self) -> int:
        """Requests that wait to be let through."""
        return sum(each.n_waiting for each in self.all)

    @property
    def uses(self) -> tuple[LimitUse, ...]:
        """Of each limit that is set, the use of whoever uses most of it."""
        counted = self.all if self.is_per_key else (self.common,)
        return tuple(
            max(same, key=lambda use: (use.used, bool(use.client)))
            for same in zip(*(each.uses for each in counted), strict=True)
        )

    def adapt(self, limits: RateLimits, serving: Serving) -> None:
        """Other limits from now on; what was let through still counts, for whom it was counted.

        So with another `per_key` each begins anew.
        """
        self.is_per_key = limits.per_key
        for each in self.all:
            each.adapt(limits, serving)

    def turn_away(self, failure: Failure) -> None:
        """Everybody who waits hears this."""
        for each in self.all:
            each.turn_away(failure)
