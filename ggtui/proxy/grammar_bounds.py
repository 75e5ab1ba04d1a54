"""Keeps grammars and schemas small enough that the server's recursive compilers survive them.

Source: llama.cpp issue 26600; a grammar of 60,000 opening brackets overflows the stack of the process.
"""

from __future__ import annotations

from typing import Any

from ggtui.core.errors import InvalidRequest

MAX_DEPTH = 64
MAX_TEXT_BYTES = 256 * 1024
GRAMMAR_FIELDS = ("grammar", "json_schema", "response_format", "tools", "text")
"""The members of a request that a server turns into a grammar."""

_NO_BRACKETS = bytes(set(range(256)) - set(b"([{)]}"))


def check_grammars(root: dict[str, Any]) -> None:
    """Refuse what is nested too deeply or written too long.

    Raises: InvalidRequest, naming the member.
    """
    for name in GRAMMAR_FIELDS:
        value = root.get(name)
        if value is not None and not _is_bounded(value, 0, is_pattern=name == "grammar"):
            raise InvalidRequest(f"{name} is nested too deeply or too long", param=name)


def _is_bounded(value: Any, depth: int, *, is_pattern: bool = False) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT_BYTES and not (is_pattern and _bracket_depth(value) > MAX_DEPTH)
    if depth >= MAX_DEPTH:
        return not isinstance(value, (dict, list))
    if isinstance(value, dict):
        return all(
            _is_bounded(member, depth + 1, is_pattern=name == "pattern") for name, member in value.items()
        )
    if isinstance(value, list):
        return all(_is_bounded(member, depth + 1) for member in value)
    return True


def _bracket_depth(text: str) -> int:
    """How deep brackets are nested; counting ends where it is already too much."""
    brackets = text.encode().translate(None, _NO_BRACKETS)
    depth = deepest = 0
    for bracket in brackets if len(brackets) > MAX_DEPTH else b"":
        depth = depth + 1 if bracket in b"([{" else max(0, depth - 1)
        if depth > deepest:
            deepest = depth
            if deepest > MAX_DEPTH:
                break
    return deepest
