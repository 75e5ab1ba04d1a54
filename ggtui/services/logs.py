"""The last log lines of every server of this run, handed on in batches."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from ggtui.core.snapshot import LogBatch

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG = logging.getLogger(__name__)

MAX_LINES = 5000
"""Kept per model."""
MAX_MODELS = 32
"""With lines kept; the model that has been silent for longest is forgotten first. Its log file is not."""
BATCH_S = 0.1


class LogBook:
    """A ring of lines per model. Lines arrive on the engine's loop, already free of control characters."""

    def __init__(self) -> None:
        self._rings: dict[str, deque[str]] = {}
        self._verbose: dict[str, deque[str]] = {}
        """Every line, those of the verbose level among them."""
        self._fresh: dict[str, list[str]] = {}
        self._hearers: list[Callable[[LogBatch], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, public_id: str, line: str) -> None:
        """Keep one line."""
        _keep(self._rings, public_id, line)
        _keep(self._verbose, public_id, line)
        if not self._hearers:
            return
        self._fresh.setdefault(public_id, []).append(line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_S, self._hand_on)

    def add_verbose(self, public_id: str, line: str) -> None:
        """Keep one line that only those see who ask for the verbose level."""
        _keep(self._verbose, public_id, line)

    def tail(self, public_id: str, n_lines: int, *, is_verbose: bool = False) -> tuple[str, ...]:
        """The last n_lines of a model, oldest first."""
        ring = (self._verbose if is_verbose else self._rings).get(public_id)
        return tuple(ring)[-n_lines:] if ring and n_lines > 0 else ()

    def subscribe(self, hear: Callable[[LogBatch], None]) -> Callable[[], None]:
        """Call `hear` with each batch; returns what ends it."""
        self._hearers.append(hear)
        return lambda: self._hearers.remove(hear) if hear in self._hearers else None

    def _hand_on(self) -> None:
        self._timer = None
        fresh, self._fresh = self._fresh, {}
        for public_id, lines in fresh.items():
            batch = LogBatch(public_id, tuple(lines[-MAX_LINES:]))
            for hear in list(self._hearers):
                try:
                    hear(batch)
                except Exception:
                    _LOG.exception("a subscriber failed")


def _keep(rings: dict[str, deque[str]], public_id: str, line: str) -> None:
    ring = rings.pop(public_id, None)
    if ring is None:
        ring = deque(maxlen=MAX_LINES)
    rings[public_id] = ring  # the last place is the latest
    ring.append(line)
    if len(rings) > MAX_MODELS:
        del rings[next(iter(rings))]
