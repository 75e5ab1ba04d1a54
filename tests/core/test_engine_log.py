"""What the log tells about speed."""

from __future__ import annotations

import pytest

from ggtui.core.engine_log import Timing, timing_of

PREFIX = "0.00.200.580 I slot print_timing: id  3 | task 0 | "


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            PREFIX + "prompt eval time =       7.14 ms /    22 tokens "
            "(    0.32 ms per token,  3080.37 tokens per second)",
            Timing(True, 22, 3080.37),
        ),
        (
            PREFIX + "       eval time =      68.67 ms /    16 tokens "
            "(    4.58 ms per token,   218.42 tokens per second)",
            Timing(False, 16, 218.42),
        ),
        (PREFIX + "      total time =      75.82 ms /    38 tokens", None),
        ("slot release: stop processing", None),
        ("tokens per second", None),
        (PREFIX + "eval time = 1 ms / 2 tokens (1 ms per token, 1.2.3 tokens per second)", None),
    ],
)
def test_timings(line: str, expected: Timing | None) -> None:
    assert expected == timing_of(line)
