"""What a person may order a deployment to do."""

from __future__ import annotations

from enum import StrEnum


class DeploymentOrder(StrEnum):
    """Counts until the opposite is ordered, or ggtui ends."""

    OPEN = "open"
    """Hold its circuit breaker open: nothing is sent to its server."""
    CLOSE = "close"
    """Hold its circuit breaker closed: everything is sent, whatever fails."""
    RESET = "reset"
    """Let its circuit breaker judge by itself again, from the beginning."""
    DRAIN = "drain"
    """Take no new request, and let those end that it has."""
    RESUME = "resume"
    """Take requests again; what had failed too often is started again."""
