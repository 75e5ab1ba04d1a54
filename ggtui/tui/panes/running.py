"""What runs: one server in full, the others by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.reactive import var

from ggtui.tui.format import lines
from ggtui.tui.keys import Where, bindings
from ggtui.tui.messages import WeightWanted
from ggtui.tui.panes.running_rows import RunningView, running_lines
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ggtui.tui.glyphs import Glyphs


class RunningPane(Vertical, can_focus=True):
    """A paneful about the one target: the lines that have no room are left out, the last first.

    While it has the focus, one of the adapters that the target carries is marked: keys change its weight.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.RUNNING)

    view: var[RunningView] = var(RunningView())
    """The state to show."""
    now: var[float] = var(0.0)
    """Unix time, for ages; set once a second."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="running", classes="pane")
        self._glyphs = glyphs
        self._chosen = ""
        """Name of the marked adapter; another server may not carry it."""
        self.border_title = "2 Running"

    def compose(self) -> ComposeResult:
        """One block of text."""
        yield TextBlock(id="running-text")

    def on_resize(self) -> None:
        """Text follows the width."""
        self._draw()

    def watch_view(self, old: RunningView, new: RunningView) -> None:
        """Follow the target."""
        self._draw()
        if bool(old.adapters) is not bool(new.adapters):
            self.refresh_bindings()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Mark what the keys change, or nothing any more."""
        super().watch_has_focus(has_focus)
        self._draw()

    def watch_now(self) -> None:
        """Let ages grow."""
        self._draw()

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return self.query_one(TextBlock).shown.plain

    @property
    def chosen(self) -> str:
        """Name of the adapter whose weight the keys change; empty without one."""
        names = [each.name for each in self.view.adapters]
        return self._chosen if self._chosen in names else next(iter(names), "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys for adapters are there while the target carries some."""
        return bool(self.view.adapters) if action in ("adapter", "weight") else True

    def action_adapter(self, step: int) -> None:
        """Mark the next (1) or the one before (-1); after the last comes the first."""
        names = [each.name for each in self.view.adapters]
        self._chosen = names[(names.index(self.chosen) + step) % len(names)]
        self._draw()

    def action_weight(self, step: int) -> None:
        """Intent goes up."""
        if self.view.target is not None:
            self.post_message(WeightWanted(self.view.target.public_id, self.chosen, step))

    def _draw(self) -> None:
        if self.is_mounted and self.size.width:
            chosen = self.chosen if self.has_focus else ""
            rows = running_lines(self.view, self.now, self.size.width, self._glyphs, chosen)
            self.query_one(TextBlock).show(lines(rows[: self.size.height]))
