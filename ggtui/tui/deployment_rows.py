"""Deployments as rows and as lines about one: state, runtime, who is served, limits, breaker, money."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.limits import Limit
from ggtui.core.deployment_words import (
    SHORT,
    Use,
    breaker_text,
    count,
    dollars,
    fullest,
    limits_text,
    served_text,
    spent_text,
)
from ggtui.core.deployments_json import amount, outcomes
from ggtui.core.snapshot import DeploymentState
from ggtui.tui.format import cut, percent
from ggtui.tui.glyphs import DEPLOYMENTS
from ggtui.tui.reasons import READ_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.snapshot import DeploymentStatus, EngineSnapshot
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

SIGN = 3
WIDE, NARROW = 134, 74
"""Cells from which limits and money are told in full, and below which not at all."""
LEAST_NAME, MOST_NAME = 10, 40
IS_FULL = 0.9
"""Share of a limit or a budget from which it is shown as a warning."""
BREAKERS = {
    BreakerState.CLOSED: "$quiet",
    BreakerState.HALF_OPEN: "$warning",
    BreakerState.OPEN: "$error bold",
}
CHANGES = ("breaker-open", "breaker-close", "breaker-reset", "drain")
"""Keys that order something."""


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """One deployment at one moment."""

    status: DeploymentStatus
    retry_s: int | None
    """Whole seconds until its open breaker lets a request pass; None when nobody counts."""

    @property
    def key(self) -> str:
        """Which row it is."""
        return self.status.name

    @property
    def is_heading(self) -> bool:
        """The cursor stands on every row."""
        return False

    @property
    def breaker(self) -> BreakerState:
        """Its state now: an open one whose time is over lets a request pass."""
        return BreakerState.HALF_OPEN if self.retry_s == 0 else self.status.breaker

    @property
    def is_drained(self) -> bool:
        """True while a person keeps new requests out."""
        return self.status.state in (DeploymentState.DRAINING, DeploymentState.DISABLED)

    @property
    def uses(self) -> tuple[Use, ...]:
        """Its limits and what of them is used."""
        return tuple(
            Use(str(each.limit), each.used, each.allowed, each.client) for each in self.status.limits
        )


def deployment_rows(snapshot: EngineSnapshot, now: float, words: str = "") -> tuple[DeploymentRow, ...]:
    """Those that hold every word, in the order of the configuration. now: Unix time."""
    rows = (DeploymentRow(each, _retry_s(each, now)) for each in snapshot.deployments)
    wanted = words.lower().split()
    return tuple(row for row in rows if _holds(row, wanted))


def _retry_s(status: DeploymentStatus, now: float) -> int | None:
    return None if status.retry_at is None else max(0, math.ceil(status.retry_at - now))


def _holds(row: DeploymentRow, wanted: Iterable[str]) -> bool:
    status = row.status
    look, breaker = DEPLOYMENTS[status.state], _breaker(row)
    text = f"{status.name} {status.model} {status.kind} {look.word} breaker {breaker}".lower()
    return all(word in text for word in wanted)


# Columns


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of each column, the gap after it counted; 0 leaves it out."""

    name: int
    state: int
    kind: int
    served: int
    limits: int
    breaker: int
    tokens: int
    spent: int

    @property
    def is_full(self) -> bool:
        """True when figures are told whole, not as a share."""
        return self.spent > 10


def columns(width: int) -> Columns:
    """What has room in so many cells."""
    if width >= WIDE:
        fixed = (9, 13, 10, 34, 12, 11, 30)
    elif width >= NARROW:
        fixed = (9, 11, 8, 9, 12, 6, 6)
    else:
        fixed = (9, 0, 8, 0, 12, 0, 0)
    name = max(LEAST_NAME, min(MOST_NAME, width - SIGN - sum(fixed)))
    return Columns(name, *fixed)


def heads(width: int) -> list[Part]:
    """The column heads over the rows."""
    to = columns(width)
    titles = ("Name", "State", "Runtime", "Serves", "Limits", "Breaker", "Tok" if to.tokens < 7 else "In/out")
    sizes = (to.name, to.state, to.kind, to.served, to.limits, to.breaker, to.tokens, to.spent)
    cells = [set_cell_size(title, size) for title, size in zip((*titles, "Spent"), sizes, strict=True)]
    return [(" " * SIGN + "".join(cells), "$quiet")]


def row_parts(row: DeploymentRow, width: int, glyphs: Glyphs) -> list[Part]:
    """A row in so many cells."""
    status, to = row.status, columns(width)
    look = DEPLOYMENTS[status.state]
    is_crowded = status.queued > 0
    cells: tuple[tuple[str, int, str], ...] = (
        (status.name, to.name, "$quiet" if row.is_drained else ""),
        (look.word, to.state, look.style),
        (_kind(row, to), to.kind, ""),
        (
            served_text(status.in_flight, status.slots, status.queued),
            to.served,
            "$warning" if is_crowded else "",
        ),
        (*_limits(row, to), _warns(_limit_share(row))),
        (_breaker(row), to.breaker, _breaker_style(row)),
        (*_tokens(row, to), ""),
        (*_spent(row, to), _warns(_budget_share(status))),
    )
    sign: Part = (f" {glyphs.deployment(status.state)} ", look.style)
    return [sign, *((_field(glyphs.twin(text), size, glyphs), style) for text, size, style in cells if size)]


def _kind(row: DeploymentRow, to: Columns) -> str:
    return "local" if row.status.kind.is_local and not to.is_full else str(row.status.kind)


def _limits(row: DeploymentRow, to: Columns) -> tuple[str, int]:
    """All of them, or the share of the fullest: `req 20%`."""
    most = fullest(row.uses)
    if most is None:
        return "–", to.limits
    if to.is_full:
        return limits_text(use._replace(key="") for use in row.uses), to.limits
    return f"{SHORT[Limit(most.name)][:3].strip()} {percent(most.used, most.allowed)}", to.limits


def _tokens(row: DeploymentRow, to: Columns) -> tuple[str, int]:
    counts = row.status.counts
    if not counts.input_tokens and not counts.output_tokens:
        return "–", to.tokens
    if to.is_full:
        return f"{count(counts.input_tokens)}/{count(counts.output_tokens)}", to.tokens
    return count(counts.input_tokens + counts.output_tokens), to.tokens


def _spent(row: DeploymentRow, to: Columns) -> tuple[str, int]:
    """Against the budget; as a share of it, or the day's amount, where there is little room."""
    status = row.status
    if to.is_full:
        return _money(status) or "–", to.spent
    share = _budget_share(status)
    if share is not None:
        return percent(round(share * 100), 100), to.spent
    return _short_dollars(amount(status.spent_day_pusd)), to.spent


def _short_dollars(day: float) -> str:
    """In five cells."""
    if not day:
        return "–"
    if day < 0.01:
        return "<$.01"
    if day < 9.995:
        return f"${day:.2f}"
    return f"${round(day)}" if day < 1000 else f"${count(int(day) // 1000 * 1000)}"


def _money(status: DeploymentStatus) -> str:
    hour, day = _budget_usd(status)
    return spent_text(amount(status.spent_hour_pusd), amount(status.spent_day_pusd), hour, day)


def _budget_usd(status: DeploymentStatus) -> tuple[float | None, float | None]:
    if status.budget is None:
        return None, None
    hour, day = status.budget.max_spend_per_hour_pusd, status.budget.max_spend_per_day_pusd
    return None if hour is None else amount(hour), None if day is None else amount(day)


def _budget_share(status: DeploymentStatus) -> float | None:
    """The share of the budget that is nearest its end; None without one."""
    if status.budget is None:
        return None
    pairs = (
        (status.spent_hour_pusd, status.budget.max_spend_per_hour_pusd),
        (status.spent_day_pusd, status.budget.max_spend_per_day_pusd),
    )
    return max((spent / max(1, most) for spent, most in pairs if most is not None), default=None)


def _limit_share(row: DeploymentRow) -> float | None:
    most = fullest(row.uses)
    return None if most is None else most[1] / max(1, most[2])


def _warns(share: float | None) -> str:
    return "$warning" if share is not None and share >= IS_FULL else ""


def _breaker(row: DeploymentRow) -> str:
    return breaker_text(row.breaker, is_forced=row.status.is_breaker_forced, retry_after_s=row.retry_s)


def _breaker_style(row: DeploymentRow) -> str:
    if row.status.is_breaker_forced and row.breaker is BreakerState.CLOSED:
        return "$warning"
    return BREAKERS[row.breaker]


def _field(text: str, width: int, glyphs: Glyphs) -> str:
    return set_cell_size(cut(text, width - 1, glyphs), width)


# Lines below the list


def about(row: DeploymentRow, width: int, glyphs: Glyphs) -> list[list[Part]]:
    """More about the row under the cursor: why its state, why its runtime, its model, rules, requests."""
    status = row.status
    return [
        _state(row, width, glyphs),
        [("runtime  ", "$quiet"), f"{status.kind}: {glyphs.twin(status.why_kind)}"],
        [("model  ", "$quiet"), status.model, *_counted_tokens(row)],
        _rules(row, glyphs),
        _requests(row),
    ]


def _state(row: DeploymentRow, width: int, glyphs: Glyphs) -> list[Part]:
    """Sign, word, name and reason; without the name, which the row has, where that is too much."""
    status, why = row.status, glyphs.twin(_why(row))
    look = DEPLOYMENTS[status.state]
    sign: Part = (f"{glyphs.deployment(status.state)} {look.word}  ", look.style)
    if cell_len(f"{sign[0]}{status.name}  {why}") > width and why:
        return [sign, why]
    return [sign, (status.name, "bold"), f"  {why}"]


def _why(row: DeploymentRow) -> str:
    """What keeps requests out, or what a person should know; a reason of the state comes first."""
    status = row.status
    if status.why:
        return f"{status.why}; space lets requests in again" if row.is_drained else status.why
    if status.is_breaker_forced:
        return "a person holds its circuit breaker; BkSp lets it judge by itself"
    if row.breaker is BreakerState.OPEN:
        return f"its server keeps failing: tried again in {row.retry_s or 0} s"
    if row.breaker is BreakerState.HALF_OPEN:
        return "the next request tries whether its server is well again"
    return ""


def _counted_tokens(row: DeploymentRow) -> list[Part]:
    counts = row.status.counts
    if not counts.input_tokens and not counts.output_tokens:
        return []
    return [("  tokens  ", "$quiet"), f"{count(counts.input_tokens)} in {count(counts.output_tokens)} out"]


def _rules(row: DeploymentRow, glyphs: Glyphs) -> list[Part]:
    money = _money(row.status)
    cost = amount(row.status.counts.cost_pusd)
    told = [
        ("limits", limits_text(row.uses) or "none"),
        ("spent", money or (dollars(cost) if cost else "nothing")),
    ]
    if row.status.budget is not None:
        told.append(("then", str(row.status.budget.on_exceeded)))
    return [part for label, text in told for part in ((f"{label}  ", "$quiet"), f"{glyphs.twin(text)}  ")]


def _requests(row: DeploymentRow) -> list[Part]:
    """What became of them: what went well, then what happened most; what did not is left out."""
    done = outcomes(row.status.counts)
    well = [("succeeded", done.pop("succeeded"))]
    told = [*well, *sorted(done.items(), key=lambda each: -each[1])]
    text = "  ".join(f"{count(n)} {name.replace('_', ' ')}" for name, n in told if n)
    return [("requests  ", "$quiet"), text or "none yet"]


def summary(snapshot: EngineSnapshot, n_shown: int, words: str) -> str:
    """`3 deployments · 5 in flight · 2 queued`, for the lower edge of the frame."""
    rows = snapshot.deployments
    if not rows:
        return ""
    noun = "deployment" if len(rows) == 1 else "deployments"
    shown = f"{n_shown} of " if words else ""
    queued = sum(each.queued for each in rows)
    waiting = f" · {queued} queued" if queued else ""
    return f"{shown}{len(rows)} {noun} · {sum(each.in_flight for each in rows)} in flight{waiting}"


def why_not(row: DeploymentRow | None, binding_id: str, *, is_read_only: bool) -> str | None:
    """Why this key can do nothing to this row; empty when it can, None for a key of another place."""
    if binding_id not in CHANGES:
        return None
    if row is None:
        return "no deployment under the cursor"
    if is_read_only:
        return READ_ONLY
    held = row.status.breaker if row.status.is_breaker_forced else None
    if binding_id == "breaker-open" and held is BreakerState.OPEN:
        return "its circuit breaker is held open already; BkSp lets it judge by itself"
    if binding_id == "breaker-close" and held is BreakerState.CLOSED:
        return "its circuit breaker is held closed already; BkSp lets it judge by itself"
    return ""
