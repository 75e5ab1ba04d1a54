"""What the load generator is asked to do and what it answers: one JSON line each way."""

from __future__ import annotations

from typing import Any

import msgspec


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job's requests go and what they hold."""

    host: str
    port: int
    path: str
    document: dict[str, Any]
    """The JSON body."""
    padding: int = 0
    """Bytes of text added to the body."""
    headers: dict[str, str] = {}

    def request(self) -> bytes:
        """The whole request."""
        document = self.document | ({"padding": "x" * self.padding} if self.padding else {})
        body = msgspec.json.encode(document)
        fields = {
            "host": f"{self.host}:{self.port}",
            "content-type": "application/json",
            "content-length": str(len(body)),
            **self.headers,
        }
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body


class CallJob(Asking, frozen=True, tag="calls", kw_only=True):
    """A closed loop: every connection asks again as soon as it has its answer."""

    connections: int
    seconds: float
    warm_up_s: float = 0.0
    calls_each: int = 0
    """Per connection; 0 goes on for `seconds`."""


class StreamJob(Asking, frozen=True, tag="streams", kw_only=True):
    """Streams that run at once; each begins a moment after the one before."""

    streams: int
    chunks: int
    """Expected of each stream."""
    interval_us: int
    """Between two chunks; 0 for as fast as possible."""
    stagger_s: float
    """From the first stream's begin to the last one's."""
    limit_s: float
    """What has not come by then is lost."""


class CallResult(msgspec.Struct, frozen=True, tag="calls"):
    """Times in seconds, of whole answers."""

    n: int
    """Answers in the window, the warm-up not counted."""
    n_all: int
    seconds: float
    p50: float
    p99: float
    errors: int
    complaint: str = ""
    """The first error."""


class StreamResult(msgspec.Struct, frozen=True, tag="streams"):
    """Times in seconds."""

    chunks: int
    """That arrived, of all streams together."""
    whole: int
    """Streams that had every chunk in order, and [DONE]."""
    seconds: float
    """From the first request to the last byte."""
    first_byte_p50: float
    first_byte_p99: float
    delay_p50: float
    """From the server's write of a chunk to its arrival here."""
    delay_p99: float
    complaint: str = ""
    """Of the first stream that was not whole."""


Job = CallJob | StreamJob
Result = CallResult | StreamResult
