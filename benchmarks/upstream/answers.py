"""The bytes the fast model server answers with, made once."""

from __future__ import annotations

import json

_COMPLETION = {
    "id": "chatcmpl-fast",
    "object": "chat.completion",
    "created": 1_735_689_600,
    "model": "fast",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "a small quiet model hums under some windows"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21},
}

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
STREAM_END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"

_EVENT = (
    b'data: {"id":"chatcmpl-fast","object":"chat.completion.chunk","created":1735689600,"model":"fast",'
    b'"choices":[{"index":0,"delta":{"content":" windows"},"finish_reason":null}],"sent_ns":%020d}\n\n'
)
"""As large as one of llama-server's; the last member tells when it was sent, on the monotonic clock."""
_EVENT_BYTES = len(_EVENT % 0)
_CHUNK = b"%x\r\n" % _EVENT_BYTES + _EVENT + b"\r\n"


def whole(status: str, document: object) -> bytes:
    """A whole JSON answer.

    status: code and reason, such as `200 OK`.
    """
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunk(sent_ns: int) -> bytes:
    """One event of a stream, framed as one chunk."""
    return _CHUNK % sent_ns


COMPLETION = whole("200 OK", _COMPLETION)
DENIED = whole(
    "401 Unauthorized",
    {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}},
)
NOT_FOUND = whole("404 Not Found", {"error": {"message": "File Not Found", "code": 404}})
HEALTH = whole("200 OK", {"status": "ok"})
SLOTS = whole("200 OK", [])
