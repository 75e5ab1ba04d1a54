"""What is in order, what is not, and what cures it."""

from __future__ import annotations

import os
import sys
from textwrap import wrap
from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import var

from ggtui.core.health import Check, Health, report_text
from ggtui.tui.format import lines
from ggtui.tui.screens.reader import ReaderScreen

if TYPE_CHECKING:
    from ggtui.tui.glyphs import Glyphs

STYLES = {Health.OK: "$success", Health.WARN: "$warning bold", Health.FAIL: "$error bold"}
WORST_FIRST = (Health.FAIL, Health.WARN, Health.OK)
NARROWEST = 24
"""Cells of a finding beside its name; where there are fewer, it goes below."""


class DoctorScreen(ReaderScreen):
    """`y` copies the report, esc closes. Until the checks are there it says that they are being made."""

    checks: var[tuple[Check, ...]] = var(())
    """What was found; empty while it is being looked for."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__("Doctor", glyphs)

    def watch_checks(self) -> None:
        """They have come."""
        if self.is_mounted:
            self.draw()

    @property
    def report(self) -> str:
        """All of it as plain text, to copy."""
        return report_text(self.checks, self.glyphs.arrow)

    def to_copy(self) -> tuple[str, str]:
        """The report."""
        return self.report, "the report"

    def text(self) -> Content:
        """A line by check, those that need something first; then what may be pressed."""
        if not self.checks:
            return Content("looking…" if not self.glyphs.is_ascii else "looking")
        ordered = sorted(self.checks, key=lambda check: WORST_FIRST.index(check.health))
        rows = [row for check in ordered for row in self._rows(check)]
        return lines([*rows, Content(""), Content.assemble(("y copies this   esc closes", "$quiet"))])

    def _rows(self, check: Check) -> list[Content]:
        column = 6 + max(len(each.name) for each in self.checks) + 2
        column = column if self.text_width - column >= NARROWEST else 6
        head = Content.assemble((f"{check.health:<4}", STYLES[check.health]), f"  {check.name:<{column - 6}}")
        cure = f"{self.glyphs.arrow} {check.cure}" if check.cure and check.health is not Health.OK else ""
        words = [(line, "") for line in self._wrapped(check.detail, column)]
        words += [(line, "$success") for line in self._wrapped(cure, column)] if cure else []
        if column == 6:
            return [head, *(Content.assemble(" " * column, part) for part in words)]
        first, *more = words or [("", "")]
        return [
            Content.assemble(head, first),
            *(Content.assemble(" " * column, part) for part in more),
        ]

    def _wrapped(self, text: str, column: int) -> list[str]:
        return wrap(self.glyphs.twin(text), self.text_width - column)


def terminal_check(glyphs: Glyphs) -> Check:
    """What this screen is drawn on."""
    name = os.environ.get("TERM") or "unknown"
    encoding = (getattr(sys.__stdout__, "encoding", None) or "ascii").lower()
    if not encoding.startswith("utf") and not glyphs.is_ascii:
        return Check("terminal", Health.WARN, f"{name}, {encoding}", "a UTF-8 locale, or ggtui --ascii")
    return Check("terminal", Health.OK, f"{name}, {encoding}")
