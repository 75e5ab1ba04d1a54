"""The footer: keys by importance, cut from the right, dimmed when they can do nothing now.

Textual's own Footer mounts a widget for each key whenever one changes, cannot tell why a key is off, and
rings the bell when a dimmed one is clicked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from ggtui.tui.keys import ORDER

if TYPE_CHECKING:
    from textual import events
    from textual.screen import Screen
    from textual.style import Style

    from ggtui.tui.glyphs import Glyphs

PALETTE = ("^p", "palette")


@runtime_checkable
class Explains(Protocol):
    """An app that knows why an action can do nothing now."""

    def why_not(self, binding_id: str) -> str:
        """A sentence, or empty when the key works."""


class KeyBar(Widget):
    """One line; a click on a key presses it."""

    entries: reactive[tuple[tuple[str, str, str, bool], ...]] = reactive(())
    """Textual key, key as shown, label, whether it does something: in the table's order."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="key-bar")
        self._glyphs = glyphs
        self._spans: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._collect)
        self.call_after_refresh(self._collect, self.screen)

    def _collect(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.look_again()

    def look_again(self) -> None:
        """Read the keys and what they can do now."""
        explain = self.app if isinstance(self.app, Explains) else None
        active = [entry for entry in self.screen.active_bindings.values() if entry.binding.show]
        if isinstance(self.screen.focused, Input):
            # Every other key is a letter while somebody types.
            active = [entry for entry in active if entry.node is self.screen.focused]
        general = {entry.binding.id for entry in active if entry.node is self.app}
        is_split = getattr(self.screen, "OWN_KEYS_FIRST", False)
        unique = {entry.binding.id or entry.binding.key: entry.binding for entry in reversed(active)}
        ordered = sorted(
            unique.values(),
            key=lambda binding: (is_split and binding.id in general, ORDER.get(binding.id or "", 999)),
        )
        self.entries = tuple(
            (
                binding.key,
                self._glyphs.twin(binding.key_display or binding.key),
                binding.description,
                not (explain and explain.why_not(binding.id or "")),
            )
            for binding in ordered
            if binding.id in ORDER
        )

    def render(self) -> Content:
        """The keys that have room, and the palette's key at the right edge."""
        width = self.size.width
        tail = f"{self._glyphs.limit if self._glyphs.is_ascii else '▏'}{PALETTE[0]} {PALETTE[1]}"
        parts: list[str | tuple[str, str | Style]] = []
        self._spans = []
        x = 0
        for key, shown, label, is_on in self.entries:
            n_cells = cell_len(f"{shown} {label}") + 1
            if x + n_cells > width + 1:
                break
            key_style, label_style = (
                ("$primary bold", "$foreground") if is_on else ("$quiet", "$quiet italic")
            )
            parts += [(shown, key_style), (f" {label} ", label_style)]
            self._spans.append((x, x + n_cells - 1, key))
            x += n_cells
        gap = width - x - cell_len(tail)
        if gap >= 0:
            parts += [" " * gap, (tail, "$quiet")]
            self._spans.append((width - cell_len(tail), width, "ctrl+p"))
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """Press the key under the pointer."""
        for start, end, key in self._spans:
            if start <= event.x < end:
                self.app.simulate_key(key)
