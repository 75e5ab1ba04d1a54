"""What deployments need of the outside: what was spent, counts that processes share, and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ggtui.core.deployment.limits import Wait
    from ggtui.core.deployment.policies import RateLimits
    from ggtui.core.deployment.secret import Secret, SecretRef
    from ggtui.core.deployment.spend import SpendEntry


class SpendPort(Protocol):
    """Keeps what each deployment has spent. Each call but close may raise StoreUnavailable."""

    async def load(self, name: str, since: float) -> tuple[SpendEntry, ...]:
        """What a deployment settled from this Unix time on, the oldest first."""

    def add(self, name: str, at: float, cost_pusd: int) -> Coroutine[Any, Any, None] | None:
        """Keep what was settled at this Unix time. What is returned must be awaited; None: it is kept.

        cost_pusd: negative to take back what was kept for that time and not spent after all.
        No kill takes it away then, and soon no loss of power. A caller that is cancelled meanwhile does not
        keep it from being written.
        """

    async def prune(self, before: float) -> None:
        """Forget what was settled before this Unix time."""

    async def close(self) -> None:
        """Release what is held once what was asked before is done; may be called twice, and without use."""


class CountersPort(Protocol):
    """Counts requests and tokens of a minute for all processes that share it, exactly.

    It has the time by itself, so that everybody counts by one clock. A process that was killed holds none
    of the requests at once any more; what it let through within the minute counts all the same.
    Each call but close may raise StoreUnavailable.
    """

    async def reserve(self, name: str, tokens: int, limits: RateLimits) -> int | Wait:
        """Let a request of a deployment through, or say how long it must wait; nothing is taken then.

        tokens: what it might use at most. Returns a number by which it is settled or given back.
        A caller that is cancelled takes nothing.
        """

    async def settle(self, reservation: int, tokens: int) -> None:
        """The request has ended and used this many tokens. Nothing happens the second time."""

    async def give_back(self, reservation: int) -> None:
        """The request was not sent after all: it never counted. Nothing happens once it was settled."""

    async def close(self) -> None:
        """Release what is held; may be called twice, and without use."""


class SecretsPort(Protocol):
    """Reads keys where they are kept."""

    async def read(self, ref: SecretRef) -> Secret:
        """The key as it is now: each call looks again.

        Raises: ConfigInvalid, which names the place and never repeats what is there.
        """
