"""Where a request goes, and what its answer says of that."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from ggtui.proxy.adapter_list import NOTHING, AdapterWish

if TYPE_CHECKING:
    from ggtui.core.routing.route import Route
    from ggtui.proxy.answers import Headers
    from ggtui.proxy.ports import EndpointsPort

_MAX_KEPT = 4096
"""Names that are kept with what they lead to: clients make up names such as `model:a+b`."""


class Destination(msgspec.Struct, frozen=True):
    """A route, with all of it that is the same for every request."""

    route: Route
    fields: Headers
    """Of the header of every answer."""
    wish: AdapterWish
    """What is applied of adapters."""

    @classmethod
    def of(cls, route: Route) -> Destination:
        """Where this route leads."""
        stack = route.endpoint.stack
        fields = [*named_by(route.endpoint.id), (b"x-ggtui-route", as_field_value(route.words))]
        return cls(route, fields, AdapterWish(stack) if stack.adapters else NOTHING)


def named_by(endpoint: str) -> Headers:
    """The field of an answer that says what served it."""
    return [(b"x-ggtui-endpoint", as_field_value(endpoint))]


@lru_cache(maxsize=256)
def as_field_value(text: str) -> bytes:
    """A text as a header field can hold it."""
    return quote(text, safe="-._~:/@+> ").encode()


class Destinations:
    """Of the names that were sent: each is looked up once, until endpoints, names or weights change."""

    def __init__(self, endpoints: EndpointsPort) -> None:
        self._endpoints = endpoints
        self._kept: dict[str, Destination] = {}
        self._kept_of: object = None

    async def named(self, name: str) -> Destination:
        """Where a name leads.

        Raises: EndpointNotFound, EndpointNotReady.
        """
        known = self._endpoints.all
        if known is self._kept_of:
            kept = self._kept.get(name)
            if kept is not None:
                return kept
        destination = Destination.of(await self._endpoints.route(name))
        if self._kept_of is not self._endpoints.all or len(self._kept) >= _MAX_KEPT:
            self._kept, self._kept_of = {}, self._endpoints.all
        self._kept[name] = destination
        return destination
