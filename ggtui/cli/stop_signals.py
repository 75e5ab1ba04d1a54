"""Signals that end ggtui: the first asks, the second does not wait. Without a terminal SIGHUP reloads."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ggtui.cli.leaving import leave_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_signals(
    hear: Callable[[int], None],
    leave: Callable[[int], object] = leave_now,
    *,
    hangup_reloads: bool = False,
) -> Iterator[None]:
    """Call `hear` with the first stop signal; at the second the process ends, its guard kills the children.

    hangup_reloads: SIGHUP asks for a reload, however often it comes: `hear` gets each. A signal that was
    ignored when ggtui began, as nohup does with SIGHUP, stays ignored.
    """
    was_heard = False

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal was_heard
        if hangup_reloads and number == signal.SIGHUP:
            hear(number)
            return
        if was_heard:
            leave(128 + number)
        was_heard = True
        hear(number)

    wanted = [each for each in STOP_SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, handle) for each in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
