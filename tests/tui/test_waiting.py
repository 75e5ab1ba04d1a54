"""The words about those who wait: whom, for what, how long so far and how long still."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.snapshot import QueueEntry, TargetStatus, WaitPhase
from ggtui.core.state import TargetState
from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.waiting import (
    MOST_REQUESTS,
    WaitingView,
    expected_words,
    group_lines,
    reason_words,
    request_lines,
    waiting_groups,
    waiting_line,
)
from tests.tui.fake_engine import target, waiter

NOW = 1000.0
CODER = "qwen3-coder-30b-a3b"
BUSY = target(in_flight=2)
LOADING = target(10, TargetState.LOADING, progress=0.43)


def entry(phase: WaitPhase, *behind: str, name: str = "smollm3-3b") -> QueueEntry:
    return waiter(name, 1, NOW - 4, phase=phase, behind=behind)


@pytest.mark.parametrize(
    ("waits", "targets", "expected"),
    [
        (entry(WaitPhase.LOADING), (LOADING,), "loading 43%"),
        (entry(WaitPhase.LOADING), (replace(LOADING, progress=None),), "loading"),
        (entry(WaitPhase.SLOT, name=CODER), (BUSY,), "all 4 slots busy"),
        (entry(WaitPhase.SLOT), (), "its slot is busy"),
        (entry(WaitPhase.RESTART), (), "its server starts again"),
        (entry(WaitPhase.BEHIND_LOADING, "smollm3-3b"), (LOADING,), "after smollm3-3b, loading 43%"),
        (entry(WaitPhase.BEHIND_BUSY, CODER), (BUSY,), f"after {CODER}, busy with 2"),
        (entry(WaitPhase.BEHIND_DRAINING, CODER), (BUSY,), f"after {CODER}, draining 2"),
        (entry(WaitPhase.BEHIND_DRAINING, "gone"), (), "after gone, draining"),
        (entry(WaitPhase.BEHIND_STOPPING, "one", "two"), (), "after one, stopping +1"),
        (entry(WaitPhase.BEHIND_QUEUE, "one"), (), "after one"),
        (entry(WaitPhase.BEHIND_QUEUE), (), "next in line"),
    ],
)  # fmt: skip
def test_what_it_waits_for(waits: QueueEntry, targets: tuple[TargetStatus, ...], expected: str) -> None:
    assert expected == reason_words(waits, targets, 60, UNICODE)


def test_a_long_name_is_cut_and_what_its_server_does_stays() -> None:
    waits = entry(WaitPhase.BEHIND_DRAINING, CODER)

    assert "after qwen3-co…, draining 2" == reason_words(waits, (BUSY,), 27, UNICODE)


def test_the_time_left_shrinks_only_while_the_own_model_loads() -> None:
    loading = replace(entry(WaitPhase.LOADING), waiting_s=4.0, expected_s=10.0)
    behind = replace(loading, phase=WaitPhase.BEHIND_BUSY)

    assert ["≈10s", "≈7s", "overdue"] == [
        expected_words(loading, NOW + later, UNICODE) for later in (0, 3, 10)
    ]
    assert ["≥10s", "≥10s"] == [expected_words(behind, NOW + later, UNICODE) for later in (0, 30)]
    assert ">=10s" == expected_words(behind, NOW, ASCII)
    assert "" == expected_words(replace(loading, expected_s=None), NOW, UNICODE)


def test_requests_for_one_model_are_one_group_in_the_order_of_service() -> None:
    queue = (
        waiter("phi-4-mini", 1),
        waiter("bge-m3", 2),
        waiter("phi-4-mini", 3),
    )

    assert [("phi-4-mini", 2), ("bge-m3", 1)] == [
        (group.first.public_id, group.count) for group in waiting_groups(queue)
    ]


@pytest.mark.parametrize("width", [38, 58, 76, 120])
def test_one_line_holds_its_width_and_names_the_key(width: int) -> None:
    queue = tuple(
        replace(entry(WaitPhase.BEHIND_DRAINING, CODER), position=place, expected_s=14.0)
        for place in range(1, 13)
    )
    text = waiting_line(WaitingView(queue, (BUSY,)), NOW, width, UNICODE).plain

    assert len(text) <= width
    assert text.startswith("◌ 12 wait  smollm3")
    assert "4s, ≥14s" in text
    if width >= 76:
        assert ", draining 2  " in text
        assert text.endswith("  W all")


def many(count: int) -> tuple[QueueEntry, ...]:
    """Requests for as many models."""
    return tuple(
        QueueEntry(f"m-{place}", 4096, 1.0, position=place, model_id=place, since=NOW - 1)
        for place in range(1, count + 1)
    )


@pytest.mark.parametrize(
    ("n_models", "n_rows", "expected"),
    [(1, 4, 2), (2, 4, 4), (3, 4, 3), (9, 4, 3), (4, 8, 8), (5, 8, 7)],
)
def test_the_list_by_model_keeps_to_its_rows(n_models: int, n_rows: int, expected: int) -> None:
    rows = [row.plain for row in group_lines(WaitingView(many(n_models)), NOW, 42, n_rows, UNICODE)]
    n_told = sum(row.strip().startswith("next") for row in rows)

    assert expected == len(rows)
    assert (rows[-1] == f"and for {n_models - n_told} more") == (n_told < n_models)
    assert all(len(row) <= 42 for row in rows)


def test_the_full_list_has_every_request_with_its_context() -> None:
    waits = replace(entry(WaitPhase.BEHIND_BUSY, CODER), n_ctx=8192, expected_s=14.0)
    head, row = (line.plain for line in request_lines(WaitingView((waits,), (BUSY,)), NOW, 130, UNICODE))

    assert ["#", "Model", "Ctx", "Waits", "Expects", "For"] == head.split()
    assert [
        "1",
        "smollm3-3b",
        "8k",
        "4s",
        "≥14s",
        "after",
        "qwen3-coder-30b-a3b,",
        "busy",
        "with",
        "2",
    ] == row.split()


@pytest.mark.parametrize(("width", "n_lines"), [(38, 2 * MOST_REQUESTS + 1), (75, MOST_REQUESTS + 2)])
def test_a_crowd_is_cut_and_counted(width: int, n_lines: int) -> None:
    rows = request_lines(WaitingView(many(MOST_REQUESTS + 30)), NOW, width, UNICODE)

    assert n_lines == len(rows)
    assert "and 30 more" == rows[-1].plain
    assert all(len(row.plain) <= width for row in rows)


def test_a_short_wait_for_a_slot_is_not_worth_a_line() -> None:
    short = replace(entry(WaitPhase.SLOT), since=NOW - 0.4)

    assert not WaitingView((short,)).is_worth_showing(NOW)
    assert WaitingView((short,)).is_worth_showing(NOW + 1)
    assert WaitingView((replace(short, phase=WaitPhase.LOADING),)).is_worth_showing(NOW)
    assert not WaitingView().is_worth_showing(NOW)
