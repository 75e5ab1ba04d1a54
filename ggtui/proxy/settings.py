"""What the door may be told: sizes, limits and who may enter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui.core.context import AUTO_CTX
from ggtui.core.units import KIB, MIB
from ggtui.proxy.waiting import EVERY_S, GRACE_S

if TYPE_CHECKING:
    from ggtui.core.client_keys import ClientKey


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one client connection may cost. Times in seconds, sizes in bytes."""

    max_head_bytes: int = 32 * KIB
    max_fields: int = 100
    head_timeout_s: float = 10.0
    """From connect, or from the first byte of a later request, to the end of its head."""
    body_timeout_s: float = 60.0
    """A body must be complete by then, or come at `min_body_rate` at least."""
    min_body_rate: int = 16 * KIB
    """Bytes per second."""
    write_stall_s: float = 60.0
    """A client that takes nothing for this long is dropped."""
    linger_s: float = 2.0
    """How long unread input is discarded after an early answer, so that the answer arrives."""
    keep_alive_s: int = 75
    max_connections: int = 2048
    """Lowered at start to what the file descriptor limit allows."""


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """How the proxy behaves."""

    default_ctx: int = AUTO_CTX
    """Context in tokens for a cold start when neither request nor model chooses."""
    client_keys: tuple[ClientKey, ...] = ()
    """When there are any, everything but `/health` needs one."""
    max_body_bytes: int = 64 * MIB
    hosts: tuple[str, ...] = ()
    """Further host names, without port, that clients may call us by."""
    drain_grace_s: float = 1.0
    """How long running answers may go on after a stop was asked."""
    restart_wait_s: float = 2.0
    """How long the notice of a server's death is waited for before a request gives up on it."""
    wait_grace_s: float = GRACE_S
    """For so long a waiting stream can still be refused with a status of its own; then its wait is told."""
    wait_told_every_s: float = EVERY_S
    count_timeout_ms: int = 250
    """How long a server may count the tokens of a request that names no model, before they are estimated."""
    estimate_ms: int = 5
    """What an estimate of tokens may cost; of a longer text it looks at a part, see core/routing."""
    limits: HttpLimits = field(default_factory=HttpLimits)
