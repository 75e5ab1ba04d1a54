"""What is done about a difference is told before it is done."""

from __future__ import annotations

import pytest

from ggtui.core.backends.backend import BackendType
from ggtui.core.backends.remedies import remedy
from ggtui.core.backends.rows import Row, RowState

TYPES = {"box": BackendType.OLLAMA, "gpu": BackendType.VLLM}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Row("local", "qwen", RowState.MISSING), "fetch it from the hub"),
        (Row("box", "llama3", RowState.MISSING), "have the backend fetch it"),
        (Row("gpu", "qwen", RowState.MISSING), "left to you"),
        (Row("gone", "qwen", RowState.MISSING), "left to you"),
        (Row("box", "llama3", RowState.IN_SYNC), ""),
        (Row("box", "llama3", RowState.EXTRA), "left alone"),
        (Row("box", "llama3", RowState.PAUSED, job=3), "ggtui downloads resume 3"),
        (Row("box", "llama3", RowState.ERROR, job=3), "ggtui downloads resume 3"),
        (Row("gpu", "", RowState.ERROR), "looked at again in every cycle"),
    ],
)
def test_what_a_cycle_would_do(row: Row, words: str) -> None:
    assert words == remedy(row, TYPES)


def test_every_state_has_words() -> None:
    assert all(isinstance(remedy(Row("box", "m", state), TYPES), str) for state in RowState)
