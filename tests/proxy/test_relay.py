"""Holding a stream to whole events, without changing or delaying one."""

from __future__ import annotations

import pytest

from ggtui.proxy.relay import MAX_HELD_BYTES, EventHold

STREAMS = [
    b"data: a\n\ndata: b\n\n",
    b"data: a\r\n\r\ndata: b\r\n\r\n",
    b"data: a\r\rdata: b\r\r",
    b"\xef\xbb\xbfdata: a\n: c\n\nevent: x\r\ndata: \x00\n\r\ndata: b",
    b"data: no end",
    b"\n\n\n\n",
    b"",
]


@pytest.mark.parametrize("stream", STREAMS, ids=str)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_bytes_out_equal_bytes_in(stream: bytes, size: int) -> None:
    hold = EventHold()
    pieces = [hold.take(stream[start : start + size]) for start in range(0, len(stream), size)]

    assert stream == b"".join(pieces) + hold.rest()


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n", b"\r\n\n"])
def test_a_whole_event_goes_out_at_once_and_a_part_waits(end: bytes) -> None:
    hold = EventHold()

    assert b"data: a" + end == hold.take(b"data: a" + end + b"data: b")
    assert b"data: bc" + end == hold.take(b"c" + end)
    assert b"" == hold.rest()


def test_one_line_end_is_no_event_end() -> None:
    hold = EventHold()

    assert b"" == hold.take(b"data: a\r\n")
    assert b"" == hold.take(b"data: b\r\n")


def test_a_huge_event_is_not_held_for_ever() -> None:
    hold = EventHold()
    out = hold.take(b"x" * (MAX_HELD_BYTES + 1))

    assert (MAX_HELD_BYTES + 1, False) == (len(out), hold.is_between_events)
    assert b"y\n\n" == hold.take(b"y\n\n")
    assert hold.is_between_events
