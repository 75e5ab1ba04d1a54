"""The list of models, its filter, and the words that stand in for it when there is nothing to list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from ggtui.core.units import duration, gib
from ggtui.tui.widgets.catalog_table import NO_ROWS, CatalogRow, CatalogTable
from ggtui.tui.widgets.filter_bar import FilterBar
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ggtui.core.ports.catalog import CatalogReport
    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.tui.glyphs import Glyphs
    from ggtui.tui.widgets.lazy_rows import LazyRows

SCROLLBAR = 1
"""Cells kept free for the bar, shown or not, so that heads and rows have the same columns."""


@dataclass(frozen=True, slots=True)
class CatalogView:
    """What the pane shows."""

    rows: LazyRows[CatalogRow] = NO_ROWS
    empty: str = ""
    """Shown instead of the rows when there are none."""
    summary: str = ""
    """Lower edge of the frame."""


class CatalogPane(Vertical):
    """Heads, rows, filter line."""

    view: var[CatalogView] = var(CatalogView())
    """The rows to show."""

    class Filtered(Message):
        """Other words to filter by."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="catalog", classes="pane")
        self._glyphs = glyphs
        self.border_title = "1 Catalog"

    def compose(self) -> ComposeResult:
        """Heads over rows, or a sentence."""
        yield FilterBar("words of a name", id="catalog-filter")
        yield TextBlock(id="catalog-head")
        yield CatalogTable(self._glyphs, id="catalog-table")
        yield TextBlock(id="catalog-empty", classes="empty")

    @property
    def table(self) -> CatalogTable:
        """The rows."""
        return self.query_one(CatalogTable)

    @property
    def filter_bar(self) -> FilterBar:
        """The line to type into."""
        return self.query_one(FilterBar)

    @property
    def empty_text(self) -> str:
        """The sentence shown instead of rows; empty when there are rows."""
        return "" if self.view.rows else self.view.empty

    def on_mount(self) -> None:
        """Begin with a drawn frame."""
        self.watch_view()

    def on_resize(self) -> None:
        """Heads follow the width."""
        self.query_one("#catalog-head", TextBlock).show(
            Content.assemble((self.table.header(self.content_size.width - SCROLLBAR), "$quiet"))
        )

    def watch_view(self) -> None:
        """Follow the catalog."""
        if not self.is_mounted:
            return
        self.table.rows = self.view.rows
        self.set_class(not self.view.rows, "-empty")
        self.query_one("#catalog-empty", TextBlock).show(
            Content(self._glyphs.twin(self.view.empty)), layout=True
        )
        self.border_subtitle = Content(self._glyphs.twin(self.view.summary))

    def put_row(self, row: CatalogRow) -> None:
        """Draw one model anew where it stands; nothing when it is not among the rows."""
        self.view = replace(self.view, rows=self.view.rows.with_row(row))

    @on(FilterBar.Typed)
    def pass_words(self, typed: FilterBar.Typed) -> None:
        """Intent goes up."""
        typed.stop()
        self.post_message(self.Filtered(typed.words))

    @on(FilterBar.Left)
    def focus_rows(self, left: FilterBar.Left) -> None:
        """Typing is over."""
        left.stop()
        self.table.focus()


def empty_text(snapshot: EngineSnapshot, words: str, config_path: str) -> str:
    """Why there are no rows: still looking, no folder, an empty folder, or a filter that matches none."""
    report = snapshot.catalog
    if words and snapshot.models:
        return f'0 of {len(snapshot.models)} match "{words}"\n\nesc clears the filter'
    if snapshot.version == 0:
        return "starting…"
    problems = "".join(f"\n{problem}" for problem in report.problems)
    if not report.folders:
        where = f"\n\nor press enter, which names it in {config_path}" if config_path else ""
        return f"No models folder. Set one: ggtui --models-dir DIR{where}{problems}"
    if snapshot.is_scanning or report.scanned_at is None:
        return f"scanning {report.folders[0]}…"
    readable = [
        folder for folder in report.folders if not any(said.startswith(folder) for said in report.problems)
    ]
    where = f" in {', '.join(readable)}" if readable else ""
    return f"No .gguf files{where}{problems}\n\nenter names another folder, ctrl+r looks again"


def summary_text(
    snapshot: EngineSnapshot, n_rows: int, words: str, order: str, now: float, n_marked: int = 0
) -> str:
    """`9 models · 314G · sort: name`, with the age of a cached list while it is being renewed."""
    if snapshot.is_scanning:
        return _scanning(snapshot.catalog, len(snapshot.models), now)
    if not snapshot.models:
        return ""
    total = gib(sum(status.summary.size_bytes for status in snapshot.models))
    count = f"{n_rows} of {len(snapshot.models)}" if words else f"{len(snapshot.models)}"
    noun = "model" if len(snapshot.models) == 1 and not words else "models"
    problems = len(snapshot.catalog.problems)
    trouble = f" · {problems} folder{'s' if problems > 1 else ''} not readable" if problems else ""
    marked = f" · {n_marked} marked" if n_marked else ""
    return f"{count} {noun} · {total}{marked} · {order}{trouble}"


def _scanning(report: CatalogReport, n_models: int, now: float) -> str:
    if report.scanned_at is None:
        return f"scanning… {n_models} so far" if n_models else "scanning…"
    return f"scanning… (cached {duration(now - report.scanned_at)} ago)"
