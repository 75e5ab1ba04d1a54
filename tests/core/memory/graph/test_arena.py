"""The engine's allocator: gaps are filled by the best fit, and what is freed becomes one gap."""

from __future__ import annotations

from ggtui.core.memory.graph.arena import NOTHING, Arena, Block


def test_tensors_follow_one_another_and_the_peak_stays() -> None:
    arena = Arena()

    first, second = arena.take(10), arena.take(5)
    arena.give(first, second)

    assert (Block(0, 10), Block(10, 5)) == (first, second)
    assert 15 == arena.peak
    assert Block(0, 15) == arena.take(15)


def test_the_smallest_gap_that_is_wide_enough_is_taken_and_the_later_one_of_two() -> None:
    arena = Arena()
    wide, _, narrow, _, alike, _ = (arena.take(size) for size in (10, 1, 6, 1, 6, 1))

    arena.give(wide, narrow, alike)

    assert alike == arena.take(6)
    assert Block(narrow.at, 5) == arena.take(5)
    assert Block(0, 7) == arena.take(7)


def test_a_gap_that_is_too_narrow_stays_empty() -> None:
    arena = Arena()
    first, _ = arena.take(4), arena.take(1)

    arena.give(first)
    arena.take(5)

    assert 10 == arena.peak


def test_nothing_takes_no_place() -> None:
    arena = Arena()

    assert NOTHING == arena.take(0)
    arena.give(NOTHING)

    assert 0 == arena.peak
