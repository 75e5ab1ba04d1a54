"""What is said after a pin and after a reload."""

from __future__ import annotations

import pytest

from ggtui.core.reload import ReloadReport
from ggtui.tui.answers import pin_words, reload_words


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (ReloadReport(), "configuration read again; nothing has changed"),
        (ReloadReport(("[launch]",)), "configuration read again; in force now: [launch]"),
        (
            ReloadReport(("max_queue", "keep_alive_s"), ("port",)),
            "configuration read again; in force now: max_queue, keep_alive_s; after a restart of ggtui: port",
        ),
    ],
)
def test_a_reload_in_words(report: ReloadReport, expected: str) -> None:
    assert expected == reload_words(report)


@pytest.mark.parametrize(
    ("strategy", "is_pinned", "expected"),
    [
        ("memory", True, "makes way for no other model"),
        ("single", True, "while it is loaded, no other model can be"),
        ("single", False, "not pinned any more"),
    ],
)
def test_a_pin_in_words(strategy: str, is_pinned: bool, expected: str) -> None:
    assert expected in pin_words("alpha", strategy, is_pinned=is_pinned)
