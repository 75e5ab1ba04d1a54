"""One timer of a connection: set, set again, cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Deadline:
    """Calls once when its time is over, unless it is cleared or set anew before."""

    __slots__ = ("_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """True until it is cleared or over."""
        return self._handle is not None

    def set(self, delay_s: float, late: Callable[..., object], *values: Any) -> None:
        """Call `late(*values)` in delay_s seconds instead of what was set before."""
        self.clear()
        self._handle = self._loop.call_later(delay_s, self._end, late, values)

    def clear(self) -> None:
        """Call nothing."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _end(self, late: Callable[..., object], values: tuple[Any, ...]) -> None:
        self._handle = None
        late(*values)
