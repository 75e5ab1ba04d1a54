"""The main job on real llama.cpp: list, chat, stream, swap, context, faults, and an end without leftovers."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

from tests.e2e.instance import GUARD_S, Instance, ended, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai.types.chat import ChatCompletionMessageParam

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]


@pytest.fixture
def client(instance: Instance) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=instance.url, api_key="none", timeout=GUARD_S, max_retries=0) as one:
        yield one


def test_the_openai_client_lists_chats_streams_and_swaps(
    client: openai.OpenAI, model_ids: list[str], instance: Instance
) -> None:
    alpha, beta = model_ids

    assert {alpha, beta} <= {model.id for model in client.models.list()}
    assert alpha == client.models.retrieve(alpha).id

    pids = []
    for model in (alpha, beta, alpha):
        plain = client.chat.completions.create(model=model, messages=HELLO, max_tokens=8)
        pieces = list(client.chat.completions.create(model=model, messages=HELLO, max_tokens=8, stream=True))
        pids.append(instance.target()["pid"])

        assert model == plain.model
        assert plain.choices[0].message.content
        assert any(piece.choices and piece.choices[0].delta.content for piece in pieces)
        assert pieces[-1].choices[0].finish_reason in {"length", "stop"}
        assert model == instance.target()["model"]
    assert 3 == len(set(pids))


def test_a_broken_file_names_its_cause_while_the_others_answer(
    instance: Instance, model_ids: list[str]
) -> None:
    assert 200 == instance.chat(model_ids[0]).status_code
    before = instance.target()["pid"]
    refused = instance.chat("broken-q4_0")
    error = refused.json()["error"]

    assert 500 == refused.status_code
    assert ("model_start_failed", "bad_model_file") == (error["code"], error["reason"])
    assert "bytes" in error["message"]
    assert 200 == instance.chat(model_ids[0]).status_code
    assert before == instance.target()["pid"]


def test_an_unknown_model_is_404_with_what_may_have_been_meant(
    instance: Instance, model_ids: list[str]
) -> None:
    refused = instance.chat(model_ids[0][:-1])
    error = refused.json()["error"]

    assert 404 == refused.status_code
    assert "model_not_found" == error["code"]
    assert model_ids[0] in json.dumps(error)


def test_the_context_rule(instance: Instance, model_ids: list[str]) -> None:
    model = model_ids[0]
    instance.post("/ggtui/stop", {})
    seen = []
    for num_ctx in (2048, None, 1024):
        answer = instance.chat(model, **({} if num_ctx is None else {"num_ctx": num_ctx}))
        seen.append((answer.status_code, instance.target()["pid"], instance.target()["n_ctx"]))

    assert [(200, seen[0][1], 2048)] * 3 == seen
    assert 200 == instance.chat(model, num_ctx=4096).status_code
    assert 4096 == instance.target()["n_ctx"]
    assert seen[0][1] != instance.target()["pid"]

    kept = instance.target()["pid"]
    for wrong in (0, "x", -1, 1.5, True):
        refused = instance.chat(model, num_ctx=wrong)

        assert 400 == refused.status_code
        assert "num_ctx" == refused.json()["error"]["param"]
    assert kept == instance.target()["pid"]


def test_a_killed_server_is_restarted_by_the_next_request(instance: Instance, model_ids: list[str]) -> None:
    assert 200 == instance.chat(model_ids[0]).status_code
    killed = instance.target()["pid"]
    os.kill(killed, signal.SIGKILL)

    assert 200 == instance.chat(model_ids[0]).status_code
    assert killed != instance.target()["pid"]


def test_a_swap_waits_for_the_stream_that_runs(instance: Instance, model_ids: list[str]) -> None:
    alpha, beta = model_ids
    body = {"model": alpha, "messages": HELLO, "max_tokens": 200, "stream": True, "ignore_eos": True}
    with (
        ThreadPoolExecutor(1) as pool,
        httpx.Client(timeout=GUARD_S, trust_env=False) as http,
        http.stream("POST", instance.url + "/chat/completions", json=body) as stream,
    ):
        lines = stream.iter_lines()
        first = next(lines)
        other = pool.submit(instance.chat, beta)
        rest = [line for line in lines if line]

        assert first.startswith("data: ")
        assert "data: [DONE]" == rest[-1]
        assert 200 == other.result(GUARD_S).status_code


def test_many_clients_and_both_models_at_once(instance: Instance, model_ids: list[str]) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: instance.chat(model_ids[number % 2]), range(32)))

    assert [200] * 32 == [answer.status_code for answer in answers]


def test_every_family_of_endpoints_reaches_the_server(instance: Instance, model_ids: list[str]) -> None:
    model = model_ids[0]
    bodies: dict[str, dict[str, Any]] = {
        "/v1/completions": {"prompt": "hello", "max_tokens": 4},
        "/completion": {"prompt": "hello", "n_predict": 4},
        "/tokenize": {"content": "hello"},
        "/detokenize": {"tokens": [260, 261]},
        "/apply-template": {"messages": HELLO},
        "/v1/responses": {"input": "hello", "max_output_tokens": 4},
        "/v1/messages": {"messages": HELLO, "max_tokens": 4},
        "/v1/messages/count_tokens": {"messages": HELLO},
    }
    statuses = {
        path: instance.post(path, {"model": model, **body}).status_code for path, body in bodies.items()
    }

    assert dict.fromkeys(bodies, 200) == statuses

    switched_off = instance.post("/v1/embeddings", {"model": model, "input": "hello"})

    assert (501, "not_supported_error") == (switched_off.status_code, switched_off.json()["error"]["type"])


def test_sigterm_ends_everything(demo_models: Path, tmp_path: Path, engine_flag: str) -> None:
    with running(demo_models, tmp_path / "data", "--llama-server", engine_flag) as one:
        assert 200 == one.chat(_first_model(one)).status_code
        family = one.family()
        one.process.terminate()

        assert 0 == one.process.wait(GUARD_S)
    assert family
    assert [] == ended(family)


def test_sigkill_leaves_no_child(demo_models: Path, tmp_path: Path, engine_flag: str) -> None:
    with running(demo_models, tmp_path / "data", "--llama-server", engine_flag) as one:
        assert 200 == one.chat(_first_model(one)).status_code
        family = one.family()
        one.process.kill()
        one.process.wait(GUARD_S)
    assert family
    assert [] == ended(family)


def _first_model(one: Instance) -> str:
    ids: list[str] = [entry["id"] for entry in one.get("/v1/models")["data"]]
    return next(name for name in ids if "broken" not in name)
