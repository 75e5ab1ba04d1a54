"""A request to a model, from the bytes of a client to the endpoint that serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.proxy.body import read_model_request
from ggtui.proxy.forward_request import ForwardRequest
from ggtui.proxy.presence import presence_of
from ggtui.proxy.query import with_query
from ggtui.proxy.routes import FORM_POSTS, LIST_POSTS, MODEL_POSTS, SLOTLESS_POSTS

if TYPE_CHECKING:
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.fact_finder import FactFinder
    from ggtui.proxy.forward import Forwarder
    from ggtui.proxy.naming import Naming


class Asking:
    """The handler of every path in MODEL_POSTS."""

    def __init__(
        self, naming: Naming, forwarder: Forwarder, max_body_bytes: int, facts: FactFinder | None = None
    ) -> None:
        """facts: None where nothing is served by rules."""
        self._naming = naming
        self._forwarder = forwarder
        self._max_body_bytes = max_body_bytes
        self._facts = facts

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
        route, num_ctx = await self._naming.route(path, fields, body)
        request = ForwardRequest(
            "POST",
            with_query(MODEL_POSTS[path], scope),
            fields,
            route.endpoint.base_model,
            num_ctx,
            body.num_ctx,
            body.data,
            needs_slot=path not in SLOTLESS_POSTS,
            is_stream=body.is_stream,
            keep_alive_s=body.keep_alive_s,
            route=route,
            wish=self._naming.wish(path, route, body),
            facts=self._facts.of(path, fields, route.endpoint, body) if self._facts is not None else None,
            is_usage_asked=body.is_usage_asked,
        )
        await self._forwarder.forward(request, presence_of(scope), reply)
