"""What is known of a model without loading it, and what its loads have taught: names and values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ggtui.core.units import duration, gib, parameters, tokens
from ggtui.tui.format import fit_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.core.load_history import LoadRecord
    from ggtui.core.memory.parts import DeviceShare
    from ggtui.core.models import ModelSummary
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

CLOSE = 0.02
"""A forecast that was off by less, as a share of the truth, is shown as a good one."""
MOST_LOADS = 8
"""Loads that are listed, the newest first."""


def facts(summary: ModelSummary) -> list[tuple[str, str]]:
    """What the header says and where the file lies: name and value."""
    shape = summary.shape
    found = [
        ("name", summary.name),
        ("client's name", summary.public_id),
        ("architecture", summary.architecture or "–"),
        ("quantisation", summary.quantisation or "–"),
        ("parameters", parameters(summary.n_params)),
        ("size", gib(summary.size_bytes)),
        ("trained context", tokens(summary.n_ctx_train)),
        ("can", ", ".join(summary.capabilities)),
        ("layers", "–" if shape is None else str(shape.n_layer)),
    ]
    if summary.tags:
        found.append(("tags", ", ".join(summary.tags)))
    found += _files(summary)
    if summary.problem is not None:
        return [("problem", summary.problem), *(fact for fact in found if fact[1] != "–")]
    return found


def _files(summary: ModelSummary) -> list[tuple[str, str]]:
    first, *more = summary.places or ("",)
    candidates = ", ".join(summary.projector_candidates)
    found = [
        ("found in", first or summary.store),
        *(("also in", place) for place in more),
        ("same content", ", ".join(summary.copies)),
        ("copies take", gib(summary.waste_bytes) if summary.waste_bytes else ""),
        ("projector", summary.projector or (f"one of {candidates}" if candidates else "")),
        ("warning", summary.warning or ""),
    ]
    return [fact for fact in found if fact[1]]


def load_lines(history: Sequence[LoadRecord], unix_now: float, width: int, glyphs: Glyphs) -> list[Content]:
    """The newest load by part, then one line a load: what was predicted and what it took."""
    if not history:
        return []
    newest = history[0]
    rows = [
        Content.assemble((f"{'':<12}weights  kv       compute  all", "$quiet")),
        _parts("predicted", newest.predicted, newest.predicted_bytes),
        _parts("actual", newest.actual, newest.actual_bytes),
    ]
    return [*rows, *(_load_line(record, unix_now, width, glyphs) for record in history[:MOST_LOADS])]


def _parts(name: str, shares: Iterable[DeviceShare], n_bytes: int) -> Content:
    held = list(shares)
    weights = sum(share.weights_bytes for share in held)
    cache = sum(share.kv_bytes + share.state_bytes for share in held)
    work = sum(share.compute_bytes + share.output_bytes for share in held)
    figures = "".join(f"{gib(part):<9}" for part in (weights, cache, work, n_bytes))
    return Content.assemble((f"{name:<12}", "$quiet"), figures.rstrip())


def _load_line(record: LoadRecord, unix_now: float, width: int, glyphs: Glyphs) -> Content:
    age = f"{duration(unix_now - record.at)} ago"
    figures = f"{gib(record.predicted_bytes)} {glyphs.arrow} {gib(record.actual_bytes)}"
    slots = "1 slot" if record.n_parallel == 1 else f"{record.n_parallel} slots"
    is_close = abs(record.difference) < CLOSE
    parts: list[Part] = [
        (f"{age:<12}", "$quiet"),
        f"ctx {tokens(record.n_ctx):<6} {slots:<8} {figures:<16} ",
        (difference(record), "$success" if is_close else "$warning"),
        (f"  {record.engine}", "$quiet"),
    ]
    return fit_line(parts, width, glyphs)


def difference(record: LoadRecord) -> str:
    """`+0.4%` for a forecast that was too high."""
    return f"{100 * record.difference:+.1f}%"
