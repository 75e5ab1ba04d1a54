"""The quantisations of a repository: their sizes at once, their verdicts as their headers are read."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.message import Message

from ggtui.core.forecast import next_stop, previous_stop
from ggtui.core.units import duration
from ggtui.tui.hub_rows import (
    OfferRow,
    Reading,
    offer_about,
    offer_heads,
    offer_parts,
    offers_summary,
)
from ggtui.tui.hub_verdicts import forecast_of_offer
from ggtui.tui.keys import Where, bindings
from ggtui.tui.reasons import READ_ONLY
from ggtui.tui.screens.listing import ListRoom
from ggtui.tui.widgets.pick_list import PickList

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from textual.binding import BindingType

    from ggtui.core.forecast import Forecast
    from ggtui.core.models import ModelSummary
    from ggtui.core.ports.downloads import Offer
    from ggtui.tui.desk import Desk
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

AT_ONCE = 4
"""Headers that are read at the same time, after the first: that one shortens the others."""
CONTEXTS = frozenset({"ctx-down", "ctx-up", "ctx-saved", "ctx-largest"})
"""Ids of the keys that move the context."""


@dataclass(frozen=True, slots=True)
class HubAsks:
    """What the screen asks of the hub; an answer that is a text says why there is no other."""

    offers: Callable[[str], Awaitable[tuple[Offer, ...] | str]]
    """What a repository has."""
    look: Callable[[Offer], Awaitable[ModelSummary | str]]
    """What the header of an offered model tells."""


class OffersScreen(ListRoom):
    """Leaving ends all reading. The verdicts follow the memory and the context."""

    PLACE: ClassVar[Where] = Where.OFFERS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.OFFERS, Where.CONTEXT)

    class Taken(Message):
        """This is to be downloaded."""

        def __init__(self, row: OfferRow) -> None:
            super().__init__()
            self.row = row

    def __init__(
        self,
        repository: str,
        asks: HubAsks,
        desk: Desk,
        glyphs: Glyphs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """clock: in seconds."""
        super().__init__(repository, glyphs)
        self.repository = repository
        self._asks = asks
        self._desk = desk
        self._clock = clock
        self._since: float | None = clock()
        """When the repository was asked for; None once it has answered."""
        self._problem = ""
        self._rows: tuple[OfferRow, ...] = ()
        self._n_ctx: int | None = None
        """Tokens, where a person chose them."""
        self._aheads: dict[str, tuple[object, Forecast | None]] = {}
        """Forecasts by model, each with what it was made of."""

    def on_mount(self) -> None:
        """Ask at once, behind the painted screen."""
        self.run_worker(self._read(), group="hub-offers", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        found = await self._asks.offers(self.repository)
        self._since = None
        if isinstance(found, str):
            self._problem = found
        else:
            self._rows = tuple(OfferRow(offer) for offer in found)
        self.draw()
        waiting = iter([row.offer for row in self._rows])
        await self._look_at(waiting, 1)
        await asyncio.gather(*(self._look_at(waiting) for _ in range(AT_ONCE)))

    async def _look_at(self, waiting: Iterator[Offer], most: int | None = None) -> None:
        """Read one header after another, `most` at most."""
        n_read = 0
        while n_read != most and (offer := next(waiting, None)) is not None:
            n_read += 1
            self._put(offer.model, reading=Reading.NOW)
            told = await self._asks.look(offer)
            if isinstance(told, str):
                self._put(offer.model, reading=Reading.FAILED, why=told)
            else:
                self._put(offer.model, reading=Reading.DONE, summary=told, why=told.problem or "")

    def _put(self, key: str, **changes: object) -> None:
        self._rows = tuple(
            replace(row, **changes) if row.key == key else row  # type: ignore[arg-type]
            for row in self._rows
        )
        self.draw()

    def follow(self) -> None:
        """The memory or the queue is another one."""
        self.draw()

    def tick(self) -> None:
        """Once a second: let the time of the question grow."""
        if self._since is not None:
            self.draw()

    def entries(self) -> tuple[OfferRow, ...]:
        """Those that hold the words, with their forecasts and downloads of now."""
        wanted = self.words.lower().split()
        rows = (row for row in self._rows if all(word in row.offer.label.lower() for word in wanted))
        return tuple(self._standing(row) for row in rows)

    def _standing(self, row: OfferRow) -> OfferRow:
        jobs = (each for each in self._desk.snapshot.downloads if each.model == row.offer.model)
        return replace(row, ahead=self._ahead(row), job=next(jobs, None))

    def _ahead(self, row: OfferRow) -> Forecast | None:
        if row.summary is None:
            return None
        basis = (self._desk.basis, self._desk.snapshot.default_n_ctx, self._n_ctx, row.summary)
        kept = self._aheads.get(row.key)
        if kept is None or kept[0] != basis:
            kept = self._aheads[row.key] = basis, forecast_of_offer(self._desk, row.summary, self._n_ctx)
        return kept[1]

    def heads(self, width: int) -> list[Part]:
        """What each column tells."""
        return offer_heads(width)

    def draw_entry(self, entry: OfferRow, width: int) -> list[Part]:
        """One quantisation."""
        return offer_parts(entry, width, self.glyphs)

    def about(self, width: int) -> list[list[Part]]:
        """The verdict in words, the files, what enter does."""
        current: OfferRow | None = self.list.current
        return [] if current is None else offer_about(current, self.glyphs)

    def empty_text(self) -> str:
        """What goes on, or why there is nothing to choose from."""
        if self._since is not None:
            return (
                f"asking what {self.repository} has… {duration(self._clock() - self._since)}\n\nesc stops it"
            )
        if self._problem:
            return f"{self._problem}\n\nesc goes back"
        if not self._rows:
            return f"{self.repository} has no GGUF file\n\nesc goes back"
        if self.list.entries:
            return ""
        return f'0 of {len(self._rows)} match "{self.words}"\n\nesc clears the filter'

    def summary(self) -> str:
        """How many, how far the reading is, the largest that fits."""
        return offers_summary(self.list.entries)

    def why_not_here(self, binding_id: str) -> str | None:
        """What the row under the cursor does not allow."""
        current: OfferRow | None = self.list.current
        if binding_id == "filter":
            return "" if self._rows else "there is nothing to filter yet"
        if binding_id in CONTEXTS:
            return (
                ""
                if current is not None and current.ahead is not None
                else "no forecast under the cursor yet"
            )
        if binding_id != "offer-take":
            return None
        if current is None:
            return "no quantisation under the cursor"
        if current.offer.is_here:
            return f"{current.offer.model} is on this disk already"
        return READ_ONLY if self._desk.snapshot.is_read_only else ""

    def to_copy(self) -> tuple[str, str] | None:
        """The name under the cursor, as `ggtui pull` takes it."""
        return (self.list.current.key, "the name") if self.list.current is not None else None

    @on(PickList.Activated)
    def action_take(self) -> None:
        """Intent goes up."""
        if self.list.current is not None:
            self.post_message(self.Taken(self.list.current))

    def action_context_down(self) -> None:
        """One stop down, for all of them."""
        self._step(-1)

    def action_context_up(self) -> None:
        """One stop up, for all of them."""
        self._step(1)

    def action_context_saved(self) -> None:
        """Back to what each would get by itself."""
        self._n_ctx = None
        self.draw()

    def action_context_largest(self) -> None:
        """The largest that fits with the one under the cursor."""
        current: OfferRow | None = self.list.current
        if current is not None and current.ahead is not None and current.ahead.largest_ctx:
            self._n_ctx = current.ahead.largest_ctx
            self.draw()

    def _step(self, direction: int) -> None:
        current: OfferRow | None = self.list.current
        if current is None or current.ahead is None or current.summary is None:
            return
        go = next_stop if direction > 0 else previous_stop
        self._n_ctx = go(current.ahead.n_ctx, current.summary.n_ctx_train)
        self.draw()
