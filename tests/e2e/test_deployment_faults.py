"""A provider that fails: what is tried again, what is left alone, and how long anybody waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.instance import GUARD_S, Instance
from tests.e2e.provider import Provider, providing
from tests.e2e.rules import ask, order, problem, remote, serving, status, stream, wait_until, words

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN = {"status": 503}
NEVER = {"max_retries": 0}
FAST = {"max_retries": 3, "initial_backoff": "50ms", "jitter": "none"}
PATIENT = {"request_timeout": "2s", "read_timeout": "2s"}


@pytest.fixture(scope="module")
def up() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


@pytest.fixture(scope="module")
def one(up: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    config = [
        remote(up, "retries", retry=FAST),
        remote(up, "jitters", retry={**FAST, "jitter": "equal"}),
        remote(up, "once-only", retry=FAST, idempotent=False),
        remote(up, "breaks", retry=NEVER, circuit_breaker={"failure_threshold": 10, "open_duration": "2s"}),
        remote(up, "limited", retry=NEVER, circuit_breaker={"failure_threshold": 2}),
        remote(up, "impatient", retry=NEVER, timeouts={"request_timeout": "300ms", "read_timeout": "300ms"}),
        remote(up, "patient", retry=NEVER, timeouts=PATIENT),
        remote(up, "odd", retry=NEVER),
        remote(up, "loads", retry=NEVER, circuit_breaker={"failure_threshold": 1}),
        remote(up, "slow-to-retry", retry={"max_retries": 3, "initial_backoff": "1h", "max_backoff": "1h"}),
    ]
    with serving(tmp_path_factory.mktemp("faults"), "".join(config)) as instance:
        yield instance


def _gaps(up: Provider, model: str) -> list[float]:
    """Seconds between the requests that reached the provider."""
    return [after["at"] - before["at"] for before, after in pairwise(up.requests(model))]


# Another try


@pytest.mark.parametrize("is_stream", [False, True])
def test_one_failure_is_tried_again_once(one: Instance, up: Provider, is_stream: bool) -> None:
    n_before = up.n_calls("retries-there")
    up.script("retries-there", BROKEN, {})
    if is_stream:
        assert words(8) == stream(one, "retries").text
    else:
        assert 200 == ask(one, "retries").status_code
    assert n_before + 2 == up.n_calls("retries-there")


def test_retries_wait_longer_each_time_and_end(one: Instance, up: Provider) -> None:
    n_before = up.n_calls("retries-there")
    up.script("retries-there", BROKEN)
    answer = ask(one, "retries")
    gaps = _gaps(up, "retries-there")[-3:]

    assert (502, "server_error", "upstream_error") == problem(answer)
    assert n_before + 4 == up.n_calls("retries-there")
    assert [True] * 3 == [gap >= least for gap, least in zip(gaps, (0.05, 0.1, 0.2), strict=True)]


def test_what_the_provider_asks_to_wait_is_waited(one: Instance, up: Provider) -> None:
    up.script("jitters-there", {"status": 429, "headers": {"Retry-After": "1"}}, BROKEN, {})
    answer = ask(one, "jitters")
    asked_for, jittered = _gaps(up, "jitters-there")

    assert 200 == answer.status_code
    assert asked_for >= 1
    assert jittered >= 0.05


def test_what_may_not_be_sent_twice_is_not(one: Instance, up: Provider) -> None:
    up.script("once-only-there", BROKEN, {})

    assert (502, "server_error", "upstream_error") == problem(ask(one, "once-only"))
    assert 1 == up.n_calls("once-only-there")


def test_a_dropped_connection_is_tried_again_before_the_first_byte_only(one: Instance, up: Provider) -> None:
    n_before = up.n_calls("retries-there")
    up.script("retries-there", {"drop": True}, {})

    assert 200 == ask(one, "retries").status_code
    assert n_before + 2 == up.n_calls("retries-there")

    up.script("retries-there", {"drop_after": 3}, {})
    cut = stream(one, "retries")

    assert n_before + 3 == up.n_calls("retries-there")
    assert (words(3), False) == (cut.text, cut.is_done)
    assert cut.error is not None
    assert "upstream_crashed" == cut.error["code"]


def test_what_it_refuses_is_passed_on_as_it_is(one: Instance, up: Provider) -> None:
    seen = []
    for code in (404, 422, 501):
        up.script("odd-there", {"status": code, "code": "its-own"})
        answer = ask(one, "odd")
        seen.append((answer.status_code, answer.json()["error"]["code"]))

    assert [(404, "its-own"), (422, "its-own"), (501, "its-own")] == seen

    up.script("odd-there", {"status": 403})

    assert (403, "invalid_request_error", "upstream_forbidden") == problem(ask(one, "odd"))

    up.script("odd-there", {"status": 401})

    assert (502, "server_error", "upstream_unauthorized") == problem(ask(one, "odd"))


# The circuit breaker


def _five_at_once(one: Instance, up: Provider, **last: Any) -> list[tuple[int, str, str]]:
    """Ask five times while the provider holds its answers: what the four got that it did not get, sorted."""
    n_before = up.n_calls("breaks-there")
    up.script("breaks-there", {"hold": True, **last})
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(ask, one, "breaks") for _ in range(5)]
        done = as_completed(asked, timeout=GUARD_S)
        four = [problem(next(done).result()) for _ in range(4)]
        up.wait("breaks-there", running=1)

        assert n_before + 1 == up.n_calls("breaks-there")

        up.release("breaks-there")
        four.append(problem(next(done).result()))
    return four


def test_the_breaker_opens_tries_one_and_opens_again_or_closes(one: Instance, up: Provider) -> None:
    refused = (503, "service_unavailable", "circuit_open")
    broken = (502, "server_error", "upstream_error")
    up.script("breaks-there", BROKEN)

    assert [broken] * 10 == [problem(ask(one, "breaks")) for _ in range(10)]

    eleventh = ask(one, "breaks")

    assert refused == problem(eleventh)
    assert int(eleventh.headers["retry-after"]) >= 1
    assert 10 == up.n_calls("breaks-there")
    assert "open" == status(one, "breaks")["breaker"]["state"]

    wait_until(one, "breaks", breaker="half_open")

    assert [refused] * 4 + [broken] == _five_at_once(one, up, status=503)
    assert refused == problem(ask(one, "breaks"))
    assert 11 == up.n_calls("breaks-there")

    wait_until(one, "breaks", breaker="half_open")

    assert [refused] * 4 + [(200, None, None)] == _five_at_once(one, up)
    assert "closed" == status(one, "breaks")["breaker"]["state"]

    up.script("breaks-there")

    assert [200] * 5 == [ask(one, "breaks").status_code for _ in range(5)]


def test_a_limit_of_the_provider_never_opens_it(one: Instance, up: Provider) -> None:
    up.script("limited-there", {"status": 429, "headers": {"Retry-After": "7"}})
    answers = [ask(one, "limited") for _ in range(5)]

    assert [(429, "rate_limit_error", "rate_limited")] * 5 == [problem(each) for each in answers]
    assert ["7"] * 5 == [each.headers["retry-after"] for each in answers]
    assert 5 == up.n_calls("limited-there")
    assert "closed" == status(one, "limited")["breaker"]["state"]


def test_a_breaker_that_a_person_opens_ends_the_wait_for_another_try(one: Instance, up: Provider) -> None:
    up.script("slow-to-retry-there", BROKEN)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, one, "slow-to-retry")
        up.wait("slow-to-retry-there", requests=1)
        order(one, "slow-to-retry", "open")

        assert (502, "server_error", "upstream_error") == problem(asked.result(GUARD_S))
    assert 1 == up.n_calls("slow-to-retry-there")


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_server_that_loads_is_waited_for_and_is_no_failure(
    one: Instance, up: Provider, is_stream: bool
) -> None:
    n_before = up.n_calls("loads-there")
    loading = {"status": 503, "message": "Loading model"}
    up.script("loads-there", loading, loading, {})
    if is_stream:
        assert words(8) == stream(one, "loads").text
    else:
        assert 200 == ask(one, "loads").status_code

    assert n_before + 3 == up.n_calls("loads-there")
    assert "closed" == status(one, "loads")["breaker"]["state"]
    assert 0 == status(one, "loads")["requests"]["failed"]


# Time


def test_a_silent_provider_is_given_up(one: Instance, up: Provider) -> None:
    up.script("impatient-there", {"hang": True})

    assert (504, "server_error", "upstream_timeout") == problem(ask(one, "impatient"))

    up.wait("impatient-there", left=1)


@pytest.mark.parametrize("stalls", ["hang_after", "drip_after"])
def test_a_stream_without_events_ends_in_an_error(one: Instance, up: Provider, stalls: str) -> None:
    up.script("impatient-there", {stalls: 3})
    cut = stream(one, "impatient")

    assert (words(3), False) == (cut.text, cut.is_done)
    assert cut.error is not None
    assert "upstream_timeout" == cut.error["code"]


def test_a_healthy_stream_lasts_longer_than_any_limit(one: Instance, up: Provider) -> None:
    up.script("patient-there", {"words": 12, "word_s": 0.25})
    whole = stream(one, "patient")

    assert (words(12), True, None) == (whole.text, whole.is_done, whole.error)


def test_every_outcome_is_counted(one: Instance, up: Provider) -> None:
    names = [each["name"] for each in one.get("/ggtui/deployments")["deployments"]]

    assert [0] * len(names) == [status(one, name)["in_flight"] for name in names]
    assert status(one, "breaks")["requests"]["circuit_open"] > 0
    assert 5 == status(one, "limited")["requests"]["rate_limited"]
    assert 3 == status(one, "impatient")["requests"]["timed_out"]
    assert 1 == status(one, "patient")["requests"]["succeeded"]
