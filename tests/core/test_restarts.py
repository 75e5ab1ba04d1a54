"""A model that fails three times in a row is left alone, for longer each time."""

from __future__ import annotations

import math

from ggtui.core.restarts import (
    FIRST_PAUSE_S,
    FORGET_S,
    LONGEST_PAUSE_S,
    ReplicaLimiter,
    RestartLimiter,
)


def test_the_first_failures_are_free_and_the_third_pauses() -> None:
    limiter = RestartLimiter()
    pauses = []
    for moment in (0.0, 1.0, 2.0):
        limiter.failed(1, moment)
        pauses.append(limiter.pause_s(1, moment))

    assert [0.0, 0.0, FIRST_PAUSE_S] == pauses
    assert 0.0 == limiter.pause_s(2, 2.0)
    assert 0.0 == limiter.pause_s(1, 2.0 + FIRST_PAUSE_S)


def test_the_pause_doubles_up_to_a_bound() -> None:
    limiter = RestartLimiter()
    now = 0.0
    pauses = []
    for _ in range(9):
        limiter.failed(1, now)
        pauses.append(limiter.pause_s(1, now))
        now += pauses[-1]

    assert [0, 0, 30, 60, 120, 240, 300, 300, 300] == pauses
    assert LONGEST_PAUSE_S == max(pauses)


def test_failures_far_apart_do_not_add_up() -> None:
    limiter = RestartLimiter()
    for number in range(10):
        limiter.failed(1, number * FORGET_S)

    assert 0.0 == limiter.pause_s(1, 9 * FORGET_S)


def test_a_person_gives_a_fresh_start() -> None:
    limiter = RestartLimiter()
    for _ in range(5):
        limiter.failed(1, 0.0)
        limiter.failed(2, 0.0)
    limiter.forgive(1)

    assert (0.0, True) == (limiter.pause_s(1, 0.0), limiter.pause_s(2, 0.0) > 0)

    limiter.forgive()

    assert 0.0 == limiter.pause_s(2, 0.0)


def test_the_fourth_failure_of_a_replica_within_a_minute_keeps_it_down_for_good() -> None:
    limiter = ReplicaLimiter()
    rests = []
    for moment in (0.0, 20.0, 40.0, 59.0):
        limiter.failed(1, moment)
        rests.append(limiter.retry_at(1))

    assert [0.0, 0.0, 0.0, math.inf] == rests
    assert (math.inf, 0.0) == (limiter.pause_s(1, 1e9), limiter.pause_s(2, 59.0))

    limiter.failed(1, 1e9)

    assert math.inf == limiter.retry_at(1)

    limiter.forgive(2)

    assert math.inf == limiter.retry_at(1)

    limiter.forgive(1)
    limiter.failed(1, 1e9 + 1)

    assert 0.0 == limiter.retry_at(1)


def test_failures_of_a_replica_count_within_a_minute_only() -> None:
    limiter = ReplicaLimiter()
    for number in range(40):
        limiter.failed(1, number * FORGET_S / 3)

    assert 0.0 == limiter.retry_at(1)

    limiter.failed(1, 39 * FORGET_S / 3 + 1)

    assert math.inf == limiter.retry_at(1)

    limiter.forgive()

    assert 0.0 == limiter.pause_s(1, 0.0)
