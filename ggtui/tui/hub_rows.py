"""What a search on the hub found, and what can be fetched of a repository, as rows with their verdicts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rich.cells import set_cell_size

from ggtui.core.deployment_words import count
from ggtui.core.downloads.jobs import JobState
from ggtui.core.forecast import Verdict
from ggtui.core.forecast_words import verdict_words
from ggtui.core.units import gib, tokens, used_of_total
from ggtui.tui.download_rows import share_text
from ggtui.tui.format import cut
from ggtui.tui.glyphs import JOBS, VERDICTS

if TYPE_CHECKING:
    from ggtui.core.downloads.jobs import Job
    from ggtui.core.forecast import Forecast
    from ggtui.core.models import ModelSummary
    from ggtui.core.ports.downloads import Offer, RepositoryHit
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

NARROW = 58
"""Cells below which only what decides is told."""
FEW = 72
"""Cells below which a quantisation has a verdict, and no figures of the memory."""
SIGN, COUNT, UPDATED = 3, 10, 12
LABEL, SIZE, CTX, HOLDS, MOST, FIT, HERE, MOST_LABEL = 14, 8, 7, 14, 8, 10, 12, 28


@dataclass(frozen=True, slots=True)
class HitRow:
    """A repository that was found."""

    hit: RepositoryHit

    @property
    def key(self) -> str:
        """Which row it is."""
        return self.hit.id

    @property
    def is_heading(self) -> bool:
        """The cursor stands on every row."""
        return False


def _hit_widths(width: int) -> tuple[int, int, int]:
    """Cells of the name, of each count, and of the date."""
    if width < NARROW:
        return width - SIGN - COUNT, COUNT, 0
    return width - SIGN - 2 * COUNT - UPDATED - COUNT, COUNT, UPDATED


def hit_heads(width: int) -> list[Part]:
    """The column heads over the repositories."""
    name, number, updated = _hit_widths(width)
    cells = [" " * SIGN, set_cell_size("Repository", name), set_cell_size("Downloads", number)]
    if updated:
        cells += [set_cell_size("Likes", number), set_cell_size("Updated", updated), "Access"]
    return [("".join(cells), "$quiet")]


def hit_parts(row: HitRow, width: int, glyphs: Glyphs) -> list[Part]:
    """A repository in so many cells; one that asks for an account says so by sign and word."""
    name, number, updated = _hit_widths(width)
    hit = row.hit
    gated = "$warning" if hit.is_gated else ""
    parts: list[Part] = [
        (" ! " if hit.is_gated else "   ", gated),
        _field(hit.id, name, glyphs),
        _field(count(hit.n_downloads), number, glyphs),
    ]
    if updated:
        parts += [
            _field(count(hit.n_likes), number, glyphs),
            (_field(_day(hit.updated_at), updated, glyphs), "$quiet"),
            ("gated" if hit.is_gated else "", gated),
        ]
    return parts


def hit_about(row: HitRow, glyphs: Glyphs) -> list[list[Part]]:
    """What enter shows, and what a gate means."""
    hit = row.hit
    facts = f"{count(hit.n_downloads)} downloads  {count(hit.n_likes)} likes  updated {_day(hit.updated_at)}"
    gate = "gated: its owner must have let you in, and HF_TOKEN must be yours" if hit.is_gated else ""
    return [
        [(hit.id, "bold"), glyphs.twin(f"  {facts}")],
        [("enter shows its quantisations, each with what it would take here", "$quiet")],
        [(gate, "$warning")],
    ]


def _day(at: float | None) -> str:
    return "–" if at is None else time.strftime("%Y-%m-%d", time.gmtime(at))


class Reading(StrEnum):
    """How far the look at a header is."""

    WAITING = "waiting"
    NOW = "now"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OfferRow:
    """What can be fetched under one name."""

    offer: Offer
    reading: Reading = Reading.WAITING
    summary: ModelSummary | None = None
    """What its header tells."""
    why: str = ""
    """Why nothing is known of it."""
    ahead: Forecast | None = None
    """What a load would do to the memory as it is now."""
    job: Job | None = None
    """The download of it, if there is one."""

    @property
    def key(self) -> str:
        """Which row it is."""
        return self.offer.model

    @property
    def is_heading(self) -> bool:
        """The cursor stands on every row."""
        return False


@dataclass(frozen=True, slots=True)
class OfferColumns:
    """Cells of each column, the gap after it counted; 0 leaves it out."""

    label: int
    ctx: int
    holds: int
    most: int
    last: int


def offer_columns(width: int) -> OfferColumns:
    """What has room in so many cells."""
    if width < FEW:
        last = HERE if width >= NARROW else 0
        return OfferColumns(max(8, width - SIGN - SIZE - FIT - last), 0, 0, 0, last)
    fixed = SIGN + SIZE + CTX + HOLDS + MOST + FIT
    label = min(MOST_LABEL, max(LABEL, (width - fixed) // 2))
    return OfferColumns(label, CTX, HOLDS, MOST, width - fixed - label)


def offer_heads(width: int) -> list[Part]:
    """The column heads over the quantisations."""
    to = offer_columns(width)
    cells = [" " * SIGN, set_cell_size("Quant", to.label), set_cell_size("Size", SIZE)]
    if to.ctx:
        cells += [
            set_cell_size(text, n) for text, n in (("Ctx", to.ctx), ("Holds", to.holds), ("Most", to.most))
        ]
    return [("".join([*cells, set_cell_size("Fit", FIT), "Here" if to.last else ""]), "$quiet")]


def offer_parts(row: OfferRow, width: int, glyphs: Glyphs) -> list[Part]:
    """A quantisation in so many cells: name, size, context, memory, largest context, verdict, place."""
    to, ahead = offer_columns(width), row.ahead
    word, style = _standing(row)
    sign = _sign(row, glyphs)
    parts: list[Part] = [
        sign,
        _field(row.offer.label, to.label, glyphs),
        _field(gib(row.offer.size_bytes), SIZE, glyphs),
    ]
    if to.ctx:
        most = None if ahead is None else ahead.largest_ctx
        parts += [
            _field("" if ahead is None else tokens(ahead.n_ctx), to.ctx, glyphs),
            _field("" if ahead is None else _holds(ahead), to.holds, glyphs),
            _field("" if ahead is None else tokens(most), to.most, glyphs),
        ]
    parts.append(_fit(row, glyphs))
    if to.last:
        parts.append((cut(glyphs.twin(word), to.last, glyphs), style))
    return parts


def _sign(row: OfferRow, glyphs: Glyphs) -> Part:
    if row.offer.is_here:
        look = JOBS[JobState.DONE]
    elif row.job is not None:
        look = JOBS[row.job.state]
    else:
        return "   "
    return f" {glyphs.look(look)} ", look.style


def _standing(row: OfferRow) -> tuple[str, str]:
    """Whether it is on this disk, or on its way there."""
    if row.offer.is_here:
        return "here", "$success"
    if row.job is None:
        return "", ""
    look = JOBS[row.job.state]
    part = f" {share_text(row.job)}" if row.job.state is JobState.RUNNING else ""
    return f"{look.word}{part}", look.style


def _fit(row: OfferRow, glyphs: Glyphs) -> Part:
    if row.ahead is not None:
        return _field(glyphs.verdict(row.ahead.verdict), FIT, glyphs), VERDICTS[row.ahead.verdict].style
    words = {Reading.WAITING: "", Reading.NOW: "reading…", Reading.DONE: "?", Reading.FAILED: "?"}
    return _field(words[row.reading], FIT, glyphs), "$quiet"


def _holds(ahead: Forecast) -> str:
    about = "≈" if ahead.verdict is Verdict.GUESS else ""
    return f"{about}{used_of_total(ahead.after_bytes, ahead.total_bytes or None)}"


def offer_about(row: OfferRow, glyphs: Glyphs) -> list[list[Part]]:
    """The verdict in words, what is fetched, and what enter does."""
    offer, ahead = row.offer, row.ahead
    first: list[Part] = [(offer.model, "bold")]
    if ahead is not None:
        first += ["  ", (glyphs.twin(verdict_words(ahead)), VERDICTS[ahead.verdict].style)]
        first += [f"  frees {', '.join(ahead.frees)}"] if ahead.frees else []
    elif row.why:
        first.append((glyphs.twin(f"  {row.why}"), "$error"))
    elif row.reading is Reading.NOW:
        first.append((glyphs.twin("  its header is read…"), "$quiet"))
    return [first, _files(row, glyphs), [(_enter(row), "$quiet")]]


def _files(row: OfferRow, glyphs: Glyphs) -> list[Part]:
    files = row.offer.files
    told = f"{len(files)} file{'s' * (len(files) != 1)}, {gib(row.offer.size_bytes)}: "
    return [("fetches  ", "$quiet"), glyphs.twin(told + ", ".join(file.path for file in files))]


def _enter(row: OfferRow) -> str:
    if row.offer.is_here:
        return "it is on this disk already"
    if row.job is None or row.job.state is JobState.DONE:
        return "enter downloads it"
    if row.job.state in (JobState.PAUSED, JobState.FAILED):
        return "enter goes on with it"
    return "it is being fetched; v shows all downloads"


def offers_summary(rows: tuple[OfferRow, ...]) -> str:
    """`12 quantisations · 5 headers still to be read`, for the lower edge of the frame."""
    if not rows:
        return ""
    left = sum(row.reading in (Reading.WAITING, Reading.NOW) for row in rows)
    told = [f"{len(rows)} quantisation{'s' * (len(rows) != 1)}"]
    told += [f"{len(rows) - left} of {len(rows)} headers read"] if left else []
    fits = [row for row in rows if row.ahead is not None and row.ahead.verdict is Verdict.FITS]
    if fits:
        told.append(f"largest that fits: {max(fits, key=lambda row: row.offer.size_bytes).offer.label}")
    return " · ".join(told)


def _field(text: str, width: int, glyphs: Glyphs) -> str:
    return set_cell_size(cut(glyphs.twin(text), width - 1, glyphs), width)
