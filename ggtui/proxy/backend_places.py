"""One attempt at declared backends: the first of their places that answers, in the order of the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ggtui.core.backends.backend import Capability
from ggtui.core.deployment.outcomes import outcome_of
from ggtui.core.errors import (
    EndpointNotReady,
    Failure,
    RequestLoop,
    UpstreamUnauthorized,
    UpstreamUnreachable,
)
from ggtui.core.routing.token_estimate import BYTES_PER_MS
from ggtui.proxy.fact_finder import input_tokens
from ggtui.proxy.remote import place_of_backend
from ggtui.proxy.routes import CAPABILITIES
from ggtui.proxy.upstream_connection import UpstreamStopped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.backends.choice import BackendPlace
    from ggtui.proxy.elsewhere import Attempt, Elsewhere
    from ggtui.proxy.forward_request import ForwardRequest
    from ggtui.proxy.ports import BackendsPort
    from ggtui.proxy.settings import ProxySettings

_ASKED_FOR: Final = {
    "chat": Capability.CHAT,
    "completion": Capability.PROMPT,
    "embedding": Capability.EMBED,
}
"""By the words of CAPABILITIES. Whether a model ranks no backend tells."""


class BackendPlaces:
    """Lives on the engine's loop."""

    def __init__(self, backends: BackendsPort, elsewhere: Elsewhere, settings: ProxySettings) -> None:
        self._backends = backends
        self._elsewhere = elsewhere
        self._estimated_bytes = settings.estimate_ms * BYTES_PER_MS

    async def answer(self, attempt: Attempt) -> None:
        """Answer but for the end. When every place fails, what the first one said is raised.

        Raises: NoneMatched, CapabilityMissing, EndpointNotReady, and what a place says.
        """
        try:
            await self._answered(attempt)
        except EndpointNotReady as failure:  # that names a place or a model: nothing that the client knows
            name, status = attempt.live.name, failure.endpoint_status
            raise EndpointNotReady(name, status, hint=failure.hint) from failure

    async def _answered(self, attempt: Attempt) -> None:
        first: Failure | None = None
        places = self._fitting(await self._places(attempt), attempt.request)
        for place in places:
            try:
                name, has_others = place.backend.name, place is not places[-1]
                secret, there = await self._backends.key(name, place.backend), place_of_backend(place.backend)
                await self._elsewhere.answer(attempt, there, place.model, secret, name, has_others=has_others)
                return
            except Failure as failure:
                if attempt.reply.has_answered or isinstance(failure, UpstreamStopped):
                    raise
                if _is_its_fault(failure):
                    self._backends.failed(place.backend.name, failure)
                if not _may_go_on(failure, attempt):
                    raise
                first = first or failure
        assert first is not None
        raise first

    async def _places(self, attempt: Attempt) -> Sequence[BackendPlace]:
        """One that failed a moment ago, or that nobody asked yet, is looked at just then."""
        while True:
            try:
                return self._known(attempt)
            except EndpointNotReady:
                if not await self._backends.look_ended(attempt.live.rules.model):
                    raise

    def _known(self, attempt: Attempt) -> Sequence[BackendPlace]:
        rules = attempt.live.rules
        path = attempt.request.target.partition(b"?")[0]
        capability = _ASKED_FOR.get(CAPABILITIES.get(path, ""))
        return self._backends.places(
            rules.model, policy=rules.policy, groups=rules.groups, capability=capability
        )

    def _fitting(self, places: Sequence[BackendPlace], request: ForwardRequest) -> Sequence[BackendPlace]:
        """Without those that surely read too little, where others read enough: an estimate refuses nobody."""
        known = [each.context_length for each in places if each.context_length]
        body, ruled = request.body or b"", request.ruled
        n_out = (ruled.max_tokens or 0) if ruled is not None else 0
        if len(places) < 2 or not known or len(body) + n_out <= min(known):  # no token is less than a byte
            return places
        required = input_tokens(body, self._estimated_bytes) + n_out
        return [each for each in places if not 0 < each.context_length < required] or places


def _is_its_fault(failure: Failure) -> bool:
    """True for what keeps a backend from serving any request."""
    return outcome_of(failure).counts_for_breaker or isinstance(failure, UpstreamUnauthorized)


def _may_go_on(failure: Failure, attempt: Attempt) -> bool:
    """True when another place may be asked: this one has not served the request, and did not refuse it."""
    is_unsent = isinstance(failure, (UpstreamUnreachable, EndpointNotReady, RequestLoop))
    return outcome_of(failure).falls_back and (attempt.live.rules.idempotent or is_unsent)
