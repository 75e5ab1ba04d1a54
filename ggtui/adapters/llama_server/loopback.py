"""One small GET to a server on this machine: status and body, on a connection that is closed afterwards."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from ggtui.adapters.llama_server.argv import HOST

ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Longest answer that is read; `/props` holds a chat template."""


async def get(port: int, path: str, key: str = "", limit_s: float = 5.0) -> tuple[int, bytes]:
    """Status and body. HTTP/1.0, so that the body needs no framing and ends with the connection.

    Raises: OSError, also for an answer that is not HTTP or does not come in time.
    """
    request = f"GET {path} HTTP/1.0\r\nHost: {HOST}:{port}\r\n"
    if key:
        request += f"Authorization: Bearer {key}\r\n"
    async with asyncio.timeout(limit_s):
        answer = await _exchange(port, f"{request}\r\n".encode())
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
