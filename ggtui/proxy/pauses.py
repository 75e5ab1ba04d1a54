"""Between two attempts of a request at the same deployment: how long it waits, and what its client hears."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from ggtui.proxy.ports import LivePort, PassagePort
    from ggtui.proxy.waiting import Telling

FIRST_LOOK_S: Final = 0.25
LONGEST_LOOK_S: Final = 2.0
"""A server that loads is asked again and again; a load takes seconds or minutes."""


class TellsWait(Protocol):
    """Tells the client of a stream of its wait."""

    def __call__(self, words: str, waited_s: float) -> Telling | None:
        """Begin; None where nobody can be told. waited_s: how long it waits already."""


class Pauses:
    """Those of one request at one deployment. Invariant: nothing is told outside of a pause."""

    def __init__(self, passage: PassagePort, live: LivePort, telling: TellsWait) -> None:
        self._passage = passage
        self._live = live
        self._telling = telling
        self._began_at: float | None = None
        self._loads_until: float | None = None
        self._look_s = FIRST_LOOK_S

    async def before_retry(self, seconds: float) -> None:
        """Wait as long as the retry policy says."""
        await self._wait(seconds, f"another try at {self._live.name}")

    async def for_load(self) -> bool:
        """Wait a little for a server that loads its model; False when that has taken as long as it may.

        The limit is that of one attempt until its first byte: so long would the server have been waited for
        if it had said nothing.
        """
        now = time.monotonic()
        if self._loads_until is None:
            limits = self._live.rules.timeouts.limits(self._live.kind)
            self._loads_until = now + limits.request_s
        left_s = self._loads_until - now
        if left_s <= 0:
            return False
        await self._wait(min(self._look_s, left_s), f"the load at {self._live.name}")
        self._look_s = min(LONGEST_LOOK_S, 2 * self._look_s)
        return True

    async def _wait(self, seconds: float, words: str) -> None:
        now = time.monotonic()
        self._began_at = now if self._began_at is None else self._began_at
        telling = self._telling(words, now - self._began_at)
        try:
            await self._passage.pause(seconds)
        finally:
            if telling is not None:
                await telling.end()
