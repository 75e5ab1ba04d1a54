"""Several models at once, a fair queue and a hundred hands: the scheduler on real processes."""

from __future__ import annotations

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tests.e2e.instance import GUARD_S, Instance, ended, running
from tests.models import tiny_model
from tests.prometheus import read

if TYPE_CHECKING:
    from collections.abc import Iterator

FAKELLAMA = Path(__file__).parent.parent / "programs" / "fakellama.py"
SOAK_S = float(os.environ.get("GGTUI_TEST_SOAK_S", "0"))
"""How long the clients go on asking; without it each asks once."""
ANY_LETTERS = {"grammar": "root ::= [a-z ]*"}
"""Random weights answer noise, which no chat parser takes without a grammar."""


@pytest.fixture(scope="module")
def many_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for number in range(20):
        tiny_model(folder / f"tiny-{number:02d}-f32.gguf", name=f"tiny-{number:02d}", seed=number)
    return folder


@pytest.fixture
def start(many_models: Path, tmp_path: Path, engine_flag: str) -> Iterator[Any]:
    """Starts a ggtui over the many models with further flags."""
    stack = []

    def begin(*flags: str) -> Instance:
        context = running(many_models, tmp_path / "data", "--llama-server", engine_flag, *flags)
        stack.append(context)
        return context.__enter__()

    yield begin
    for context in stack:
        context.__exit__(None, None, None)


def _targets(one: Instance) -> dict[str, int]:
    return {target["model"]: target["pid"] for target in one.get("/ggtui/state")["targets"]}


@pytest.mark.slow
def test_one_process_at_a_time_under_single_with_many_hands(start: Any) -> None:
    one: Instance = start()
    most = [0]
    ends = time.monotonic() + SOAK_S

    def client(number: int) -> list[tuple[str, int, str]]:
        chance = random.Random(number)
        seen: list[tuple[str, int, str]] = []
        while not seen or time.monotonic() < ends:
            name = f"tiny-{chance.randrange(20):02d}-f32"
            answer = one.chat(name, max_tokens=2, **ANY_LETTERS)
            seen.append((name, answer.status_code, answer.json().get("model", "")))
        return seen

    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            most.append(len([p for p in one.family() if "--alias" in _command(p)]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(64) as pool:
        answers = [each for seen in pool.map(client, range(64)) for each in seen]
    is_over.set()
    watcher.join(GUARD_S)

    assert [] == [each for each in answers if each != (each[0], 200, each[0])]
    assert max(most) <= 1

    state = one.get("/ggtui/state")

    assert [] == state["queue"]
    assert 0 == sum(target["in_flight"] for target in state["targets"])


def test_models_that_fit_stay_and_the_pinned_is_never_evicted(start: Any) -> None:
    one: Instance = start("--strategy", "memory")
    for name in ("tiny-00-f32", "tiny-01-f32"):
        assert 200 == one.chat(name, **ANY_LETTERS).status_code
    before = _targets(one)
    for name in ("tiny-00-f32", "tiny-01-f32", "tiny-00-f32"):
        assert 200 == one.chat(name, **ANY_LETTERS).status_code

    assert {"tiny-00-f32", "tiny-01-f32"} == set(before)
    assert before == _targets(one)

    assert 200 == one.post("/ggtui/pin", {"model": "tiny-00-f32"}).status_code
    assert {"tiny-00-f32"} == {
        row["public_id"] for row in one.get("/ggtui/state")["models"] if row["is_pinned"]
    }

    family = one.family()
    one.process.terminate()
    one.process.wait(GUARD_S)

    assert [] == ended(family)


def test_one_scrape_tells_the_numbers_of_all_servers(start: Any) -> None:
    one: Instance = start("--strategy", "memory")
    n_tokens = {
        name: one.chat(name, max_tokens=most, **ANY_LETTERS).json()["usage"]["completion_tokens"]
        for name, most in (("tiny-00-f32", 2), ("tiny-01-f32", 8))
    }
    before = _targets(one)
    answer = httpx.get(f"{one.root}/metrics", trust_env=False, timeout=GUARD_S)
    told = read(answer.text)

    assert set(n_tokens) == set(before)
    predicted = told["llamacpp:tokens_predicted_total"]
    assert n_tokens == {name: predicted.value(model=name) for name in n_tokens}
    assert len(n_tokens) == len(predicted.samples)
    assert {"gauge"} == {told[f"llamacpp:requests_{each}"].kind for each in ("processing", "deferred")}
    assert "ggtui_metrics_missing" not in told
    assert before == _targets(one)

    named = httpx.get(f"{one.root}/metrics?model=tiny-01-f32", trust_env=False, timeout=GUARD_S).text

    assert n_tokens["tiny-01-f32"] == read(named)["llamacpp:tokens_predicted_total"].value()


def test_a_third_model_evicts_the_idle_one_and_not_the_pinned(
    many_models: Path, tmp_path: Path, engine_flag: str
) -> None:
    flags = ("--llama-server", engine_flag, "--strategy", "memory", "--ctx", "8192")
    first, second, third = ("tiny-00-f32", "tiny-01-f32", "tiny-02-f32")
    with running(many_models, tmp_path / "measured", *flags) as one:
        assert 200 == one.chat(first, **ANY_LETTERS).status_code
        each_bytes = one.target()["predicted_bytes"]
    config = tmp_path / "config.toml"
    config.write_text(f"[residency]\nmemory_budget_mb = {int(2.5 * each_bytes) // 2**20}\n")
    with running(many_models, tmp_path / "data", *flags, "--config", str(config)) as one:
        for name in (first, second):
            assert 200 == one.chat(name, **ANY_LETTERS).status_code
        before = _targets(one)
        assert 200 == one.post("/ggtui/pin", {"model": first}).status_code
        assert 200 == one.chat(third, **ANY_LETTERS).status_code
        after = _targets(one)

        assert {first, second} == set(before)
        assert {first, third} == set(after)
        assert before[first] == after[first]


def test_a_server_deaf_to_sigterm_is_killed_while_another_answers(many_models: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    faults = ["--fake-only", "tiny-00-f32", "--fake-ignore-term"]
    config.write_text(f"[launch]\nstop_grace_s = 2\nextra_args = {faults}\n")
    flags = ("--llama-server", str(FAKELLAMA), "--strategy", "memory", "--config", str(config))
    with running(many_models, tmp_path / "data", *flags) as one, ThreadPoolExecutor(1) as pool:
        for name in ("tiny-00-f32", "tiny-01-f32"):
            assert 200 == one.chat(name).status_code
        before = _targets(one)
        stop = pool.submit(lambda: one.post("/ggtui/stop", {"model": "tiny-00-f32"}))
        answered = []
        while not stop.done():
            answered.append(one.chat("tiny-01-f32").status_code)

        assert 200 == stop.result(GUARD_S).status_code
        # One answer after another within the two seconds that the deaf one was given.
        assert len(answered) >= 10
        assert {200} == set(answered)
        assert not psutil.pid_exists(before["tiny-00-f32"])
        assert {"tiny-01-f32": before["tiny-01-f32"]} == _targets(one)


def test_a_busy_model_yields_after_its_turn(many_models: Path, tmp_path: Path, engine_flag: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[server]\nturn_quantum_s = 1\n")
    data_dir = tmp_path / "data"
    flags = ("--llama-server", engine_flag, "--config", str(config))
    with running(many_models, data_dir, *flags) as one, ThreadPoolExecutor(6) as pool:
        assert 200 == one.chat("tiny-00-f32", **ANY_LETTERS).status_code
        is_over = threading.Event()

        def keep_busy() -> set[int]:
            seen = set()
            while not is_over.is_set():
                seen.add(one.chat("tiny-00-f32", max_tokens=64, **ANY_LETTERS).status_code)
            return seen

        busy = [pool.submit(keep_busy) for _ in range(3)]
        rival = pool.submit(lambda: one.chat("tiny-01-f32", **ANY_LETTERS))
        other = pool.submit(lambda: one.chat("tiny-02-f32", **ANY_LETTERS))

        assert 200 == rival.result(GUARD_S).status_code
        assert 200 == other.result(GUARD_S).status_code

        is_over.set()

        assert [{200}] * 3 == [hand.result(GUARD_S) for hand in busy]


def _command(process: Any) -> list[str]:
    try:
        return list(process.cmdline())
    except Exception:
        return []
