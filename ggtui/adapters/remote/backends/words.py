"""The texts of errors by type of backend: clients match on their beginnings, and no key is in any of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ggtui.adapters.remote.backends.reading import parsed
from ggtui.core.backends.backend import BackendType
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.deployment.secret import Secret

LARGEST_TOLD: Final = 8192
"""Bytes that are read of the body of an error."""
LONGEST_TOLD: Final = 300
"""Characters of a server's own text in an error."""
NO_KEY: Final = "API key not configured"


@dataclass(frozen=True, slots=True)
class Words:
    """How one type says what went wrong. All but the last take a reason."""

    bad_address: str
    no_answer: str
    garbage: str
    refused: Callable[[int, str], str]
    """For a status and what the server says."""


def _status_and_reason(status: int, told: str) -> str:
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    return f"{phrase}: {told}" if told else phrase


_CLIENT: Final = Words("Invalid URL: {}", "{}", "its answer cannot be read: {}", _status_and_reason)
_REQUEST: Final = Words(
    "Failed to create request: {}",
    "HTTP request failed: {}",
    "Failed to decode response: {}",
    lambda status, told: f"Unexpected status: {status} {told}".rstrip(),
)
_API: Final = Words(
    _REQUEST.bad_address,
    _REQUEST.no_answer,
    _REQUEST.garbage,
    lambda status, told: f"API returned {status}: {told}",
)


def words_of(type: BackendType) -> Words:
    """The texts of a type."""
    if type is BackendType.OLLAMA:
        return _CLIENT
    return _API if type.is_remote_list else _REQUEST


def told_in(body: bytes, key: Secret | None) -> str:
    """What a server says in the body of an error, as a person may read it: one short line without the key.

    A document that holds nothing but the text of an error is that text, as in Ollama's.
    """
    text = body.decode("utf-8", "replace")
    try:
        document = parsed(body)
    except ValueError:
        pass
    else:  # written anew, since a server may spell a key with escapes
        error = document.get("error") if isinstance(document, dict) else None
        text = error if isinstance(error, str) else json.dumps(document, ensure_ascii=False)
    return plain(without(plain(text, LARGEST_TOLD), key), LONGEST_TOLD)


def without(text: str, key: Secret | None) -> str:
    """The text with the key taken out."""
    return text.replace(key.reveal(), "…") if key is not None and key.reveal() else text
