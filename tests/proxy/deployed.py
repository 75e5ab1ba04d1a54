"""Deployments as tests of the door need them, before scripted servers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ggtui.core.deployment.deployment import Deployment, RuntimeConfig
from ggtui.core.deployment.policies import CapacityPolicy, RetryPolicy, Serving, Timeouts
from ggtui.core.deployment.pricing import Pricing
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.deployment.secret import SecretRef, SecretSource
from tests.programs.fakeup import STREAM_HEAD, chunk, plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.programs.fakeup import Peer, RawUpstream

ONCE = RetryPolicy(max_retries=0)
SOON = RetryPolicy(max_retries=3, initial_backoff_s=0.005)
ONE_SLOT = Serving(max_concurrent=1, on_capacity_exhausted=CapacityPolicy.REJECT)
ONE_IN_LINE = Serving(max_concurrent=1)
HASTY = Timeouts(request_timeout_s=0.1, read_timeout_s=0.1)
A_DOLLAR = Pricing(10**12, 10**12)
"""For each token."""
KEY = SecretRef(SecretSource.ENV, "KEY")
CHAT = b'{"model": "far", "messages": [{"role": "user", "content": "hello"}], "zz": 1e2}'
STREAM = b'{"model": "far", "stream": true, "messages": []}'
WORDS = [b'data: {"choices": [{"delta": {"content": "w%d"}}]}\n\n' % n for n in range(3)]
DONE = b"data: [DONE]\n\n"
BUSY = plain(b'{"error": {"message": "no room", "code": "busy"}}', "503 Busy")
OK = plain(b'{"ok": true}')


def far(port: int, name: str = "far", **more: Any) -> Deployment:
    """One that another server on this machine serves as `NAME-there`, tried once."""
    config = RuntimeConfig(RuntimeKind.OPEN_AI, endpoint=f"http://127.0.0.1:{port}/v1")
    base = Deployment(name, f"{name}-there", runtime_config=config, retry=ONCE)
    return replace(base, **more)


def with_key(deployment: Deployment) -> Deployment:
    """The same, with a key from a place that tests may change."""
    return replace(deployment, runtime_config=replace(deployment.runtime_config, api_key=KEY))


def near(name: str = "near", **more: Any) -> Deployment:
    """One that the model `tiny` of this machine serves, tried once."""
    return replace(Deployment(name, "tiny", retry=ONCE), **more)


def events(*each: bytes) -> bytes:
    """A whole stream of these events."""
    return STREAM_HEAD + b"".join(chunk(event) for event in each) + chunk(b"")


def refusal(status: str, code: str = "", message: str = "no", more: str = "") -> bytes:
    """An error in OpenAI's form."""
    body = b'{"error": {"message": "%b", "code": "%b"}}' % (message.encode(), code.encode())
    return plain(body, status, more=more)


def silent_after(data: bytes) -> Callable[[RawUpstream, Peer], Awaitable[None]]:
    """A play that answers so much of each request, and then nothing until its peer goes."""

    async def play(upstream: RawUpstream, peer: Peer) -> None:
        if await upstream.take(peer) is not None:
            await peer.send(data)
            await peer.until_gone()

    return play
