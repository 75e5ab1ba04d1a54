"""What is said at the edge of the screen: one notice at a time, and a list of the earlier ones."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from ggtui.tui.format import cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.notifications import SeverityLevel

    from ggtui.core.snapshot import FailureNote
    from ggtui.tui.glyphs import Glyphs

MORE = "  (i: what happened, r: try again)"
LONGEST_DETAIL = 130
"""Cells of a failure told at the edge of the screen; its own screen has the rest."""


class Notices:
    """Says things for the app, and keeps what was said."""

    def __init__(self, app: App[Any], glyphs: Glyphs, clock: Callable[[], float]) -> None:
        """clock: Unix time."""
        self.kept: deque[tuple[float, str]] = deque(maxlen=100)
        """Unix time and words of what was said, oldest first."""
        self._app = app
        self._glyphs = glyphs
        self._clock = clock
        self._told: tuple[str, str] = ("", "")

    def tell(self, text: str, severity: SeverityLevel = "information", title: str = "") -> None:
        """Say something, and keep it."""
        if text:
            self.kept.append((self._clock(), f"{title}: {text}" if title else text))
            # One at a time: a pile of them would cover the forecast.
            self._app.clear_notifications()
            self._app.notify(self._glyphs.twin(text), title=title, severity=severity, markup=False)

    def tell_failure(self, note: FailureNote, public_id: str = "") -> None:
        """Once, even when both the call and the snapshot bring it.

        public_id: the model that failed; empty for none.
        """
        if self._told == (note.title, note.detail):
            return
        self._told = (note.title, note.detail)
        hint = f". {note.hint}" if note.hint else ""
        more = MORE if public_id and note.reason else hint
        subject = f"{public_id}: " if public_id else ""
        detail = cut((note.detail.splitlines() or [""])[0], LONGEST_DETAIL, self._glyphs)
        self.tell(f"{subject}{detail}{more}", "error", note.title)

    def forget_failure(self) -> None:
        """The same failure is told again when it comes again."""
        self._told = ("", "")
