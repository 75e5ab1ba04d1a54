"""The end that waits for nobody, and what has to be put right even then."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DUTIES_S = 0.5
"""How long the duties may take together: a terminal that has gone can hold a write for ever."""

_duties: list[Callable[[], object]] = []


@contextmanager
def duty(work: Callable[[], object]) -> Iterator[None]:
    """Have this done should the process leave at once inside; an ordinary end is the caller's."""
    _duties.append(work)
    try:
        yield
    finally:
        _duties.remove(work)


def leave_now(code: int) -> None:
    """Do the duties, the newest first, and end the process: no `finally` and no other thread is heard."""
    worker = threading.Thread(target=_do, daemon=True)
    worker.start()
    worker.join(DUTIES_S)
    os._exit(code)


def _do() -> None:
    for work in reversed(_duties.copy()):
        with suppress(Exception):
            work()
