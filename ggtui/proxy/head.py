"""Judges the head of a request before any parser may guess what it means.

Source: RFC 9112 §2-§7, with every choice it leaves to the recipient taken the strict way.
"""

from __future__ import annotations

import re

import msgspec

_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) (/[\x21-\x22\x24-\x7e]*) HTTP/1\.([01])")
_VERSIONED_LINE = re.compile(rb"[A-Z]{1,20} \S+ HTTP/\d\.\d")
_FIELD_LINES = re.compile(rb"(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[^\r\n]*+)*+")
"""All lines behind the first, at once: a client sends a dozen, and each call costs more than its look."""
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*)(?::[0-9]{1,5})?")
_LENGTH = re.compile(rb"[0-9]{1,19}")

_SINGLE = frozenset(
    (
        b"host",
        b"authorization",
        b"x-api-key",
        b"content-type",
        b"content-length",
        b"transfer-encoding",
        b"origin",
    )
)
"""Fields that decide who asks and where a body ends: twice is an attack or a defect."""
_OFFERS = frozenset((b"upgrade", b"http2-settings"))


class HeadRefused(Exception):
    """A head that is not served. status: the HTTP answer; text: one sentence for the client."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class RequestHead(msgspec.Struct, frozen=True):
    """A sound head. `fields` are names in lower case with their values, offers to upgrade left out."""

    method: str
    raw_path: bytes
    query: bytes
    is_http10: bool
    fields: list[tuple[bytes, bytes]]
    wire: bytes
    """The head as it may be fed to a parser, with its blank line."""
    expects_continue: bool


class HeadBuffer:
    """Gathers a head from the pieces it comes in."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = bytearray()

    def __bool__(self) -> bool:
        """True when a part of a head waits for the rest."""
        return bool(self._bytes)

    def take(self, data: bytes) -> tuple[bytes, bytes] | None:
        """A whole head without its blank line, and what came behind it; None until it is whole.

        Raises: HeadRefused with 400 or 431 as soon as no further byte can make it sound.
        """
        buffer = self._bytes
        searched = max(0, len(buffer) - 3)
        buffer += data
        if buffer.startswith(b"\r\n"):  # one empty line before a request is forgiven, RFC 9112 §2.2
            del buffer[:2]
            searched = 0
        end = buffer.find(b"\r\n\r\n", searched)
        if (end if end >= 0 else len(buffer)) > self._max_bytes:
            raise HeadRefused(431, f"the head is larger than {self._max_bytes} bytes")
        if end >= 0:
            head, rest = bytes(buffer[:end]), bytes(buffer[end + 4 :])
            buffer.clear()
            return head, rest
        if buffer and not _may_become_head(buffer, searched):
            raise HeadRefused(400, "malformed head")
        return None

    def clear(self) -> None:
        """Forget what has come."""
        self._bytes.clear()


def _may_become_head(buffer: bytearray, searched: int) -> bool:
    """False when no further byte can make this a sound head."""
    if not (65 <= buffer[0] <= 90) and buffer != b"\r":
        return False
    bare_lf = buffer.find(b"\n", searched)
    while bare_lf >= 0:
        if bare_lf == 0 or buffer[bare_lf - 1] != 13:
            return False
        bare_lf = buffer.find(b"\n", bare_lf + 1)
    return True


def read_head(head: bytes, max_fields: int) -> RequestHead:
    """The head without its closing blank line.

    Raises: HeadRefused with 400, 405, 431 or 505.
    """
    lines = head.split(b"\r\n")
    method, target, minor = _request_line(lines[0])
    if len(lines) - 1 > max_fields:
        raise HeadRefused(431, f"more than {max_fields} header fields")
    if _CONTROL.search(head) or head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1:
        raise HeadRefused(400, "control character in the head")
    if _FIELD_LINES.fullmatch(head, len(lines[0])) is None:
        raise HeadRefused(400, "malformed header field")
    halves = [line.split(b":", 1) for line in lines[1:]]
    fields = [(name.lower(), value.strip(b" \t")) for name, value in halves]
    by_name = dict(fields)
    if len(by_name) < len(fields):
        _check_singles(fields)
    _check_host(by_name.get(b"host"))
    _check_framing(by_name, is_http10=minor == b"0")
    raw_path, _, query = target.partition(b"?")
    wire = head
    if not _OFFERS.isdisjoint(by_name):
        fields = _without_offers(fields)
        wire = b"\r\n".join([lines[0], *(name + b": " + value for name, value in fields)])
    expects = b"expect" in by_name and (b"expect", b"100-continue") in ((n, v.lower()) for n, v in fields)
    return RequestHead(
        method.decode(), raw_path, query, minor == b"0", fields, wire + b"\r\n\r\n", expects and minor == b"1"
    )


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    match = _REQUEST_LINE.fullmatch(line)
    if match is not None:
        return match[1], match[2], match[3]
    if line.startswith(b"CONNECT "):
        raise HeadRefused(405, "CONNECT is not served")
    if _VERSIONED_LINE.fullmatch(line) and line[-3:] not in (b"1.0", b"1.1"):
        raise HeadRefused(505, "only HTTP/1.0 and HTTP/1.1 are served")
    raise HeadRefused(400, "malformed request line")


def _check_singles(fields: list[tuple[bytes, bytes]]) -> None:
    found: set[bytes] = set()
    for name, _ in fields:
        if name in found and name in _SINGLE:
            raise HeadRefused(400, f"header field {name.decode()} is sent twice")
        found.add(name)


def _check_host(host: bytes | None) -> None:
    if host is None or _HOST.fullmatch(host) is None:
        raise HeadRefused(400, "exactly one valid Host is needed")


def _check_framing(by_name: dict[bytes, bytes], *, is_http10: bool) -> None:
    coding, length = by_name.get(b"transfer-encoding"), by_name.get(b"content-length")
    if coding is not None and (coding.lower() != b"chunked" or length is not None or is_http10):
        raise HeadRefused(400, "the only transfer coding is chunked, without Content-Length")
    if length is not None and _LENGTH.fullmatch(length) is None:
        raise HeadRefused(400, "malformed Content-Length")


def _without_offers(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kept: list[tuple[bytes, bytes]] = []
    for name, value in fields:
        if name == b"connection":
            tokens = [token.strip() for token in value.split(b",")]
            value = b", ".join(token for token in tokens if token.lower() not in _OFFERS)
        if name not in _OFFERS and (name != b"connection" or value):
            kept.append((name, value))
    return kept
