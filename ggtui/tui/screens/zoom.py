"""Which pane of the main screen has the keys, and whether one has the room of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.screen import Screen
    from textual.widget import Widget

PANES = ("catalog", "running", "gpu", "logs")
"""Ids by number key."""


class Zoom:
    """Works by classes on the screen and its panes; the stylesheet does the rest."""

    def __init__(self, screen: Screen[None]) -> None:
        self._screen = screen

    @property
    def is_on(self) -> bool:
        """True while one pane has the room of all."""
        return self._screen.has_class("-zoom")

    def is_shown(self, name: str) -> bool:
        """True when this size shows the pane, or the zoom does."""
        screen = self._screen
        if screen.query_one(f"#{name}").has_class("-zoomed"):
            return True
        if name in ("running", "gpu"):
            return not (screen.has_class("-tiny") or screen.has_class("-short"))
        return name == "catalog" or (screen.has_class("-wide") and screen.has_class("-tall"))

    def focus(self, name: str) -> None:
        """Give a pane the keys; one that this size hides is zoomed."""
        if not self.is_shown(name):
            self.enter(name)
        elif self.is_on and not self._screen.query_one(f"#{name}").has_class("-zoomed"):
            self.leave()
        self._inner(name).focus()

    def _inner(self, name: str) -> Widget:
        inner = {"catalog": "#catalog-table", "logs": "#logs-view"}.get(name, f"#{name}")
        return self._screen.query_one(inner)

    def toggle(self) -> None:
        """Give the pane that has the keys the room of all, or give it back."""
        if self.is_on:
            self.leave()
            return
        focused = (
            name for name in PANES if self._screen.query_one(f"#{name}").has_pseudo_class("focus-within")
        )
        self.enter(next(focused, "catalog"))

    def enter(self, name: str) -> None:
        """Give this pane the room of all."""
        self.leave()
        self._screen.add_class("-zoom")
        pane: DOMNode | None = self._screen.query_one(f"#{name}")
        while pane is not None and pane is not self._screen:
            pane.add_class("-zoomed")
            pane = pane.parent

    def leave(self) -> None:
        """Every pane has its own room again."""
        self._screen.remove_class("-zoom")
        for widget in self._screen.query(".-zoomed"):
            widget.remove_class("-zoomed")
