"""Requests to models of declared backends: which place is asked, what leads to the next, what clients see."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.backends.backend import BackendType, Capability, DeclaredModel, Group
from ggtui.core.backends.observed import PulledModel
from ggtui.core.deployment.deployment import ChoicePolicy, Deployment
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.errors import UpstreamServerError
from tests.programs.fakeup import STREAM_HEAD, RawUpstream, answering, chunk, ending_after
from tests.proxy.backed import one_of, see, standing
from tests.proxy.deployed import BUSY, DONE, HASTY, OK, ONCE, SOON, WORDS, events, refusal, silent_after
from tests.proxy.rig import Answer, Door, FakeCatalog, door, run, unchunk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.programs.fakeup import Peer
    from tests.proxy.backed import StandingBackends

    Play = Callable[[RawUpstream, Peer], Awaitable[None]]

CHAT = b'{"model": "m", "messages": [{"role": "user", "content": "hello"}], "zz": 1e2}'
STREAM = b'{"model": "m", "stream": true, "messages": []}'
EMBED = b'{"model": "m", "input": "hello"}'
PRIORITY = ChoicePolicy.PRIORITY
LIMITED = refusal("429 Slow", more="Retry-After: 77\r\n")


async def ask(proxy: Door, body: bytes = CHAT, path: str = "/v1/chat/completions") -> Answer:
    return Answer.parse(await proxy.ask(proxy.post(body, path)))


def rules(**more: object) -> Deployment:
    """The name `m` with rules of its own, so that a test need not wait for retries."""
    base = Deployment("m", "m", RuntimeKind.VLLM, policy=PRIORITY, retry=ONCE)
    return replace(base, **more)  # type: ignore[arg-type]


def two(first: RawUpstream, second: RawUpstream, **keys: str) -> StandingBackends:
    """Both declare `m`."""
    return standing(one_of("one", first.port, "m"), one_of("two", second.port, "m"), keys=keys)


def asked(*upstreams: RawUpstream) -> list[int]:
    return [len(each.requests) for each in upstreams]


# There and back


def test_a_declared_model_is_asked_by_the_name_that_its_backend_has_for_it() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK, events(*WORDS, DONE))) as upstream:
            backend = one_of("box", upstream.port, "m", kind=BackendType.OLLAMA)
            backends = standing(backend, keys={"box": "sk-box"})
            see(backends, backend, PulledModel("M:latest"))
            async with door(backends=backends) as proxy:
                plain = await ask(proxy)
                stream = await ask(proxy, STREAM.replace(b'"m"', b'"m:latest"'))

        assert (200, b'{"ok": true}') == (plain.status, plain.body)
        assert (["box"], ["m"], ["named"]) == (
            plain.values("x-ggtui-backend"),
            plain.values("x-ggtui-endpoint"),
            plain.values("x-ggtui-route"),
        )
        assert (b"".join(WORDS) + DONE, True) == unchunk(stream.body)
        assert (["box"], ["m:latest"]) == (
            stream.values("x-ggtui-backend"),
            stream.values("x-ggtui-endpoint"),
        )
        bodies = [each.body for each in upstream.requests]
        assert [CHAT.replace(b'"m"', b'"M:latest"'), STREAM.replace(b'"m"', b'"M:latest"')] == bodies
        assert {b"POST /v1/chat/completions HTTP/1.1"} == {each.line for each in upstream.requests}
        assert ["Bearer sk-box"] == upstream.requests[0].values("authorization")

    run(check())


def test_a_key_goes_to_its_own_backend_alone() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(refusal("500 No", message="sk-one is odd"))) as first,
            RawUpstream(answering(refusal("404 No", message="sk-one, sk-two"))) as second,
            door(backends=two(first, second, one="sk-one", two="sk-two"), deployments=[rules()]) as proxy,
        ):
            answer = await ask(proxy)

            assert ["Bearer sk-one"] == first.requests[0].values("authorization")
            assert ["Bearer sk-two"] == second.requests[0].values("authorization")
            assert (404, "sk-one, ******") == (answer.status, answer.json["error"]["message"])

    run(check())


def test_a_key_that_is_declared_meanwhile_does_not_go_to_the_place_of_before() -> None:
    async def check() -> None:
        async def play(upstream: RawUpstream, peer: Peer) -> None:
            await upstream.take(peer)
            moved = one_of("two", 1, "m")
            backends.declared = replace(backends.declared, backends=(backends.declared.backends[0], moved))
            backends.keys["two"] = "sk-of-the-new-place"
            await peer.send(refusal("500 No"))

        async with RawUpstream(play) as first, RawUpstream(answering(OK)) as second:
            backends = two(first, second, two="sk-two")
            async with door(backends=backends, deployments=[rules()]) as proxy:
                answer = await ask(proxy)

                assert (502, [1, 0]) == (answer.status, asked(first, second))

    run(check())


def test_a_model_of_this_machine_goes_before_a_backend_of_its_name() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(OK)) as here,
            RawUpstream(answering(OK)) as upstream,
            door(here.port, backends=standing(one_of("box", upstream.port, "tiny", "m"))) as proxy,
        ):
            local = await ask(proxy, CHAT.replace(b'"m"', b'"tiny"'))

            assert (200, [], [1, 0]) == (local.status, local.values("x-ggtui-backend"), asked(here, upstream))

    run(check())


# What leads to the next place

FAILING: dict[str, tuple[Play, str]] = {
    "server error": (answering(BUSY), "upstream_error"),
    "drop": (ending_after(b""), "upstream_crashed"),
    "no http": (ending_after(b"nonsense\r\n\r\n"), "upstream_error"),
    "silence": (silent_after(b""), "upstream_timeout"),
    "no event": (silent_after(STREAM_HEAD), "upstream_timeout"),
    "key": (answering(refusal("401 No")), "upstream_unauthorized"),
}


@pytest.mark.parametrize("name", FAILING)
def test_the_next_place_serves_what_one_cannot_and_that_one_is_left_alone(name: str) -> None:
    async def check() -> None:
        play, code = FAILING[name]
        async with RawUpstream(play) as first, RawUpstream(answering(events(*WORDS, DONE))) as second:
            backends = two(first, second)
            async with door(backends=backends, deployments=[rules(timeouts=HASTY)]) as proxy:
                answers = [await ask(proxy, STREAM) for _ in range(2)]

                assert [200, 200] == [each.status for each in answers]
                assert [["two"], ["two"]] == [each.values("x-ggtui-backend") for each in answers]
                assert (b"".join(WORDS) + DONE, True) == unchunk(answers[0].body)
                assert [1, 2] == asked(first, second)
                assert [("one", code)] == backends.failures
                backends.well()
                await ask(proxy, STREAM)
                assert [2, 3] == asked(first, second)

    run(check())


def test_a_place_where_nobody_listens_is_passed_over() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as gone:
            pass
        async with RawUpstream(answering(OK)) as second:
            backends = two(gone, second)
            async with door(backends=backends, deployments=[rules(idempotent=False)]) as proxy:
                assert 200 == (await ask(proxy)).status
                assert [("one", "upstream_unreachable")] == backends.failures

    run(check())


def test_a_limit_leads_elsewhere_and_is_no_failure() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(LIMITED)) as first,
            RawUpstream(answering(OK, LIMITED)) as second,
        ):
            backends = two(first, second)
            async with door(backends=backends, deployments=[rules()]) as proxy:
                served, refused = await ask(proxy), await ask(proxy)

                assert (200, ["two"]) == (served.status, served.values("x-ggtui-backend"))
                assert (429, ["77"]) == (refused.status, refused.values("retry-after"))
                assert ([], [2, 2]) == (backends.failures, asked(first, second))

    run(check())


def test_a_key_that_cannot_be_read_leads_elsewhere() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as first, RawUpstream(answering(OK)) as second:
            backends = two(first, second)
            backends.lost_keys = {"one"}
            async with door(backends=backends, deployments=[rules()]) as proxy:
                assert ["two"] == (await ask(proxy)).values("x-ggtui-backend")
                backends.lost_keys = {"one", "two"}
                refused = await ask(proxy)

                assert (503, "there is no key") == (refused.status, refused.json["error"]["hint"])
                assert [0, 1] == asked(first, second)

    run(check())


@pytest.mark.parametrize("status", ["400 Bad", "403 No", "422 No", "501 No"])
def test_what_is_wrong_with_the_request_is_passed_on_and_asked_nowhere_else(status: str) -> None:
    async def check() -> None:
        told = refusal(status, "odd", more="X-Theirs: yes\r\n")
        async with RawUpstream(answering(told)) as first, RawUpstream(answering(OK)) as second:
            backends = two(first, second)
            async with door(backends=backends, deployments=[rules()]) as proxy:
                answer = await ask(proxy)

                assert (int(status[:3]), [1, 0], []) == (
                    answer.status,
                    asked(first, second),
                    backends.failures,
                )
                if status != "403 No":
                    assert (["yes"], {"error": {"message": "no", "code": "odd"}}) == (
                        answer.values("x-theirs"),
                        answer.json,
                    )

    run(check())


def test_a_place_that_has_lost_the_model_is_passed_over_and_the_last_ones_word_is_passed_on() -> None:
    async def check() -> None:
        gone = answering(refusal("404 No", "odd"))
        async with (
            RawUpstream(gone) as first,
            RawUpstream(answering(OK)) as second,
            RawUpstream(gone) as third,
        ):
            backends = two(first, second)
            async with door(backends=backends, deployments=[rules(idempotent=False)]) as proxy:
                answer = await ask(proxy)

                assert (200, ["two"]) == (answer.status, answer.values("x-ggtui-backend"))
                assert ([1, 1], []) == (asked(first, second), backends.failures)
            async with door(backends=two(first, third), deployments=[rules()]) as proxy:
                answer = await ask(proxy)

                assert (404, ["two"]) == (answer.status, answer.values("x-ggtui-backend"))
                assert {"error": {"message": "no", "code": "odd"}} == answer.json

    run(check())


def test_a_stream_that_has_begun_ends_with_an_error_event_and_goes_nowhere_else() -> None:
    async def check() -> None:
        begun = STREAM_HEAD + chunk(WORDS[0]) + chunk(WORDS[1])
        async with RawUpstream(ending_after(begun)) as first, RawUpstream(answering(OK)) as second:
            backends = two(first, second)
            async with door(backends=backends) as proxy:
                answer = await ask(proxy, STREAM)

            text, is_whole = unchunk(answer.body)
            assert text.startswith(WORDS[0] + WORDS[1])
            assert b'"upstream_crashed"' in text
            assert (False, False) == (b"[DONE]" in text, is_whole and b"[DONE]" in text)
            assert ([1, 0], []) == (asked(first, second), backends.failures)

    run(check())


def test_what_may_not_be_repeated_goes_to_one_place() -> None:
    async def check() -> None:
        async with RawUpstream(answering(BUSY)) as first, RawUpstream(answering(OK)) as second:
            backends = two(first, second)
            async with door(backends=backends, deployments=[rules(idempotent=False)]) as proxy:
                answer = await ask(proxy)

                assert (502, "upstream_error", [1, 0]) == (answer.status, answer.code, asked(first, second))
                assert "backend 'one' answered 503" in answer.json["error"]["message"]
                assert [("one", "upstream_error")] == backends.failures

    run(check())


def test_when_all_places_fail_the_first_failure_is_told_also_after_retries() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(refusal("500 No"))) as first,
            RawUpstream(silent_after(b"")) as second,
        ):
            backends = two(first, second)
            async with door(backends=backends, deployments=[rules(retry=SOON, timeouts=HASTY)]) as proxy:
                answer = await ask(proxy)

                assert (502, "upstream_error") == (answer.status, answer.code)
                assert [1, 1] == asked(first, second)

                refused = await ask(proxy)

                assert (503, "model_not_ready", ["5"]) == (
                    refused.status,
                    refused.code,
                    refused.values("retry-after"),
                )
                hint = refused.json["error"]["hint"]
                assert "one: backend 'one' answered 500; " in hint, "what it said is for who has asked it"

    run(check())


def test_a_retry_finds_a_place_that_is_well_again() -> None:
    async def check() -> None:
        async with RawUpstream(answering(BUSY, OK)) as upstream:
            backends = standing(one_of("box", upstream.port, "m"))
            backends.look = backends.well
            async with door(backends=backends, deployments=[rules(retry=SOON)]) as proxy:
                assert (200, [2]) == ((await ask(proxy)).status, asked(upstream))

    run(check())


def test_a_request_waits_for_the_look_that_runs() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            backend = one_of("box", upstream.port, "m")
            backends = standing(backend)
            seen, backends.states = backends.states, {}
            backends.look = lambda: backends.states.update(seen)
            async with door(backends=backends) as proxy:
                assert 200 == (await ask(proxy)).status
                backends.states = {}
                refused = await ask(proxy)

                assert (503, "box: not asked yet") == (refused.status, refused.json["error"]["hint"])

    run(check())


# Which places


def test_a_model_that_cannot_do_it_is_refused_by_name_and_nobody_is_asked() -> None:
    async def check() -> None:
        chats = DeclaredModel("m", capabilities=frozenset({Capability.CHAT}))
        async with (
            RawUpstream(answering(OK)) as upstream,
            door(backends=standing(one_of("box", upstream.port, chats, "unknown"))) as proxy,
        ):
            refused = await ask(proxy, EMBED, "/v1/embeddings")

            assert (400, "capability_missing", 0) == (refused.status, refused.code, len(upstream.requests))
            assert "'m'" in refused.json["error"]["message"]
            other = EMBED.replace(b'"m"', b'"unknown"')
            assert [200, 200] == [
                (await ask(proxy, other, "/v1/embeddings")).status,
                (await ask(proxy)).status,
            ]

    run(check())


def test_groups_keep_models_and_backends_apart() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            backends = standing(
                one_of("box", upstream.port, "mine", groups=("b",)),
                one_of("lone", upstream.port, "lonely"),
                groups=(Group("a"), Group("b")),
                models=(DeclaredModel("m", groups=("a",)),),
            )
            async with door(backends=backends) as proxy:
                answers = {
                    name: await ask(proxy, CHAT.replace(b'"m"', b'"%s"' % name.encode()))
                    for name in ("m", "mine", "lonely")
                }

                assert {"m": 404, "mine": 200, "lonely": 404} == {
                    name: each.status for name, each in answers.items()
                }
                error = answers["m"].json["error"]
                assert ("no model matched the requirements", "model_not_found") == (
                    error["message"],
                    error["code"],
                )
                assert "box: shares no group with it; lone: is in no group" == error["hint"]
                assert 1 == len(upstream.requests)

    run(check())


def test_chance_decides_where_it_should() -> None:
    async def check() -> None:
        draws = iter([0.9, 0.0, 0.1, 0.0, 0.6, 0.0])
        async with RawUpstream(answering(OK)) as first, RawUpstream(answering(OK)) as second:
            backends = two(first, second)
            backends.r = lambda: next(draws)
            async with door(backends=backends, deployments=[rules(policy=ChoicePolicy.RANDOM)]) as proxy:
                served = [(await ask(proxy)).values("x-ggtui-backend")[0] for _ in range(3)]

                assert ["two", "one", "two"] == served

    run(check())


def test_a_long_request_goes_where_it_fits_if_it_fits_anywhere() -> None:
    async def check() -> None:
        long = CHAT.replace(b"hello", b"hello " * 1000)
        async with RawUpstream(answering(OK)) as first, RawUpstream(answering(OK)) as second:
            small, large = (DeclaredModel("m", context_length=n) for n in (512, 65_536))
            pair = one_of("one", first.port, small), one_of("two", second.port, large)
            async with door(backends=standing(*pair), deployments=[rules()]) as proxy:
                assert ["one"] == (await ask(proxy)).values("x-ggtui-backend")
                assert ["two"] == (await ask(proxy, long)).values("x-ggtui-backend")
            both_small = one_of("one", first.port, small), one_of("two", second.port, small)
            async with door(backends=standing(*both_small), deployments=[rules()]) as proxy:
                assert ["one"] == (await ask(proxy, long)).values("x-ggtui-backend")

    run(check())


# Deployments


def test_a_deployment_without_a_server_of_its_own_goes_through_backends_by_its_own_rules() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as first, RawUpstream(answering(OK)) as second:
            backends = standing(
                one_of("one", first.port, "m", groups=("a",)),
                one_of("two", second.port, "m", groups=("b",)),
                groups=(Group("a"), Group("b")),
            )
            deployment = rules(name="mine", groups=("b",))
            async with door(backends=backends, deployments=[deployment]) as proxy:
                answer = await ask(proxy, CHAT.replace(b'"m"', b'"mine"'))

                assert (["mine"], ["two"]) == (
                    answer.values("x-ggtui-deployment"),
                    answer.values("x-ggtui-backend"),
                )
                assert CHAT == second.requests[0].body

                backends.lost_keys = {"two"}
                without_key = await ask(proxy, CHAT.replace(b'"m"', b'"mine"'))
                backends.failed("two", UpstreamServerError("gone"))
                without_place = await ask(proxy, CHAT.replace(b'"m"', b'"mine"'))

                assert [(503, "model 'mine' is not ready (status: error)")] * 2 == [
                    (each.status, each.json["error"]["message"]) for each in (without_key, without_place)
                ]

    run(check())


def test_a_deployment_falls_back_to_a_model_of_backends_and_from_one() -> None:
    async def check() -> None:
        async with RawUpstream(answering(BUSY)) as first, RawUpstream(answering(OK)) as second:
            backends = standing(one_of("one", first.port, "m"), one_of("two", second.port, "other"))
            deployment = rules(fallback=("other",))
            async with door(backends=backends, deployments=[deployment]) as proxy:
                answers = [await ask(proxy) for _ in range(2)]

                assert [(200, ["two"], ["other"])] * 2 == [
                    (each.status, each.values("x-ggtui-backend"), each.values("x-ggtui-endpoint"))
                    for each in answers
                ]
                assert b'"other"' in second.requests[0].body
                assert [1, 2] == asked(first, second)

    run(check())


def test_a_fallback_whose_backends_are_not_well_waits_for_the_look_at_them() -> None:
    async def check() -> None:
        async with RawUpstream(answering(BUSY)) as first, RawUpstream(answering(OK)) as second:
            backends = standing(one_of("one", first.port, "m"), one_of("two", second.port, "other"))
            backends.states["two"] = replace(backends.states["two"], error="gone")
            backends.look = lambda: backends.states.update(two=replace(backends.states["two"], error=""))
            async with door(backends=backends, deployments=[rules(fallback=("other",))]) as proxy:
                answers = [await ask(proxy) for _ in range(2)]

                assert [200, 200] == [each.status for each in answers]

    run(check())


# What is listed


def test_models_of_backends_are_listed_with_who_serves_them() -> None:
    async def check() -> None:
        chats = DeclaredModel("m", capabilities=frozenset({Capability.CHAT}), context_length=8192)
        async with RawUpstream(answering(OK)) as upstream:
            backend = one_of("box", upstream.port, chats, "gone")
            backends = standing(backend)
            see(backends, backend, PulledModel("m"), PulledModel("extra"))
            async with door(backends=backends, catalog=FakeCatalog([])) as proxy:
                listed = Answer.parse(await proxy.ask(proxy.get("/v1/models"))).json["data"]
                every = Answer.parse(await proxy.ask(proxy.get("/v1/models?all=1"))).json["data"]

                assert [("m", 8192, ["chat"], "ready", ["box"])] == [
                    (
                        each["id"],
                        each["context_window"],
                        each["capabilities"],
                        each["status"],
                        each["backends"],
                    )
                    for each in listed
                ]
                assert [("gone", "error", "box: does not have it")] == [
                    (each["id"], each["status"], each["reason"]) for each in every if each["id"] != "m"
                ]
                gone = await ask(proxy, CHAT.replace(b'"m"', b'"gone"'))
                extra = await ask(proxy, CHAT.replace(b'"m"', b'"extra"'))
                assert [(404, "no model matched the requirements"), (404, "model 'extra' not found")] == [
                    (each.status, each.json["error"]["message"]) for each in (gone, extra)
                ]
                assert not upstream.requests

    run(check())


def test_many_at_once_leave_nothing_behind() -> None:
    async def check() -> None:
        async with RawUpstream(answering(BUSY)) as first, RawUpstream(answering(OK)) as second:
            backends = two(first, second)
            async with door(backends=backends, deployments=[rules()]) as proxy:
                answers = await asyncio.gather(*(ask(proxy) for _ in range(24)))

                assert {200} == {each.status for each in answers}
                assert 24 == len(second.requests)

    run(check())
