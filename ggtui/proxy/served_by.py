"""The header fields by which an answer names what served it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.proxy.destination import as_field_value

if TYPE_CHECKING:
    from ggtui.proxy.answers import Headers
    from ggtui.proxy.forward_request import ForwardRequest
    from ggtui.proxy.judged_answer import Terms


def served_by(request: ForwardRequest, terms: Terms | None = None) -> Headers:
    """The endpoint, the rule that led there, the deployment if rules count, and the backend if one serves."""
    if terms is None:
        return [*request.named]
    fields = [*request.named, (b"x-ggtui-deployment", as_field_value(terms.deployment))]
    if terms.backend:
        fields.append((b"x-ggtui-backend", as_field_value(terms.backend)))
    return fields
