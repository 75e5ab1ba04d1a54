"""Requests to models of declared backends, over HTTP and between processes: every type, every failure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ggtui.adapters.llama_server.launcher import free_port
from tests.backends import Shape, started
from tests.e2e.instance import GUARD_S, Instance
from tests.e2e.rules import HELLO, ask, deployment, problem, serving, stream, table, words
from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-of-one-backend-1234567890"
LETTERS: dict[str, Any] = {"grammar": "root ::= [a-z] [a-z ]*"}
"""Random weights answer noise, which no chat parser takes without a grammar; and one letter at least."""
TYPES = {
    "ollama": ("llama3", "llama3:latest"),
    "vllm": ("qwen3", "qwen3"),
    "openai": ("gpt-small", "gpt-small"),
    "gemini": ("models/flash", "flash"),
    "llama_server": ("served", "served"),
    "llama_router": ("routed", "routed"),
    "ggtui": ("far", "far"),
}
"""By type of backend: a model as it is declared, and as the backend lists it."""
CHAT_ALONE = "talker"


def backend(shape: Shape, *models: str | dict[str, Any], **fields: Any) -> str:
    """One `[[backend]]`, called like its type unless a name is given."""
    told = {"name": shape.type, "type": shape.type, "base_url": shape.url} | fields
    return table("backend", **told, models=list(models))


def looked(one: Instance) -> Instance:
    """The same, once all its backends were looked at."""
    answer = one.post("/ggtui/reconcile", {})
    assert 200 == answer.status_code, answer.text
    return one


@pytest.fixture(scope="module")
def shapes() -> Iterator[dict[str, Shape]]:
    """One of each type; OpenAI's and Google's ask for the key."""
    with ExitStack() as stack:
        yield {
            type: stack.enter_context(
                started(type, [there], key=KEY if type in ("openai", "gemini") else None)
            )
            for type, (_, there) in TYPES.items()
        }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the ggtui of this module lives."""
    return tmp_path_factory.mktemp("backends")


@pytest.fixture(scope="module")
def one(shapes: dict[str, Shape], home: Path) -> Iterator[Instance]:
    """A ggtui with a backend of each type, and a model of its own."""
    tiny_model(home / "models" / "tiny-f32.gguf")
    (home / "key").write_text(KEY)
    shapes["vllm"].have("qwen3", CHAT_ALONE, "undeclared")
    key = {"api_key": {"from": "file", "name": "key"}}
    more: dict[str, list[Any]] = {"vllm": [{"name": CHAT_ALONE, "capabilities": ["chat"]}]}
    config = [
        backend(shapes[type], name, *more.get(type, ()), **(key if type in ("openai", "gemini") else {}))
        for type, (name, _) in TYPES.items()
    ]
    with serving(home, "".join(config)) as instance:
        yield looked(instance)


# Every type


@pytest.mark.parametrize("type", TYPES)
def test_each_type_answers_whole_and_streamed_by_its_own_name_of_the_model(
    one: Instance, shapes: dict[str, Shape], type: str
) -> None:
    name, there = TYPES[type]
    n_before = len(shapes[type].seen_at("chat"))
    answer, streamed = ask(one, name), stream(one, name)

    assert (200, words(8)) == (answer.status_code, answer.json()["choices"][0]["message"]["content"])
    assert (type, name) == (answer.headers["x-ggtui-backend"], answer.headers["x-ggtui-endpoint"])
    assert (words(8), True, None) == (streamed.text, streamed.is_done, streamed.error)
    requests = shapes[type].seen_at("chat")[n_before:]
    assert {"model": there, "messages": HELLO, "max_tokens": 8} == requests[0]["body"]
    assert [there, there] == [each["model"] for each in requests]
    assert not any(each.startswith("x-ggtui") for each in requests[0]["headers"])


def test_the_key_goes_to_its_backends_alone_and_is_shown_nowhere(
    one: Instance, shapes: dict[str, Shape], home: Path
) -> None:
    told = {"error": {"message": f"odd key {KEY}"}}
    shapes["openai"].script("chat", {"status": 404, "json": told}, {"status": 500, "json": told}, {})
    answers = [ask(one, TYPES["openai"][0]), *(ask(one, name) for name, _ in TYPES.values())]
    paths = ("/ggtui/state", "/ggtui/backends", "/ggtui/endpoints", "/v1/models?all=1")

    assert [404] + [200] * len(TYPES) == [each.status_code for each in answers]
    assert {"openai", "gemini"} == {type for type, shape in shapes.items() if KEY in json.dumps(shape.seen)}
    assert not [path for path in paths if KEY in json.dumps(one.get(path))]
    assert KEY not in answers[0].text
    logs = [file for file in home.rglob("*") if file.is_file() and file.name != "key"]
    assert not [file.name for file in logs if KEY.encode() in file.read_bytes()]


def test_declared_models_are_listed_and_no_other(one: Instance) -> None:
    entries = {each["id"]: each for each in one.get("/v1/models")["data"]}

    expected = {name for type, pair in TYPES.items() for name in pair} | {CHAT_ALONE, "tiny-f32"}
    assert expected == set(entries)
    assert (["ollama"], ["ollama"]) == (entries["llama3"]["backends"], entries["llama3:latest"]["backends"])
    assert "backends" not in entries["tiny-f32"]
    undeclared = ask(one, "undeclared")
    assert (404, "invalid_request_error", "model_not_found") == problem(undeclared)


def test_a_model_that_cannot_embed_is_refused_before_its_backend_is_asked(
    one: Instance, shapes: dict[str, Shape]
) -> None:
    n_before = len(shapes["vllm"].seen_at("embeddings"))
    refused = one.post("/v1/embeddings", {"model": CHAT_ALONE, "input": "hello"})
    unknown = one.post("/v1/embeddings", {"model": "qwen3", "input": "hello"})

    assert (400, "invalid_request_error", "capability_missing") == problem(refused)
    assert f"'{CHAT_ALONE}'" in refused.json()["error"]["message"]
    assert (200, 1) == (unknown.status_code, len(shapes["vllm"].seen_at("embeddings")) - n_before)


# What goes wrong at a backend


def test_refusals_pass_as_they_are(one: Instance, shapes: dict[str, Shape]) -> None:
    told = {"error": {"message": "no such thing", "type": "odd", "param": "x", "code": "odd"}}
    shapes["vllm"].script("chat", {"status": 400, "json": told})
    refused = ask(one, "qwen3")
    shapes["vllm"].script("chat", {"status": 429, "code": "slow_down", "headers": {"Retry-After": "77"}})
    limited = ask(one, "qwen3")
    shapes["vllm"].script("chat")

    assert (400, told, "vllm") == (refused.status_code, refused.json(), refused.headers["x-ggtui-backend"])
    assert ((429, "rate_limit_error", "rate_limited"), "77") == (
        problem(limited),
        limited.headers["retry-after"],
    )
    assert 200 == ask(one, "qwen3").status_code


def test_a_stream_that_breaks_ends_with_an_error_event_and_without_done(
    one: Instance, shapes: dict[str, Shape]
) -> None:
    shapes["vllm"].script("chat", {"drop_after": 3}, {})
    broken = stream(one, "qwen3")

    assert (words(3), False) == (broken.text, broken.is_done)
    assert broken.error is not None
    assert "upstream_crashed" == broken.error["code"]
    assert words(8) == stream(one, "qwen3").text


def test_a_failure_is_tried_again_and_nobody_is_refused_meanwhile(
    one: Instance, shapes: dict[str, Shape]
) -> None:
    shapes["vllm"].script("chat", {"status": 500}, {})
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(one, "qwen3"), range(8)))

    assert [200] * 8 == [each.status_code for each in answers]


# Several that have the model


@contextmanager
def pair(tmp_path: Path, *more: str, policy: str = "priority") -> Iterator[tuple[Instance, Shape, Shape]]:
    """Two backends with the model `both`, and a ggtui that looks at them when it is told or one fails."""
    with started("vllm", ["both"]) as first, started("llama_server", ["both"]) as second:
        config = f'[backends]\npolicy = "{policy}"\ninterval_s = 3600\n\n'
        config += backend(first, "both", name="first") + backend(second, "both", name="second")
        with serving(tmp_path, config + "".join(more)) as one:
            yield looked(one), first, second


def test_when_one_of_two_dies_the_other_serves_and_no_client_sees_it(tmp_path: Path) -> None:
    with pair(tmp_path) as (one, first, second), ThreadPoolExecutor(8) as pool:
        assert "first" == ask(one, "both").headers["x-ggtui-backend"]
        first.down()
        answers = list(pool.map(lambda _: ask(one, "both"), range(24)))
        looked(one)
        streamed = stream(one, "both")

        assert {(200, "second")} == {(each.status_code, each.headers["x-ggtui-backend"]) for each in answers}
        assert (words(8), True) == (streamed.text, streamed.is_done)
        assert (1, 25) == (len(first.seen_at("chat")), len(second.seen_at("chat")))
        state = {each["name"]: each for each in one.get("/ggtui/backends")["backends"]}
        assert (True, False) == ("error" in state["first"], "error" in state["second"])

        first.up()
        assert "second" == ask(one, "both").headers["x-ggtui-backend"]
        looked(one)
        assert "first" == ask(one, "both").headers["x-ggtui-backend"]


def test_when_all_die_the_client_is_told_and_served_again_when_one_is_back(tmp_path: Path) -> None:
    rules = deployment("brief", "both", runtime="vllm", retry={"max_retries": 0})
    with pair(tmp_path, rules) as (one, first, second):
        first.down()
        second.down()
        dead = ask(one, "brief")
        looked(one)
        known = ask(one, "brief")

        assert (502, "server_error", "upstream_unreachable") == problem(dead)
        assert (503, "service_unavailable", "model_not_ready") == problem(known)
        assert int(known.headers["retry-after"]) >= 1
        assert "first: " in known.json()["error"]["hint"]
        assert [] == [each["id"] for each in one.get("/v1/models")["data"] if each["id"] == "both"]

        second.up()
        looked(one)
        assert (200, "second") == (
            (answer := ask(one, "both")).status_code,
            answer.headers["x-ggtui-backend"],
        )


def test_chance_brings_requests_to_both(tmp_path: Path) -> None:
    with pair(tmp_path, policy="random") as (one, *_):
        served = {ask(one, "both").headers["x-ggtui-backend"] for _ in range(40)}

    assert {"first", "second"} == served


def test_a_model_of_one_group_is_not_reached_through_a_backend_of_another(tmp_path: Path) -> None:
    with started("vllm", ["secret", "open"]) as inside, started("vllm", ["secret", "open"]) as outside:
        config = [
            *(table("group", name=name) for name in ("a", "b")),
            backend(inside, name="inside", groups=["a"]),
            backend(outside, name="outside", groups=["b"]),
            table("model", name="secret", groups=["a"]),
            table("model", name="open", groups=["a", "b"]),
            deployment("wrong", "secret", runtime="vllm", groups=["b"]),
            deployment("right", "secret", runtime="vllm", groups=["a"], retry={"max_retries": 0}),
        ]
        with serving(tmp_path, "".join(config)) as one:
            looked(one)
            assert [(200, "inside")] * 5 == [
                ((answer := ask(one, "secret")).status_code, answer.headers["x-ggtui-backend"])
                for _ in range(5)
            ]
            wrong = ask(one, "wrong")
            assert (404, "invalid_request_error", "model_not_found") == problem(wrong)
            assert "no model matched the requirements" == wrong.json()["error"]["message"]
            assert "outside: " in wrong.json()["error"]["hint"]
            assert "inside" == ask(one, "right").headers["x-ggtui-backend"]
            inside.down()
            assert (502, "server_error", "upstream_unreachable") == problem(ask(one, "right"))
            assert [] == outside.seen_at("chat", "secret")
            assert "outside" == ask(one, "open").headers["x-ggtui-backend"]


def test_a_reload_brings_backends_and_takes_them_away_while_a_stream_goes_on(tmp_path: Path) -> None:
    with started("vllm", ["both"]) as shape, serving(tmp_path, "") as one, ThreadPoolExecutor(1) as pool:
        unknown = ask(one, "both")
        (tmp_path / "config.toml").write_text(backend(shape, "both"))
        assert 200 == one.post("/ggtui/reload", {}).status_code
        served = ask(one, "both")
        shape.script("chat", {"hold_after": 2})
        running = pool.submit(stream, one, "both")
        shape.wait(held=1)
        (tmp_path / "config.toml").write_text("")
        assert 200 == one.post("/ggtui/reload", {}).status_code
        gone = ask(one, "both")
        shape.release()
        whole = running.result(GUARD_S)

        assert [404, 200, 404] == [each.status_code for each in (unknown, served, gone)]
        assert (words(8), True, None) == (whole.text, whole.is_done, whole.error)


# Real ones


def test_another_ggtui_serves_its_own_model_until_it_is_killed(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    for home in (there, here):
        home.mkdir()
    tiny_model(there / "models" / "tiny-f32.gguf")
    with started("vllm", ["tiny-f32"]) as spare, serving(there, "") as far:
        ours = table("backend", name="far", type="ggtui", base_url=far.root, models=["tiny-f32"])
        config = '[backends]\npolicy = "priority"\n\n' + ours + backend(spare, "tiny-f32", name="spare")
        with serving(here, config) as one:
            looked(one)
            answer = ask(one, "tiny-f32", **LETTERS)
            streamed = stream(one, "tiny-f32", **LETTERS)

            assert (200, "far") == (answer.status_code, answer.headers["x-ggtui-backend"])
            assert answer.json()["choices"][0]["message"]["content"]
            assert (True, True) == (streamed.is_done, bool(streamed.text))
            assert [] == spare.seen_at("chat")

            far.process.send_signal(signal.SIGKILL)
            far.process.wait(GUARD_S)
            after = ask(one, "tiny-f32")

            assert (200, "spare") == (after.status_code, after.headers["x-ggtui-backend"])


@pytest.mark.llama
@pytest.mark.skipif(
    "GGTUI_TEST_LLAMA_SERVER" not in os.environ, reason="GGTUI_TEST_LLAMA_SERVER names no llama-server"
)
def test_a_llama_server_that_somebody_else_started_serves_and_is_never_stopped(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "there" / "tiny-f32.gguf")
    with llama_server(model) as (process, url):
        config = table("backend", name="box", type="llama_server", base_url=url, models=["tiny"])
        with serving(tmp_path, config) as one:
            looked(one)
            answer, streamed = ask(one, "tiny", **LETTERS), stream(one, "tiny", **LETTERS)
            too_long = ask(one, "tiny", messages=[{"role": "user", "content": "hello " * 3000}])

            assert (200, "box") == (answer.status_code, answer.headers["x-ggtui-backend"])
            assert (True, True) == (streamed.is_done, bool(streamed.text))
            assert (400, "invalid_request_error", "context_length_exceeded") == problem(too_long)
        assert process.poll() is None


@contextmanager
def llama_server(model: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A real one that answers, under the alias `tiny`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [os.environ["GGTUI_TEST_LLAMA_SERVER"], "-m", str(model), "--alias", "tiny"]
    command += ["--port", str(port), "-c", "512", "-np", "1", "--no-warmup"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not _is_well(url):
                assert process.poll() is None
            yield process, url
        finally:
            process.kill()


def _is_well(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=GUARD_S, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
