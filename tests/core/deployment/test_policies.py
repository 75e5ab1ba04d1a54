"""The rules of a deployment: their defaults, which depend on what serves it."""

from __future__ import annotations

import pytest

from ggtui.core.deployment.policies import (
    CapacityPolicy,
    CircuitBreakerPolicy,
    Jitter,
    Priority,
    RetryPolicy,
    Serving,
    TimeLimits,
    Timeouts,
)
from ggtui.core.deployment.runtimes import RuntimeKind

OTHERS = [kind for kind in RuntimeKind if kind is not RuntimeKind.LLAMA_SERVER]


def test_a_model_of_this_machine_is_waited_for_long() -> None:
    kind = RuntimeKind.LLAMA_SERVER

    assert TimeLimits(connect_s=2, request_s=600, read_s=60) == Timeouts().limits(kind)
    assert (None, 4) == (Serving().slots(kind), Serving(max_concurrent=4).slots(kind))


@pytest.mark.parametrize("kind", OTHERS)
def test_a_server_elsewhere_is_not(kind: RuntimeKind) -> None:
    assert TimeLimits(connect_s=10, request_s=30, read_s=10) == Timeouts().limits(kind)
    assert (32, 4) == (Serving().slots(kind), Serving(max_concurrent=4).slots(kind))


def test_a_person_sets_one_limit_and_keeps_the_other() -> None:
    assert TimeLimits(10, 5, 10) == Timeouts(request_timeout_s=5).limits(RuntimeKind.OPEN_AI)
    assert TimeLimits(2, 600, 5) == Timeouts(read_timeout_s=5).limits(RuntimeKind.LLAMA_SERVER)


def test_a_proxy_that_tries_again_itself_is_tried_again_once() -> None:
    retries = {kind: RetryPolicy().retries(kind) for kind in RuntimeKind}

    assert 1 == retries.pop(RuntimeKind.LITE_LLM)
    assert {3} == set(retries.values())
    assert 0 == RetryPolicy(max_retries=0).retries(RuntimeKind.LITE_LLM)


def test_the_other_defaults() -> None:
    assert Serving(None, CapacityPolicy.QUEUE, 1024, 30.0) == Serving()
    assert RetryPolicy(None, 1.0, 60.0, 2.0, Jitter.EQUAL, True) == RetryPolicy()
    assert CircuitBreakerPolicy(10, 30.0, 1) == CircuitBreakerPolicy()


def test_priorities_have_an_order_and_words() -> None:
    assert ["background", "normal", "high", "critical"] == [each.word for each in sorted(Priority)]
    assert Priority.HIGH is Priority.parse(" High ")
    with pytest.raises(ValueError, match="one of background, normal, high, critical"):
        Priority.parse("urgent")
    with pytest.raises(ValueError, match="one of"):
        Priority.parse("2")
