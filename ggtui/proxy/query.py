"""The query of a request: read for ggtui's own needs, passed on as it came."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from ggtui.core.errors import InvalidRequest

_MAX_PARAMETERS = 32


def parameters(scope: Any) -> dict[str, str]:
    """The first value of each parameter that has one.

    Raises: InvalidRequest.
    """
    try:
        found = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise InvalidRequest(f"the query has more than {_MAX_PARAMETERS} parameters") from None
    return {name: values[0] for name, values in found.items()}


def with_query(path: bytes, scope: Any) -> bytes:
    """The path with the client's query behind it."""
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path
