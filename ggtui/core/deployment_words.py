"""Deployments as people read them. The screen and the command line share this, so they cannot disagree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.limits import Limit
from ggtui.core.units import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORT = {
    Limit.REQUESTS: "req/min",
    Limit.TOKENS: "tok/min",
    Limit.CONCURRENT: "at once",
}
"""A limit in a word."""


class Use(NamedTuple):
    """Of a limit: its name, what is used, what is allowed."""

    name: str
    used: int
    allowed: int
    key: str = ""
    """Who holds the key that has used so much, where each key has the limit for itself."""


def count(number: int) -> str:
    """A number of things as `950`, `12.3k` or `4.6M`, never rounded up to what is not there."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            tenths = number * 10 // size
            return (
                f"{tenths // 10}{unit}" if tenths >= 1000 or tenths % 10 == 0 else f"{tenths / 10:.1f}{unit}"
            )
    return str(number)


def dollars(amount: float) -> str:
    """USD as `$0`, `$12.50` or `$0.0004`: two decimals, and below ten cents two digits that count."""
    if amount <= 0:
        return "$0"
    if amount >= 10_000:
        return f"${amount:,.0f}"
    if amount >= 0.0995:
        return f"${amount:.2f}"
    return f"${amount:.1e}" if amount < 1e-6 else f"${_two_digits(amount)}"


def _two_digits(amount: float) -> str:
    mantissa, exponent = f"{amount:.1e}".split("e")
    decimals = 1 - int(exponent)
    return f"{float(mantissa) * 10 ** int(exponent):.{decimals}f}"


def limits_text(uses: Iterable[Use]) -> str:
    """`12/60 req/min  4k/100k tok/min`, with `(ann)` behind what her key has used; empty without limits."""
    return "  ".join(
        f"{count(use.used)}/{count(use.allowed)} {SHORT.get(Limit(use.name), use.name)}"
        + (f" ({use.key})" if use.key else "")
        for use in uses
    )


def fullest(uses: Iterable[Use]) -> Use | None:
    """The limit of which least is left; None without limits."""
    return max(uses, key=lambda use: use.used / max(1, use.allowed), default=None)


def breaker_text(state: str, *, is_forced: bool, retry_after_s: float | None) -> str:
    """`closed`, `open 12s`, `half open`, `held open`, `held closed`."""
    words = "half open" if state == BreakerState.HALF_OPEN else state
    if is_forced:
        return f"held {words}"
    if state == BreakerState.OPEN and retry_after_s is not None:
        return f"{words} {duration(math.ceil(retry_after_s))}"
    return words


def spent_text(hour: float, day: float, most_hour: float | None, most_day: float | None) -> str:
    """`$0.25/$1.00 h  $3.00 d`: what was spent within the hour and the day, and what may be, all in USD."""
    parts = [
        f"{dollars(spent)}{'' if most is None else f'/{dollars(most)}'} {letter}"
        for spent, most, letter in ((hour, most_hour, "h"), (day, most_day, "d"))
        if most is not None or (spent > 0 and most_hour is None and most_day is None)
    ]
    return "  ".join(parts)


def served_text(in_flight: int, slots: int | None, queued: int) -> str:
    """`2/4` or `2`, with `+3` when so many wait."""
    held = str(in_flight) if slots is None else f"{in_flight}/{slots}"
    return f"{held} +{queued}" if queued else held
