"""Whether a failed request is tried again, and after how long."""

from __future__ import annotations

import math
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from ggtui.core.deployment.outcomes import Retry
from ggtui.core.deployment.policies import Jitter
from ggtui.core.deployment.rolling import RollingWindow

if TYPE_CHECKING:
    from ggtui.core.deployment.outcomes import Outcome
    from ggtui.core.deployment.policies import RetryPolicy

ALWAYS_ALLOWED: Final = 10
"""Retries within a minute that need no load to be a share of."""
SHARE_OF_LOAD: Final = 5
"""One retry for so many requests: 20 %."""
_SECONDS = re.compile(r"\d{1,12}(?:\.\d{1,9})?", re.ASCII)


def delay_s(policy: RetryPolicy, attempt: int, r: float, retry_after_s: float | None = None) -> float | None:
    """Seconds to wait before the next try; None when the server asks for a longer wait than is accepted.

    attempt: retries that were made before, so 0 for the first. r: from 0 to below 1, drawn anew each time.
    retry_after_s: what the server asked for. It is obeyed as it is, for the server knows when it is free.
    """
    if retry_after_s is not None and policy.respect_retry_after:
        return retry_after_s if retry_after_s <= policy.max_backoff_s else None
    try:
        grown = policy.initial_backoff_s * policy.backoff_multiplier**attempt
    except OverflowError:
        grown = math.inf
    longest = min(grown, policy.max_backoff_s)
    if policy.jitter is Jitter.NONE:
        return longest
    return r * longest if policy.jitter is Jitter.FULL else longest / 2 + r * longest / 2


def may_retry(
    outcome: Outcome,
    *,
    retries_done: int,
    max_retries: int,
    is_idempotent: bool,
    has_new_secret: bool = False,
) -> bool:
    """True when the same deployment may be asked once more, as long as no byte has gone to the client.

    has_new_secret: the secret was read again for this request already.
    """
    if not is_idempotent:
        return False
    if outcome.retry is Retry.WITH_NEW_SECRET:
        return not has_new_secret
    return outcome.retry is Retry.YES and retries_done < max_retries


def parse_retry_after(value: str, unix_now: float) -> float | None:
    """Seconds of a `Retry-After` header, which has seconds or a date; None for the past and for garbage."""
    text = value.strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - unix_now
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return seconds if seconds > 0 else None


class RetryBudget:
    """Keeps retries from adding to the load that made them necessary: a fifth of it within a minute.

    One for each deployment. Times are monotonic seconds.
    """

    def __init__(self) -> None:
        self._requests = RollingWindow(60.0)
        self._n_new = 0
        """Requests since the second began that runs; they are noted when it is over."""
        self._second = -math.inf
        self._retries = RollingWindow(60.0)

    def requested(self, now: float, n: int = 1) -> None:
        """So many requests have come: their first tries, not retries."""
        if now >= self._second + 1.0:
            self._note(now)
        self._n_new += n

    def take(self, now: float) -> bool:
        """Take one retry if there is one left."""
        self._note(now)
        allowed = max(ALWAYS_ALLOWED, self._requests.total(now) // SHARE_OF_LOAD)
        if self._retries.total(now) >= allowed:
            return False
        self._retries.add(1, now)
        return True

    def _note(self, now: float) -> None:
        if self._n_new:
            self._requests.add(self._n_new, self._second)  # forgotten early rather than late
        self._n_new, self._second = 0, math.floor(now)
