"""What an answer has used, read off its end while it goes by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, Protocol

import msgspec

from ggtui.core.units import KIB

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TAIL_BYTES: Final = 64 * KIB
MAX_LOOKS: Final = 64
"""So many places are looked at for what stands in the last one or two of any sound answer."""
MAX_TOKENS: Final = 1 << 31
"""No answer uses more: a server that counts on is not believed."""
_MAX_OPENING_BYTES: Final = 4 * KIB
_OBJECT: Final = re.compile(rb"\s*:\s*(\{(?:[^{}]++|\{[^{}]*+\})*+\})")
_USAGE: Final = b'"usage"'
_TIMINGS: Final = b'"timings"'
_BACKSLASH: Final = 0x5C
_EVENT_END: Final = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)")
_DATA: Final = re.compile(rb"^data: ?(.*)$", re.MULTILINE)
_NO_CHOICES: Final = re.compile(rb'"choices"\s*:\s*\[\s*\]')


class Usage(NamedTuple):
    """Tokens of one request, as its server counted them."""

    input_tokens: int = 0
    """Cached ones included."""
    output_tokens: int = 0
    cached_input_tokens: int = 0
    """How many of the input the server did not have to read again."""


class Counted(Protocol):
    """Who is told what an answer has used."""

    def answered(self, n_tokens: int = 0) -> None:
        """A part of the answer has come, with so many tokens more where that can be seen."""

    def used(self, n_input: int, n_output: int, n_cached: int = 0) -> None:
        """The server has counted: tokens, see Usage."""


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Told(msgspec.Struct):
    """The usage of an answer in every shape that clients know; what is absent is None."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _Details | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Timings(msgspec.Struct):
    """llama-server's own figures; what it took from its cache is not among the first."""

    prompt_n: int
    predicted_n: int
    cache_n: int = 0


_Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_TOKENS)]


class _ChatDetails(msgspec.Struct):
    cached_tokens: _Count | None = 0


class _ChatUsage(msgspec.Struct):
    prompt_tokens: _Count
    completion_tokens: _Count | None = 0
    prompt_tokens_details: _ChatDetails | None = None


class _ChatAnswer(msgspec.Struct):
    """A whole answer of the usual kind, which needs no more looks."""

    usage: _ChatUsage


_CHAT_ANSWER: Final = msgspec.json.Decoder(_ChatAnswer)
_TOLD: Final = msgspec.json.Decoder(_Told)
_TIMED: Final = msgspec.json.Decoder(_Timings)


class Meter:
    """Sees the bytes of one answer. Nothing is parsed before the end, and no more than its tail is kept."""

    __slots__ = ("_counted", "_hides_usage", "_is_seen", "_n_tail", "_opening", "_tail")

    def __init__(self, counted: Counted, *, hides_usage: bool = False) -> None:
        """hides_usage: ggtui asked for the usage of a stream, and the client did not."""
        self._counted = counted
        self._hides_usage = hides_usage
        self._is_seen = False
        self._opening = b""
        self._tail: list[bytes] = []
        self._n_tail = 0

    def events(self, data: bytes) -> bytes:
        """Whole events have come, about a token each; returns what of them the client sees."""
        self._counted.answered(data.count(b"data: {") or data.count(b"data:{"))
        self._keep(data)
        return without_usage_event(data) if self._hides_usage else data

    def plain(self, data: bytes) -> None:
        """A part of any other answer has come."""
        if not self._is_seen:
            self._counted.answered()
        self._keep(data)

    def whole(self, data: bytes) -> None:
        """All of an answer that is no stream has come."""
        if data:
            self.plain(data)
        self.end()

    def end(self) -> None:
        """The answer is whole: tell what it has used, if it says so."""
        tail = self._tail[0] if len(self._tail) == 1 else b"".join(self._tail)
        usage = usage_in(self._opening, tail if len(tail) <= MAX_TAIL_BYTES else tail[-MAX_TAIL_BYTES:])
        if usage is not None:
            self._counted.used(*usage)

    def _keep(self, data: bytes) -> None:
        if not self._is_seen:
            self._is_seen = True
            self._opening = data[:_MAX_OPENING_BYTES]
        self._tail.append(data)
        self._n_tail += len(data)
        if self._n_tail > 4 * MAX_TAIL_BYTES:
            self._tail = [b"".join(self._tail)[-MAX_TAIL_BYTES:]]
            self._n_tail = MAX_TAIL_BYTES


def meter_chat(counted: Counted, answer: bytes) -> bool:
    """Tell the usage of a whole answer in OpenAI's older form, the usual case; False for any other."""
    told = _of_chat(answer)
    if told is None:
        return False
    cached = told.prompt_tokens_details
    counted.used(told.prompt_tokens, told.completion_tokens or 0, _cached(cached))
    return True


def _of_chat(answer: bytes) -> _ChatUsage | None:
    try:
        return _CHAT_ANSWER.decode(answer).usage
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def usage_in(opening: bytes, tail: bytes) -> Usage | None:
    """The usage that stands last in an answer; llama-server's own figures where there is none.

    opening: how the answer begins. Anthropic's streams tell the tokens of the input there, and those of the
    output in their last event.
    """
    if tail.startswith(b"{") and (chat := _of_chat(tail)) is not None:
        return Usage(chat.prompt_tokens, chat.completion_tokens or 0, _cached(chat.prompt_tokens_details))
    told = next(_told_in(tail), None)
    if told is None:
        return _timed(tail)
    if told.output_tokens is not None and told.input_tokens is None:
        first = next(_told_in(opening), None)
        told = _Told(
            input_tokens=first.input_tokens if first is not None else None,
            output_tokens=told.output_tokens,
            cache_read_input_tokens=first.cache_read_input_tokens if first is not None else None,
            cache_creation_input_tokens=first.cache_creation_input_tokens if first is not None else None,
        )
    return _usage(told)


def without_usage_event(events: bytes) -> bytes:
    """The same events but for one that has nothing but the usage."""
    if b'"usage"' not in events or _NO_CHOICES.search(events) is None:
        return events
    return b"".join(each for each in _EVENT_END.split(events) if not _is_usage_event(each))


def _is_usage_event(event: bytes) -> bool:
    if _NO_CHOICES.search(event) is None:
        return False
    try:
        document: Any = msgspec.json.decode(b"\n".join(_DATA.findall(event)))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    if not isinstance(document, dict):
        return False
    return document.get("choices") == [] and isinstance(document.get("usage"), dict)


def _told_in(text: bytes) -> Iterator[_Told]:
    """Every usage that can be read, the last one first."""
    for found in _objects(text, _USAGE):
        try:
            told = _TOLD.decode(found)
        except (msgspec.DecodeError, ValueError):
            continue
        if (told.prompt_tokens, told.input_tokens, told.output_tokens) != (None, None, None):
            yield told


def _objects(text: bytes, key: bytes) -> Iterator[bytes]:
    """The values of a key that are objects, the last one first, as far as the last MAX_LOOKS have them."""
    at = text.rfind(key)
    for _ in range(MAX_LOOKS):
        if at < 0:
            return
        found = _OBJECT.match(text, at + len(key))
        if found is not None and not (at and text[at - 1] == _BACKSLASH):  # that is generated text
            yield found[1]
        at = text.rfind(key, 0, at)


def _timed(text: bytes) -> Usage | None:
    for found in _objects(text, _TIMINGS):
        try:
            timings = _TIMED.decode(found)
        except (msgspec.DecodeError, ValueError):
            continue
        return _counted(timings.prompt_n + timings.cache_n, timings.predicted_n, timings.cache_n)
    return None


def _usage(told: _Told) -> Usage:
    if told.prompt_tokens is not None:
        cached = told.prompt_tokens_details
        return _counted(told.prompt_tokens, told.completion_tokens or 0, _cached(cached))
    read, made = told.cache_read_input_tokens or 0, told.cache_creation_input_tokens or 0
    of_responses = _cached(told.input_tokens_details)
    # Anthropic counts what it read from or wrote to its cache apart from the input, OpenAI within it.
    n_input = (told.input_tokens or 0) + read + made
    return _counted(n_input, told.output_tokens or 0, read or of_responses)


def _cached(details: _Details | _ChatDetails | None) -> int:
    return (details.cached_tokens or 0) if details is not None else 0


def _counted(n_input: int, n_output: int, n_cached: int) -> Usage:
    if 0 <= n_input <= MAX_TOKENS and 0 <= n_output <= MAX_TOKENS and 0 <= n_cached <= MAX_TOKENS:
        return Usage(n_input, n_output, n_cached)
    return Usage(*(min(max(0, each), MAX_TOKENS) for each in (n_input, n_output, n_cached)))
