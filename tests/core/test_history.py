"""Generations as values."""

from __future__ import annotations

from dataclasses import replace

from ggtui.core.history import ENDED_WITH_GGTUI, SHOWN, Generation, left_behind, with_newest

SERVING = Generation(1, "alpha", "/models/alpha.gguf", 4096, 1000.0, "asked for by a request")
ENDED = replace(SERVING, ended=1060.0, how_ended="made room for beta")


def test_it_lasts_until_its_end_or_now_and_for_an_unknown_time_where_nobody_saw_the_end() -> None:
    assert 250.0 == SERVING.lasted_s(1250.0)
    assert 60.0 == ENDED.lasted_s(1250.0)
    assert left_behind(SERVING).lasted_s(1250.0) is None
    assert 0.0 == SERVING.lasted_s(900.0)  # the clock was set back


def test_only_one_that_serves_can_be_left_behind() -> None:
    assert replace(SERVING, how_ended=ENDED_WITH_GGTUI) == left_behind(SERVING)
    assert ENDED == left_behind(ENDED)


def test_the_newest_come_first_and_an_older_self_is_replaced() -> None:
    second = replace(SERVING, number=2)

    assert (second, SERVING) == with_newest((SERVING,), second)
    assert (second, ENDED) == with_newest((second, SERVING), ENDED)


def test_no_more_than_the_newest_are_shown() -> None:
    recent: tuple[Generation, ...] = ()
    for number in range(1, SHOWN + 3):
        recent = with_newest(recent, replace(SERVING, number=number))

    assert list(range(SHOWN + 2, 2, -1)) == [each.number for each in recent]
    assert recent == with_newest(recent, ENDED)
