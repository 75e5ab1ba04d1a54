"""Snapshot to catalog rows: filter, sort, and what each column says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.forecast import Forecast, Verdict
from ggtui.core.state import TargetState
from ggtui.core.units import gib, tokens
from ggtui.tui.format import ordinal
from ggtui.tui.widgets.catalog_table import CatalogRow
from ggtui.tui.widgets.lazy_rows import LazyRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ggtui.core.models import ModelSummary
    from ggtui.core.snapshot import EngineSnapshot, ModelStatus, TargetStatus
    from ggtui.tui.desk import Desk
    from ggtui.tui.glyphs import Glyphs


FAVOURITE = "*"
"""The word of a filter that keeps favourites."""


class SortBy(StrEnum):
    """The column that orders the catalog."""

    NAME = "name"
    SIZE = "size"
    CTX = "ctx"
    FIT = "fit"
    QUANT = "quant"
    FAVOURITES = "favourites"


@dataclass(frozen=True, slots=True)
class Listing:
    """Which rows, in which order."""

    words: str = ""
    """Every word must be part of a name, `#word` begin a tag, `*` a favourite; empty shows all."""
    by: SortBy = SortBy.NAME
    is_reverse: bool = False

    def next_column(self) -> Listing:
        """The same rows by the next column."""
        columns = list(SortBy)
        return replace(self, by=columns[(columns.index(self.by) + 1) % len(columns)], is_reverse=False)

    @property
    def follows_context(self) -> bool:
        """True when another context may move a row."""
        return self.by in (SortBy.CTX, SortBy.FIT)

    @property
    def label(self) -> str:
        """`sort: name`."""
        return f"sort: {self.by}{' reversed' if self.is_reverse else ''}"


def matching(snapshot: EngineSnapshot, words: str) -> tuple[ModelStatus, ...]:
    """The models whose id, name, quantisation or tags hold every word, in any case.

    `#word` is the beginning of a tag, and `*` alone keeps favourites.
    The architecture does not count: most models are llamas by it, and no column would say why they match.
    """
    wanted = words.lower().split()
    return tuple(row for row in snapshot.models if _holds(row, wanted)) if wanted else snapshot.models


def _holds(status: ModelStatus, wanted: Iterable[str]) -> bool:
    summary = status.summary
    text = " ".join((summary.public_id, summary.name, summary.quantisation, *summary.tags))
    lowered = text.lower()
    return all(_is_so(word, summary, lowered) for word in wanted)


def _is_so(word: str, summary: ModelSummary, text: str) -> bool:
    if word == FAVOURITE:
        return summary.is_favourite
    if word.startswith("#"):
        return any(tag.startswith(word[1:]) for tag in summary.tags)
    return word in text


def catalog_rows(desk: Desk, listing: Listing, glyphs: Glyphs) -> LazyRows[CatalogRow]:
    """The rows of this listing, as they are drawn.

    By fit, models without a forecast yet come last: `Desk.look_ahead_for` makes some in the meantime.
    """
    shown = sorted(matching(desk.snapshot, listing.words), key=_shown_name)
    if listing.by is not SortBy.NAME:
        shown.sort(key=_key(listing.by, desk))
    if listing.is_reverse:
        shown.reverse()
    ids = [status.summary.id for status in shown]
    snapshot = desk.snapshot
    facts = (
        tuple(shown),
        desk.basis,
        tuple(_shown_of(each) for each in snapshot.targets),
        tuple((each.model_id, each.position) for each in snapshot.queue),
    )
    return LazyRows(ids, lambda index: catalog_row(shown[index], desk, glyphs), facts)


def _shown_of(target: TargetStatus) -> tuple[object, ...]:
    """What a row shows of a server. Requests come and go too often to draw the table for them."""
    is_counted = target.state is TargetState.DRAINING
    return target.model_id, target.progress, target.in_flight if is_counted else 0


def _shown_name(status: ModelStatus) -> str:
    return status.summary.given_name.lower() or status.summary.public_id


_FIT_ORDER = {Verdict.FITS: 0, Verdict.GUESS: 1, Verdict.PART: 2, Verdict.NO: 3}


def _key(by: SortBy, desk: Desk) -> Callable[[ModelStatus], tuple[float, str]]:
    def key(status: ModelStatus) -> tuple[float, str]:
        if by is SortBy.QUANT:
            return 0, status.summary.quantisation
        ahead = desk.known_forecast(status)
        figures: dict[SortBy, float] = {
            SortBy.SIZE: -status.summary.size_bytes,
            SortBy.CTX: -desk.n_ctx(status),
            SortBy.FAVOURITES: not status.summary.is_favourite,
            SortBy.FIT: 9 if ahead is None else _FIT_ORDER[ahead.verdict],
        }
        return figures[by], ""

    return key


def catalog_row(status: ModelStatus, desk: Desk, glyphs: Glyphs) -> CatalogRow:
    """One model as it is drawn."""
    summary = status.summary
    fit, fit_class = _fit(status, desk.forecast_of(status), desk.snapshot, glyphs)
    is_broken = summary.problem is not None
    return CatalogRow(
        model_id=summary.id,
        public_id=summary.public_id,
        sign="!" if is_broken else glyphs.state(status.state),
        sign_class="failed" if is_broken else str(status.state),
        quant=summary.quantisation or glyphs.twin("–"),
        size=gib(summary.size_bytes),
        ctx=glyphs.twin("–") if is_broken else tokens(desk.n_ctx(status)),
        fit=fit,
        fit_class=fit_class,
        pin=glyphs.pinned if status.is_pinned else "",
        favourite=glyphs.favourite if summary.is_favourite else "",
        mark=glyphs.marked if summary.id in desk.marked else "",
        name=summary.given_name,
    )


def _fit(
    status: ModelStatus, ahead: Forecast | None, snapshot: EngineSnapshot, glyphs: Glyphs
) -> tuple[str, str]:
    state = status.state
    if state in (TargetState.IDLE, TargetState.FAILED):
        if ahead is None:
            return glyphs.broken, "no"
        return glyphs.verdict(ahead.verdict), str(ahead.verdict)
    return _state_words(status, snapshot), str(state)


def _state_words(status: ModelStatus, snapshot: EngineSnapshot) -> str:
    target = next((other for other in snapshot.targets if other.model_id == status.summary.id), None)
    if status.state is TargetState.READY:
        return "loaded"
    if status.state is TargetState.LOADING and target is not None and target.progress is not None:
        return f"loading {round(100 * target.progress)}%"
    if status.state is TargetState.DRAINING and target is not None:
        return f"draining {target.in_flight}"
    if status.state is TargetState.QUEUED:
        places = (entry.position for entry in snapshot.queue if entry.model_id == status.summary.id)
        place = next(places, 0)
        return f"queued {ordinal(place)}" if place else "queued"
    return str(status.state)
