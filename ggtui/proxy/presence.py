"""Whether the client of a request is still there, told the moment it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn.protocols.http.flow_control import FlowControl

EXTENSION = "ggtui.presence"
"""The ASGI extension by which a request's scope holds the presence of its client."""


class Presence:
    """The client of one request. It is its own object, so that a scope and its request hold no circle."""

    __slots__ = ("_flow", "_hear", "is_gone", "is_watched")

    def __init__(self, flow: FlowControl) -> None:
        self._flow = flow
        self._hear: Callable[[], None] | None = None
        self.is_gone = False
        self.is_watched = False
        """True once somebody has watched: what still comes of the body is dropped."""

    def watch(self, hear: Callable[[], None]) -> None:
        """Call `hear` once when the client leaves, at once if it has left.

        The body is not read any more, but taken off the socket: nothing else tells that a client leaves.
        """
        self._hear = hear
        self.is_watched = True
        self._flow.resume_reading()
        if self.is_gone:
            hear()

    def unwatch(self) -> None:
        """Call nobody."""
        self._hear = None

    def leave(self) -> None:
        """The client leaves."""
        self.is_gone = True
        if self._hear is not None:
            self._hear()


def presence_of(scope: Any) -> Presence:
    """The presence of a request's client."""
    return cast("Presence", scope["extensions"][EXTENSION])
