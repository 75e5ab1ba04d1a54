"""What the rules of a deployment need to know of one request, and what became of it."""

from __future__ import annotations

from typing import NamedTuple

from ggtui.core.deployment.policies import Priority


class RequestFacts(NamedTuple):
    """One request, before it is sent anywhere."""

    input_tokens: int = 0
    """An estimate from the text; what the server counts replaces it."""
    max_tokens: int | None = None
    """What the client allows for the answer; None when it does not say."""
    priority: Priority = Priority.NORMAL
    client: str = ""
    """Who asks, where limits are per key: a name for the key, never the key; empty without one."""
