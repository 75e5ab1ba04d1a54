"""Who waits, in words: requests by model, what each waits for, how long so far and how long still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from ggtui.core.snapshot import WaitPhase
from ggtui.core.state import TargetState
from ggtui.core.units import duration, tokens
from ggtui.tui.format import Part, cut, fit_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.content import Content

    from ggtui.core.snapshot import EngineSnapshot, QueueEntry, TargetStatus
    from ggtui.tui.glyphs import Glyphs

SHORT_WAIT_S = 1.0
"""Slots become free by the second: what would come and go at once does not move the rest of the screen."""
MOST_REQUESTS = 200
"""Rows of the full list."""
OVERDUE = "overdue"
"""Instead of the time left, when a load takes longer than the last one."""
SHORTEST_NAME = 8
PLACE, CTX, WAITS, EXPECTED, FOR = 5, 7, 8, 10, 32
"""Cells of a column of the full list, the gap after it counted; FOR is as wide as most words are."""
NARROW, WIDE = 56, 95
"""Cells from which the full list is a table, and from which it has room for the column Ctx."""


@dataclass(frozen=True, slots=True)
class WaitingView:
    """What is shown of the line, and the servers it waits for."""

    queue: tuple[QueueEntry, ...] = ()
    targets: tuple[TargetStatus, ...] = ()

    @classmethod
    def of(cls, snapshot: EngineSnapshot) -> WaitingView:
        """The line of this state."""
        return cls(snapshot.queue, snapshot.targets) if snapshot.queue else cls()

    def is_worth_showing(self, now: float) -> bool:
        """True when somebody waits for a model, or already for some time. now: Unix time."""
        return any(
            entry.phase is not WaitPhase.SLOT or now - entry.since >= SHORT_WAIT_S for entry in self.queue
        )


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """The requests that wait for one model."""

    first: QueueEntry
    """The one that is served first, and has waited longest."""
    count: int


def waiting_groups(queue: Iterable[QueueEntry]) -> list[WaitingGroup]:
    """The requests by model, in the order of service."""
    firsts: dict[int, QueueEntry] = {}
    counts: dict[int, int] = {}
    for entry in queue:
        firsts.setdefault(entry.model_id, entry)
        counts[entry.model_id] = counts.get(entry.model_id, 0) + 1
    return [WaitingGroup(first, counts[model_id]) for model_id, first in firsts.items()]


def left_s(entry: QueueEntry, now: float) -> float | None:
    """Seconds that a request is expected to wait still; None when nobody knows. now: Unix time.

    Only a load that goes on comes nearer by itself; in front of the others nobody knows when it begins.
    """
    if entry.expected_s is None or entry.phase is not WaitPhase.LOADING:
        return entry.expected_s
    return max(0.0, entry.expected_s - (now - entry.since - entry.waiting_s))


def expected_words(entry: QueueEntry, now: float, glyphs: Glyphs) -> str:
    """`≈6s`, `≥14s`, `overdue`; empty when nobody knows."""
    left = left_s(entry, now)
    if left is None:
        return ""
    if entry.is_expected_at_least:
        return glyphs.twin(f"≥{duration(left)}")
    return f"{glyphs.approx}{duration(left)}" if left > 0 else OVERDUE


def reason_words(entry: QueueEntry, targets: Iterable[TargetStatus], width: int, glyphs: Glyphs) -> str:
    """What a request waits for, in at most `width` cells: `after gemma-3-27b-it, draining 2`.

    A name that is too long is cut, so that what its server does stays in view.
    """
    by_id = {target.public_id: target for target in targets}
    if entry.phase in (WaitPhase.LOADING, WaitPhase.SLOT, WaitPhase.RESTART):
        return cut(_own_words(entry, by_id.get(entry.public_id)), width, glyphs)
    if not entry.behind:
        return cut("next in line", width, glyphs)
    first, *more = entry.behind
    tail = _state_words(entry.phase, by_id.get(first)) + (f" +{len(more)}" if more else "")
    name = cut(first, max(SHORTEST_NAME, width - len("after ") - cell_len(tail)), glyphs)
    return cut(f"after {name}{tail}", width, glyphs)


def _own_words(entry: QueueEntry, own: TargetStatus | None) -> str:
    if entry.phase is WaitPhase.LOADING:
        return f"loading{_share(own)}"
    if entry.phase is WaitPhase.RESTART:
        return "its server starts again"
    return f"all {own.n_slots} slots busy" if own is not None and own.n_slots > 1 else "its slot is busy"


def _state_words(phase: WaitPhase, target: TargetStatus | None) -> str:
    match phase:
        case WaitPhase.BEHIND_LOADING:
            return f", loading{_share(target)}"
        case WaitPhase.BEHIND_BUSY:
            return f", busy with {target.in_flight}" if target is not None else ", busy"
        case WaitPhase.BEHIND_DRAINING:
            return f", draining {target.in_flight}" if target is not None else ", draining"
        case WaitPhase.BEHIND_STOPPING:
            return ", stopping"
        case _:
            return ""


def _share(target: TargetStatus | None) -> str:
    is_told = target is not None and target.state is TargetState.LOADING and target.progress is not None
    return f" {round(100 * target.progress)}%" if is_told and target and target.progress is not None else ""


def waiting_line(view: WaitingView, now: float, width: int, glyphs: Glyphs) -> Content:
    """The most important in one line: how many wait, and who is first, for how long and for what."""
    groups = waiting_groups(view.queue)
    if not groups:
        return fit_line([], width, glyphs)
    first = groups[0].first
    head, tail = f"{glyphs.state(TargetState.QUEUED)} {len(view.queue)} wait  ", "  W all"
    facts = f"{_count(groups[0], glyphs)}  {_times(first, now, glyphs, is_short=True)}  "
    room = width - cell_len(head) - cell_len(facts) - cell_len(tail)
    name = cut(first.public_id, max(SHORTEST_NAME, room // 2), glyphs)
    reason = reason_words(first, view.targets, max(SHORTEST_NAME, room - cell_len(name)), glyphs)
    parts: list[Part] = [(head, "bold"), (name, "bold"), facts, (reason, "$warning")]
    gap = width - sum(cell_len(part if isinstance(part, str) else part[0]) for part in parts) - cell_len(tail)
    return fit_line([*parts, (f"{' ' * max(0, gap)}{tail}", "$quiet")], width, glyphs)


def group_lines(view: WaitingView, now: float, width: int, n_rows: int, glyphs: Glyphs) -> list[Content]:
    """Two lines by model in at most `n_rows` rows; the last tells of the models that have no room."""
    groups = waiting_groups(view.queue)
    n_shown = len(groups) if 2 * len(groups) <= n_rows else max(1, (n_rows - 1) // 2)
    rows = [row for group in groups[:n_shown] for row in _group_rows(group, view, now, width, glyphs)]
    if len(groups) > n_shown:
        rows.append(fit_line([(f"and for {len(groups) - n_shown} more", "$quiet")], width, glyphs))
    return rows


def _group_rows(
    group: WaitingGroup, view: WaitingView, now: float, width: int, glyphs: Glyphs
) -> tuple[Content, Content]:
    first = group.first
    place, times = f"{first.position} ", _times(first, now, glyphs)
    count = _count(group, glyphs)
    room = width - cell_len(place) - cell_len(count) - cell_len(times) - 1
    name = cut(first.public_id, max(SHORTEST_NAME, room), glyphs)
    gap = " " * max(1, 1 + room - cell_len(name))
    reason = reason_words(first, view.targets, width - cell_len(place), glyphs)
    return (
        fit_line([(place, "$quiet"), (name, "bold"), count, gap, times], width, glyphs),
        fit_line([" " * cell_len(place), (reason, "$warning")], width, glyphs),
    )


def _count(group: WaitingGroup, glyphs: Glyphs) -> str:
    return glyphs.twin(f" ×{group.count}") if group.count > 1 else ""


def _times(entry: QueueEntry, now: float, glyphs: Glyphs, *, is_short: bool = False) -> str:
    """`4s`, `4s, ≥14s left`, `20s, overdue`."""
    expected, so_far = expected_words(entry, now, glyphs), duration(now - entry.since)
    if not expected:
        return so_far
    return f"{so_far}, {expected}" if is_short or expected == OVERDUE else f"{so_far}, {expected} left"


def request_lines(view: WaitingView, now: float, width: int, glyphs: Glyphs) -> list[Content]:
    """Every request in a line of its own under a line of heads; where that is too narrow, in two lines."""
    queue = view.queue[:MOST_REQUESTS]
    if width < NARROW:
        each = (WaitingGroup(entry, 1) for entry in queue)
        rows = [row for group in each for row in _group_rows(group, view, now, width, glyphs)]
    else:
        rows = _table(queue, view.targets, now, width, glyphs)
    if len(view.queue) > MOST_REQUESTS:
        rows.append(fit_line([(f"and {len(view.queue) - MOST_REQUESTS} more", "$quiet")], width, glyphs))
    return rows


def _table(
    queue: Iterable[QueueEntry], targets: tuple[TargetStatus, ...], now: float, width: int, glyphs: Glyphs
) -> list[Content]:
    ctx_width = CTX if width >= WIDE else 0
    fixed = PLACE + ctx_width + WAITS + EXPECTED
    name_width = max(SHORTEST_NAME + 2, min(40, width - fixed - FOR))
    reason_width = max(SHORTEST_NAME, width - fixed - name_width)

    def row(place: str, name: str, ctx: str, waits: str, expected: str) -> str:
        cells = ((place, PLACE), (name, name_width), (ctx, ctx_width), (waits, WAITS), (expected, EXPECTED))
        return "".join(set_cell_size(cut(text, size - 2, glyphs), size) for text, size in cells)

    heads = row("#", "Model", "Ctx", "Waits", "Expects")
    rows = [fit_line([(f"{heads}For", "$quiet")], width, glyphs)]
    for entry in queue:
        facts = row(
            str(entry.position),
            entry.public_id,
            "any" if entry.n_ctx is None else tokens(entry.n_ctx),
            duration(now - entry.since),
            expected_words(entry, now, glyphs) or glyphs.twin("–"),
        )
        reason = reason_words(entry, targets, reason_width, glyphs)
        rows.append(fit_line([facts, (reason, "$warning")], width, glyphs))
    return rows
