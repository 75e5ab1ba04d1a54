"""Why servers come and go, in words."""

from __future__ import annotations

import pytest

from ggtui.core.causes import End, PastServer, Wish, how_ended, why_begun


@pytest.mark.parametrize(
    ("wish", "before", "why"),
    [
        (Wish.REQUEST, None, "asked for by a request"),
        (Wish.PERSON, None, "loaded by a person"),
        (Wish.REQUEST, PastServer(4096, End.CRASH), "restarted after a crash"),
        (Wish.REQUEST, PastServer(4096, End.HANG), "restarted after it hung"),
        (Wish.REQUEST, PastServer(4096, End.SETTINGS), "restarted after its settings changed"),
        (Wish.REQUEST, PastServer(2048, End.LARGER_CONTEXT), "restarted with a larger context for a request"),
        # Whoever wanted the larger one left, and the next one came at the old size.
        (Wish.REQUEST, PastServer(4096, End.LARGER_CONTEXT), "asked for by a request"),
        (Wish.REQUEST, PastServer(2048, End.ROOM), "asked for by a request"),
        (Wish.PERSON, PastServer(4096, End.CRASH), "loaded by a person"),
        (
            Wish.EARLIER_CONTEXT,
            PastServer(2048, End.LARGER_CONTEXT),
            "started again with its earlier context, as the other one failed",
        ),
    ],
)
def test_who_wants_it_counts_unless_the_end_before_says_more(
    wish: Wish, before: PastServer | None, why: str
) -> None:
    assert why == why_begun(wish, 4096, before)


@pytest.mark.parametrize(
    ("idle_s", "words"),
    [
        (0.0, "idle for 0s"),
        (45.0, "idle for 45s"),
        (90.0, "idle for 1m30s"),
        (600.0, "idle for 10m"),
        (7200.0, "idle for 2h"),
        (5400.0, "idle for 1h30m"),
    ],
)
def test_an_idle_time_is_told_without_zeros(idle_s: float, words: str) -> None:
    assert words == how_ended(End.IDLE, idle_s=idle_s)


def test_an_end_names_who_needed_the_room_and_what_caused_a_crash() -> None:
    assert "made room for beta" == how_ended(End.ROOM, room_for="beta")
    assert "made room" == how_ended(End.ROOM)
    assert "crashed: killed by SIGKILL" == how_ended(End.CRASH, cause="killed by SIGKILL")
    assert "crashed" == how_ended(End.CRASH)
    assert "stopped by a person" == how_ended(End.PERSON, room_for="beta", cause="none")
