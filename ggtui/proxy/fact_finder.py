"""What the rules of a deployment need to know of a request: its size, its rank, and who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ggtui.core.deployment.policies import Priority
from ggtui.core.errors import InvalidRequest
from ggtui.core.routing.token_estimate import BYTES_PER_MS, MEDIA_TOKENS, estimate_tokens
from ggtui.proxy.body import OFF_LOOP_BYTES
from ggtui.proxy.forward_request import Ruled
from ggtui.proxy.routes import CAPABILITIES, SLOTLESS_POSTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.proxy.body import RequestBody
    from ggtui.proxy.ports import DeploymentsPort
    from ggtui.proxy.settings import ProxySettings

_PRIORITY: Final = b"x-ggtui-priority"
_NORMAL: Final = Priority.NORMAL
_ANSWER_NO_TEXT: Final = SLOTLESS_POSTS | {
    path for path, capability in CAPABILITIES.items() if capability in ("embedding", "rerank")
}
_ABSENT: Final = msgspec.Raw(b"")
_SHORT_BYTES: Final = 256
_BYTES_OF_TOKEN: Final = 3
"""Of a short body, half of which is the JSON around its text: a closer look would cost more than it tells."""


class _Read(msgspec.Struct):
    """The members of a request that a model reads."""

    messages: msgspec.Raw = _ABSENT
    prompt: msgspec.Raw = _ABSENT
    input: msgspec.Raw = _ABSENT
    content: msgspec.Raw = _ABSENT
    system: msgspec.Raw = _ABSENT
    instructions: msgspec.Raw = _ABSENT
    tools: msgspec.Raw = _ABSENT
    query: msgspec.Raw = _ABSENT
    documents: msgspec.Raw = _ABSENT
    texts: msgspec.Raw = _ABSENT


_READ: Final = msgspec.json.Decoder(_Read)


class FactFinder:
    """Looks at a request whose name is that of a deployment."""

    def __init__(self, deployments: DeploymentsPort, settings: ProxySettings) -> None:
        self._deployments = deployments
        self._estimated_bytes = settings.estimate_ms * BYTES_PER_MS

    def of(
        self,
        path: bytes,
        fields: Mapping[bytes, bytes],
        endpoint: ModelEndpoint,
        body: RequestBody,
        client: str = "",
    ) -> Ruled | None:
        """path, fields: the client's. None when no rules count for it: it is then served as any model is.

        client: see RequestFacts.

        Raises: InvalidRequest for a priority that there is not.
        """
        chain = self._deployments.chain(endpoint.deployment)
        if not chain:
            return None
        if path in _ANSWER_NO_TEXT:
            if path in SLOTLESS_POSTS and endpoint.base_model and endpoint.status.is_available:
                return None  # counted beside the slots of a server here, and for nothing
            max_tokens: int | None = 0
        else:
            max_tokens = body.max_tokens * body.n_choices or None
        n_input = 0
        for live in chain:
            if live.counts_tokens:
                n_input = input_tokens(body.data, self._estimated_bytes)
                break
        told = fields.get(_PRIORITY)
        priority = _NORMAL if told is None else _priority(told)
        return Ruled(chain, n_input, max_tokens, priority, client)


def input_tokens(body: bytes | bytearray, max_bytes: int) -> int:
    """About how many tokens a model reads of a body; a form holds a sound. All of a short body counts.

    max_bytes: see estimate_tokens.
    """
    if body.startswith(b"-"):
        return MEDIA_TOKENS
    n_bytes = len(body)
    if n_bytes < _SHORT_BYTES:
        return -(-n_bytes // _BYTES_OF_TOKEN)
    if n_bytes > OFF_LOOP_BYTES:
        return estimate_tokens(body, max_bytes)
    return estimate_tokens(b"".join(msgspec.structs.astuple(_READ.decode(body))), max_bytes)


def _priority(text: bytes) -> Priority:
    try:
        return Priority.parse(text.decode("latin-1"))
    except ValueError as error:
        raise InvalidRequest(str(error), param=_PRIORITY.decode()) from None
