"""Backends and their models as rows: what each is asked for, what it has, and how that differs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.backends.rows import Row, RowState
from ggtui.core.backends.sight import seen
from ggtui.core.units import duration
from ggtui.tui.glyphs import BACKENDS, DISK, ROWS
from ggtui.tui.reasons import READ_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ggtui.core.backends.observed import BackendState, PulledModel
    from ggtui.core.downloads.jobs import Job
    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.tui.glyphs import StateLook

HERE = "this machine"
"""What THIS_MACHINE is called where people read it."""
KEYS = ("reconcile", "hold", "prune")


class Kind(StrEnum):
    """What a row is about."""

    BACKEND = "backend"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class BackendRow:
    """One backend, or one model of it, at one moment."""

    kind: Kind
    backend: str
    state: BackendState | None = None
    """Of the backend; None for the disk of this machine."""
    row: Row | None = None
    """Of the model; None for a backend."""
    pulled: PulledModel | None = None
    """What the backend tells of the model; None where it does not have it."""
    job: Job | None = None
    """The download that brings the model."""
    counts: tuple[tuple[RowState, int], ...] = ()
    """Of a backend: how many of its models stand how, in the order of RowState; none of no model."""
    age_s: int | None = None
    """Of a backend: whole seconds since it was last well; None when it never was."""

    @property
    def key(self) -> str:
        """Which row it is."""
        return f"{self.kind} {self.backend} {self.model}"

    @property
    def is_heading(self) -> bool:
        """The cursor stands on backends too: they have an error, a URL, an age."""
        return False

    @property
    def model(self) -> str:
        """Its name as declared, else as the backend knows it; empty for a backend."""
        return "" if self.row is None else self.row.model

    @property
    def name(self) -> str:
        """What is shown first."""
        return self.model or self.title

    @property
    def title(self) -> str:
        """The backend as people call it."""
        return HERE if self.backend == THIS_MACHINE else self.backend

    @property
    def is_ready(self) -> bool | None:
        """Whether the last look at the backend went well; None before the first, and for the disk."""
        if self.state is None or self.state.observed_at is None:
            return None
        return not self.state.error

    @property
    def look(self) -> StateLook:
        """How its state is told."""
        if self.row is not None:
            return ROWS[self.row.state]
        return DISK if self.state is None else BACKENDS[self.is_ready]

    @property
    def can_pull(self) -> bool:
        """True where a model can be fetched, and deleted again, by what ggtui asks for."""
        return self.state is not None and self.state.backend.type.can_pull


def backend_rows(snapshot: EngineSnapshot, now: float, words: str = "") -> tuple[BackendRow, ...]:
    """Each backend with its models below it; of those the ones that hold every word. now: Unix time.

    A backend stays while one of its models does.
    """
    wanted = words.lower().split()
    jobs = {each.number: each for each in snapshot.downloads}
    rows: list[BackendRow] = []
    for head, models in _groups(snapshot, jobs, now):
        kept = [row for row in models if _holds(row, wanted)]
        if kept or _holds(head, wanted):
            rows += [head, *kept]
    return tuple(rows)


def _groups(
    snapshot: EngineSnapshot, jobs: dict[int, Job], now: float
) -> Iterator[tuple[BackendRow, list[BackendRow]]]:
    by_backend: dict[str, list[Row]] = {}
    for row in snapshot.rows:
        by_backend.setdefault(row.backend, []).append(row)
    states: dict[str, BackendState | None] = {THIS_MACHINE: None} if THIS_MACHINE in by_backend else {}
    states |= {each.name: each for each in snapshot.backends}
    for name, state in states.items():
        rows = [row for row in by_backend.get(name, ()) if row.model]
        yield _head(name, state, rows, now), [_model(state, row, jobs) for row in rows]


def _head(name: str, state: BackendState | None, rows: Iterable[Row], now: float) -> BackendRow:
    stands = [row.state for row in rows]
    counts = tuple((each, stands.count(each)) for each in RowState if each in stands)
    last = None if state is None else state.last_seen
    return BackendRow(
        Kind.BACKEND, name, state, counts=counts, age_s=None if last is None else max(0, int(now - last))
    )


def _model(state: BackendState | None, row: Row, jobs: dict[int, Job]) -> BackendRow:
    pulled = None if state is None else seen(state, row.model)
    return BackendRow(
        Kind.MODEL, row.backend, state, row, pulled, jobs.get(row.job) if row.job is not None else None
    )


def _holds(row: BackendRow, wanted: Iterable[str]) -> bool:
    type = "" if row.state is None else row.state.backend.type
    text = f"{row.title} {row.model} {type} {row.look.word}".lower()
    return all(word in text for word in wanted)


def counts_text(counts: Iterable[tuple[RowState, int]]) -> str:
    """`3 in sync  1 missing`; empty without models."""
    return "  ".join(f"{n} {ROWS[state].word}" for state, n in counts)


def age_text(row: BackendRow) -> str:
    """When it was last well, or that it never was."""
    if row.age_s is None:
        return "never"
    return "just now" if row.age_s < 2 else f"{duration(row.age_s)} ago"


def summary(snapshot: EngineSnapshot, n_shown: int, words: str) -> str:
    """`2 backends · 1 in error · 1 missing`, for the lower edge of the frame. n_shown: rows of a filter."""
    if not snapshot.backends and not snapshot.rows:
        return ""
    n_backends, n_errors = len(snapshot.backends), sum(bool(each.error) for each in snapshot.backends)
    told = [f"{n_backends} backend{'s' * (n_backends != 1)}"]
    told += [f"{n_errors} in error"] * bool(n_errors)
    for state in (RowState.MISSING, RowState.DOWNLOADING, RowState.DRIFTED, RowState.PAUSED, RowState.EXTRA):
        n_rows = sum(row.state is state for row in snapshot.rows)
        told += [f"{n_rows} {ROWS[state].word}"] * bool(n_rows)
    is_even = not any(row.state.is_drift for row in snapshot.rows) and not n_errors
    told += ["all in sync"] * (is_even and bool(snapshot.rows))
    shown = [f"{n_shown} shown"] if words else []
    return " · ".join([*(["asking now"] * snapshot.is_reconciling), *shown, *told])


def why_not(row: BackendRow | None, binding_id: str, snapshot: EngineSnapshot) -> str | None:
    """Why this key can do nothing to this row; empty when it can, None for a key of another place."""
    if binding_id not in KEYS:
        return None
    if not snapshot.backends and not snapshot.rows:
        return "the configuration has no [[backend]] and no [[model]]"
    if binding_id == "reconcile":
        # Asking changes nothing by itself, but what is missing is fetched then.
        return READ_ONLY if snapshot.is_read_only else ""
    if row is None or row.row is None:
        return "no model under the cursor"
    if snapshot.is_read_only:
        return READ_ONLY
    return _why_not_prune(row) if binding_id == "prune" else _why_not_hold(row)


def _why_not_prune(row: BackendRow) -> str:
    assert row.row is not None
    if row.row.state is not RowState.EXTRA:
        return f"{row.model} is declared: what is declared is not deleted from here"
    if not row.can_pull:
        return f"{row.title} deletes no model when it is asked to: only Ollama does"
    return ""


def _why_not_hold(row: BackendRow) -> str:
    assert row.row is not None
    match row.row.state:
        case RowState.DOWNLOADING | RowState.PAUSED | RowState.ERROR if row.row.job is not None:
            return ""
        case RowState.MISSING if row.can_pull or row.row.repository:
            return ""
        case RowState.MISSING:
            return f"{row.title} fetches no model by itself: start it with {row.model}"
        case _:
            return f"nothing is to be fetched: {row.model} is {ROWS[row.row.state].word}"
