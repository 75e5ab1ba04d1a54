"""The hub: words, the repositories that a search for them finds, and from there their quantisations."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from ggtui.core.units import duration
from ggtui.tui.hub_rows import HitRow, hit_about, hit_heads, hit_parts
from ggtui.tui.keys import Where, bindings
from ggtui.tui.screens.listing import ListRoom
from ggtui.tui.widgets.pick_list import PickList
from ggtui.tui.widgets.search_bar import SearchBar
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from textual.binding import BindingType
    from textual.widget import Widget

    from ggtui.core.ports.downloads import RepositoryHit
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

REPOSITORY = re.compile(r"(?:hf:)?([\w.-]+/[\w.-]+)(?::[\w.-]+)?", re.ASCII)
"""No words to search for, but the name of a repository."""
ASKING = "hub-search"
"""Group of the one worker that asks."""


class HubScreen(ListRoom):
    """Asks one question at a time; esc ends it. Nothing is asked while somebody types."""

    PLACE: ClassVar[Where] = Where.HUB
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.HUB),
        *bindings(Where.LISTS, only=("filter",), footer="Search"),
    ]

    class Chosen(Message):
        """The quantisations of this repository are to be seen."""

        def __init__(self, repository: str) -> None:
            super().__init__()
            self.repository = repository

    def __init__(
        self,
        search: Callable[[str], Awaitable[tuple[RepositoryHit, ...] | str]],
        glyphs: Glyphs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """search: what the hub finds for these words, or why it cannot be asked. clock: in seconds."""
        super().__init__("Search the hub", glyphs)
        self._search = search
        self._clock = clock
        self._hits: tuple[RepositoryHit, ...] = ()
        self._asked = ""
        """What was searched for last."""
        self._since: float | None = None
        """When the question that is under way was asked; None when none is."""
        self._problem = ""

    def parts(self) -> Iterable[Widget]:
        """The field, heads and rows in a frame; below it what there is to say about one."""
        frame = Vertical(
            SearchBar("words, or OWNER/REPO", id="hub-words"),
            TextBlock(id="list-head"),
            self.list,
            TextBlock(id="list-empty", classes="empty"),
            id="list",
            classes="pane",
        )
        frame.border_title = Content(self.glyphs.twin(self._heading))
        return (frame, TextBlock(id="list-about"))

    def first(self) -> Widget:
        """Words come first."""
        return self.query_one(SearchBar)

    @property
    def is_asking(self) -> bool:
        """True while the hub is asked."""
        return self._since is not None

    def tick(self) -> None:
        """Once a second: let the time of the question grow."""
        if self.is_asking:
            self.draw()

    @on(SearchBar.Wanted)
    def ask(self, wanted: SearchBar.Wanted) -> None:
        """Ask the hub; the name of a repository leads there at once."""
        named = REPOSITORY.fullmatch(wanted.words)
        if named is not None:
            self.post_message(self.Chosen(named[1]))
            return
        self._asked, self._problem, self._hits = wanted.words, "", ()
        self._since = self._clock()
        self.run_worker(self._find(wanted.words), group=ASKING, exclusive=True, exit_on_error=False)
        self.draw()

    async def _find(self, words: str) -> None:
        found = await self._search(words)
        self._since = None
        if isinstance(found, str):
            self._problem = found
        else:
            self._hits = found
        self.draw()
        if self._hits:
            self.list.focus()

    @on(SearchBar.Left)
    def action_close(self) -> None:
        """Stop asking, else go from the field to the rows, else leave."""
        if self.is_asking:
            self.workers.cancel_group(self, ASKING)
            self._since = None
            self._problem = "not asked to the end"
            self.draw()
        elif self._hits and not self.list.has_focus:
            self.list.focus()
        else:
            self.dismiss()

    def action_filter(self) -> None:
        """Other words."""
        self.query_one(SearchBar).open()

    @on(PickList.Activated)
    def action_open(self) -> None:
        """Intent goes up."""
        if self.list.current is not None:
            self.post_message(self.Chosen(self.list.current.key))

    def why_not_here(self, binding_id: str) -> str | None:
        """Nothing can be opened before something was found."""
        if binding_id == "hub-open":
            return "" if self.list.current is not None else "no repository under the cursor"
        return "" if binding_id == "filter" else None

    def to_copy(self) -> tuple[str, str] | None:
        """The name of the repository under the cursor."""
        return (self.list.current.key, "the name") if self.list.current is not None else None

    def entries(self) -> tuple[HitRow, ...]:
        """What was found, the most downloaded first."""
        return tuple(HitRow(hit) for hit in self._hits)

    def heads(self, width: int) -> list[Part]:
        """What each column tells."""
        return hit_heads(width)

    def draw_entry(self, entry: HitRow, width: int) -> list[Part]:
        """One repository."""
        return hit_parts(entry, width, self.glyphs)

    def about(self, width: int) -> list[list[Part]]:
        """What enter shows."""
        current: HitRow | None = self.list.current
        return [] if current is None else hit_about(current, self.glyphs)

    def empty_text(self) -> str:
        """What to do, what goes on, or why nothing came of it."""
        if self._since is not None:
            lasted = duration(self._clock() - self._since)
            return f'asking the hub for "{self._asked}"… {lasted}\n\nesc stops it'
        if self._problem:
            return f"{self._problem}\n\n/ changes the words, enter asks again"
        if self._asked and not self._hits:
            return f'no repository with GGUF files for "{self._asked}"\n\n/ changes the words'
        return "" if self._hits else "type words and press enter: repositories with GGUF files are found"

    def summary(self) -> str:
        """How many were found."""
        n_hits = len(self._hits)
        return f"{n_hits} repositor{'y' if n_hits == 1 else 'ies'}, most downloaded first" if n_hits else ""
