"""The header fields by which an answer names what served it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from ggtui.proxy.answers import Headers
    from ggtui.proxy.forward_request import ForwardRequest
    from ggtui.proxy.judged_answer import Terms


def served_by(request: ForwardRequest, terms: Terms | None = None) -> Headers:
    """The endpoint, the deployment if rules count, and the rule that led there."""
    told = [(b"x-ggtui-endpoint", as_field_value(request.endpoint))]
    if terms is not None:
        told.append((b"x-ggtui-deployment", as_field_value(terms.deployment)))
    if request.route is not None:
        told.append((b"x-ggtui-route", as_field_value(request.route.words)))
    return told


@lru_cache(maxsize=64)
def as_field_value(name: str) -> bytes:
    """A name as a header field can hold it."""
    return quote(name, safe="-._~:/@+> ").encode()
