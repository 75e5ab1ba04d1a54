"""The main screen: hands the desk's values to the panes and their intents to the app."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message

from ggtui.tui.catalog_rows import Listing, SortBy, catalog_row
from ggtui.tui.format import cut
from ggtui.tui.keys import Where, bindings
from ggtui.tui.outlook import held_now
from ggtui.tui.panes.catalog import CatalogPane
from ggtui.tui.panes.forecast import ForecastPane
from ggtui.tui.panes.gpu import GpuPane
from ggtui.tui.panes.logs import LogPane
from ggtui.tui.panes.running import RunningPane
from ggtui.tui.panes.status import StatusLine
from ggtui.tui.panes.waiting import WaitingLine, WaitingPane
from ggtui.tui.reasons import why_not
from ggtui.tui.screens.room import Room
from ggtui.tui.screens.zoom import PANES, Zoom
from ggtui.tui.views import catalog_view, gpu_view, running_view
from ggtui.tui.waiting import WaitingView
from ggtui.tui.widgets.catalog_table import CatalogTable
from ggtui.tui.widgets.context_slider import ContextSlider
from ggtui.tui.widgets.key_bar import KeyBar
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual import events
    from textual.binding import BindingType
    from textual.widget import Widget

    from ggtui.core.snapshot import LogBatch, ModelStatus
    from ggtui.tui.desk import Desk
    from ggtui.tui.glyphs import Glyphs

SLICE_S = 0.015
"""Forecasts are made for so long at a time."""
BETWEEN_SLICES_S = 0.02


class MainScreen(Room):
    """Shows the desk; decides nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.CONTEXT, Where.MAIN),
        *bindings(Where.LISTS, only=("filter",)),
    ]
    OWN_KEYS_FIRST: ClassVar[bool] = False
    AUTO_FOCUS: ClassVar[str | None] = "#catalog-table"

    class LoadWanted(Message):
        """Load this model."""

        def __init__(self, model_id: int) -> None:
            super().__init__()
            self.model_id = model_id

    class ContextWanted(Message):
        """Another context for this model: a step (-1, 1), `saved`, `largest`; or exactly so many tokens."""

        def __init__(self, model_id: int, step: int | str, exact: int | None = None) -> None:
            super().__init__()
            self.model_id = model_id
            self.step = step
            self.exact = exact

    class InfoWanted(Message):
        """More about this model; None when there is none under the cursor."""

        def __init__(self, model_id: int | None) -> None:
            super().__init__()
            self.model_id = model_id

    class OptionsWanted(Message):
        """The launch options of this model; None when there is none under the cursor."""

        def __init__(self, model_id: int | None) -> None:
            super().__init__()
            self.model_id = model_id

    class RemoveWanted(Message):
        """Take this model off the disk."""

        def __init__(self, model_id: int) -> None:
            super().__init__()
            self.model_id = model_id

    class FolderWanted(Message):
        """A folder with models is to be named."""

    class LogsWanted(Message):
        """The full log, open to be searched or to be read."""

        def __init__(self, *, begins_search: bool = False) -> None:
            super().__init__()
            self.begins_search = begins_search

    def __init__(
        self, desk: Desk, glyphs: Glyphs, config_path: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(glyphs)
        self._clock = clock
        self.desk = desk
        self.listing = Listing()
        self._is_looking_ahead = False
        """Filter and order of the catalog."""
        self.zoom = Zoom(self)
        self._config_path = config_path
        self._reasons: tuple[str, ...] = ()

    def parts(self) -> Iterable[Widget]:
        """Status, catalog over forecast, Running and GPU, logs."""
        glyphs = self.glyphs
        upper = Vertical(CatalogPane(glyphs), ForecastPane(glyphs), WaitingLine(glyphs), id="upper")
        side = Container(RunningPane(glyphs), WaitingPane(glyphs), GpuPane(glyphs), id="side")
        return (
            StatusLine(self.glyphs),
            TextBlock(id="banner"),
            Container(upper, side, id="body"),
            LogPane(self.glyphs),
        )

    def on_mount(self) -> None:
        """Draw what is known, which may be nothing."""
        self.draw()

    @property
    def is_whole(self) -> bool:
        """True when its parts are there: not before it is composed, and not while the app shuts down."""
        return self.is_mounted and any(isinstance(part, StatusLine) for part in self.children)

    @property
    def catalog(self) -> CatalogPane:
        """The list of models."""
        return self.query_one(CatalogPane)

    @property
    def forecast(self) -> ForecastPane:
        """The look ahead."""
        return self.query_one(ForecastPane)

    def draw(self) -> None:
        """Hand every pane its values; panes whose values are equal draw nothing."""
        self.query_one(StatusLine).take(self.desk.snapshot, self._clock())
        self._draw_banner()
        self._draw_catalog()
        self._draw_cursor()
        self._draw_running()
        self._draw_waiting()
        self._draw_keys()

    def _draw_banner(self) -> None:
        engine = self.desk.snapshot.engine
        problem = engine.problem if engine is not None else None
        banner = self.query_one("#banner", TextBlock)
        banner.set_class(problem is not None, "-shown")
        if problem is not None:
            cure = "  ? what to do"
            room = self.size.width - 2 - len(cure)
            words = cut(self.glyphs.twin(f"! {' '.join(problem.split())}"), room, self.glyphs)
            banner.show(Content(f"{words}{cure}"))

    def _draw_catalog(self) -> None:
        """The rows. An order by fit comes about a few forecasts at a time, keys and frames in between."""
        is_short = self.listing.by is SortBy.FIT and self.desk.look_ahead_for(SLICE_S)
        self.catalog.view = catalog_view(
            self.desk, self.listing, self.glyphs, self._config_path, self._clock()
        )
        if is_short and not self._is_looking_ahead:
            self._is_looking_ahead = True
            self.set_timer(BETWEEN_SLICES_S, self._look_further_ahead)

    def _look_further_ahead(self) -> None:
        self._is_looking_ahead = False
        self._draw_catalog()

    def _draw_cursor(self) -> None:
        """What follows the cursor and the slider: the forecast and the bar after the load."""
        desk, selected = self.desk, self.desk.selected
        outlook = None if selected is None else desk.outlook(selected)
        now = held_now(desk.snapshot)
        self.forecast.now = now
        self.forecast.outlook = outlook
        self.query_one(GpuPane).view = gpu_view(desk, outlook, now, shows_after=not self._has_framed_forecast)

    @property
    def _has_framed_forecast(self) -> bool:
        return self.has_class("-wide") and not self.has_class("-short")

    def on_resize(self, event: events.Resize) -> None:
        """Which pane draws the bar after the load depends on the size."""
        super().on_resize(event)
        self.call_after_refresh(self._draw_cursor)
        self.call_after_refresh(self._draw_banner)

    def _draw_running(self) -> None:
        pane = self.query_one(RunningPane)
        pane.set_reactive(RunningPane.now, self._clock())
        pane.view = running_view(self.desk)
        self._draw_log_subject()

    def _draw_waiting(self) -> None:
        view, now = WaitingView.of(self.desk.snapshot), self._clock()
        for part in (self.query_one(WaitingLine), self.query_one(WaitingPane)):
            part.set_reactive(type(part).now, now)
            part.view = view

    def _draw_log_subject(self) -> None:
        pane = self.query_one(LogPane)
        target = self.desk.target
        subject = target.public_id if target is not None else self.desk.newest_log()
        why_empty = f"{subject} has written nothing yet" if target is not None else ""
        if subject != pane.public_id:
            pane.show(subject, self.desk.log(subject), why_empty)

    def _draw_keys(self) -> None:
        reasons = tuple(why_not(self.desk, key) for key in ("load", "stop", "filter", "info", "copy"))
        if reasons != self._reasons:
            self._reasons = reasons
            self.query_one(KeyBar).look_again()

    def hear(self, batch: LogBatch) -> None:
        """New log lines, already on the desk."""
        pane = self.query_one(LogPane)
        if batch.public_id == pane.public_id:
            pane.add(batch.lines)
        self._draw_running()

    def tick(self, now: float, silent_s: float) -> None:
        """Once a second: let ages grow. now: Unix time."""
        self.query_one(StatusLine).tick(now, silent_s)
        if self.desk.target is not None:
            self.query_one(RunningPane).now = now
        if self.desk.snapshot.queue:
            self.query_one(WaitingLine).now = now
            self.query_one(WaitingPane).now = now

    def select(self, model_id: int) -> None:
        """Put the cursor on a model."""
        self.catalog.table.move_to(model_id)

    @on(CatalogTable.CursorMoved)
    def follow_cursor(self, moved: CatalogTable.CursorMoved) -> None:
        """The forecast belongs to the row under the cursor."""
        self.desk.selected_id = moved.model_id
        self._draw_cursor()
        if len(self.desk.snapshot.targets) > 1:
            self._draw_running()
        self._draw_keys()

    def context_changed(self, status: ModelStatus) -> None:
        """Show another context of this model in row, forecast and bars: the work of one row, not of all."""
        if self.listing.follows_context:
            self._draw_catalog()
        else:
            self.catalog.put_row(catalog_row(status, self.desk, self.glyphs))
        self._draw_cursor()
        self._draw_keys()

    @on(CatalogTable.Activated)
    def load(self, activated: CatalogTable.Activated) -> None:
        """Intent goes up."""
        self.post_message(self.LoadWanted(activated.model_id))

    @on(CatalogTable.MarkWanted)
    def mark(self, wanted: CatalogTable.MarkWanted) -> None:
        """Mark a row, or no longer; cursor, order and filter do not matter to it."""
        self.desk.marked ^= {wanted.model_id}
        self._draw_catalog()

    @on(CatalogTable.RemoveWanted)
    def want_removal(self, wanted: CatalogTable.RemoveWanted) -> None:
        """Intent goes up."""
        self.post_message(self.RemoveWanted(wanted.model_id))

    @on(CatalogTable.NothingToActivate)
    def begin(self) -> None:
        """Without any model, enter names a folder; a filter that hides them all is not that."""
        if self.desk.snapshot.version and not self.desk.snapshot.models:
            self.post_message(self.FolderWanted())

    @on(ContextSlider.Moved)
    def slide(self, moved: ContextSlider.Moved) -> None:
        """Intent goes up."""
        self._want_context(0, moved.n_ctx)

    @on(CatalogPane.Filtered)
    def filter_rows(self, filtered: CatalogPane.Filtered) -> None:
        """Other words."""
        self.listing = replace(self.listing, words=filtered.words)
        self._draw_catalog()

    @on(CatalogTable.SortWanted)
    def sort_rows(self, wanted: CatalogTable.SortWanted) -> None:
        """Another order; filter and cursor stay."""
        if wanted.is_reverse:
            self.listing = replace(self.listing, is_reverse=not self.listing.is_reverse)
        else:
            self.listing = self.listing.next_column()
        self._draw_catalog()

    def _want_context(self, step: int | str, exact: int | None = None) -> None:
        # The cursor may have moved in this very burst of keys: the table knows it before any message does.
        if (current := self.catalog.table.current) is not None:
            self.post_message(self.ContextWanted(current.model_id, step, exact))

    def action_context_down(self) -> None:
        """One stop down."""
        self._want_context(-1)

    def action_context_up(self) -> None:
        """One stop up."""
        self._want_context(1)

    def action_context_saved(self) -> None:
        """Back to what is kept."""
        self._want_context("saved")

    def action_context_largest(self) -> None:
        """The largest that fits."""
        self._want_context("largest")

    def action_info(self) -> None:
        """More about the model."""
        current = self.catalog.table.current
        self.post_message(self.InfoWanted(None if current is None else current.model_id))

    def action_options(self) -> None:
        """How the model is launched."""
        current = self.catalog.table.current
        self.post_message(self.OptionsWanted(None if current is None else current.model_id))

    def action_logs(self) -> None:
        """The full log."""
        self.post_message(self.LogsWanted())

    def action_filter(self) -> None:
        """Type to filter; a focused log is searched instead, in full screen."""
        if self.query_one(LogPane).view.has_focus:
            self.post_message(self.LogsWanted(begins_search=True))
        else:
            self.catalog.filter_bar.open()

    def action_pane(self, number: int) -> None:
        """Focus a pane; one that this size hides is zoomed, and hidden logs open in full."""
        name = PANES[number - 1]
        if name == "logs" and not self.zoom.is_shown(name):
            self.post_message(self.LogsWanted())
            return
        self.zoom.focus(name)

    def action_zoom(self) -> None:
        """Give one pane the room of all, or give it back."""
        self.zoom.toggle()

    def action_back(self) -> None:
        """Clear the filter, else undo the zoom, else drop the marks; then focus the catalog."""
        if not self.unhide():
            self.desk.marked = frozenset()
            self._draw_catalog()

    def unhide(self) -> bool:
        """Clear the filter, else undo the zoom, and focus the catalog; False when neither was in the way."""
        is_in_the_way = bool(self.listing.words) or self.zoom.is_on
        if self.listing.words:
            self.catalog.filter_bar.reset()
        elif self.zoom.is_on:
            self.zoom.leave()
        self.catalog.table.focus()
        return is_in_the_way
