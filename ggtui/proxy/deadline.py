"""One timer of a connection: set, set again, cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Deadline:
    """Calls once when its time is over, unless it is cleared or set anew before.

    Setting a later time leaves the loop's timer as it is; when that comes too early, it is set again. So a
    connection that is asked a thousand times a second arms a timer once in a while, and not twice each time.
    """

    __slots__ = ("_at", "_handle", "_handle_at", "_late", "_loop", "_values")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None
        self._handle_at = 0.0
        self._late: Callable[..., object] | None = None
        self._values: tuple[Any, ...] = ()
        self._at = 0.0

    @property
    def is_set(self) -> bool:
        """True until it is cleared or over."""
        return self._late is not None

    def set(self, delay_s: float, late: Callable[..., object], *values: Any) -> None:
        """Call `late(*values)` in delay_s seconds instead of what was set before."""
        self._late, self._values = late, values
        self._at = self._loop.time() + delay_s
        if self._handle is not None:
            if self._handle_at <= self._at:
                return
            self._handle.cancel()
        self._arm()

    def clear(self) -> None:
        """Call nothing."""
        self._late, self._values = None, ()

    def end(self) -> None:
        """Call nothing, and leave no timer on the loop: nothing will be set any more."""
        self.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self) -> None:
        self._handle_at = self._at
        self._handle = self._loop.call_at(self._at, self._look)

    def _look(self) -> None:
        self._handle = None
        if self._late is None:
            return
        if self._loop.time() < self._at:
            self._arm()
            return
        late, values = self._late, self._values
        self.clear()
        late(*values)
