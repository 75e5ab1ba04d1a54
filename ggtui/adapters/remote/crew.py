"""Several questions to other machines at once, and an end to the waiting that none of them can put off."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

from ggtui.core.errors import Failure, RemoteUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ggtui.adapters.remote.budget import Budget

T = TypeVar("T")
AT_ONCE = 4


def ask_all(questions: Sequence[Callable[[], T]], budget: Budget) -> list[T | Failure]:
    """The answer or the failure of each question, in their order; those not done in time have failed.

    Daemon threads: the look-up of a name knows no time limit and cannot be ended, and nobody should have
    to wait for it. Such a thread ends with its look-up.
    """
    waiting = queue.SimpleQueue[int]()
    told = queue.SimpleQueue[tuple[int, T | BaseException]]()
    for number in range(len(questions)):
        waiting.put(number)

    def work() -> None:
        while True:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                told.put((number, questions[number]()))
            except BaseException as error:  # raised again where it is awaited
                told.put((number, error))

    for _ in range(min(AT_ONCE, len(questions))):
        threading.Thread(target=work, name="remote-read", daemon=True).start()
    return _gathered(told, len(questions), budget)


def ask_one(question: Callable[[], T], budget: Budget) -> T:
    """The answer. Raises: its failure, or RemoteUnreachable when it is not done in time."""
    (answer,) = ask_all([question], budget)
    if isinstance(answer, Failure):
        raise answer
    return answer


def _gathered(
    told: queue.SimpleQueue[tuple[int, T | BaseException]], count: int, budget: Budget
) -> list[T | Failure]:
    late = RemoteUnreachable(f"not read within {budget.time_s:g} s", hint="try again later")
    answers: list[T | Failure] = [late] * count
    for _ in range(count):
        try:
            number, answer = told.get(timeout=budget.left_s)
        except queue.Empty:
            break
        if isinstance(answer, BaseException) and not isinstance(answer, Failure):
            raise answer
        answers[number] = answer
    return answers
