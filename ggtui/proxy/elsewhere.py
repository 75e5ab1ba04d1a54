"""One attempt at a server that is asked over the network: sent, judged, and its answer passed on."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from ggtui.proxy.judged_answer import Terms, relay_judged
from ggtui.proxy.key_mask import KeyMask
from ggtui.proxy.remote import remote_head
from ggtui.proxy.remote_body import renamed
from ggtui.proxy.served_by import served_by
from ggtui.proxy.upstream import UpstreamLimits

if TYPE_CHECKING:
    from ggtui.core.deployment.policies import Timeouts
    from ggtui.core.deployment.runtimes import RuntimeKind
    from ggtui.core.deployment.secret import Secret
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.proxy.answers import Reply
    from ggtui.proxy.forward_request import ForwardRequest
    from ggtui.proxy.ports import LivePort, PassagePort
    from ggtui.proxy.relay import EventHold
    from ggtui.proxy.remote import Place
    from ggtui.proxy.upstream import UpstreamPool

REMOTE_IDLE_S: Final = 45.0
"""Balancers of providers close a connection after a minute or more; some networks forget one silently."""


class Attempt(msgspec.Struct, frozen=True):
    """One try of a request by the rules of a deployment, wherever it goes."""

    live: LivePort
    passage: PassagePort
    request: ForwardRequest
    reply: Reply
    hold: EventHold


class Elsewhere:
    """Lives on the engine's loop."""

    def __init__(self, pool: UpstreamPool, catalog: ModelCatalogPort) -> None:
        self._pool = pool
        self._catalog = catalog

    async def answer(
        self,
        attempt: Attempt,
        place: Place,
        model: str,
        secret: Secret | None,
        backend: str = "",
        *,
        has_others: bool = False,
    ) -> None:
        """Answer but for the end.

        model: as it is called there. secret: sent there and shown nowhere. backend: name of the declared one
        that is asked; empty for a deployment's own server. has_others: whether other backends have the model.
        Raises: Failure; while nothing has gone to the client another place may be asked.
        """
        rules, request, reply = attempt.live.rules, attempt.request, attempt.reply
        hides_usage = attempt.live.counts_tokens and _can_ask_usage(request)
        terms = Terms(
            rules.name,
            limits_of(rules.timeouts, attempt.live.kind),
            rules.idempotent,
            KeyMask(secret) if secret is not None else None,
            backend,
            hides_usage,
            has_others,
        )
        key = secret.reveal() if secret is not None else ""
        start, body = await renamed(request, model, asks_usage=hides_usage)
        n_body = len(start) + len(body)
        head = remote_head(place, request.method, request.target, request.fields, key, n_body)
        reply.served_by = served_by(request, terms)
        async with self._pool.exchange(
            place.target,
            head + start,
            body,
            limits=terms.limits,
            may_repeat=rules.idempotent,
            sender=attempt.passage,
        ) as exchange:
            hold, passage = attempt.hold, attempt.passage
            await relay_judged(exchange, reply, hold, request, terms, passage, self._catalog)


@lru_cache(maxsize=256)
def limits_of(timeouts: Timeouts, kind: RuntimeKind) -> UpstreamLimits:
    """How long what serves a deployment may be silent."""
    limits = timeouts.limits(kind)
    kept_s = math.inf if kind.is_local else REMOTE_IDLE_S
    return UpstreamLimits(
        limits.connect_s, limits.request_s, limits.read_s, is_until_event=True, keep_idle_s=kept_s
    )


def _can_ask_usage(request: ForwardRequest) -> bool:
    """A stream in OpenAI's older form tells its usage only when asked."""
    is_kind = request.target.partition(b"?")[0].endswith((b"/chat/completions", b"/completions"))
    return is_kind and request.is_stream and not request.is_usage_asked
