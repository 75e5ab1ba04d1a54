"""A request to a model, from the bytes of a client to the endpoint that serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.core.errors import ContextTooLong
from ggtui.proxy.access import CLIENT
from ggtui.proxy.body import read_model_request
from ggtui.proxy.forward_request import ForwardRequest
from ggtui.proxy.headers import BY_NAME
from ggtui.proxy.presence import presence_of
from ggtui.proxy.query import with_query
from ggtui.proxy.routes import FORM_POSTS, LIST_POSTS, MODEL_POSTS, SLOTLESS_POSTS

if TYPE_CHECKING:
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.body import RequestBody
    from ggtui.proxy.destination import Destination
    from ggtui.proxy.fact_finder import FactFinder
    from ggtui.proxy.forward import Forwarder
    from ggtui.proxy.forward_request import Ruled
    from ggtui.proxy.naming import Naming


class Asking:
    """The handler of every path in MODEL_POSTS."""

    def __init__(
        self, naming: Naming, forwarder: Forwarder, max_body_bytes: int, facts: FactFinder | None = None
    ) -> None:
        """facts: None where nothing is served by rules."""
        self._facts = facts
        self._naming = naming
        self._forwarder = forwarder
        self._max_body_bytes = max_body_bytes

    async def ask(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST one of MODEL_POSTS.

        Raises: Failure before the reply has begun; ClientGone and Interrupted when the client has gone.
        """
        path, fields = scope["raw_path"], scope["headers"]
        body = await read_model_request(
            fields,
            receive,
            self._max_body_bytes,
            is_form=path in FORM_POSTS,
            has_list=path in LIST_POSTS,
        )
        destination, num_ctx = await self._naming.destination(path, fields, body)
        request = self._request(
            scope, body, destination, num_ctx, is_movable=self._naming.may_move(path, body)
        )
        try:
            await self._forwarder.forward(request, presence_of(scope), reply)
        except ContextTooLong as refused:
            if not request.is_movable:
                raise
            destination, num_ctx = await self._naming.moved(path, body, destination, refused)
            request = self._request(scope, body, destination, num_ctx)
            await self._forwarder.forward(request, presence_of(scope), reply)

    def _request(
        self,
        scope: Any,
        body: RequestBody,
        destination: Destination,
        num_ctx: int | None,
        *,
        is_movable: bool = False,
    ) -> ForwardRequest:
        """Raises: InvalidRequest, EndpointNotReady for adapters that cannot be applied."""
        path, fields, endpoint = scope["raw_path"], scope["headers"], destination.route.endpoint
        return ForwardRequest(
            "POST",
            with_query(MODEL_POSTS[path], scope),
            fields,
            endpoint.base_model,
            num_ctx,
            body.num_ctx,
            body.data,
            needs_slot=path not in SLOTLESS_POSTS,
            is_stream=body.is_stream,
            keep_alive_s=body.keep_alive_s,
            endpoint=endpoint.id,
            named=destination.fields,
            route=destination.route,
            wish=self._naming.wish(path, destination, body),
            is_movable=is_movable and not endpoint.deployment,
            ruled=self._ruled(path, scope["extensions"], endpoint, body) if endpoint.deployment else None,
            is_usage_asked=body.is_usage_asked,
        )

    def _ruled(
        self, path: bytes, extensions: Any, endpoint: ModelEndpoint, body: RequestBody
    ) -> Ruled | None:
        if self._facts is None:
            return None
        return self._facts.of(path, extensions[BY_NAME], endpoint, body, extensions[CLIENT])
