"""What an answer has used, in every shape that servers tell it."""

from __future__ import annotations

from typing import Any

import pytest

from ggtui.proxy.usage import (
    MAX_LOOKS,
    MAX_TAIL_BYTES,
    MAX_TOKENS,
    Meter,
    Usage,
    usage_in,
    without_usage_event,
)


class Noted:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.n_answered = 0
        self.usage: Usage | None = None

    def answered(self, n_tokens: int = 0) -> None:
        self.n_answered += n_tokens

    def used(self, n_input: int, n_output: int, n_cached: int = 0) -> None:
        self.usage = Usage(n_input, n_output, n_cached)


CHAT = (
    b'{"usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}}}'
)
RESPONSES = b'{"usage":{"input_tokens":9,"output_tokens":4,"input_tokens_details":{"cached_tokens":5}}}'
ANTHROPIC = (
    b'{"usage":{"input_tokens":1,"output_tokens":4,'
    b'"cache_read_input_tokens":5,"cache_creation_input_tokens":3}}'
)
TIMINGS = b'{"choices":[],"timings":{"cache_n":5,"prompt_n":4,"prompt_ms":1.5,"predicted_n":4}}'


@pytest.mark.parametrize("answer", [CHAT, RESPONSES, ANTHROPIC, TIMINGS])
def test_every_shape_tells_the_same(answer: bytes) -> None:
    assert Usage(9, 4, 5) == usage_in(answer, answer)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"usage":{"prompt_tokens":7,"total_tokens":7}}', Usage(7)),
        (b'{"usage":null}', None),
        (b'{"usage":{"prompt_tokens":7', None),
        (b'{"usage":{"prompt_tokens":"7"}}', None),
        (b'{"usage":{}}', None),
        (b'{"content":"{\\"usage\\":{\\"prompt_tokens\\":999}}"}', None),
        (b'{"usage":{"prompt_tokens":1,"prompt_tokens_details":null}}', Usage(1)),
        (b'{"usage":{"prompt_tokens":1,"completion_tokens":null}}', Usage(1)),
        (b'{"usage":{"prompt_tokens":5,"completion_tokens":7,"cost":{"a":{"b":1}}}}', Usage(5, 7)),
        (b'{"usage":{"prompt_tokens":9},"more":{"usage":{"prompt_tokens":1}}}', Usage(9)),
        (b'{"usage":{"prompt_tokens":1}} {"usage":{"prompt_tokens":2}}', Usage(2)),
        (b'{"usage":{"prompt_tokens":1}} {"usage":null}', Usage(1)),
        (b"", None),
    ],
)
def test_only_a_usage_that_can_be_read_counts_and_the_last_one_does(
    answer: bytes, expected: Usage | None
) -> None:
    assert expected == usage_in(b"", answer)


def test_anthropic_tells_the_input_at_the_start_and_the_output_at_the_end_of_a_stream() -> None:
    start = (
        b'data: {"message":{"usage":{"input_tokens":5,"output_tokens":1,"cache_read_input_tokens":2}}}\n\n'
    )
    end = b'data: {"type":"message_delta","usage":{"output_tokens":30}}\n\n'
    noted = Noted()
    meter = Meter(noted)
    for data in (start, b"data: {}\n\n" * 60_000, end):
        meter.events(data)
    meter.end()

    assert Usage(7, 30, 2) == noted.usage


def test_no_more_than_the_tail_is_kept_and_it_is_enough() -> None:
    noted = Noted()
    meter = Meter(noted)
    for _ in range(400):
        meter.plain(b"x" * 8192)
        assert meter._n_tail <= 4 * MAX_TAIL_BYTES + 8192
    meter.plain(CHAT[:30])
    meter.plain(CHAT[30:])
    meter.end()

    assert Usage(9, 4, 5) == noted.usage


class Looked(bytes):
    """Counts how often somebody looks for the next place in it."""

    n_looks = 0

    def rfind(self, *args: Any) -> int:
        self.n_looks += 1
        return super().rfind(*args)


@pytest.mark.parametrize(
    "part",
    [b'"usage":{}', b'"usage":{', b'"usage"', b'"usage":{x}', b'"usage":{"prompt_tokens":"7"},"timings":{}'],
)
def test_a_tail_full_of_usages_costs_no_more_than_a_few_looks(part: bytes) -> None:
    tail = Looked(part * (MAX_TAIL_BYTES // len(part)))

    assert usage_in(b"", tail) is None
    assert tail.n_looks <= 2 * (MAX_LOOKS + 1)


def test_what_stands_before_too_many_others_is_not_found() -> None:
    usage = b'{"usage":{"prompt_tokens":7}}'

    assert Usage(7) == usage_in(b"", usage + b'{"usage":null}' * (MAX_LOOKS - 1))
    assert usage_in(b"", usage + b'{"usage":null}' * MAX_LOOKS) is None


def test_events_count_about_a_token_each_and_pings_none() -> None:
    noted = Noted()
    meter = Meter(noted)
    meter.events(b'data: {"a":1}\n\ndata: {"a":1}\n\n: ping\n\ndata: [DONE]\n\n')

    assert 2 == noted.n_answered


SAID = b'data: {"choices":[{"delta":{"content":"\\"choices\\":[]"}}],"usage":null}\n\n'
COUNTED = b'data: {"choices": [], "usage": {"prompt_tokens": 1}}\n\n'
FILTERED = b'data: {"choices":[],"prompt_filter_results":[]}\n\n'


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (SAID + COUNTED + b"data: [DONE]\n\n", SAID + b"data: [DONE]\n\n"),
        (COUNTED.replace(b"\n", b"\r\n") + SAID, SAID),
        (FILTERED + SAID, FILTERED + SAID),
        (b'data: {"choices":[{}],"usage":{"prompt_tokens":1}}\n\n', None),
        (b'data: {"choices":[],"usage":{broken}\n\n', None),
    ],
)
def test_only_the_event_that_was_added_is_hidden(events: bytes, expected: bytes | None) -> None:
    assert (events if expected is None else expected) == without_usage_event(events)


def test_no_number_is_beyond_what_an_answer_can_use() -> None:
    wild = b'{"usage": {"prompt_tokens": -7, "completion_tokens": 90000000000000000000000}}'

    assert Usage(0, MAX_TOKENS) == usage_in(b"", wild)


def test_an_answer_of_no_byte_has_used_nothing() -> None:
    class Refusing:
        def answered(self, n_tokens: int = 0) -> None:
            raise AssertionError("nothing was answered")

        def used(self, n_input: int, n_output: int, n_cached: int = 0) -> None:
            raise AssertionError("nothing was used")

    Meter(Refusing()).whole(b"")
