"""A request by the rules of its deployment: what is tried again, what falls back, and what is left of it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.memory.deployments import MemorySpend
from ggtui.core.client_keys import ClientKey
from ggtui.core.deployment.policies import (
    Budget,
    CapacityPolicy,
    CircuitBreakerPolicy,
    RateLimits,
    RetryPolicy,
    Serving,
    Timeouts,
)
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.errors import LoadCancelled, OutOfMemory, SpawnReason
from ggtui.core.routing.name_settings import NameSettings
from ggtui.proxy.settings import ProxySettings
from tests.programs.fakeup import STREAM_HEAD, RawUpstream, answering, chunk, ending_after, plain
from tests.proxy.deployed import (
    A_DOLLAR,
    BUSY,
    CHAT,
    DONE,
    HASTY,
    OK,
    ONE_IN_LINE,
    ONE_SLOT,
    SOON,
    STREAM,
    WORDS,
    events,
    far,
    near,
    refusal,
    silent_after,
    with_key,
)
from tests.proxy.rig import (
    Answer,
    Door,
    FakeCatalog,
    FakeRuntime,
    door,
    holds,
    run,
    summary,
    target_at,
    unchunk,
    with_adapters,
)

if TYPE_CHECKING:
    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.snapshot import DeploymentCounts


async def ask(proxy: Door, body: bytes = CHAT, *fields: str) -> Answer:
    return Answer.parse(await proxy.ask(proxy.post(body, "/v1/chat/completions", *fields)))


def counts(proxy: Door, name: str = "far") -> DeploymentCounts:
    live = proxy.deployments.get(name)
    assert live is not None
    return live.counters


async def let_go(proxy: Door, name: str = "far") -> None:
    """Return when nothing of a deployment is taken any more."""
    live = proxy.deployments.get(name)
    while live is None or holds(live):  # noqa: ASYNC110  nothing announces it
        await asyncio.sleep(0.001)


# There and back


def test_another_server_gets_its_own_name_of_the_model_and_nothing_of_the_client() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(OK)) as upstream,
            door(deployments=[with_key(far(upstream.port))]) as proxy,
        ):
            proxy.secrets.texts["KEY"] = "sk-there"
            fields = ("Authorization: Bearer client", "OpenAI-Organization: org", "X-Other: 1", "Accept: */*")
            answer = await ask(proxy, CHAT, *fields)

            assert (200, b'{"ok": true}') == (answer.status, answer.body)
            assert (["far"], ["far"]) == (
                answer.values("x-ggtui-deployment"),
                answer.values("x-ggtui-endpoint"),
            )
            assert ["named"] == answer.values("x-ggtui-route")
            request = upstream.requests[0]
            assert b"POST /v1/chat/completions HTTP/1.1" == request.line
            assert CHAT.replace(b'"far"', b'"far-there"') == request.body
            names = [line.partition(b":")[0] for line in request.head.split(b"\r\n")[1:]]
            expected = [
                b"host",
                b"user-agent",
                b"via",
                b"content-type",
                b"accept",
                b"content-length",
                b"authorization",
            ]
            assert sorted(expected) == sorted(name.lower() for name in names)
            assert ["Bearer sk-there"] == request.values("authorization")
            assert "ggtui/" in request.values("user-agent")[0]
            assert (1, 0) == (counts(proxy).succeeded, counts(proxy).failed)

    run(check())


def test_a_stream_is_passed_on_byte_for_byte() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(events(*WORDS, DONE))) as upstream,
            door(deployments=[far(upstream.port)]) as proxy,
        ):
            answer = await ask(proxy, STREAM)

            assert ["text/event-stream"] == answer.values("content-type")
            assert (b"".join(WORDS) + DONE, True) == unchunk(answer.body)
            assert STREAM.replace(b'"far"', b'"far-there"') == upstream.requests[0].body

    run(check())


def test_a_model_of_this_machine_is_leased_and_named() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(OK)) as upstream,
            door(upstream.port, deployments=[near()]) as proxy,
        ):
            body = CHAT.replace(b'"far"', b'"near"')
            answer = await ask(proxy, body)

            assert 200 == answer.status
            assert [("tiny", None)] == proxy.runtime.wanted
            assert body == upstream.requests[0].body
            assert (["near"], ["near"], ["4096"]) == (
                answer.values("x-ggtui-deployment"),
                answer.values("x-ggtui-endpoint"),
                answer.values("x-ggtui-ctx"),
            )

    run(check())


def test_a_model_without_rules_goes_as_ever() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(OK)) as upstream,
            door(upstream.port, deployments=[near()]) as proxy,
        ):
            answer = await ask(proxy, CHAT.replace(b'"far"', b'"tiny"'), "X-Ggtui-Priority: nonsense")

            assert (200, []) == (answer.status, answer.values("x-ggtui-deployment"))

    run(check())


def test_a_priority_that_there_is_not_is_refused() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(deployments=[far(upstream.port)]) as proxy:
            refused = await ask(proxy, CHAT, "X-Ggtui-Priority: soon")
            served = await ask(proxy, CHAT, "X-Ggtui-Priority: High")

            assert (400, "invalid_request", "x-ggtui-priority") == (
                refused.status,
                refused.code,
                refused.json["error"]["param"],
            )
            assert (200, 1) == (served.status, len(upstream.requests))

    run(check())


def test_adapters_are_for_models_of_this_machine() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(deployments=[far(upstream.port)]) as proxy:
            own = b'{"model": "far", "lora": [{"id": 0, "scale": 1}]}'
            refused, plain_one = await ask(proxy, own), await ask(proxy, b'{"model": "far", "lora": []}')

            assert (400, "lora") == (refused.status, refused.json["error"]["param"])
            assert (200, b'{"model": "far-there"}') == (plain_one.status, upstream.requests[0].body)

    run(check())


# Failures


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("400 Bad", "odd"),
        ("400 Bad", "content_filter"),
        ("404 No", "no_model"),
        ("422 No", "odd"),
        ("501 No", "x"),
    ],
)
def test_what_is_wrong_with_the_request_is_passed_on_as_it_is_and_never_falls_back(
    status: str, code: str
) -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(refusal(status, code, more="X-Theirs: yes\r\n"))) as upstream,
            RawUpstream(answering(OK)) as other,
            door(
                deployments=[
                    far(upstream.port, fallback=("other",), retry=SOON),
                    far(other.port, "other"),
                ]
            ) as proxy,
        ):
            answer = await ask(proxy)

            assert (int(status[:3]), ["yes"]) == (answer.status, answer.values("x-theirs"))
            assert {"error": {"message": "no", "code": code}} == answer.json
            assert (1, 0) == (len(upstream.requests), len(other.requests))
            told = counts(proxy)
            assert (0, 0, int(code == "content_filter")) == (
                told.succeeded,
                told.failed,
                told.content_filtered,
            )

    run(check())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("403 No", (403, "upstream_forbidden")),
        ("429 No", (429, "rate_limited")),
        ("500 No", (502, "upstream_error")),
        ("503 No", (502, "upstream_error")),
        ("302 Elsewhere", (502, "upstream_error")),
        ("407 No", (502, "upstream_error")),
        ("401 No", (502, "upstream_unauthorized")),
    ],
)
def test_every_status_has_its_meaning(status: str, expected: tuple[int, str]) -> None:
    async def check() -> None:
        told = refusal(status, message="their words, sk-there")
        async with (
            RawUpstream(answering(told)) as upstream,
            door(deployments=[with_key(far(upstream.port))]) as proxy,
        ):
            proxy.secrets.texts["KEY"] = "sk-there"
            answer = await ask(proxy)

            assert expected == (answer.status, answer.code)
            assert "sk-there" not in answer.body.decode()
            has_words = status[:3] in ("403", "429", "500", "503")
            assert has_words == ("their words" in answer.json["error"]["message"])

    run(check())


def test_a_refusal_that_is_passed_on_does_not_tell_the_key() -> None:
    async def check() -> None:
        told = refusal("404 No", message="their words, sk-there")
        async with (
            RawUpstream(answering(told)) as upstream,
            door(deployments=[with_key(far(upstream.port))]) as proxy,
        ):
            proxy.secrets.texts["KEY"] = "sk-there"
            answer = await ask(proxy)

            assert (404, "their words, ********") == (answer.status, answer.json["error"]["message"])

    run(check())


ECHOED = "sk-there-0123456789abcdef"
ECHO_FIELD = "X-Echo: Bearer sk-there-0123456789abcdef\r\n"


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("key", [ECHOED, "EMPTY"])
def test_an_answer_that_echoes_the_key_goes_on_without_it(is_stream: bool, key: str) -> None:
    async def check() -> None:
        told = f"you sent {key}, {key}".encode()
        event = b'data: {"choices": [{"delta": {"content": "%b"}}]}\n\n' % told
        sent = events(WORDS[0], event, DONE) if is_stream else plain(told, more=ECHO_FIELD)
        async with (
            RawUpstream(answering(sent)) as upstream,
            door(deployments=[with_key(far(upstream.port))]) as proxy,
        ):
            proxy.secrets.texts["KEY"] = key
            answer = await ask(proxy, STREAM if is_stream else CHAT)
            expected = told.replace(ECHOED.encode(), b"*" * len(ECHOED))

            assert 200 == answer.status
            if is_stream:
                assert (WORDS[0] + event.replace(told, expected) + DONE, True) == unchunk(answer.body)
            else:
                assert expected == answer.body
                assert (key == ECHOED) == ("Bearer " + "*" * len(ECHOED) in answer.values("x-echo"))

    run(check())


def test_a_refusal_within_a_stream_does_not_tell_the_key_however_it_is_spelled() -> None:
    async def check() -> None:
        settings = ProxySettings(drain_grace_s=0.05, wait_grace_s=0.01, wait_told_every_s=0.01)
        retry = RetryPolicy(max_retries=1, initial_backoff_s=0.2)
        told = refusal("400 Bad", "odd", message="sk-th\\u0065re", more=ECHO_FIELD)
        async with (
            RawUpstream(answering(BUSY, told)) as upstream,
            door(deployments=[with_key(far(upstream.port, retry=retry))], settings=settings) as proxy,
        ):
            proxy.secrets.texts["KEY"] = "sk-there"
            body, _ = unchunk((await ask(proxy, STREAM)).body)

            assert body.endswith(b'data: {"error":{"message":"********","code":"odd"}}\n\n')

    run(check())


def test_a_refused_key_is_read_again_once() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(refusal("401 No"), OK, refusal("401 No"))) as upstream,
            door(deployments=[with_key(far(upstream.port))]) as proxy,
        ):
            proxy.secrets.texts["KEY"] = "sk-new"
            assert 200 == (await ask(proxy)).status
            proxy.secrets.texts["KEY"] = "sk-newer"
            refused = await ask(proxy)

            assert (502, "upstream_unauthorized") == (refused.status, refused.code)
            keys = [request.values("authorization")[0] for request in upstream.requests]
            assert ["Bearer sk-new"] * 3 + ["Bearer sk-newer"] == keys

    run(check())


def test_a_key_that_is_not_there_is_no_fault_of_the_client() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(OK)) as upstream,
            door(deployments=[with_key(far(upstream.port))]) as proxy,
        ):
            answer = await ask(proxy)

            assert (503, 0) == (answer.status, len(upstream.requests))
            assert "environment variable KEY" in answer.json["error"]["hint"]

    run(check())


# Again, and elsewhere


@pytest.mark.parametrize("body", [CHAT, STREAM])
def test_a_failure_is_tried_again_and_its_client_sees_none(body: bytes) -> None:
    async def check() -> None:
        answer = events(*WORDS, DONE) if body is STREAM else OK
        async with (
            RawUpstream(answering(BUSY, BUSY, answer)) as upstream,
            door(deployments=[far(upstream.port, retry=SOON)]) as proxy,
        ):
            assert 200 == (await ask(proxy, body)).status
            assert 3 == len(upstream.requests)
            assert 1 == len({request.body for request in upstream.requests})
            assert (1, 0) == (counts(proxy).succeeded, counts(proxy).failed)

    run(check())


def test_retries_end() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(BUSY)) as upstream,
            door(deployments=[far(upstream.port, retry=SOON)]) as proxy,
        ):
            answer = await ask(proxy)

            assert (502, "upstream_error") == (answer.status, answer.code)
            assert answer.json["error"]["message"].endswith("answered 503: no room")
            assert 4 == len(upstream.requests)

    run(check())


@pytest.mark.parametrize(
    "more",
    [
        {"runtime": FakeRuntime(failure=OutOfMemory("full", reason=SpawnReason.OUT_OF_MEMORY))},
        {"runtime": FakeRuntime(target_at(1))},
        {"deployments": [far(1, "near")]},
        {"deployments": [with_key(far(1, "near"))]},
    ],
    ids=["no server", "a dead server", "no connection", "no key"],
)
def test_what_never_left_does_not_count_as_a_request(more: dict[str, Any]) -> None:
    async def check() -> None:
        limits = RateLimits(requests_per_minute=1, tokens_per_minute=2000)
        settings = ProxySettings(drain_grace_s=0.05, restart_wait_s=0.05)
        rules = [
            replace(each, rate_limits=limits, serving=ONE_SLOT) for each in more.get("deployments", [near()])
        ]
        async with door(settings=settings, **{**more, "deployments": rules}) as proxy:
            codes = {(await ask(proxy, CHAT.replace(b'"far"', b'"near"'))).code for _ in range(3)}

            assert 1 == len(codes)
            assert "rate_limit_exceeded" not in codes
            live = proxy.deployments.get("near")
            assert live is not None
            assert [0, 0] == [each.used for each in live.resources.limits.uses]

    run(check())


def test_limits_of_each_key_count_for_whoever_sends_it() -> None:
    async def check() -> None:
        keys = ClientKey("k1", "ann"), ClientKey("k2", "bob")
        rules: dict[str, Any] = {"rate_limits": RateLimits(1, per_key=True), "serving": ONE_SLOT}
        async with (
            RawUpstream(answering(OK, OK)) as upstream,
            door(
                deployments=[far(upstream.port, **rules)], settings=ProxySettings(client_keys=keys)
            ) as proxy,
        ):
            found = [
                await ask(proxy, CHAT, f"Authorization: Bearer {key}") for key in ("k1", "k1", "k2", "k3")
            ]

            assert [200, 429, 200, 401] == [each.status for each in found]
            assert 2 == len(upstream.requests)
            assert "k1" not in found[1].body.decode()

    run(check())


def test_a_failure_before_anything_is_asked_names_what_was_meant() -> None:
    async def check() -> None:
        async with door(deployments=[with_key(far(1))]) as proxy:
            answer = await ask(proxy)

            assert (503, ["far"]) == (answer.status, answer.values("x-ggtui-endpoint"))

    run(check())


def test_what_may_not_be_repeated_is_sent_once() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(OK, BUSY, OK)) as upstream,
            door(deployments=[far(upstream.port, retry=SOON, idempotent=False)]) as proxy,
        ):
            assert [200, 502] == [(await ask(proxy)).status for _ in range(2)]
            assert 2 == len(upstream.requests)
            assert 2 == len(upstream.peers)

    run(check())


def test_the_wait_that_a_server_asks_for_is_waited_or_told() -> None:
    async def check() -> None:
        async def time_of(upstream: RawUpstream, retry: RetryPolicy) -> tuple[Answer, float]:
            async with door(deployments=[far(upstream.port, retry=retry)]) as proxy:
                begun = asyncio.get_running_loop().time()
                return await ask(proxy), asyncio.get_running_loop().time() - begun

        limited = refusal("429 Slow", more="Retry-After: 1\r\n")
        async with RawUpstream(answering(limited, OK)) as upstream:
            answer, elapsed = await time_of(upstream, SOON)

            assert (200, 2) == (answer.status, len(upstream.requests))
            assert elapsed >= 1
        async with RawUpstream(answering(refusal("429 Slow", more="Retry-After: 77\r\n"))) as upstream:
            answer, _ = await time_of(upstream, replace(SOON, max_backoff_s=2))

            assert (429, ["77"], 1) == (answer.status, answer.values("retry-after"), len(upstream.requests))

    run(check())


def test_failures_in_a_row_open_the_breaker() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(BUSY)) as upstream,
            door(deployments=[far(upstream.port, circuit_breaker=CircuitBreakerPolicy(10))]) as proxy,
        ):
            codes = [(await ask(proxy)).code for _ in range(11)]

            assert ["upstream_error"] * 10 + ["circuit_open"] == codes
            assert 10 == len(upstream.requests)

    run(check())


def test_a_breaker_that_opens_meanwhile_ends_the_retries_with_the_failure_itself() -> None:
    async def check() -> None:
        rules: dict[str, Any] = {"circuit_breaker": CircuitBreakerPolicy(2), "retry": SOON}
        async with (
            RawUpstream(answering(BUSY)) as upstream,
            door(deployments=[far(upstream.port, **rules)]) as proxy,
        ):
            answer = await ask(proxy)

            assert ("upstream_error", 2) == (answer.code, len(upstream.requests))

    run(check())


FAILING: dict[str, dict[str, Any]] = {
    "server error": {"play": answering(BUSY)},
    "limit": {"play": answering(refusal("429 Slow"))},
    "key": {"play": answering(refusal("401 No"))},
    "silence": {"play": silent_after(b""), "timeouts": HASTY},
    "drop": {"play": ending_after(b"")},
    "own limit": {
        "play": answering(OK),
        "rate_limits": RateLimits(tokens_per_minute=1),
        "serving": Serving(on_capacity_exhausted=CapacityPolicy.REJECT),
    },
}


@pytest.mark.parametrize("name", FAILING)
def test_another_deployment_serves_what_this_one_cannot(name: str) -> None:
    async def check() -> None:
        rules = dict(FAILING[name])
        async with (
            RawUpstream(rules.pop("play")) as upstream,
            RawUpstream(answering(OK)) as other,
            door(
                deployments=[
                    far(upstream.port, fallback=("other",), **rules),
                    far(other.port, "other"),
                ]
            ) as proxy,
        ):
            answer = await ask(proxy)

            assert (200, ["other"], ["other"]) == (
                answer.status,
                answer.values("x-ggtui-deployment"),
                answer.values("x-ggtui-endpoint"),
            )
            assert ["named fallback of far"] == answer.values("x-ggtui-route")
            assert CHAT.replace(b'"far"', b'"other-there"') == other.requests[0].body

    run(check())


def test_a_model_that_does_not_start_falls_back_to_another_server_and_that_to_a_bare_model() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(OK)) as here,
            RawUpstream(answering(OK, BUSY)) as there,
            door(
                runtime=FakeRuntime(failure=OutOfMemory("no room", reason=SpawnReason.OUT_OF_MEMORY)),
                deployments=[
                    near(fallback=("far",)),
                    far(there.port, fallback=("tiny",)),
                ],
            ) as proxy,
        ):
            body = CHAT.replace(b'"far"', b'"near"')
            answer = await ask(proxy, body)

            assert (200, ["far"]) == (answer.status, answer.values("x-ggtui-deployment"))

            proxy.runtime.failure = None
            proxy.runtime.target = target_at(here.port, effective_ctx=2048)
            answer = await ask(proxy)

            assert (200, ["tiny"], ["2048"]) == (
                answer.status,
                answer.values("x-ggtui-endpoint"),
                answer.values("x-ggtui-ctx"),
            )

    run(check())


BROKEN = FakeCatalog([summary(1, "tiny", problem="the header is cut off")])
NOT_READY: dict[str, tuple[Deployment, FakeCatalog]] = {
    "broken file": (near(), BROKEN),
    "no such model": (near(model="absent", runtime=RuntimeKind.LLAMA_SERVER), FakeCatalog()),
    "no engine": (near(model="absent", runtime=RuntimeKind.VLLM), FakeCatalog()),
}


@pytest.mark.parametrize("case", NOT_READY)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/tokenize"])
def test_what_is_not_ready_is_served_in_its_place(case: str, path: str) -> None:
    async def check() -> None:
        rules, catalog = NOT_READY[case]
        async with (
            RawUpstream(answering(OK)) as other,
            door(
                catalog=catalog,
                deployments=[
                    replace(rules, fallback=("next",)),
                    replace(rules, name="next", fallback=("other",)),
                    replace(rules, name="alone"),
                    far(other.port, "other"),
                ],
                names=NameSettings(default="near"),
            ) as proxy,
        ):

            async def asked(name: str) -> Answer:
                named = f'"model": "{name}", ' if name else ""
                return Answer.parse(await proxy.ask(proxy.post(b"{%b}" % f'{named}"x": 1'.encode(), path)))

            for name in ("near", ""):
                answer = await asked(name)
                rule = "named" if name else "default"

                assert (200, ["other"], [f"{rule} fallback of near"]) == (
                    answer.status,
                    answer.values("x-ggtui-deployment"),
                    answer.values("x-ggtui-route"),
                )
            alone = await asked("alone")

            assert (503, "model_not_ready") == (alone.status, alone.code)
            assert alone.json["error"]["hint"]
            assert [] == proxy.runtime.wanted

    run(check())


def test_an_adapter_that_cannot_be_used_falls_back_with_its_deployment() -> None:
    async def check() -> None:
        catalog = with_adapters()
        catalog.broken["code"] = "its file is gone"
        async with (
            RawUpstream(answering(OK)) as other,
            door(catalog=catalog, deployments=[near(fallback=("other",)), far(other.port, "other")]) as proxy,
        ):
            answer = await ask(proxy, CHAT.replace(b'"far"', b'"near:code"'))

            assert (200, ["other"]) == (answer.status, answer.values("x-ggtui-deployment"))

    run(check())


def test_what_a_person_switched_off_is_refused_and_what_is_drained_falls_back() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(OK)) as other,
            door(
                deployments=[
                    near(fallback=("other",)),
                    near("off", fallback=("other",)),
                    far(other.port, "other"),
                ],
                names=NameSettings(disabled=frozenset({"off"})),
            ) as proxy,
        ):
            off = await ask(proxy, CHAT.replace(b'"far"', b'"off"'))

            assert (503, "model_not_ready", 0) == (off.status, off.code, len(other.requests))
            assert "switched off" in off.json["error"]["hint"]

            live = proxy.deployments.get("near")
            assert live is not None
            live.drain()

            assert 200 == (await ask(proxy, CHAT.replace(b'"far"', b'"near"'))).status
            assert 1 == len(other.requests)

    run(check())


def test_when_all_are_not_ready_what_was_asked_for_is_told() -> None:
    async def check() -> None:
        rules = near(runtime=RuntimeKind.LLAMA_SERVER)
        async with door(
            catalog=BROKEN,
            deployments=[replace(rules, fallback=("next",)), replace(rules, name="next", model="absent")],
        ) as proxy:
            answer = await ask(proxy, CHAT.replace(b'"far"', b'"near"'))

            assert (503, "the header is cut off") == (answer.status, answer.json["error"]["hint"])
            assert "model 'near' is not ready" in answer.json["error"]["message"]

    run(check())


def test_when_all_fail_the_first_failure_is_told() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(refusal("429 Slow", more="Retry-After: 99\r\n"))) as upstream,
            RawUpstream(answering(BUSY)) as other,
            door(
                deployments=[far(upstream.port, fallback=("other",)), far(other.port, "other")],
            ) as proxy,
        ):
            answer = await ask(proxy)

            assert (429, ["99"]) == (answer.status, answer.values("retry-after"))
            assert (1, 1) == (len(upstream.requests), len(other.requests))

    run(check())


def test_a_model_that_is_stopped_on_purpose_is_not_asked_again() -> None:
    async def check() -> None:
        async with (
            RawUpstream(silent_after(b"")) as upstream,
            door(upstream.port, deployments=[near(retry=SOON)]) as proxy,
        ):
            client = await proxy.connect()
            await client.send(proxy.post(CHAT.replace(b'"far"', b'"near"')))
            await upstream.asked.wait()
            assert proxy.runtime.target is not None
            proxy.server.pool.close_target(proxy.runtime.target)
            answer = await client.answer()

            assert (502, "upstream_crashed", 1) == (answer.status, answer.code, len(upstream.requests))

    run(check())


def test_a_context_that_is_too_long_is_told_in_the_words_that_clients_know() -> None:
    async def check() -> None:
        error = b'"type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":5'
        refused = plain(b'{"error":{"code":400,"message":"too long",%b}}' % error, "400 Bad")
        async with (
            RawUpstream(answering(refused)) as upstream,
            door(upstream.port, deployments=[near()]) as proxy,
        ):
            answer = await ask(proxy, CHAT.replace(b'"far"', b'"near"'))

            assert (400, "context_length_exceeded") == (answer.status, answer.code)
            assert (9, 5) == (answer.json["error"]["required"], answer.json["error"]["available"])

    run(check())


# Time, and faults in the middle


@pytest.mark.parametrize("begun", [b"", STREAM_HEAD], ids=["head", "first event"])
def test_silence_before_the_first_byte_has_a_status(begun: bytes) -> None:
    async def check() -> None:
        async with (
            RawUpstream(silent_after(begun)) as upstream,
            door(deployments=[far(upstream.port, timeouts=HASTY)]) as proxy,
        ):
            answer = await ask(proxy, STREAM)

            assert (504, "upstream_timeout") == (answer.status, answer.code)
            assert 1 == counts(proxy).timed_out

    run(check())


def test_a_stream_without_its_first_event_is_asked_for_elsewhere() -> None:
    async def check() -> None:
        async with (
            RawUpstream(ending_after(STREAM_HEAD + chunk(b": wait\n"))) as upstream,
            RawUpstream(answering(events(*WORDS, DONE))) as other,
            door(
                deployments=[far(upstream.port, fallback=("other",)), far(other.port, "other")],
            ) as proxy,
        ):
            answer = await ask(proxy, STREAM)

            assert (b"".join(WORDS) + DONE, True) == unchunk(answer.body)
            assert ["other"] == answer.values("x-ggtui-deployment")

    run(check())


BEGUN = STREAM_HEAD + chunk(WORDS[0]) + chunk(WORDS[1][:9])


@pytest.mark.parametrize(
    ("play", "code"),
    [(ending_after(BEGUN), "upstream_crashed"), (silent_after(BEGUN), "upstream_timeout")],
    ids=["drop", "silence"],
)
def test_a_fault_in_the_middle_is_one_error_event(play: Any, code: str) -> None:
    async def check() -> None:
        rules: dict[str, Any] = {"retry": SOON, "timeouts": HASTY, "fallback": ("other",)}
        async with (
            RawUpstream(play) as upstream,
            RawUpstream(answering(OK)) as other,
            door(deployments=[far(upstream.port, **rules), far(other.port, "other")]) as proxy,
        ):
            answer = await ask(proxy, STREAM)
            body, is_ended = unchunk(answer.body)

            assert WORDS[0] == body[: len(WORDS[0])]
            assert code.encode() in body[len(WORDS[0]) :]
            assert (1, False) == (body.count(b'"error"'), is_ended)
            assert b"[DONE]" not in body
            assert (1, 0) == (len(upstream.requests), len(other.requests))

    run(check())


def test_bytes_that_make_no_event_are_no_sign_of_life() -> None:
    async def drip(upstream: RawUpstream, peer: Any) -> None:
        await upstream.take(peer)
        await peer.send(STREAM_HEAD + chunk(WORDS[0]))
        while not peer.gone.is_set():
            await peer.send(chunk(b"x"))
            await asyncio.sleep(0.01)

    async def check() -> None:
        async with (
            RawUpstream(drip) as upstream,
            door(deployments=[far(upstream.port, timeouts=HASTY)]) as proxy,
        ):
            body, _ = unchunk((await ask(proxy, STREAM)).body)

            assert b"upstream_timeout" in body

    run(check())


def test_a_slow_stream_with_events_goes_on() -> None:
    async def slow(upstream: RawUpstream, peer: Any) -> None:
        await upstream.take(peer)
        await peer.send(STREAM_HEAD)
        for _ in range(8):
            await asyncio.sleep(0.05)
            await peer.send(chunk(WORDS[0]))
        await peer.send(chunk(DONE) + chunk(b""))

    async def check() -> None:
        limits = Timeouts(request_timeout_s=5, read_timeout_s=0.3)
        async with (
            RawUpstream(slow) as upstream,
            door(deployments=[far(upstream.port, timeouts=limits)]) as proxy,
        ):
            assert (WORDS[0] * 8 + DONE, True) == unchunk((await ask(proxy, STREAM)).body)

    run(check())


# What is used


USAGE = b'"usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}'


def spent(proxy: Door, name: str = "far") -> list[int]:
    return [entry.cost_pusd // 10**12 for entry in proxy.spend.kept.get(name, ())]


def test_a_whole_answer_is_paid_by_its_usage_before_its_client_has_it() -> None:
    async def check() -> None:
        gate = asyncio.Event()
        reached = asyncio.Event()

        class SlowSpend(MemorySpend):
            async def add(self, name: str, at: float, cost_pusd: int) -> None:
                reached.set()
                await gate.wait()
                await super().add(name, at, cost_pusd)

        told = plain(b'{"choices": [], %b}' % USAGE)
        async with (
            RawUpstream(answering(told)) as upstream,
            door(deployments=[far(upstream.port, pricing=A_DOLLAR)], spend=SlowSpend()) as proxy,
        ):
            asked = asyncio.ensure_future(ask(proxy))
            await reached.wait()
            assert not asked.done()
            gate.set()

            assert b'{"choices": [], %b}' % USAGE == (await asked).body
            assert [10] == spent(proxy)
            assert (7, 3) == (counts(proxy).input_tokens, counts(proxy).output_tokens)

    run(check())


LAST = b'data: {"choices": [], %b}\n\n' % USAGE


@pytest.mark.parametrize("is_asked", [False, True])
def test_a_stream_that_costs_is_asked_for_its_usage_and_the_client_sees_it_only_when_it_asked(
    is_asked: bool,
) -> None:
    async def check() -> None:
        body = STREAM
        if is_asked:
            body = body.replace(
                b'"stream": true', b'"stream": true, "stream_options": {"include_usage": true}'
            )
        async with (
            RawUpstream(answering(events(*WORDS, LAST + DONE))) as upstream,
            door(deployments=[far(upstream.port, pricing=A_DOLLAR)]) as proxy,
        ):
            answer = await ask(proxy, body)

            seen = b"".join(WORDS) + (LAST if is_asked else b"") + DONE
            assert (seen, True) == unchunk(answer.body)
            assert [10] == spent(proxy)
            sent = upstream.requests[0].body
            assert 1 == sent.count(b"include_usage")
            expected = body.replace(b'"far"', b'"far-there"')
            if not is_asked:
                asks = b'"far-there","stream_options":{"include_usage":true}'
                expected = body.replace(b'"far"', asks)
            assert expected == sent

    run(check())


def test_llama_servers_own_figures_count_where_no_usage_is_told() -> None:
    async def check() -> None:
        timings = b'"timings":{"cache_n":4,"prompt_n":6,"prompt_ms":1.5,"predicted_n":5}'
        last = b'data: {"choices":[{"finish_reason":"stop"}],%b}\n\n' % timings
        async with (
            RawUpstream(answering(events(*WORDS, last, DONE))) as upstream,
            door(upstream.port, deployments=[near(pricing=A_DOLLAR)]) as proxy,
        ):
            body = STREAM.replace(b'"far"', b'"near"')
            answer = await ask(proxy, body)

            assert (b"".join(WORDS) + last + DONE, True) == unchunk(answer.body)
            assert body == upstream.requests[0].body
            assert [15] == spent(proxy, "near")

    run(check())


def test_a_spent_budget_refuses_without_a_call() -> None:
    async def check() -> None:
        rules: dict[str, Any] = {"pricing": A_DOLLAR, "budget": Budget(5 * 10**12)}
        async with (
            RawUpstream(answering(OK)) as upstream,
            door(deployments=[far(upstream.port, **rules)]) as proxy,
        ):
            answer = await ask(proxy)

            assert (429, "budget_exceeded", 0) == (answer.status, answer.code, len(upstream.requests))

    run(check())


# Clients that leave


def test_a_client_that_leaves_before_an_answer_pays_nothing() -> None:
    async def check() -> None:
        async with (
            RawUpstream(silent_after(b"")) as upstream,
            door(deployments=[far(upstream.port, pricing=A_DOLLAR)]) as proxy,
        ):
            client = await proxy.connect()
            await client.send(proxy.post(CHAT))
            await upstream.asked.wait()
            client.reset()
            await upstream.peers[0].gone.wait()
            await let_go(proxy)

            assert [] == spent(proxy)

    run(check())


def test_a_client_that_leaves_a_stream_pays_for_what_was_made() -> None:
    async def check() -> None:
        async with (
            RawUpstream(silent_after(STREAM_HEAD + chunk(b"".join(WORDS)))) as upstream,
            door(deployments=[far(upstream.port, pricing=A_DOLLAR)]) as proxy,
        ):
            client = await proxy.connect()
            await client.send(proxy.post(STREAM))
            await client.reader.readuntil(b"w2")
            client.reset()
            await upstream.peers[0].gone.wait()
            await let_go(proxy)
            n_input = -(-len(STREAM) // 3)  # as a short body is estimated

            assert [n_input + 3] == spent(proxy)

    run(check())


def test_a_client_that_leaves_the_line_is_never_sent() -> None:
    async def check() -> None:
        async with (
            RawUpstream(silent_after(b"")) as upstream,
            door(deployments=[far(upstream.port, serving=ONE_IN_LINE)]) as proxy,
        ):
            first, second = await proxy.connect(), await proxy.connect()
            await first.send(proxy.post(CHAT))
            await upstream.asked.wait()
            await second.send(proxy.post(CHAT))
            live = proxy.deployments.get("far")
            assert live is not None
            while not live.n_waiting:  # noqa: ASYNC110  nothing announces it
                await asyncio.sleep(0.001)
            second.reset()
            while live.n_waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            first.reset()
            await let_go(proxy)

            assert 1 == len(upstream.requests)

    run(check())


def test_a_client_that_leaves_between_two_tries_ends_them() -> None:
    async def check() -> None:
        retry = RetryPolicy(max_retries=3, initial_backoff_s=600, max_backoff_s=600)
        async with (
            RawUpstream(answering(BUSY)) as upstream,
            door(deployments=[far(upstream.port, retry=retry, serving=ONE_SLOT)]) as proxy,
        ):
            client = await proxy.connect()
            await client.send(proxy.post(CHAT))
            await upstream.asked.wait()
            refused = await ask(proxy)
            client.reset()
            await let_go(proxy)

            assert (429, "capacity_exhausted") == (refused.status, refused.code)
            assert 1 == len(upstream.requests)

    run(check())


def test_a_client_that_leaves_a_load_leaves_nothing() -> None:
    async def check() -> None:
        runtime = FakeRuntime(gate=asyncio.Event())
        async with door(runtime=runtime, deployments=[near()]) as proxy:
            client = await proxy.connect()
            await client.send(proxy.post(CHAT.replace(b'"far"', b'"near"')))
            await runtime.waiting.wait()
            client.reset()
            await let_go(proxy, "near")

            assert 1 == runtime.n_given_up

    run(check())


@pytest.mark.parametrize("seed", range(3))
def test_clients_that_leave_at_any_moment_leave_nothing(seed: int) -> None:
    chance = random.Random(seed)
    share_busy = 0.3

    async def play(upstream: RawUpstream, peer: Any) -> None:
        while await upstream.take(peer) is not None:
            if chance.random() < share_busy:
                await peer.send(BUSY)
                continue
            await peer.send(STREAM_HEAD)
            for word in WORDS:
                await asyncio.sleep(0.002)
                await peer.send(chunk(word))
            await peer.send(chunk(LAST + DONE) + chunk(b""))

    async def visit(proxy: Door, name: bytes) -> None:
        client = await proxy.connect()
        await client.send(proxy.post(STREAM.replace(b"far", name)))
        await asyncio.sleep(chance.random() * 0.03)
        client.reset()

    async def check() -> None:
        nonlocal share_busy
        rules: dict[str, Any] = {
            "pricing": A_DOLLAR,
            "budget": Budget(10**18),
            "rate_limits": RateLimits(100_000, 10**9, 3),
            "serving": Serving(max_concurrent=4),
            "retry": SOON,
            "circuit_breaker": CircuitBreakerPolicy(5, 0.01),
        }
        async with (
            RawUpstream(play) as upstream,
            door(
                upstream.port, deployments=[far(upstream.port, fallback=("near",), **rules), near(**rules)]
            ) as proxy,
        ):
            await asyncio.gather(*(visit(proxy, chance.choice((b"far", b"near"))) for _ in range(60)))
            await let_go(proxy)
            await let_go(proxy, "near")
            await proxy.quiet()
            share_busy = 0.0
            for name in ("far", "near"):
                live = proxy.deployments.get(name)
                assert live is not None
                live.breaker.reset()

                assert 200 == (await ask(proxy, STREAM.replace(b"far", name.encode()))).status

    run(check())


# Waits that are told


def test_a_stream_hears_that_it_waits_and_then_its_answer() -> None:
    async def check() -> None:
        settings = ProxySettings(drain_grace_s=0.05, wait_grace_s=0.01, wait_told_every_s=0.01)
        gate = asyncio.Event()

        async def play(upstream: RawUpstream, peer: Any) -> None:
            while await upstream.take(peer) is not None:
                await gate.wait()
                await peer.send(events(*WORDS, DONE))

        async with (
            RawUpstream(play) as upstream,
            door(deployments=[far(upstream.port, serving=ONE_IN_LINE)], settings=settings) as proxy,
        ):
            first, second = await proxy.connect(), await proxy.connect()
            await first.send(proxy.post(STREAM))
            await upstream.asked.wait()
            await second.send(proxy.post(STREAM))
            await second.reader.readuntil(b": room at far\n\n")
            gate.set()
            rest = await second.rest()

            assert b"w2" in rest
            assert rest.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")

    run(check())


def test_a_stream_that_was_told_to_wait_hears_of_a_failure_as_an_event() -> None:
    async def check() -> None:
        settings = ProxySettings(drain_grace_s=0.05, wait_grace_s=0.01, wait_told_every_s=0.01)
        retry = RetryPolicy(max_retries=1, initial_backoff_s=0.2)
        async with (
            RawUpstream(answering(BUSY, refusal("400 Bad", "odd"))) as upstream,
            door(deployments=[far(upstream.port, retry=retry)], settings=settings) as proxy,
        ):
            answer = await ask(proxy, STREAM)
            body, is_ended = unchunk(answer.body)

            assert 200 == answer.status
            assert b": another try at far\n\n" in body
            assert body.endswith(b'data: {"error":{"message":"no","code":"odd"}}\n\n')
            assert is_ended

    run(check())


def test_the_list_of_models_tells_what_is_behind_a_deployment() -> None:
    async def check() -> None:
        async with door(deployments=[far(1), near()]) as proxy:
            listed = {
                each["id"]: each
                for each in Answer.parse(await proxy.ask(proxy.get("/v1/models"))).json["data"]
            }

            assert {"far", "near", "tiny"} == set(listed)
            assert "ggtui" == listed["far"]["owned_by"]
            assert {"name": "far", "runtime": "open_ai", "model": "far-there"} == listed["far"]["deployment"]
            assert "llama_server" == listed["near"]["deployment"]["runtime"]
            assert "deployment" not in listed["tiny"]

    run(check())


def test_failures_of_other_kinds_are_not_tried_again() -> None:
    async def check() -> None:
        async with door(
            runtime=FakeRuntime(failure=LoadCancelled("near")), deployments=[near(retry=SOON)]
        ) as proxy:
            answer = await ask(proxy, CHAT.replace(b'"far"', b'"near"'))

            assert 1 == len(proxy.runtime.wanted)
            assert answer.status >= 500

    run(check())


def test_a_server_of_this_machine_that_dies_is_leased_afresh_without_a_retry() -> None:
    async def check() -> None:
        async with (
            RawUpstream(ending_after(b"")) as dead,
            RawUpstream(answering(OK)) as alive,
            door(
                runtime=FakeRuntime(targets=[target_at(dead.port), target_at(alive.port)]),
                deployments=[near()],
            ) as proxy,
        ):
            assert 200 == (await ask(proxy, CHAT.replace(b'"far"', b'"near"'))).status
            assert (1, 0) == (counts(proxy, "near").succeeded, counts(proxy, "near").failed)

    run(check())
