"""One request inside a deployment: its attempts, and what it is billed for."""

from __future__ import annotations

import asyncio

import pytest

from ggtui.core.deployment.deployment import RuntimeConfig
from ggtui.core.deployment.policies import Budget, CircuitBreakerPolicy, RateLimits, RetryPolicy
from ggtui.core.deployment.secret import Secret, SecretRef, SecretSource
from ggtui.core.errors import (
    ContentFiltered,
    Failure,
    UpstreamBadRequest,
    UpstreamRateLimited,
    UpstreamServerError,
    UpstreamTimedOut,
    UpstreamUnauthorized,
    UpstreamUnreachable,
)
from ggtui.core.snapshot import DeploymentCounts
from tests.services.deployments.rig import (
    A_DOLLAR,
    DOLLAR,
    NOTHING,
    Rig,
    asking,
    entered,
    gone,
    left_over,
    remote,
    run,
)

PRICED = remote(
    pricing=A_DOLLAR,
    budget=Budget(max_spend_per_day_pusd=10_000 * DOLLAR),
    rate_limits=RateLimits(requests_per_minute=1000, tokens_per_minute=100_000),
)


def _told(rig: Rig) -> tuple[int, int, int]:
    """Requests and tokens of the minute, USD of the hour."""
    requests, tokens = (each.used for each in rig.status().limits)
    return requests, tokens, rig.status().spent_hour_pusd // DOLLAR


def test_what_the_server_counted_is_billed() -> None:
    async def scenario() -> None:
        rig = Rig((PRICED,))
        async with entered(rig.live(), asking(5, 100)) as passage:
            assert 100 * DOLLAR == rig.live().resources.spending.held_pusd

            passage.take_breaker()
            passage.was_sent = True
            passage.answered(3)
            passage.used(7, 2)
            passage.used(7, 8)
            passage.attempt_succeeded()

        assert (1, 15, 8) == _told(rig)
        counts = rig.status().counts
        assert (1, 7, 8, 8 * DOLLAR) == (
            counts.succeeded,
            counts.input_tokens,
            counts.output_tokens,
            counts.cost_pusd,
        )
        assert NOTHING == left_over(rig)

    run(scenario())


@pytest.mark.parametrize(
    ("n_seen", "max_tokens", "billed"),
    [(3, 100, 3), (0, 100, 100), (0, None, 1024)],
    ids=["as many as were seen", "as many as were allowed", "an answer of unsaid length"],
)
def test_who_leaves_pays_for_what_was_made(n_seen: int, max_tokens: int | None, billed: int) -> None:
    async def scenario() -> None:
        rig = Rig((PRICED,))
        passage = await rig.live().enter(asking(5, max_tokens))
        passage.take_breaker()
        passage.was_sent = True
        passage.answered()
        for _ in range(n_seen):
            passage.answered(1)
        await gone(passage, asyncio.CancelledError())

        assert (1, 5 + billed, billed) == _told(rig)
        assert (0, 0) == (rig.status().counts.succeeded, rig.status().counts.failed)
        assert NOTHING == left_over(rig)

    run(scenario())


def test_what_was_never_answered_costs_nothing_and_what_was_never_sent_never_was() -> None:
    async def scenario() -> None:
        rig = Rig((PRICED,))
        passage = await rig.live().enter(asking(5, 100))
        passage.take_breaker()
        passage.was_sent = True
        passage.attempt_failed(failure := UpstreamServerError("500"))
        await gone(passage, failure)

        assert (1, 0, 0) == _told(rig)

        async with entered(rig.live(), asking(5, 100)) as passage:
            passage.take_breaker()
            passage.attempt_failed(UpstreamUnreachable("nobody is there"))

        assert (1, 0, 0) == _told(rig)
        assert {} == rig.spend.kept
        assert DeploymentCounts(failed=2) == rig.status().counts
        assert NOTHING == left_over(rig)

    run(scenario())


def test_it_is_settled_once() -> None:
    async def scenario() -> None:
        rig = Rig((PRICED,))
        async with entered(rig.live(), asking(0, 100)) as passage:
            passage.take_breaker()
            passage.was_sent = True
            passage.used(0, 8)
            passage.attempt_succeeded()
        passage.leave()

        assert (1, 8, 8) == _told(rig)
        assert [8 * DOLLAR] == [each.cost_pusd for each in rig.spend.kept["a"]]
        assert 1 == rig.status().counts.succeeded
        assert NOTHING == left_over(rig)

    run(scenario())


def test_what_cannot_be_kept_still_counts_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        rig = Rig((PRICED,))
        rig.spend.failure = "the disk is full"
        for _ in range(2):
            async with entered(rig.live(), asking(0, 100)) as passage:
                passage.used(0, 8)

        assert 16 * DOLLAR == rig.status().spent_hour_pusd

    run(scenario())

    assert ["what a deployment used is not kept: the disk is full"] == caplog.messages


@pytest.mark.parametrize(
    ("failure", "counted"),
    [
        (UpstreamServerError("500"), DeploymentCounts(failed=1)),
        (UpstreamTimedOut("late"), DeploymentCounts(timed_out=1)),
        (UpstreamRateLimited("slow"), DeploymentCounts(rate_limited=1)),
        (ContentFiltered("no"), DeploymentCounts(content_filtered=1)),
        (UpstreamBadRequest("what?"), DeploymentCounts()),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("is_raised", [True, False])
def test_each_end_has_its_count(failure: Failure, counted: DeploymentCounts, is_raised: bool) -> None:
    async def scenario() -> None:
        rig = Rig()
        passage = await rig.live().enter(asking())
        passage.take_breaker()
        passage.attempt_failed(failure)
        passage.leave(failure if is_raised else None)

        assert counted == rig.status().counts

    run(scenario())


# Retries


def test_retries_wait_as_the_policy_says_and_end() -> None:
    async def scenario() -> None:
        rig = Rig((remote(retry=RetryPolicy(max_retries=2)),))
        async with entered(rig.live(), asking()) as passage:
            failure = UpstreamServerError("503")

            assert [0.75, 1.5, None] == [passage.may_retry(failure, done) for done in range(3)]
            assert None is passage.may_retry(UpstreamBadRequest("400"), 0)
            assert 7.0 == passage.may_retry(UpstreamRateLimited(retry_after_s=7.0), 0)
            assert None is passage.may_retry(UpstreamRateLimited(retry_after_s=61.0), 0)
        rig = Rig((remote(idempotent=False),))
        async with entered(rig.live(), asking()) as passage:
            assert None is passage.may_retry(failure, 0)

    run(scenario())


def test_a_refused_key_is_read_again_once() -> None:
    async def scenario() -> None:
        config = RuntimeConfig(api_key=SecretRef(SecretSource.ENV, "KEY"))
        rig = Rig((remote(runtime_config=config),))
        rig.secrets.texts["KEY"] = "old"
        async with entered(rig.live(), asking()) as passage:
            await rig.live().key()
            rig.secrets.texts["KEY"] = "new"
            failure = UpstreamUnauthorized("401")

            assert 0.0 == passage.may_retry(failure, 0)
            assert Secret("new") == await rig.live().key()
            assert None is passage.may_retry(failure, 1)

    run(scenario())


def test_retries_are_a_fifth_of_the_requests_at_most() -> None:
    async def scenario() -> None:
        rig = Rig()
        n_retries = 0
        for _ in range(100):
            async with entered(rig.live(), asking()) as passage:
                n_retries += passage.may_retry(UpstreamServerError("503"), 0) is not None

        assert 20 == n_retries

    run(scenario())


def test_an_attempt_that_is_begun_before_the_last_has_ended_gives_its_pass_back() -> None:
    async def scenario() -> None:
        policy = CircuitBreakerPolicy(failure_threshold=1, open_duration_s=30.0, half_open_max_probes=2)
        rig = Rig((remote(circuit_breaker=policy),))
        async with entered(rig.live(), asking()) as passage:
            passage.take_breaker()
            passage.attempt_failed(UpstreamServerError("503"))
            rig.clock.advance(30.0)
            passage.take_breaker()
            passage.take_breaker()

            assert 1 == left_over(rig)["passes"]
        assert NOTHING == left_over(rig)

    run(scenario())
