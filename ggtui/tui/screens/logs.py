"""The log of one server, full screen: search, wrap, follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on

from ggtui.tui.keys import Where, bindings
from ggtui.tui.panes.logs import LogPane
from ggtui.tui.screens.room import Room
from ggtui.tui.widgets.filter_bar import FilterBar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import BindingType
    from textual.widget import Widget

    from ggtui.tui.glyphs import Glyphs


class LogScreen(Room):
    """esc ends a search first, then closes."""

    PLACE: ClassVar[Where] = Where.LOGS
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.LISTS, only=("filter",), footer="Search"),
        *bindings(Where.LOGS),
        *bindings(Where.DIALOG, only=("close",)),
    ]

    def __init__(
        self,
        public_id: str,
        lines: tuple[str, ...],
        why_empty: str,
        glyphs: Glyphs,
        *,
        begins_search: bool = False,
    ) -> None:
        """begins_search: the line to type into is open from the start."""
        super().__init__(glyphs)
        self._begins_search = begins_search
        self.public_id = public_id
        """Whose log this is."""
        self._first = lines
        self._why_empty = why_empty

    def parts(self) -> Iterable[Widget]:
        """A search line over the log."""
        return (FilterBar("search", id="log-search"), LogPane(self.glyphs, id="log-page", heading="Logs"))

    def on_mount(self) -> None:
        """Show what there is."""
        self.pane.show(self.public_id, self._first, self._why_empty)
        self.set_focus(self.pane.view, scroll_visible=False)
        if self._begins_search:
            self.action_filter()

    @property
    def pane(self) -> LogPane:
        """The log."""
        return self.query_one(LogPane)

    def action_filter(self) -> None:
        """Type to search."""
        self.pane.view.begin_search()
        self.query_one(FilterBar).open()

    @on(FilterBar.Typed)
    def search(self, typed: FilterBar.Typed) -> None:
        """Mark the matches and go to the nearest."""
        self.pane.view.find(typed.words)

    @on(FilterBar.Left)
    def read_on(self) -> None:
        """Typing is over."""
        self.pane.view.settle_search()
        self.pane.view.focus()

    def action_follow(self) -> None:
        """Follow new lines, or stop it."""
        self.pane.view.is_following = not self.pane.view.is_following

    def action_wrap(self) -> None:
        """Wrap long lines, or not."""
        self.pane.view.is_wrapped = not self.pane.view.is_wrapped

    def action_next_match(self) -> None:
        """Next line that matches."""
        self._step(1)

    def action_previous_match(self) -> None:
        """Line before that matches."""
        self._step(-1)

    def _step(self, step: int) -> None:
        view = self.pane.view
        if not view.query_text:
            self.notify("nothing is searched for: / begins a search", markup=False)
        elif not view.go_to_match(step):
            self.notify(f'no line holds "{view.query_text}"', markup=False)

    def action_close(self) -> None:
        """End the search, else close."""
        if self.pane.view.query_text:
            self.query_one(FilterBar).reset()
            self.pane.view.query_text = ""
            return
        self.dismiss()
