"""One request to a model, as it is carried to whatever serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.deployment.policies import Priority
    from ggtui.core.models import RunningTarget
    from ggtui.core.routing.route import Route
    from ggtui.proxy.adapter_list import AdapterWish
    from ggtui.proxy.answers import Headers
    from ggtui.proxy.ports import LivePort


class Ruled(msgspec.Struct, frozen=True):
    """A request that is served by the rules of deployments: who is asked, and what they are told of it."""

    chain: Sequence[LivePort]
    """In order: the deployment that the request names, then its fallbacks."""
    input_tokens: int
    """See RequestFacts, as for all that follow."""
    max_tokens: int | None
    priority: Priority
    client: str


class ForwardRequest(msgspec.Struct, frozen=True):
    """What is to be forwarded. body: None for a request that has none."""

    method: str
    target: bytes
    """Path and query as they go up."""
    fields: list[tuple[bytes, bytes]]
    model: str
    """Public id of the model that is leased."""
    num_ctx: int | None = None
    requested_ctx: int | None = None
    """What the client itself asked for, which its answer repeats."""
    body: bytes | bytearray | None = None
    needs_slot: bool = True
    """False for what a server answers beside its slots."""
    is_stream: bool = False
    """True when the client asked for events: a long wait can then be told."""
    keep_alive_s: float | None = None
    """How long the model stays when idle after this; None leaves that as it is."""
    server: RunningTarget | None = None
    """Asked as it is, once and without a lease; None leases the model."""
    endpoint: str = ""
    """The id that an answer names."""
    named: Headers = []
    """What the header of its answer says of where the request went."""
    route: Route | None = None
    """What led to the model; None for a question to a server."""
    wish: AdapterWish | None = None
    """What is applied of adapters; None where llama-server takes no list of them."""
    is_movable: bool = False
    """True when the server's refusal for a too long context is raised: another model may hold it."""
    ruled: Ruled | None = None
    """By whose rules it is served; None when no rules count."""
    is_usage_asked: bool = False
    """True when the client itself wants to be told the usage of its stream."""

    @property
    def is_anthropic(self) -> bool:
        """True when the client reads Anthropic's events."""
        return b"/messages" in self.target
