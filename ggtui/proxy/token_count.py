"""How many tokens a request is: counted by a server that runs, else estimated."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from ggtui.core.errors import Failure
from ggtui.core.routing.token_estimate import BYTES_PER_MS, estimate_tokens
from ggtui.core.units import MIB
from ggtui.proxy.body import OFF_LOOP_BYTES
from ggtui.proxy.headers import upstream_head
from ggtui.proxy.routes import CAPABILITIES, MODEL_POSTS

if TYPE_CHECKING:
    from ggtui.core.models import RunningTarget
    from ggtui.proxy.answers import Headers
    from ggtui.proxy.settings import ProxySettings
    from ggtui.proxy.upstream import UpstreamPool

_COUNTS_OF = {
    b"/chat/completions": b"/v1/chat/completions/input_tokens",
    b"/responses": b"/v1/responses/input_tokens",
    b"/messages": b"/v1/messages/count_tokens",
}
"""Path at llama-server, without `/v1` -> the path that counts the same body."""

_TOKENIZE = b"/tokenize"
_MAX_ANSWER_BYTES = 16 * MIB
_MAX_TEXTS = 100_000


_ABSENT = msgspec.Raw(b"")


class _Prompts(msgspec.Struct):
    """The members that hold what is read; each of their entries is a request of its own."""

    prompt: msgspec.Raw = _ABSENT
    input: msgspec.Raw = _ABSENT
    content: msgspec.Raw = _ABSENT
    documents: msgspec.Raw = _ABSENT
    texts: msgspec.Raw = _ABSENT
    query: msgspec.Raw = _ABSENT
    prompt_string: msgspec.Raw = _ABSENT


class _Counted(msgspec.Struct):
    input_tokens: int


class _Tokenized(msgspec.Struct):
    tokens: list[msgspec.Raw]


_ENTRIES = msgspec.json.Decoder(list[msgspec.Raw])
_PROMPTS = msgspec.json.Decoder(_Prompts)
_COUNTED = msgspec.json.Decoder(_Counted)
_TOKENIZED = msgspec.json.Decoder(_Tokenized)


class TokenCount:
    """Counts and estimates. No text is kept, and none is told."""

    def __init__(self, pool: UpstreamPool, settings: ProxySettings) -> None:
        self._pool = pool
        self._settings = settings

    async def tokens(
        self, path: bytes, fields: Headers, body: bytes | bytearray, server: RunningTarget | None
    ) -> int:
        """Tokens of what a request has a model read; of the longest, where it holds several texts.

        path: the client's, one of CAPABILITIES. server: asked if it runs, for `count_timeout_ms` at most.
        """
        if CAPABILITIES[path] == "chat":
            text: bytes | bytearray = body
            ask = (_COUNTS_OF[MODEL_POSTS[path].removeprefix(b"/v1")], body)
        else:
            longest = await self._longest(body)
            if isinstance(longest, int):
                return longest
            text = longest
            ask = (_TOKENIZE, b'{"add_special":true,"content":' + text + b"}")
        counted = await self._counted(server, fields, *ask) if server is not None else None
        return counted if counted is not None else estimate_tokens(text, self._max_bytes)

    @property
    def _max_bytes(self) -> int:
        return self._settings.estimate_ms * BYTES_PER_MS

    async def _longest(self, body: bytes | bytearray) -> bytes | int:
        if len(body) > OFF_LOOP_BYTES:
            return await asyncio.to_thread(longest_text, body)
        return longest_text(body)

    async def _counted(
        self, server: RunningTarget, fields: Headers, path: bytes, body: bytes | bytearray
    ) -> int | None:
        """What the server counts; None when it does not, or not in time."""
        head = upstream_head("POST", path, fields, server, len(body))
        try:
            async with (
                asyncio.timeout(self._settings.count_timeout_ms / 1000),
                self._pool.exchange(server, head, body) as exchange,
            ):
                if exchange.head.status != 200:
                    return None
                answer = bytearray()
                while (data := await exchange.read()) and len(answer) < _MAX_ANSWER_BYTES:
                    answer += data
            return _number_in(path, answer)
        except (TimeoutError, Failure, msgspec.DecodeError, ValueError):
            return None


def _number_in(path: bytes, answer: bytearray) -> int:
    if path == _TOKENIZE:
        return len(_TOKENIZED.decode(answer).tokens)
    return _COUNTED.decode(answer).input_tokens


def longest_text(body: bytes | bytearray) -> bytes | int:
    """What a completion, an embedding or a reranking reads at once, as JSON; its number where it is tokens.

    Of several prompts it is the longest, of a reranking the query with the longest document.
    """
    try:
        found = _PROMPTS.decode(body)
        documents = bytes(found.documents) or bytes(found.texts)
        if documents:
            longest = max(_entries_of(documents), key=len, default=b'""')
            return b"[" + (bytes(found.query) or b'""') + b"," + longest + b"]"
        return _longest_prompt(bytes(found.prompt) or bytes(found.input) or bytes(found.content))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return b""


def _longest_prompt(prompt: bytes) -> bytes | int:
    """A list with a number in it is one prompt, any other list is several, as the server sees it."""
    if prompt[:1] == b"[":
        if b'"' not in prompt and prompt.count(b"[") == 1:
            return prompt.count(b",") + 1
        entries = _entries_of(prompt)
        if any(entry[:1].isdigit() for entry in entries):
            return prompt
        longest = max(entries, key=len, default=b"")
        return longest if longest[:1] != b"[" or b'"' in longest else longest.count(b",") + 1
    return bytes(_PROMPTS.decode(prompt).prompt_string) if prompt[:1] == b"{" else prompt


def _entries_of(texts: bytes) -> list[bytes]:
    """Nothing of too many texts to look at each: none of them is long."""
    return [] if texts.count(b'",') > _MAX_TEXTS else [bytes(each) for each in _ENTRIES.decode(texts)]
