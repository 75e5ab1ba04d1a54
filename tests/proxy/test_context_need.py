"""A request without a model and the context it needs: counted, estimated, brought elsewhere or refused."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.routing.name_settings import NameSettings, Unnamed
from ggtui.proxy.server import ProxySettings
from tests.programs.fakeup import Peer, RawUpstream, plain
from tests.proxy.rig import Answer, FakeCatalog, FakeRuntime, door, run, summary, target_at

if TYPE_CHECKING:
    from ggtui.core.models import ModelSummary

DEFAULT = NameSettings(default="small")
CHAT = ("chat", "completion")


def _models(*more: ModelSummary) -> FakeCatalog:
    return FakeCatalog(
        [
            summary(1, "small", n_ctx_chosen=8192, n_ctx_train=8192, capabilities=CHAT),
            summary(2, "large", n_ctx_chosen=32768, n_ctx_train=65536, capabilities=CHAT),
            summary(3, "vectors", n_ctx_chosen=131072, capabilities=("embedding",)),
            *more,
        ]
    )


def _chat(n_bytes: int, **more: object) -> bytes:
    text = "word " * (n_bytes // 5)
    return json.dumps({"messages": [{"role": "user", "content": text}], **more}).encode()


@dataclass
class Counting:
    """A server that counts every text as so many tokens, and answers everything else."""

    n_tokens: int = 0
    is_stuck: bool = False
    status: str = "200 OK"
    counted: list[bytes] = field(default_factory=list)

    async def __call__(self, upstream: RawUpstream, peer: Peer) -> None:
        while (request := await upstream.take(peer)) is not None:
            path = request.line.split(b" ")[1]
            if not path.endswith((b"tokens", b"/tokenize")):
                await peer.send(plain(b'{"ok": true}'))
                continue
            self.counted.append(path)
            if self.is_stuck:
                await peer.until_gone()
                return
            tokens = {"tokens": [1] * self.n_tokens} if path == b"/tokenize" else {}
            document = {"input_tokens": self.n_tokens, **tokens}
            await peer.send(plain(json.dumps(document).encode(), self.status))


def _small_at(port: int, n_ctx: int = 8192) -> FakeRuntime:
    return FakeRuntime(replace(target_at(port), model_name="small", effective_ctx=n_ctx))


def test_what_surely_fits_is_not_counted() -> None:
    async def check() -> None:
        counting = Counting(n_tokens=1 << 20)
        async with RawUpstream(counting) as upstream:
            runtime = _small_at(upstream.port)
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(6000, max_tokens=2000))))

                assert (200, ["default"]) == (answer.status, answer.values("x-ggtui-route"))
                assert ([], [("small", None)]) == (counting.counted, runtime.wanted)

    run(check())


def test_a_long_one_goes_to_the_largest_that_holds_it_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        counting = Counting(n_tokens=12_000)
        async with RawUpstream(counting) as upstream:
            runtime = _small_at(upstream.port)
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(9000, max_tokens=41))))

                assert ["large"] == answer.values("x-ggtui-endpoint")
                assert ["context 12041 > 8192"] == answer.values("x-ggtui-route")
                assert [] == answer.values("x-ggtui-ctx-requested")
                assert [("large", None)] == runtime.wanted
                assert [b"/v1/chat/completions/input_tokens"] == counting.counted
                note = proxy.endpoints.last_route
                assert note is not None
                assert ("large", "context 12041 > 8192") == (note.endpoint, note.words)
                assert "a request without a model goes to large: context 12041 > 8192" in caplog.text
                assert "word" not in caplog.text

    caplog.set_level(logging.INFO, "ggtui.proxy")
    run(check())


@pytest.mark.parametrize(
    ("path", "body", "counted"),
    [
        ("/v1/chat/completions", b"", [b"/v1/chat/completions/input_tokens"]),
        ("/responses", b"", [b"/v1/responses/input_tokens"]),
        ("/v1/messages", b"", [b"/v1/messages/count_tokens"]),
        ("/v1/completions", b'{"prompt":"%b"}', [b"/tokenize"]),
        ("/completion", b'{"prompt":["a","%b"]}', [b"/tokenize"]),
        ("/v1/completions", b'{"prompt":[1,%b"b"]}', [b"/tokenize"]),
        ("/infill", b'{"prompt":"%b"}', []),
        ("/tokenize", b'{"content":"%b"}', []),
    ],
)
def test_each_path_is_counted_where_the_server_counts_it(
    path: str, body: bytes, counted: list[bytes]
) -> None:
    async def check() -> None:
        counting = Counting(n_tokens=100)
        async with RawUpstream(counting) as upstream:
            runtime = _small_at(upstream.port)
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT) as proxy:
                text = b"1," * 5000 if b'%b"b"' in body else b"word " * 2000
                raw = body % text if body else _chat(9000)
                answer = Answer.parse(await proxy.ask(proxy.post(raw, path)))

                assert (200, ["small"]) == (answer.status, answer.values("x-ggtui-endpoint"))
                expected = [path.encode()] if path == "/tokenize" else counted
                assert expected == counting.counted

    run(check())


@pytest.mark.parametrize(
    "counting",
    [Counting(n_tokens=1, is_stuck=True), Counting(n_tokens=1, status="500 Internal Server Error")],
)
def test_a_server_that_does_not_count_in_time_leaves_an_estimate(counting: Counting) -> None:
    settings = ProxySettings(count_timeout_ms=50, drain_grace_s=0.05)

    async def check() -> None:
        async with RawUpstream(counting) as upstream:
            runtime = _small_at(upstream.port)
            named = NameSettings(default="small")
            async with door(runtime=runtime, catalog=_models(), names=named, settings=settings) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(60_000))))

                assert 1 == len(counting.counted)
                assert ["large"] == answer.values("x-ggtui-endpoint")
                rule, required, _, available = answer.values("x-ggtui-route")[0].split()
                assert ("context", "8192") == (rule, available)
                assert 10_000 < int(required) < 16_000

    run(check())


def test_a_model_that_does_not_run_is_estimated_and_nothing_is_started_for_it() -> None:
    async def check() -> None:
        async with RawUpstream(Counting()) as upstream:
            runtime = FakeRuntime(replace(target_at(upstream.port), model_id=2, model_name="large"))
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(60_000))))
                short = Answer.parse(await proxy.ask(proxy.post(_chat(20_000))))

                assert ["large"] == answer.values("x-ggtui-endpoint")
                assert ["small"] == short.values("x-ggtui-endpoint")
                assert [("large", 32768), ("small", None)] == runtime.wanted

    run(check())


def test_what_nothing_holds_is_refused_with_both_numbers_of_the_default() -> None:
    async def check() -> None:
        async with RawUpstream(Counting(n_tokens=40_000)) as upstream:
            runtime = _small_at(upstream.port)
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(9000, max_tokens=7))))

                error = answer.json["error"]
                assert (400, "context_length_exceeded") == (answer.status, answer.code)
                assert (40_007, 8192) == (error["required"], error["available"])
                assert "model 'small' cannot handle context length 40007 (max: 8192)" == error["message"]
                assert (
                    "small was trained for 8192 tokens; shorten the request or name a model with more"
                    == error["hint"]
                )
                assert [] == runtime.wanted

    run(check())


def test_a_named_request_is_never_counted_nor_brought_elsewhere() -> None:
    async def check() -> None:
        counting = Counting(n_tokens=40_000)
        async with RawUpstream(counting) as upstream:
            runtime = _small_at(upstream.port)
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(9000, model="small"))))

                assert ["named"] == answer.values("x-ggtui-route")
                assert ([], [("small", None)]) == (counting.counted, runtime.wanted)

    run(check())


@pytest.mark.parametrize("more", [{"num_ctx": 4096}, {"lora": []}])
def test_a_request_that_says_what_it_wants_is_not_brought_elsewhere(more: dict[str, object]) -> None:
    async def check() -> None:
        counting = Counting(n_tokens=40_000)
        async with RawUpstream(counting) as upstream:
            runtime = _small_at(upstream.port)
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(9000, **more))))

                assert ["default"] == answer.values("x-ggtui-route")
                assert [] == counting.counted
                assert [("small", more.get("num_ctx"))] == runtime.wanted

    run(check())


def test_a_server_that_was_started_small_is_asked_for_what_its_model_is_set_to() -> None:
    async def check() -> None:
        async with RawUpstream(Counting(n_tokens=6000)) as upstream:
            runtime = _small_at(upstream.port, n_ctx=2048)
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(7000))))

                assert ["default"] == answer.values("x-ggtui-route")
                assert [] == answer.values("x-ggtui-ctx-requested")
                assert [("small", 8192)] == runtime.wanted

    run(check())


def test_a_server_that_was_started_large_serves_more_than_its_model_is_set_to() -> None:
    async def check() -> None:
        async with RawUpstream(Counting(n_tokens=30_000)) as upstream:
            runtime = _small_at(upstream.port, n_ctx=65_536)
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(70_000))))

                assert ["default"] == answer.values("x-ggtui-route")
                assert [("small", None)] == runtime.wanted

    run(check())


def test_what_runs_stands_for_a_default_and_gives_way_in_the_same_manner() -> None:
    async def check() -> None:
        async with RawUpstream(Counting(n_tokens=12_000)) as upstream:
            runtime = _small_at(upstream.port)
            names = NameSettings(unnamed=Unnamed.RUNNING)
            async with door(runtime=runtime, catalog=_models(), names=names) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(9000))))

                assert ["context 12000 > 8192"] == answer.values("x-ggtui-route")
                assert [("large", None)] == runtime.wanted

    run(check())


def test_only_a_model_that_can_do_it_takes_it_over() -> None:
    async def check() -> None:
        names = NameSettings(default="few")
        few = summary(4, "few", n_ctx_chosen=512, capabilities=("embedding",))
        runtime = FakeRuntime()
        async with door(runtime=runtime, catalog=_models(few), names=names) as proxy:
            body = json.dumps({"input": ["a", "word " * 2000]}).encode()
            await proxy.ask(proxy.post(body, "/v1/embeddings"))
            rerank = json.dumps({"query": "q", "documents": ["word " * 2000]}).encode()
            refused = Answer.parse(await proxy.ask(proxy.post(rerank, "/v1/rerank")))

            assert [("vectors", None)] == runtime.wanted
            assert (400, "context_length_exceeded") == (refused.status, refused.code)

    run(check())


def test_many_short_texts_are_no_long_one() -> None:
    async def check() -> None:
        names = NameSettings(default="few")
        few = summary(4, "few", n_ctx_chosen=512, capabilities=("embedding",))
        runtime = FakeRuntime()
        async with door(runtime=runtime, catalog=_models(few), names=names) as proxy:
            body = json.dumps({"input": ["a few words of text"] * 80_000}).encode()
            await proxy.ask(proxy.post(body, "/v1/embeddings"))

            assert [("few", None)] == runtime.wanted

    run(check())


def test_a_client_that_leaves_while_its_request_is_counted_holds_nothing() -> None:
    settings = ProxySettings(count_timeout_ms=50, drain_grace_s=0.05)

    async def check() -> None:
        async with RawUpstream(Counting(is_stuck=True)) as upstream:
            runtime = replace(_small_at(upstream.port), gate=asyncio.Event())
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT, settings=settings) as proxy:
                client = await proxy.connect()
                await client.send(proxy.post(_chat(9000)))
                tasks = await proxy.tasks(1)
                await upstream.asked.wait()
                client.reset()
                await asyncio.gather(*tasks, return_exceptions=True)

                assert (1, 1) == (len(runtime.wanted), runtime.n_given_up)

    run(check())


def _refusing(n_tokens: int, n_ctx: int) -> bytes:
    error = {"type": "exceed_context_size_error", "n_prompt_tokens": n_tokens, "n_ctx": n_ctx}
    return plain(json.dumps({"error": error}).encode(), "400 Bad Request")


@pytest.mark.parametrize(("n_tokens", "status"), [(9000, 200), (90_000, 400)])
def test_what_was_estimated_too_short_goes_on_to_the_model_that_holds_it(n_tokens: int, status: int) -> None:
    async def check() -> None:
        n_asked = 0

        async def small_refuses(upstream: RawUpstream, peer: Peer) -> None:
            nonlocal n_asked
            while await upstream.take(peer) is not None:
                n_asked += 1
                await peer.send(_refusing(n_tokens, 8192) if n_asked == 1 else plain(b'{"ok": true}'))

        async with RawUpstream(small_refuses) as upstream:
            small = replace(target_at(upstream.port), model_name="small", effective_ctx=8192)
            large = replace(small, model_id=2, model_name="large", effective_ctx=32768)
            runtime = FakeRuntime(targets=[small, large])
            async with door(runtime=runtime, catalog=_models(), names=DEFAULT) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_chat(9000, max_tokens=100))))

                assert status == answer.status
                served = (
                    ("large", f"context {n_tokens + 100} > 8192") if status == 200 else ("small", "default")
                )
                assert [[each] for each in served] == [
                    answer.values("x-ggtui-endpoint"),
                    answer.values("x-ggtui-route"),
                ]
                wanted = [("small", None), ("large", None)]
                assert (wanted if status == 200 else wanted[:1]) == runtime.wanted
                if status == 400:
                    assert (90_100, 8192) == (
                        answer.json["error"]["required"],
                        answer.json["error"]["available"],
                    )

    run(check())
