"""How a download goes: one line that is drawn again on a terminal, elsewhere a line now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.core.downloads.jobs import JobState
from ggtui.core.text import plain
from ggtui.core.units import duration, gib, rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.cli.output import Output

STEPS = 10
"""Lines that a download takes where nothing can be drawn again, beside those that tell something else."""


class DownloadProgress:
    """Shows what is told of one download."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._shown: tuple[object, ...] = ()
        self.last: Mapping[str, Any] = {}
        """What was told last; empty before anything was."""

    def show(self, told: Mapping[str, Any]) -> None:
        """told: a status_document of ggtui/core/downloads_json.py."""
        self.last = told
        if self._out.shows_status:
            self._out.status(progress_line(told))
            return
        seen = (told["status"], told["why"], _step(told))
        if seen != self._shown:
            self._shown = seen
            self._out.say(progress_line(told))


def progress_line(told: Mapping[str, Any]) -> str:
    """`o/r:Q4_K_M  1.2G of 4.8G  25%  12 MB/s  5m12s left  fetching`, as far as it is known."""
    parts = [plain(told["model"]), *amount_words(told)]
    if told["rate"] is not None:
        parts.append(rate(told["rate"]))
    if told["left_s"] is not None:
        parts.append(f"{duration(told['left_s'])} left")
    parts.append(plain(told["status"], 60))
    if told["why"]:
        parts.append(plain(told["why"]))
    if told["why"] and told["hint"] and told["state"] == JobState.PENDING:
        parts.append(plain(told["hint"]))
    return "  ".join(part for part in parts if part)


def amount_words(told: Mapping[str, Any]) -> tuple[str, ...]:
    """How much has come of how much; nothing before anything is known."""
    if not told["total"]:
        return (gib(told["completed"]),) if told["completed"] else ()
    share = told["completed"] / told["total"]
    # All of it is only there when not a byte is missing.
    percent = 100 if share >= 1 else min(99, int(share * 100))
    return (f"{gib(told['completed'])} of {gib(told['total'])}", f"{percent}%")


def _step(told: Mapping[str, Any]) -> int:
    return int(STEPS * told["completed"] / told["total"]) if told["total"] else 0
