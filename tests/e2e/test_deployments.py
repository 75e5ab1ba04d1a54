"""Deployments on a whole ggtui: what serves them, who is let in, where else requests go, and their keys."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tests.e2e.instance import GUARD_S, Instance, ended
from tests.e2e.provider import Provider, providing
from tests.e2e.rules import (
    HELLO,
    ask,
    deployment,
    order,
    post,
    problem,
    remote,
    serving,
    status,
    stream,
    wait_until,
    words,
)
from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import Iterator

FAKELLAMA = Path(__file__).parent.parent / "programs" / "fakellama.py"
HELD = {"hold": True}
LETTERS: dict[str, Any] = {"grammar": "root ::= [a-z] [a-z ]*"}
"""Random weights answer noise, which no chat parser takes without a grammar."""
RUNTIMES = {
    "gpt-oss-20b": "vllm",
    "o1": "vllm",
    "o1-mini": "open_ai",
    "gpt-4o-mini": "open_ai",
    "claude-3-haiku": "anthropic",
    "gemini-2.0-flash": "gemini",
    "litellm/any": "lite_llm",
    "mistral-large": "mistral_rs",
    "mistral-tiny-f32": "llama_server",
}
"""By the name of a model, what serves it when nobody says; the last one lies on the disk."""


@pytest.fixture(scope="module")
def up() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


@pytest.fixture(scope="module")
def one(up: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """One ggtui with the deployments of all tests that leave its configuration as it is."""
    home = tmp_path_factory.mktemp("deployments")
    tiny_model(home / "models" / "mistral-tiny-f32.gguf", name="mistral-tiny")
    with serving(home, _config(up)) as instance:
        yield instance


def _config(up: Provider) -> str:
    def slots(n: int, policy: str, **more: object) -> dict[str, object]:
        return {"max_concurrent": n, "on_capacity_exhausted": policy, **more}

    inferred = [
        deployment(f"kind-{number}", model, runtime_config={"endpoint": up.url})
        for number, model in enumerate(RUNTIMES)
    ]
    two_tries = {"max_retries": 1, "initial_backoff": "10ms"}
    return "".join(
        [
            *inferred,
            remote(up, "rejects", serving=slots(1, "reject")),
            remote(up, "crowd", serving=slots(8, "reject")),
            remote(up, "queues", serving=slots(1, "queue", queue_capacity=2, queue_timeout="60s")),
            remote(up, "hurries", serving=slots(1, "queue", queue_timeout="200ms")),
            remote(up, "spills", serving=slots(1, "fallback"), fallback=["second"], retry=two_tries),
            remote(up, "second"),
            deployment("lost", "lost.gguf", fallback=["lost-too", "second"]),
            deployment("lost-too", "lost.gguf"),
        ]
    )


def _validate(tmp_path: Path, config: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "x.toml"
    file.write_text(config)
    command = [sys.executable, "-m", "ggtui", "validate", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=GUARD_S, check=False)


# What is written, and what serves it


@pytest.mark.parametrize(
    ("config", "field", "text"),
    [
        (deployment("", "m"), "name", "deployment name must not be empty"),
        (deployment("a", ""), "model", "deployment model must not be empty"),
        (deployment("a", "m.gguf", replicas=0), "replicas", "deployment must have at least one replica"),
        (deployment("a", "m.gguf", replica=1), "replica", "replicas"),
        (
            deployment("a", "m.gguf", fallback=["b"]) + deployment("b", "m.gguf", fallback=["a"]),
            "fallback",
            "fallback cycle: a -> b -> a",
        ),
    ],
    ids=["name", "model", "replicas", "key", "cycle"],
)
def test_a_wrong_deployment_is_refused_with_its_file_and_field(
    tmp_path: Path, config: str, field: str, text: str
) -> None:
    done = _validate(tmp_path, config)
    told = done.stdout + done.stderr

    assert 2 == done.returncode, told
    assert str(tmp_path / "x.toml") in told
    assert field in told
    assert text in told


def test_a_sound_one_is_valid(tmp_path: Path, up: Provider) -> None:
    done = _validate(tmp_path, _config(up))

    assert 0 == done.returncode, done.stdout + done.stderr


def test_what_serves_a_model_follows_from_its_name_and_is_told_with_the_reason(one: Instance) -> None:
    told = {each["model"]: each for each in one.get("/ggtui/deployments")["deployments"]}

    assert {model: told[model]["runtime"] for model in RUNTIMES} == RUNTIMES
    assert {
        "gpt-oss-20b": "the name of the model suggests nothing else",
        "gpt-4o-mini": "the name of the model is like those of open_ai",
        "mistral-tiny-f32": "the model is on this machine, though its name is like those of mistral_rs",
        "rejects-there": "its runtime_config is for this",
    } == {
        model: told[model]["why_runtime"]
        for model in ("gpt-oss-20b", "gpt-4o-mini", "mistral-tiny-f32", "rejects-there")
    }


def test_a_model_of_this_machine_answers_by_the_name_of_its_deployment(one: Instance) -> None:
    name = f"kind-{list(RUNTIMES).index('mistral-tiny-f32')}"
    plain = ask(one, name, **LETTERS)
    told = stream(one, name, **LETTERS)
    listed = {entry["id"] for entry in one.get("/v1/models")["data"]}

    assert (200, name) == (plain.status_code, plain.headers["x-ggtui-deployment"])
    assert plain.json()["choices"][0]["message"]["content"]
    assert told.text
    assert told.is_done
    assert {name, "mistral-tiny-f32", "rejects"} <= listed


def test_the_provider_gets_its_own_name_of_the_model_and_the_client_what_it_answers(
    one: Instance, up: Provider
) -> None:
    answer = ask(one, "second", temperature=0.5)
    request = up.requests("second-there")[-1]

    assert (200, "second") == (answer.status_code, answer.headers["x-ggtui-deployment"])
    assert words(8) == answer.json()["choices"][0]["message"]["content"]
    assert "/v1/chat/completions" == request["path"]
    assert {"model": "second-there", "messages": HELLO, "max_tokens": 8, "temperature": 0.5} == request[
        "body"
    ]
    assert not any(name.startswith("x-ggtui") for name in request["headers"])


def test_a_form_that_names_two_models_goes_nowhere(one: Instance, up: Provider) -> None:
    n_before = up.n_calls("second-there")
    named = [("model", (None, name)) for name in ("second", "dearer")]
    with httpx.Client(timeout=GUARD_S, trust_env=False) as client:
        answer = client.post(
            f"{one.url}/audio/transcriptions", files=[*named, ("file", ("a.wav", b"RIFF", "audio/wav"))]
        )

    assert (400, "invalid_request_error", "invalid_request") == problem(answer)
    assert "model" == answer.json()["error"]["param"]
    assert n_before == up.n_calls("second-there")


# Capacity


def test_one_above_the_slots_is_refused_while_the_first_is_served(one: Instance, up: Provider) -> None:
    up.script("rejects-there", HELD)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, one, "rejects")
        up.wait("rejects-there", running=1)
        second = ask(one, "rejects")

        assert (429, "overloaded_error", "capacity_exhausted") == problem(second)
        assert int(second.headers["retry-after"]) >= 1
        assert 1 == up.n_calls("rejects-there")
        assert not first.done()

        up.release("rejects-there")

        assert 200 == first.result(GUARD_S).status_code
    wait_until(one, "rejects", in_flight=0)


def test_of_five_hundred_at_once_as_many_as_there_are_slots_are_served(one: Instance, up: Provider) -> None:
    up.script("crowd-there", HELD)
    body = {"model": "crowd", "messages": HELLO, "max_tokens": 8}

    async def crowd() -> list[httpx.Response]:
        asked = [asyncio.ensure_future(post(one, body)) for _ in range(500)]
        waiting: set[asyncio.Future[httpx.Response]] = set(asked)
        while len(waiting) > 8:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        refused = [each.result() for each in asked if each.done()]
        await asyncio.to_thread(up.wait, "crowd-there", running=8)
        await asyncio.to_thread(up.release, "crowd-there")
        return refused + list(await asyncio.gather(*waiting))

    answers = asyncio.run(crowd())

    assert [429] * 492 + [200] * 8 == [each.status_code for each in answers]
    assert all(int(each.headers["retry-after"]) >= 1 for each in answers[:492])
    notes = up.notes("crowd-there")
    assert (8, 8) == (notes["most"], len(notes["requests"]))
    wait_until(one, "crowd", in_flight=0, queued=0)


def test_who_waits_is_served_by_rank_and_in_order_and_who_leaves_is_forgotten(
    one: Instance, up: Provider
) -> None:
    up.script("queues-there", HELD)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(ask, one, "queues", user="first")
        up.wait("queues-there", running=1)
        normal = pool.submit(ask, one, "queues", user="normal")
        wait_until(one, "queues", queued=1)
        high = pool.submit(ask, one, "queues", user="high", headers={"x-ggtui-priority": "high"})
        wait_until(one, "queues", queued=2)
        over = ask(one, "queues", user="over")

        assert (429, "overloaded_error", "capacity_exhausted") == problem(over)
        assert "engine queue full" in over.json()["error"]["message"]
        assert int(over.headers["retry-after"]) >= 1

        for n_begun in (1, 2, 3):
            up.wait("queues-there", requests=n_begun)
            up.release("queues-there")

        assert [200] * 3 == [each.result(GUARD_S).status_code for each in (first, normal, high)]
    requests = up.requests("queues-there")
    assert ["first", "high", "normal"] == [each["body"]["user"] for each in requests]
    assert 1 == up.notes("queues-there")["most"]


def test_who_leaves_the_queue_is_never_sent(one: Instance, up: Provider) -> None:
    up.script("queues-there", HELD)
    n_before = up.n_calls("queues-there")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, one, "queues", user="stays")
        up.wait("queues-there", running=1)
        body: dict[str, Any] = {"model": "queues", "messages": HELLO, "user": "leaves"}
        asyncio.run(_leave_when_queued(one, body))
        wait_until(one, "queues", queued=0)
        up.release("queues-there")

        assert 200 == first.result(GUARD_S).status_code
    up.script("queues-there")

    assert 200 == ask(one, "queues", user="later").status_code
    assert ["stays", "later"] == [each["body"]["user"] for each in up.requests("queues-there")[n_before:]]


async def _leave_when_queued(one: Instance, body: dict[str, Any]) -> None:
    async with httpx.AsyncClient(timeout=GUARD_S, trust_env=False) as client:
        asked = asyncio.ensure_future(client.post(f"{one.url}/chat/completions", json=body))
        await asyncio.to_thread(wait_until, one, "queues", queued=1)
        asked.cancel()
        await asyncio.wait({asked})


def test_who_waited_in_vain_is_told_so(one: Instance, up: Provider) -> None:
    up.script("hurries-there", HELD)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, one, "hurries")
        up.wait("hurries-there", running=1)
        second = ask(one, "hurries")

        assert (503, "service_unavailable", "queue_timeout") == problem(second)
        assert int(second.headers["retry-after"]) >= 1
        assert 1 == up.n_calls("hurries-there")

        up.release("hurries-there")

        assert 200 == first.result(GUARD_S).status_code


# Fallback


@pytest.fixture
def fallback(one: Instance, up: Provider) -> Iterator[tuple[Instance, Provider]]:
    """The pair of deployments, both sound before and after."""
    up.script("second-there")
    yield one, up
    up.script("spills-there")
    order(one, "spills", "reset")


def test_a_full_deployment_hands_over_to_its_fallback(fallback: tuple[Instance, Provider]) -> None:
    one, up = fallback
    up.script("spills-there", HELD)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, one, "spills")
        up.wait("spills-there", running=1)
        other = ask(one, "spills")
        body = up.requests("second-there")[-1]["body"]
        up.release("spills-there")

        assert (200, "second") == (other.status_code, other.headers["x-ggtui-deployment"])
        assert "second-there" == body["model"]
        assert "spills" == first.result(GUARD_S).headers["x-ggtui-deployment"]


def test_an_open_breaker_and_a_limit_of_the_provider_hand_over_too(
    fallback: tuple[Instance, Provider],
) -> None:
    one, up = fallback
    n_before = up.n_calls("spills-there")
    order(one, "spills", "open")
    held_open = ask(one, "spills")

    assert (200, "second") == (held_open.status_code, held_open.headers["x-ggtui-deployment"])
    assert n_before == up.n_calls("spills-there")

    order(one, "spills", "reset")
    up.script("spills-there", {"status": 429})
    limited = ask(one, "spills")

    assert (200, "second") == (limited.status_code, limited.headers["x-ggtui-deployment"])
    assert n_before + 2 == up.n_calls("spills-there")
    assert "closed" == status(one, "spills")["breaker"]["state"]


def test_what_is_not_ready_hands_over_unless_a_person_switched_it_off(
    fallback: tuple[Instance, Provider],
) -> None:
    one, up = fallback
    n_before = up.n_calls("second-there")
    plain, told = ask(one, "lost"), stream(one, "lost")
    no_fallback = ask(one, "lost-too")

    assert (200, "second") == (plain.status_code, plain.headers["x-ggtui-deployment"])
    assert "named fallback of lost" == plain.headers["x-ggtui-route"]
    assert words(8) == told.text
    assert (503, "service_unavailable", "model_not_ready") == problem(no_fallback)

    one.post("/ggtui/endpoints", {"endpoint": "lost", "enabled": False})
    off = ask(one, "lost")
    one.post("/ggtui/endpoints", {"endpoint": "lost", "enabled": True})

    assert (503, "service_unavailable", "model_not_ready") == problem(off)
    assert n_before + 2 == up.n_calls("second-there")


@pytest.mark.parametrize("code", ["content_filter", "upstream_bad_request"])
def test_a_request_that_is_wrong_itself_goes_nowhere_else(
    fallback: tuple[Instance, Provider], code: str
) -> None:
    one, up = fallback
    n_before = up.n_calls("second-there")
    n_first = up.n_calls("spills-there")
    up.script(
        "spills-there", {"status": 400, "code": "content_filter" if code == "content_filter" else "odd"}
    )
    answer = ask(one, "spills")

    assert 400 == answer.status_code
    assert n_before == up.n_calls("second-there")
    assert n_first + 1 == up.n_calls("spills-there")
    if code == "content_filter":
        assert code == answer.json()["error"]["code"]


# A deployment that goes


def test_a_removed_deployment_finishes_its_streams_and_is_unknown_to_others(
    up: Provider, tmp_path: Path
) -> None:
    kept = remote(up, "kept")
    with serving(tmp_path, kept + remote(up, "goes")) as one, ThreadPoolExecutor(1) as pool:
        up.script("goes-there", {"hold_after": 3})
        asked = pool.submit(stream, one, "goes")
        up.wait("goes-there", running=1)
        (tmp_path / "config.toml").write_text(kept)

        assert 200 == one.post("/ggtui/reload", {}).status_code
        assert (404, "invalid_request_error", "model_not_found") == problem(ask(one, "goes"))
        assert "goes" not in {entry["id"] for entry in one.get("/v1/models")["data"]}
        assert not asked.done()

        up.release("goes-there")
        whole = asked.result(GUARD_S)

        assert (words(8), True) == (whole.text, whole.is_done)
        assert 200 == ask(one, "kept").status_code
        assert 1 == up.n_calls("goes-there")


def test_the_server_of_a_removed_deployment_ends_after_its_last_stream(tmp_path: Path) -> None:
    slow = '[launch]\nextra_args = ["--fake-token-s", "0.05", "--fake-tokens", "40"]\n'
    tiny_model(tmp_path / "models" / "tiny-f32.gguf", name="tiny")
    config = slow + deployment("local", "tiny-f32")
    with serving(tmp_path, config, engine=str(FAKELLAMA)) as one, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(stream, one, "local")
        while not one.get("/ggtui/state")["target"] or not one.target()["in_flight"]:
            assert not asked.done(), asked.result()
        server = psutil.Process(one.target()["pid"])
        (tmp_path / "config.toml").write_text(slow)

        assert 200 == one.post("/ggtui/reload", {}).status_code
        assert (404, "invalid_request_error", "model_not_found") == problem(ask(one, "local"))
        assert not asked.done()

        whole = asked.result(GUARD_S)

        assert (words(40), True) == (whole.text, whole.is_done)
        assert [] == ended([server])


# Keys


def test_a_key_comes_from_its_source_and_stands_nowhere_else(
    up: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {name: f"sk-{name}-0123456789abcdef" for name in ("env", "old", "new", "inline")}
    monkeypatch.setenv("TEST_PROVIDER_KEY", keys["env"])
    file = tmp_path / "key"
    file.write_text(f"{keys['old']}\n")
    file.chmod(0o600)
    sources = {
        "by-env": {"from": "env", "name": "TEST_PROVIDER_KEY"},
        "by-file": {"from": "file", "name": str(file)},
        "by-value": {"from": "inline", "value": keys["inline"]},
    }
    config = "".join(remote(up, name, key=source) for name, source in sources.items())
    up.script("by-env-there", key=keys["env"])
    up.script("by-file-there", key=keys["old"])
    up.script("by-value-there", key=keys["inline"])
    with serving(tmp_path, config) as one:
        assert [200] * 3 == [ask(one, name).status_code for name in sources]

        up.script("by-env-there", {"echo": True}, key=keys["env"])
        echoed, streamed = ask(one, "by-env"), stream(one, "by-env").text

        assert 200 == echoed.status_code
        assert echoed.headers["x-echo"].startswith("Bearer *****")
        assert streamed.endswith(words(8)[3:])

        up.script("by-file-there", key=keys["new"])
        refused = ask(one, "by-file")

        assert (502, "server_error", "upstream_unauthorized") == problem(refused)

        file.write_text(keys["new"])
        n_before = up.n_calls("by-file-there")

        assert 200 == ask(one, "by-file").status_code
        assert n_before + 2 == up.n_calls("by-file-there")

        up.script("by-env-there", key="another")
        told = "".join(
            str(one.get(path)) for path in ("/ggtui/deployments", "/ggtui/state", "/v1/models?all=1")
        )
        told += refused.text + ask(one, "by-env").text
        told += str(echoed.headers) + echoed.text + streamed
    told += _validate(tmp_path, config).stdout
    told += "".join(
        path.read_bytes().decode("latin-1")
        for path in [*(tmp_path / "data").rglob("*"), tmp_path / "data.err"]
        if path.is_file()
    )

    assert [] == [name for name, key in keys.items() if key in told]
