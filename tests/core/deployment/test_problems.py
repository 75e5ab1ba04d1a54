"""What is wrong with deployments is said with its place, before anything serves."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.deployment.deployment import Deployment, RuntimeConfig
from ggtui.core.deployment.policies import (
    CapacityPolicy,
    CircuitBreakerPolicy,
    RateLimits,
    RetryPolicy,
    Serving,
    Timeouts,
)
from ggtui.core.deployment.problems import Problem, problems
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.routing.adapters import AttachedAdapter

VLLM = RuntimeKind.VLLM


def _alone(**given: object) -> Deployment:
    return Deployment(**({"name": "a", "model": "m"} | given))  # type: ignore[arg-type]


def test_the_three_texts_in_their_order() -> None:
    expected = [
        Problem(0, " ", "name", "deployment name must not be empty"),
        Problem(0, " ", "model", "deployment model must not be empty"),
        Problem(0, " ", "replicas", "deployment must have at least one replica"),
    ]

    assert expected == problems([Deployment(" ", "", replicas=0)])


def test_nothing_is_wrong_with_a_chain_of_fallbacks() -> None:
    chain = [
        Deployment("a", "m", fallback=("b", "c"), groups=("chat",), default=True),
        Deployment("b", "m", fallback=("c",), adapters=(AttachedAdapter("x", weight=1.0),)),
        Deployment("c", "m", fallback=("catalog-model",)),
    ]

    assert [] == problems(chain, known_groups={"chat"}, other_names={"catalog-model"})


@pytest.mark.parametrize(
    ("deployment", "field", "text"),
    [
        (_alone(name="42"), "name", "deployment name must not be a number: numbers are those of the catalog"),
        (_alone(gpus=-1), "gpus", "must be at least 0"),
        (
            _alone(serving=Serving(on_capacity_exhausted=CapacityPolicy.FALLBACK)),
            *("serving.on_capacity_exhausted", "there is no fallback to go to"),
        ),
        (
            _alone(adapters=(AttachedAdapter("x", weight=1.5),)),
            *("adapters", "weight of adapter 'x' must be a number from 0 to 1"),
        ),
        (_alone(serving=Serving(queue_timeout_s=0)), "serving.queue_timeout", "must be longer than nothing"),
        (_alone(retry=RetryPolicy(initial_backoff_s=-1)), "retry.initial_backoff", "longer than nothing"),
        (_alone(retry=RetryPolicy(max_backoff_s=0)), "retry.max_backoff", "longer than nothing"),
        (
            _alone(circuit_breaker=CircuitBreakerPolicy(open_duration_s=0)),
            *("circuit_breaker.open_duration", "longer than nothing"),
        ),
        (_alone(timeouts=Timeouts(request_timeout_s=0)), "timeouts.request_timeout", "longer than nothing"),
        (_alone(timeouts=Timeouts(read_timeout_s=-1)), "timeouts.read_timeout", "longer than nothing"),
        (_alone(serving=Serving(max_concurrent=0)), "serving.max_concurrent", "at least 1"),
        (_alone(serving=Serving(queue_capacity=-1)), "serving.queue_capacity", "at least 0"),
        (_alone(rate_limits=RateLimits(requests_per_minute=0)), "rate_limits.requests_per_minute", "least 1"),
        (_alone(rate_limits=RateLimits(tokens_per_minute=0)), "rate_limits.tokens_per_minute", "least 1"),
        (_alone(rate_limits=RateLimits(concurrent_requests=0)), "rate_limits.concurrent_requests", "least 1"),
        (_alone(retry=RetryPolicy(max_retries=-1)), "retry.max_retries", "least 0"),
        (_alone(retry=RetryPolicy(backoff_multiplier=0.5)), "retry.backoff_multiplier", "least 1"),
        (
            _alone(circuit_breaker=CircuitBreakerPolicy(failure_threshold=0)),
            *("circuit_breaker.failure_threshold", "least 1"),
        ),
        (
            _alone(circuit_breaker=CircuitBreakerPolicy(half_open_max_probes=0)),
            *("circuit_breaker.half_open_max_probes", "least 1"),
        ),
        (_alone(fallback=("b",)), "fallback", "unknown fallback 'b'"),
        (_alone(groups=("chat",)), "groups", "unknown group 'chat'"),
        (_alone(runtime=VLLM), "runtime", "vllm has no engine here"),
        (
            _alone(runtime_config=RuntimeConfig(VLLM, endpoint="127.0.0.1:8000")),
            *("runtime_config.endpoint", "must be an http or https URL"),
        ),
    ],
)
def test_one_thing_is_wrong(deployment: Deployment, field: str, text: str) -> None:
    (problem,) = problems([Deployment("ok", "m"), deployment])

    assert (1, deployment.name, field) == (problem.index, problem.name, problem.field)
    assert text in problem.text


def test_a_guessed_runtime_is_judged_when_the_catalog_is_known() -> None:
    guessed = Deployment("a", "o1")

    assert [] == problems([guessed])
    assert [] == problems([guessed], is_local=lambda model: model == "o1")
    served = _alone(model="o1", runtime_config=RuntimeConfig(endpoint="http://h/v1"))
    assert [] == problems([served], is_local=lambda _: False)
    (problem,) = problems([guessed], is_local=lambda _: False)
    assert (
        "vllm has no engine here and needs runtime_config.endpoint; "
        "chosen because the name of the model suggests nothing else"
    ) == problem.text


def test_limits_above_what_the_provider_allows() -> None:
    deployment = _alone(rate_limits=RateLimits(requests_per_minute=100, tokens_per_minute=5))
    ceilings = {"a": RateLimits(requests_per_minute=60, concurrent_requests=1), "b": RateLimits(1, 1)}
    expected = "rate limits exceed known provider tier: requests_per_minute 100 > 60"

    assert [expected] == [each.text for each in problems([deployment], ceilings=ceilings)]


def test_a_second_of_what_there_is_one_of() -> None:
    pair = [Deployment("a", "m", default=True), Deployment("b", "m"), Deployment("a", "n", default=True)]
    expected = [
        Problem(2, "a", "name", "duplicate deployment name 'a'"),
        Problem(2, "a", "default", "'a' is the default already"),
    ]

    assert expected == problems(pair)


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ({"A": "A"}, [(0, "A -> A")]),
        ({"A": "B", "B": "A"}, [(0, "A -> B -> A")]),
        ({"X": "A", "A": "B", "B": "C", "C": "A"}, [(1, "A -> B -> C -> A")]),
        ({"A": "BB", "B": "AA"}, [(0, "A -> B -> A")]),
        ({"A": "B", "B": "A", "C": "D", "D": "C"}, [(0, "A -> B -> A"), (2, "C -> D -> C")]),
        ({"A": "BC", "B": "C", "C": ""}, []),
    ],
)
def test_cycles_are_named(links: dict[str, str], expected: list[tuple[int, str]]) -> None:
    found = problems([Deployment(name, "m", fallback=tuple(to)) for name, to in links.items()])

    assert [(index, "fallback", f"fallback cycle: {path}") for index, path in expected] == [
        (each.index, each.field, each.text) for each in found
    ]


def test_of_two_with_one_name_the_first_counts() -> None:
    to_b, to_a = Deployment("A", "m", fallback=("B",)), Deployment("B", "m", fallback=("A",))
    pair = [to_b, to_a, Deployment("A", "m")]

    assert [(0, "fallback cycle: A -> B -> A"), (2, "duplicate deployment name 'A'")] == [
        (each.index, each.text) for each in problems(pair)
    ]


NAMES = st.sampled_from("ABCDEF")


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=4)))
def test_a_cycle_is_told_exactly_when_a_walk_can_return(links: dict[str, list[str]]) -> None:
    reach = {name: set(to) & set(links) for name, to in links.items()}
    for _ in links:
        reach = {name: to.union(*(reach[each] for each in to)) for name, to in reach.items()}
    found = problems(
        [Deployment(name, "m", fallback=tuple(to)) for name, to in links.items()], other_names="ABCDEF"
    )

    assert any(name in to for name, to in reach.items()) == bool(found)
    for problem in found:
        ring = problem.text.removeprefix("fallback cycle: ").split(" -> ")
        assert problem.name == ring[0] == ring[-1]
        assert all(after in links[before] for before, after in pairwise(ring))
