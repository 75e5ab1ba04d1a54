"""Limits and money on a whole ggtui: what is let through, what it costs, and that nothing of it is lost."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.e2e.instance import GUARD_S, Instance
from tests.e2e.provider import Provider, providing
from tests.e2e.rules import (
    HELLO,
    ask,
    deployment,
    post,
    problem,
    remote,
    serving,
    status,
    stream,
    wait_until,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRICES = {"input_per_mtok_usd": 2.5, "output_per_mtok_usd": 10.0}
MILLIONS = {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000, "total_tokens": 2_000_000}
"""What costs 12.50 USD by these prices."""
A_DOLLAR = {"input_per_mtok_usd": 0.0, "output_per_mtok_usd": 1_000_000.0}
"""For each token of an answer."""


@pytest.fixture(scope="module")
def up() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spend")


@pytest.fixture(scope="module")
def one(up: Provider, home: Path) -> Iterator[Instance]:
    def budget(action: str) -> dict[str, Any]:
        return {"max_spend_per_hour_usd": 10.0, "on_exceeded": action}

    many = {"max_concurrent": 200}
    config = [
        remote(up, "two-a-minute", serving={"on_capacity_exhausted": "reject"}, rate_limits=_rate(2)),
        remote(
            up,
            "tokens",
            serving={"on_capacity_exhausted": "reject"},
            rate_limits={"tokens_per_minute": 1000},
        ),
        remote(up, "in-turn", rate_limits={"concurrent_requests": 1}),
        remote(up, "priced", pricing=PRICES),
        remote(up, "rejects", pricing=A_DOLLAR, budget=budget("reject")),
        remote(up, "warns", pricing=A_DOLLAR, budget=budget("warn")),
        remote(up, "throttles", pricing=A_DOLLAR, budget=budget("throttle"), serving={"max_concurrent": 4}),
        remote(up, "small", pricing=A_DOLLAR, budget=budget("reject"), serving=many),
        remote(up, "overruns", pricing=A_DOLLAR, budget=budget("reject"), serving={"max_concurrent": 4}),
    ]
    with serving(home, "".join(config)) as instance:
        yield instance


def _rate(requests: int) -> dict[str, Any]:
    return {"requests_per_minute": requests}


def _spent(one: Instance, name: str) -> float:
    """USD of the last hour."""
    spent: float = status(one, name)["spent_hour_usd"]
    return spent


# Limits


def test_the_third_of_two_in_a_minute_is_told_when_to_come_again(one: Instance, up: Provider) -> None:
    began = time.monotonic()
    first, second = ask(one, "two-a-minute"), ask(one, "two-a-minute")
    third = ask(one, "two-a-minute")
    elapsed = time.monotonic() - began

    assert [200, 200] == [first.status_code, second.status_code]
    assert (429, "rate_limit_error", "rate_limit_exceeded") == problem(third)
    assert math.floor(60 - elapsed) <= int(third.headers["retry-after"]) <= 60
    assert 2 == up.n_calls("two-a-minute-there")
    assert {"used": 2, "allowed": 2} == status(one, "two-a-minute")["limits"]["requests_per_minute"]


def test_what_reaches_no_server_does_not_count(up: Provider, tmp_path: Path) -> None:
    rules: dict[str, Any] = {
        "serving": {"on_capacity_exhausted": "reject"},
        "rate_limits": _rate(1),
        "retry": {"max_retries": 0},
    }
    nowhere = {"runtime": "open_ai", "endpoint": "http://127.0.0.1:1/v1"}
    config = remote(up, "there", **rules) + deployment("nowhere", "m", runtime_config=nowhere, **rules)
    with serving(tmp_path, config) as one:
        codes = [ask(one, name).status_code for name in ("nowhere", "there") for _ in range(2)]

    assert [502, 502, 200, 429] == codes


def test_tokens_count_as_reserved_and_then_as_used(one: Instance, up: Provider) -> None:
    for n_done in (1, 2):
        assert 200 == ask(one, "tokens", max_tokens=900).status_code
        assert {"used": 13 * n_done, "allowed": 1000} == status(one, "tokens")["limits"]["tokens_per_minute"]

    refused = ask(one, "tokens", max_tokens=990)

    assert (429, "rate_limit_error", "rate_limit_exceeded") == problem(refused)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert 2 == up.n_calls("tokens-there")


def test_who_may_queue_waits_for_a_limit(one: Instance, up: Provider) -> None:
    up.script("in-turn-there", {"hold": True})
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, one, "in-turn") for _ in range(3)]
        for n_begun in (1, 2, 3):
            up.wait("in-turn-there", requests=n_begun)
            up.release("in-turn-there")

        assert [200] * 3 == [each.result(GUARD_S).status_code for each in asked]
    assert 1 == up.notes("in-turn-there")["most"]


def test_strict_limits_hold_for_all_processes_together(
    up: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where they meet
    config = remote(
        up,
        "shared",
        serving={"on_capacity_exhausted": "reject"},
        rate_limits=_rate(4) | {"strict": True},
    )
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with serving(tmp_path / "first", config) as first, serving(tmp_path / "second", config) as second:
        answers = [ask(each, "shared").status_code for _ in range(3) for each in (first, second)]

        kept = b"".join(each.read_bytes() for each in tmp_path.glob("ggtui-*/counters.sqlite3*"))

    assert [200] * 4 + [429] * 2 == answers
    assert 4 == up.n_calls("shared-there")
    assert b"let_through" in kept
    assert up.url.encode() not in kept


# Cost


def test_tokens_cost_their_price_and_a_stream_tells_them_to_ggtui_only(one: Instance, up: Provider) -> None:
    up.script("priced-there", {"usage": MILLIONS})

    assert 200 == ask(one, "priced").status_code
    assert 12.5 == _spent(one, "priced")

    silent = stream(one, "priced")
    told = stream(one, "priced", stream_options={"include_usage": True})

    assert [(words(8), True, False), (words(8), True, True)] == [
        (each.text, each.is_done, each.has_usage) for each in (silent, told)
    ]
    assert all(each["body"]["stream_options"]["include_usage"] for each in up.requests("priced-there")[1:])
    assert 37.5 == _spent(one, "priced")

    metrics = httpx.get(f"{one.root}/metrics", trust_env=False).text

    assert 'inference_cost_usd_total{deployment="priced"} 37.5' in metrics
    assert 'inference_tokens_in_total{deployment="priced"} 3000000' in metrics
    assert 'inference_tokens_out_total{deployment="priced"} 3000000' in metrics


def test_cached_tokens_have_their_own_price(up: Provider, tmp_path: Path) -> None:
    usage = MILLIONS | {"prompt_tokens_details": {"cached_tokens": 400_000}}
    up.script("cached-there", {"usage": usage})
    prices = PRICES | {"cached_input_per_mtok_usd": 1.25}
    with serving(tmp_path, remote(up, "cached", pricing=prices)) as one:
        assert 200 == ask(one, "cached").status_code
        assert 0.6 * 2.5 + 0.4 * 1.25 + 10 == _spent(one, "cached")


def test_a_client_that_leaves_pays_for_what_was_made(up: Provider, tmp_path: Path) -> None:
    up.script("left-there", {"hold_after": 3, "words": 100})
    with serving(tmp_path, remote(up, "left", pricing=A_DOLLAR)) as one:
        body = {"model": "left", "messages": HELLO, "max_tokens": 8, "stream": True}
        with (
            httpx.Client(timeout=GUARD_S, trust_env=False) as client,
            client.stream("POST", f"{one.url}/chat/completions", json=body) as answer,
        ):
            lines = answer.iter_lines()
            while "w2" not in next(lines):
                pass
        wait_until(one, "left", in_flight=0)

        assert 3 <= _spent(one, "left") <= 8


def test_what_was_spent_is_known_after_a_restart_and_rolls_off(up: Provider, tmp_path: Path) -> None:
    up.script("kept-there", {"usage": MILLIONS})
    config = remote(up, "kept", pricing=PRICES, budget={"max_spend_per_hour_usd": 12.0})
    with serving(tmp_path, config) as one:
        assert 200 == ask(one, "kept").status_code
        assert (429, "budget_error", "budget_exceeded") == problem(ask(one, "kept"))
    with serving(tmp_path, config) as one:
        assert 12.5 == _spent(one, "kept")

        refused = ask(one, "kept")

        assert (429, "budget_error", "budget_exceeded") == problem(refused)
        assert 3000 <= int(refused.headers["retry-after"]) <= 3601
    _age(tmp_path / "data", 3_602)
    with serving(tmp_path, config) as one:
        told = status(one, "kept")

        assert (0.0, 12.5) == (told["spent_hour_usd"], told["spent_day_usd"])
        assert 200 == ask(one, "kept").status_code
    assert 2 == up.n_calls("kept-there")


def _age(data_dir: Path, seconds: float) -> None:
    """Let everything that was spent have been spent so much earlier."""
    with closing(sqlite3.connect(data_dir / "spending.sqlite3")) as database, database:
        database.execute("UPDATE spending SET at = at - ?", (seconds,))


# The budget


def test_a_spent_budget_refuses_without_a_call(one: Instance, up: Provider) -> None:
    up.script("rejects-there", {"words": 8})

    assert 200 == ask(one, "rejects").status_code

    refused = ask(one, "rejects")

    assert (429, "budget_error", "budget_exceeded") == problem(refused)
    assert 3000 <= int(refused.headers["retry-after"]) <= 3601
    assert 1 == up.n_calls("rejects-there")
    assert 8.0 == _spent(one, "rejects")


def test_a_warning_budget_serves_on_and_says_so_once(one: Instance, home: Path) -> None:
    assert [200] * 3 == [ask(one, "warns").status_code for _ in range(3)]
    assert 24.0 == _spent(one, "warns")

    told = (home / "data.err").read_text()

    assert 1 == told.count("deployment 'warns' has spent more than its budget of the last hour")


def test_a_throttling_budget_halves_what_is_served_at_once(one: Instance, up: Provider) -> None:
    assert [200] * 2 == [ask(one, "throttles").status_code for _ in range(2)]

    up.script("throttles-there", {"hold": True})
    n_before = up.n_calls("throttles-there")
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(ask, one, "throttles") for _ in range(6)]
        wait_until(one, "throttles", in_flight=2, queued=4, slots=2)
        up.wait("throttles-there", running=2)
        for n_begun in (2, 4, 6):
            up.wait("throttles-there", requests=n_before + n_begun, running=2)
            up.release("throttles-there")

        assert [200] * 6 == [each.result(GUARD_S).status_code for each in asked]
    assert 2 == up.notes("throttles-there")["most"]


async def _many(one: Instance, name: str, n: int, **fields: Any) -> list[httpx.Response]:
    body = {"model": name, "messages": HELLO, **fields}
    return await asyncio.gather(*(post(one, body) for _ in range(n)))


def test_two_hundred_at_once_stay_within_the_budget(one: Instance, up: Provider) -> None:
    up.script("small-there", {"words": 2, "wait_s": 0.1})
    answers = asyncio.run(_many(one, "small", 200, max_tokens=2))
    served = [each for each in answers if each.status_code == 200]
    refused = [each for each in answers if each.status_code != 200]

    assert {(429, "budget_error", "budget_exceeded")} == {problem(each) for each in refused}
    assert (5, 5, 10.0) == (len(served), up.n_calls("small-there"), _spent(one, "small"))


def test_answers_longer_than_they_may_be_overspend_by_those_in_flight_only(
    one: Instance, up: Provider
) -> None:
    up.script("overruns-there", {"words": 6, "wait_s": 0.05})
    answers = asyncio.run(_many(one, "overruns", 200, max_tokens=2))
    n_served = len([each for each in answers if each.status_code == 200])

    assert 2 <= n_served == up.n_calls("overruns-there")
    assert 6.0 * n_served == _spent(one, "overruns") <= 10 + 4 * 6


def test_what_clients_saw_paid_is_known_after_a_kill(up: Provider, tmp_path: Path) -> None:
    config = remote(up, "killed", pricing=A_DOLLAR, serving={"max_concurrent": 64})
    with serving(tmp_path, config) as one:
        n_seen = asyncio.run(_spend_until_killed(one, 400))
    with serving(tmp_path, config) as one:
        spent = _spent(one, "killed")

    assert n_seen >= 400
    assert 8 * n_seen <= spent <= 8 * up.n_calls("killed-there") * 5 // 4  # a note covers more than there is


async def _spend_until_killed(one: Instance, n_before: int) -> int:
    """How many whole answers 32 clients got in all; the kill comes after the first n_before."""
    n_seen = 0

    async def client() -> None:
        nonlocal n_seen
        body = {"model": "killed", "messages": HELLO, "max_tokens": 8}
        async with httpx.AsyncClient(timeout=GUARD_S, trust_env=False) as http:
            with suppress(httpx.TransportError):
                while True:
                    answer = await http.post(f"{one.url}/chat/completions", json=body)
                    n_seen += answer.status_code == 200 and bool(answer.json()["usage"])
                    if n_seen == n_before:
                        one.process.kill()

    await asyncio.gather(*(client() for _ in range(32)))
    one.process.wait(GUARD_S)
    return n_seen
