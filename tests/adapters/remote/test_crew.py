"""Several questions at once."""

from __future__ import annotations

import threading

import pytest

from ggtui.adapters.remote.budget import Budget
from ggtui.adapters.remote.crew import AT_ONCE, ask_all, ask_one
from ggtui.core.errors import Failure, RemoteRefused, RemoteUnreachable

GUARD_S = 30.0


def test_answers_keep_their_order_and_a_failure_its_place() -> None:
    def refuse() -> int:
        raise RemoteRefused("no")

    answers = ask_all([lambda: 1, refuse, lambda: 3], Budget(GUARD_S, 0))

    assert [1, "no", 3] == [each.message if isinstance(each, Failure) else each for each in answers]
    assert [] == ask_all([], Budget(GUARD_S, 0))


def test_only_a_few_are_asked_at_once() -> None:
    together = threading.Barrier(AT_ONCE)
    lock, n_now, most = threading.Lock(), [0], [0]

    def question() -> None:
        with lock:
            n_now[0] += 1
            most[0] = max(most[0], n_now[0])
        together.wait(GUARD_S)
        with lock:
            n_now[0] -= 1

    ask_all([question] * (3 * AT_ONCE), Budget(GUARD_S, 0))

    assert AT_ONCE == most[0]


def test_a_question_without_end_is_left_alone() -> None:
    ended = threading.Event()
    try:
        slow, fast = ask_all([ended.wait, lambda: True], Budget(0.2, 0))
    finally:
        ended.set()

    assert isinstance(slow, RemoteUnreachable)
    assert "not read within 0.2 s" == slow.message
    assert fast is True


def test_one_question_raises_its_failure() -> None:
    def refuse() -> int:
        raise RemoteRefused("no")

    assert 7 == ask_one(lambda: 7, Budget(GUARD_S, 0))
    with pytest.raises(RemoteRefused):
        ask_one(refuse, Budget(GUARD_S, 0))


def test_a_defect_is_not_hidden() -> None:
    def defect() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask_all([defect], Budget(GUARD_S, 0))
