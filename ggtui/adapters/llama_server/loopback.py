"""One small request to a server on this machine, on a connection that is closed afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Final

from ggtui.adapters.llama_server.argv import HOST

ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Longest answer that is read; `/props` holds a chat template."""


async def get(port: int, path: str, key: str = "", limit_s: float = 5.0) -> tuple[int, bytes]:
    """Status and body of a GET.

    Raises: OSError, also for an answer that is not HTTP or does not come in time.
    """
    return await _ask(f"GET {path}", port, key, limit_s)


async def post(
    port: int, path: str, content: object, key: str = "", limit_s: float = 5.0
) -> tuple[int, bytes]:
    """Status and body of a POST. content: any JSON value.

    Raises: OSError, as get().
    """
    return await _ask(f"POST {path}", port, key, limit_s, json.dumps(content).encode())


async def _ask(what: str, port: int, key: str, limit_s: float, content: bytes = b"") -> tuple[int, bytes]:
    """HTTP/1.0, so that the answer's body needs no framing and ends with the connection."""
    lines = [f"{what} HTTP/1.0", f"Host: {HOST}:{port}"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    request = "\r\n".join([*lines, "", ""]).encode() + content
    async with asyncio.timeout(limit_s):
        answer = await _exchange(port, request)
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head[9:12]
    if not head.startswith(b"HTTP/1.") or not status.isdigit():
        raise ConnectionError("not an HTTP answer")
    return int(status), body


async def _exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    answer = bytearray()
    try:
        writer.write(request)
        while len(answer) < ANSWER_BYTES and (data := await reader.read(65536)):
            answer += data
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return bytes(answer)
