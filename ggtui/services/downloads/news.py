"""Tells whoever watches that downloads changed: at once, and then ten times a second at most."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.services.deployments.clock import Alarm, Clock

_LOG = logging.getLogger(__name__)

PAUSE_S: Final = 0.1
"""From one time to the next; what changes meanwhile is told together."""


class News:
    """Lives on the engine's loop."""

    def __init__(self, clock: Clock, tell: Callable[[], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._told_at = -PAUSE_S
        self._alarm: Alarm | None = None

    def changed(self) -> None:
        """Something is different."""
        if self._alarm is None:
            self._alarm = self._clock.call_at(self._told_at + PAUSE_S, self._go)

    def stop(self) -> None:
        """Tell nothing more."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None

    def _go(self) -> None:
        self._alarm = None
        self._told_at = self._clock.monotonic()
        guarded(self._tell)


def guarded(hear: Callable[..., Any], *args: Any) -> None:
    """Call it; that it fails is a defect of its own, and stops no download."""
    try:
        hear(*args)
    except Exception:
        _LOG.exception("whoever is told of downloads failed")
