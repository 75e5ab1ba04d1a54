"""Which endpoint a name leads to, and what a client hears when it leads to none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.routing.name_settings import NameSettings, Unnamed
from tests.programs.fakeup import RawUpstream, answering, plain
from tests.proxy.rig import (
    Answer,
    FakeCatalog,
    FakeRuntime,
    door,
    run,
    summary,
    target_at,
    with_adapters,
)

OK = plain(b'{"ok": true}')
UNNAMED = b'{"prompt": "x"}'


@pytest.mark.parametrize(
    ("name", "endpoint", "route"),
    [
        ("tiny", "tiny", "named"),
        ("1", "tiny", "named"),
        ("gpt-4", "tiny", "alias gpt-4"),
        ("coder", "tiny:code", "alias coder"),
        ("a" * 512, "tiny", f"alias {'a' * 512}"),
    ],
)
def test_an_answer_says_which_name_led_where(name: str, endpoint: str, route: str) -> None:
    names = NameSettings(aliases={"gpt-4": "tiny", "coder": "tiny:code", "a" * 512: "tiny"})

    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=("code", "chat")))
            async with door(runtime=runtime, catalog=with_adapters(), names=names) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(b'{"model":"%b"}' % name.encode())))

                assert 200 == answer.status
                assert ([endpoint], [route]) == (
                    answer.values("x-ggtui-endpoint"),
                    answer.values("x-ggtui-route"),
                )
                assert [("tiny", None)] == runtime.wanted

    run(check())


@pytest.mark.parametrize(
    ("name", "status", "code", "message", "hint"),
    [
        ("tinny", 404, "model_not_found", "model 'tinny' not found", "did you mean tiny?"),
        (
            "Tiny",
            404,
            "model_not_found",
            "model 'Tiny' not found",
            "did you mean tiny, tiny:both, tiny:chat?",
        ),
        ("gone", 404, "model_not_found", "model 'gone' not found", None),
        (
            "tiny:sql",
            404,
            "model_not_found",
            "model 'tiny:sql' not found",
            "tiny has the adapters both, chat, code, half",
        ),
        (
            "tiny:code+sql",
            404,
            "model_not_found",
            "model 'tiny:code+sql' not found",
            "tiny has the adapters both, chat, code, half",
        ),
        (
            "tiny:chat",
            503,
            "model_not_ready",
            "model 'tiny:chat' is not ready (status: disabled)",
            "it is switched off; ggtui enable tiny:chat switches it on",
        ),
        (
            "tiny:code",
            503,
            "model_not_ready",
            "model 'tiny:code' is not ready (status: error)",
            "adapter code: the file is gone",
        ),
        (
            "a" * 513,
            400,
            "invalid_request",
            "model is longer than 512 characters",
            None,
        ),
    ],
)
def test_a_name_that_serves_nobody_is_told_exactly(
    name: str, status: int, code: str, message: str, hint: str | None
) -> None:
    names = NameSettings(aliases={"gone": "removed"}, disabled=frozenset({"tiny:chat"}))

    async def check() -> None:
        catalog = replace(with_adapters(), broken={"code": "the file is gone"})
        async with door(catalog=catalog, names=names) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(b'{"model":"%b"}' % name.encode())))

            error = answer.json["error"]
            assert (status, code) == (answer.status, answer.code)
            assert message == error["message"]
            if hint is not None:
                assert hint == error["hint"]
            assert (["5"] if status == 503 else []) == answer.values("retry-after")
            assert [] == proxy.runtime.wanted

    run(check())


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        ('{"name":"chat","weight":1}', 503),
        ('{"id":1,"scale":1}', 503),
        ('{"id":0,"scale":1},{"id":1,"scale":0}', 200),
    ],
)
def test_an_adapter_that_is_switched_off_cannot_be_had_by_a_list_either(entries: str, status: int) -> None:
    names = NameSettings(disabled=frozenset({"tiny:chat"}))

    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=("code", "chat")))
            async with door(runtime=runtime, catalog=with_adapters(), names=names) as proxy:
                body = f'{{"model":"tiny","lora":[{entries}]}}'.encode()
                answer = Answer.parse(await proxy.ask(proxy.post(body)))

                assert status == answer.status
                assert (["tiny"] if status == 200 else []) == answer.values("x-ggtui-endpoint")

    run(check())


@pytest.mark.parametrize("body", [UNNAMED, b'{"model":"","prompt":"x"}', b'{"model":null,"prompt":"x"}'])
def test_a_request_that_names_nothing_goes_to_the_default(body: bytes) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=("code", "chat")))
            names = NameSettings(default="tiny:code")
            async with door(runtime=runtime, catalog=with_adapters(), names=names) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(body, "/v1/completions")))

                assert ["tiny:code"] == answer.values("x-ggtui-endpoint")
                assert ["default"] == answer.values("x-ggtui-route")
                assert ["code=0.8"] == answer.values("x-ggtui-adapters")

    run(check())


@pytest.mark.parametrize(
    ("names", "route"),
    [
        (NameSettings(unnamed=Unnamed.RUNNING), "running"),
        (NameSettings(unnamed=Unnamed.RUNNING, default="tiny"), "default"),
        (NameSettings(unnamed=Unnamed.RUNNING, default="removed"), "running"),
    ],
)
def test_where_a_person_said_so_what_runs_serves_it(names: NameSettings, route: str) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            others = [replace(target_at(upstream.port), model_id=2, model_name="other")]
            runtime = FakeRuntime(target_at(upstream.port), others=others)
            catalog = FakeCatalog([summary(1, "tiny"), summary(2, "other")])
            async with door(runtime=runtime, catalog=catalog, names=names) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(UNNAMED)))

                expected = "tiny" if route == "default" else "other"
                assert [route] == answer.values("x-ggtui-route")
                assert [(expected, None)] == runtime.wanted

    run(check())


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (NameSettings(), "name a model in the request, or choose a default: ggtui default MODEL"),
        (
            NameSettings(default="removed"),
            "the default, removed, does not exist; name a model in the request",
        ),
        (
            NameSettings(unnamed=Unnamed.RUNNING),
            "name a model in the request, or choose a default: ggtui default MODEL",
        ),
    ],
)
def test_without_a_default_it_is_refused(names: NameSettings, hint: str) -> None:
    async def check() -> None:
        async with door(names=names) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(UNNAMED)))

            error = answer.json["error"]
            assert (503, "no_models_available") == (answer.status, answer.code)
            assert ("no models are currently available", hint) == (error["message"], error["hint"])
            assert ["5"] == answer.values("retry-after")

    run(check())


def test_a_default_that_is_switched_off_is_not_replaced_by_what_runs() -> None:
    names = NameSettings(default="tiny", unnamed=Unnamed.RUNNING, disabled=frozenset({"tiny"}))

    async def check() -> None:
        catalog = FakeCatalog([summary(1, "tiny"), summary(2, "other")])
        runtime = FakeRuntime(replace(target_at(9), model_id=2, model_name="other"))
        async with door(runtime=runtime, catalog=catalog, names=names) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(UNNAMED)))

            assert (503, "model_not_ready") == (answer.status, answer.code)
            assert [] == runtime.wanted

    run(check())
