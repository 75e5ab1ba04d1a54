"""A deployment with two servers: both work, one may die, and what the machine has not is refused."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.e2e.rules import ask, deployment, order, problem, serving, status
from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.instance import Instance

LETTERS: dict[str, Any] = {"grammar": "root ::= [a-z ]*"}
"""Random weights answer noise, which no chat parser takes without a grammar."""


@pytest.fixture(scope="module")
def one(engine_flag: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home = tmp_path_factory.mktemp("replicas")
    tiny_model(home / "models" / "tiny-f32.gguf")
    tiny_model(home / "models" / "other-f32.gguf", name="other", seed=1)
    config = [
        deployment("twins", "tiny-f32.gguf", replicas=2),
        deployment("greedy", "other-f32.gguf", gpus=64),
    ]
    with serving(home, "".join(config), engine=engine_flag) as instance:
        yield instance


def _ready(one: Instance) -> dict[int, dict[str, Any]]:
    """The servers that are ready, by number."""
    targets = one.get("/ggtui/state")["targets"]
    return {each["replica"]: each for each in targets if each["state"] == "ready"}


def _both(one: Instance) -> dict[int, int]:
    """Wait until both servers are ready; their process ids by number."""
    while len(ready := _ready(one)) < 2:
        pass
    return {number: each["pid"] for number, each in ready.items()}


def _long(one: Instance) -> int:
    """The status of one answer of four hundred tokens."""
    body = {"model": "twins", "prompt": "hello", "max_tokens": 400, "ignore_eos": True, **LETTERS}
    return one.post("/v1/completions", body).status_code


def test_both_servers_come_up_and_work(one: Instance) -> None:
    assert 200 == ask(one, "twins", **LETTERS).status_code
    pids, ready = _both(one), _ready(one)
    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda _: _long(one), range(20)))
    told = status(one, "twins")["replicas"]
    one.post("/ggtui/stop", {"model": "tiny-f32"})
    served = [each["n_requests"] for each in one.get("/ggtui/history?n=2")["generations"]]

    assert [200] * 20 == codes
    assert (21, True) == (sum(served), all(served))
    assert [1, 2] == sorted(pids)
    assert 2 == len({*pids.values()}) == len({each["port"] for each in ready.values()})
    share = str(max(1, (psutil.cpu_count(logical=False) or 1) // 2))
    assert {share} == {each["argv"][each["argv"].index("-t") + 1] for each in ready.values()}
    assert [(1, "serving"), (2, "serving")] == [(each["number"], each["state"]) for each in told]


def test_killing_one_fails_nobody_whose_answer_had_not_begun(one: Instance) -> None:
    ask(one, "twins", **LETTERS)
    before = _both(one)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(_long, one) for _ in range(40)]
        while not _ready(one)[1]["in_flight"]:
            pass
        os.kill(before[1], signal.SIGKILL)
        codes = [each.result() for each in answers]
    after = _both(one)

    assert [200] * 40 == codes
    assert (True, True) == (before[2] == after[2], before[1] != after[1])


def test_the_fourth_crash_within_a_minute_keeps_one_down_until_a_person_acts(one: Instance) -> None:
    ask(one, "twins", **LETTERS)
    one.post("/ggtui/reload", {})  # the crashes of other tests do not count
    other = _both(one)[2]
    for _ in range(4):
        pid = _both(one)[1]
        os.kill(pid, signal.SIGKILL)
        while _ready(one).get(1, {}).get("pid") == pid:
            pass
    while "failed" != status(one, "twins")["replicas"][0]["state"]:
        pass
    codes = [ask(one, "twins", **LETTERS).status_code for _ in range(3)]

    assert [200] * 3 == codes
    assert {2: other} == {number: each["pid"] for number, each in _ready(one).items()}

    order(one, "twins", "resume")

    assert other == _both(one)[2]


def test_devices_that_the_machine_has_not_are_refused_at_once(one: Instance) -> None:
    answer = ask(one, "greedy")

    assert (500, "server_error", "model_start_failed") == problem(answer)
    assert answer.json()["error"]["reason"] in {"no_gpu_nodes", "not_enough_gpus"}
