"""A prompt that is longer than the context: the server's refusal in the words that clients know."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from ggtui.core.errors import StoreUnavailable
from ggtui.core.routing.name_settings import NameSettings
from ggtui.proxy.server import ProxySettings
from tests.programs.fakeup import RawUpstream, answering, plain
from tests.proxy.rig import Answer, FakeCatalog, FakeRuntime, door, run, summary, target_at, unchunk

if TYPE_CHECKING:
    from ggtui.core.models import ModelSummary

REFUSAL = {
    "error": {
        "code": 400,
        "message": "request (6018 tokens) exceeds the available context size (1024 tokens)",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 6018,
        "n_ctx": 1024,
    }
}
RAW = plain(json.dumps(REFUSAL).encode(), "400 Bad Request")
MESSAGE = "model 'tiny' cannot handle context length 6018 (max: 1024)"


@pytest.mark.parametrize(
    ("n_ctx_train", "hint"),
    [
        (32768, "send num_ctx, up to 32768, for a larger context"),
        (4096, "tiny was trained for 4096 tokens; shorten the request or name a model with more"),
        (None, "send num_ctx, more than 6018, for a larger context"),
    ],
)
def test_a_too_long_prompt_is_told_with_both_numbers_and_what_helps(
    n_ctx_train: int | None, hint: str
) -> None:
    async def check() -> None:
        catalog = FakeCatalog([summary(1, "tiny", n_ctx_train=n_ctx_train)])
        names = NameSettings(aliases={"gpt-4": "tiny"})
        async with (
            RawUpstream(answering(RAW)) as upstream,
            door(upstream.port, catalog=catalog, names=names) as proxy,
        ):
            answer = Answer.parse(await proxy.ask(proxy.post(b'{"model": "gpt-4"}')))

            assert 400 == answer.status
            assert [str(len(answer.body))] == answer.values("content-length")
            assert {
                "message": MESSAGE,
                "type": "invalid_request_error",
                "param": None,
                "code": "context_length_exceeded",
                "required": 6018,
                "available": 1024,
                "n_prompt_tokens": 6018,
                "n_ctx": 1024,
                "hint": hint,
            } == answer.json["error"]

    run(check())


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_behind_a_wait_it_is_an_event(path: str) -> None:
    async def check() -> None:
        settings = ProxySettings(wait_grace_s=0.0, wait_told_every_s=0.01, drain_grace_s=0.05)
        async with RawUpstream(answering(RAW)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port), gate=asyncio.Event())
            async with door(runtime=runtime, settings=settings) as proxy:
                client = await proxy.connect()
                await client.send(proxy.post(b'{"model": "tiny", "stream": true}', path))
                await client.reader.readuntil(b"\r\n\r\n")
                waited = await client.reader.readuntil(b"\n\n")
                assert runtime.gate is not None
                runtime.gate.set()
                body, is_ended = unchunk(waited + await client.rest())

                event, _, data = body.rpartition(b"data: ")
                document = json.loads(data)
                assert MESSAGE == document["error"]["message"]
                assert (6018, 1024) == (document["error"]["required"], document["error"]["available"])
                assert ("/messages" in path) == event.endswith(b"event: error\n")
                assert ("error" if "/messages" in path else None) == document.get("type")
                assert is_ended

    run(check())


class _Unreadable(FakeCatalog):
    async def resolve_model(self, name: str) -> ModelSummary | None:
        raise StoreUnavailable("the store is gone")


def test_without_a_catalog_there_is_no_hint_but_the_numbers() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(RAW)) as upstream,
            door(upstream.port, catalog=_Unreadable()) as proxy,
        ):
            answer = Answer.parse(await proxy.ask(proxy.post(b'{"model": "tiny"}')))

            assert (400, MESSAGE) == (answer.status, answer.json["error"]["message"])
            assert "hint" not in answer.json["error"]

    run(check())


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "odd"}',
        b'{"error": {"type": "exceed_context_size_error"}}',
        b'{"error": {"type": "exceed_context_size_error", "n_prompt_tokens": null, "n_ctx": 7}}',
        b"[]",
        b"not json",
    ],
)
def test_any_other_refusal_passes_as_it_is(body: bytes) -> None:
    async def check() -> None:
        raw = plain(body, "400 Bad Request")
        async with RawUpstream(answering(raw)) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(b'{"model": "tiny"}')))

            assert (400, body) == (answer.status, answer.body)

    run(check())
