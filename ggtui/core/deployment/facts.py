"""What the rules of a deployment need to know of one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ggtui.core.deployment.policies import Priority


class RequestFacts(Protocol):
    """One request, before it is sent anywhere."""

    @property
    def input_tokens(self) -> int:
        """An estimate from the text; what the server counts replaces it."""

    @property
    def max_tokens(self) -> int | None:
        """What the client allows for the answer; None when it does not say."""

    @property
    def priority(self) -> Priority:
        """Who waits goes before all of lower rank."""

    @property
    def client(self) -> str:
        """Who asks, where limits are per key: a name for the key, never the key; empty without one."""
