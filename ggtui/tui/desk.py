"""What the screen works on: the newest snapshot, the choices made on it, the cursor, the logs heard."""

from __future__ import annotations

import re
import time
from collections import deque
from typing import TYPE_CHECKING

from ggtui.core.deployment.replicas import ONE
from ggtui.core.forecast import next_stop, previous_stop
from ggtui.core.look_ahead import Standing, look_ahead
from ggtui.core.models import LaunchOptions
from ggtui.core.snapshot import EngineSnapshot
from ggtui.core.state import TargetState
from ggtui.tui.outlook import HOLDING, Outlook, current_pool, is_same_pool
from ggtui.tui.weights import Weights
from ggtui.tui.widgets.log_view import MAX_LINES

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast
    from ggtui.core.memory.pool import MemoryPool
    from ggtui.core.models import ModelSummary
    from ggtui.core.snapshot import FailureNote, LogBatch, ModelStatus, TargetStatus

_OFFLOADED = re.compile(r"offloaded (\d+/\d+) layers to GPU")
"""Source: llama.cpp src/llama-model.cpp, load_tensors."""
MOST_LOGS = 16
"""Servers whose log is kept; the least recently heard is dropped."""


class Desk:
    """Plain values, no widgets and no I/O: every key handler may ask it anything."""

    def __init__(self, options: LaunchOptions | None = None) -> None:
        """options: what launches start from, until the first snapshot says so itself."""
        self.snapshot = EngineSnapshot(0, options=options or LaunchOptions())
        self.selected_id: int | None = None
        """The model under the cursor."""
        self.marked: frozenset[int] = frozenset()
        """Models that a person marked."""
        self.weights = Weights()
        """Of LoRA adapters, with what was asked for and not yet told."""
        self.pool: MemoryPool = current_pool(self.snapshot)
        """The memory of the next load; kept while it moves by less than a forecast shows."""
        self._chosen: dict[int, int] = {}
        self._forecasts: dict[int, tuple[ModelStatus, int, MemoryPool, Forecast | None]] = {}
        self._logs: dict[str, deque[str]] = {}
        self._offloaded: dict[str, str] = {}
        self._rows: dict[int, ModelStatus] = {}
        self._held: tuple[tuple[object, ...], ...] = ()
        """What forecasts depend on of the servers that stand."""

    def apply(self, snapshot: EngineSnapshot) -> list[tuple[str, FailureNote]]:
        """Take the newest state; returns public id and failure of what has failed since the last one."""
        before = {row.summary.id: row.failure for row in self.snapshot.models}
        is_first = self.snapshot.version == 0
        self.snapshot = snapshot
        self._rows = {row.summary.id: row for row in snapshot.models}
        self.marked = self.marked.intersection(self._rows)
        pool = current_pool(snapshot)
        if not is_same_pool(self.pool, pool):
            self.pool = pool
        self._look_at_servers()
        self.weights.settle(snapshot.version)
        for row in snapshot.models:
            if self._chosen.get(row.summary.id) == row.n_ctx:
                del self._chosen[row.summary.id]
        return [
            (row.summary.public_id, row.failure)
            for row in snapshot.models
            if not is_first and row.failure is not None and row.failure != before.get(row.summary.id)
        ]

    def _look_at_servers(self) -> None:
        # Who is busy or idle for how long decides only the order of going, which no kept verdict shows.
        standing = (self._stands(target) for target in self._holding())
        held = tuple((each.model_id, each.n_bytes, each.is_pinned, each.is_ending) for each in standing)
        if held != self._held:
            self._held = held
            self._forecasts.clear()

    def _holding(self) -> list[TargetStatus]:
        return [target for target in self.snapshot.targets if target.state in HOLDING]

    def _stands(self, target: TargetStatus) -> Standing:
        row = self.status_of(target.model_id)
        return Standing(
            target.model_id,
            target.public_id,
            target.n_ctx,
            target.predicted_bytes or target.memory_bytes or 0,
            is_pinned=row is not None and row.is_pinned,
            is_busy=bool(target.in_flight),
            is_ending=target.state is TargetState.STOPPING,
            idle_s=max(0.0, time.time() - target.last_used_at) if target.last_used_at else 0.0,
            load_s=target.expected_load_s or 0.0,
        )

    @property
    def target(self) -> TargetStatus | None:
        """The server that the keys mean: that of the model under the cursor, else the first."""
        own = (target for target in self.snapshot.targets if target.model_id == self.selected_id)
        return next(own, self.snapshot.target)

    @property
    def selected(self) -> ModelStatus | None:
        """The model under the cursor."""
        return None if self.selected_id is None else self.status_of(self.selected_id)

    @property
    def marked_or_selected(self) -> tuple[ModelStatus, ...]:
        """The marked models in the catalog's order, else the one under the cursor, if any."""
        marked = tuple(row for row in self.snapshot.models if row.summary.id in self.marked)
        selected = self.selected
        return marked or (() if selected is None else (selected,))

    def status_of(self, model_id: int) -> ModelStatus | None:
        """The row of a model, or None; without a walk through all of them."""
        return self._rows.get(model_id)

    def by_name(self, public_id: str) -> ModelStatus | None:
        """The model of this id."""
        return next((row for row in self.snapshot.models if row.summary.public_id == public_id), None)

    def n_ctx(self, status: ModelStatus) -> int:
        """Tokens that a load of this model would use now."""
        return self._chosen.get(status.summary.id, status.n_ctx)

    def choose(self, status: ModelStatus, n_ctx: int) -> None:
        """Remember a context for this model until the catalog has kept it."""
        self._chosen[status.summary.id] = n_ctx

    def forget_choice(self, status: ModelStatus) -> None:
        """Back to what the catalog has kept."""
        self._chosen.pop(status.summary.id, None)

    def step(self, status: ModelStatus, direction: int) -> int:
        """The stop above (1) or below (-1) the chosen context."""
        go = next_stop if direction > 0 else previous_stop
        return go(self.n_ctx(status), status.summary.n_ctx_train)

    @property
    def basis(self) -> object:
        """What the forecasts of all models depend on, and what a person has chosen; equal while it is so."""
        return self.pool, self._held, tuple(sorted(self._chosen.items())), frozenset(self.marked)

    def forecast_of(self, status: ModelStatus) -> Forecast | None:
        """The forecast at the chosen context; computed anew only when something it depends on moved."""
        kept = self._kept_forecast(status)
        if kept is not None:
            return kept[3]
        n_ctx = self.n_ctx(status)
        found = self.forecast_at(status.summary, n_ctx)
        self._forecasts[status.summary.id] = (status, n_ctx, self.pool, found)
        return found

    def known_forecast(self, status: ModelStatus) -> Forecast | None:
        """The same where it has been computed already; None elsewhere."""
        kept = self._kept_forecast(status)
        return None if kept is None else kept[3]

    def look_ahead_for(self, seconds: float) -> bool:
        """Compute missing forecasts for so long; False when none is missing any more."""
        until = time.monotonic() + seconds
        for status in self.snapshot.models:
            if self._kept_forecast(status) is None:
                self.forecast_of(status)
                if time.monotonic() >= until:
                    return True
        return False

    def _kept_forecast(
        self, status: ModelStatus
    ) -> tuple[ModelStatus, int, MemoryPool, Forecast | None] | None:
        summary, kept = status.summary, self._forecasts.get(status.summary.id)
        now_so = summary, status.options, status.plan
        is_same = kept is not None and (kept[0].summary, kept[0].options, kept[0].plan) == now_so
        if kept is None or not is_same or kept[1] != self.n_ctx(status) or kept[2] is not self.pool:
            return None
        return kept

    def forecast_at(
        self, summary: ModelSummary, n_ctx: int, options: LaunchOptions | None = None
    ) -> Forecast | None:
        """The forecast at any context, in tokens, among the servers that stand.

        options: to see what others would lead to; None for those in force.
        """
        row = self.status_of(summary.id)
        return look_ahead(
            summary,
            n_ctx,
            options or self.options_of(summary),
            self.pool,
            [self._stands(target) for target in self._holding()],
            strategy=self.snapshot.strategy,
            budget_bytes=self.snapshot.memory_budget_bytes,
            plan=row.plan if row is not None else ONE,
        )

    def options_of(self, summary: ModelSummary) -> LaunchOptions:
        """How a load would launch this model now."""
        row = self.status_of(summary.id)
        return (row.options if row is not None else None) or self.snapshot.options

    def outlook(
        self, status: ModelStatus, n_ctx: int | None = None, options: LaunchOptions | None = None
    ) -> Outlook:
        """What a load of this model would lead to, as chosen or with another context and other options."""
        held, n_ctx = self._holding(), n_ctx or self.n_ctx(status)
        ahead = self.forecast_at(status.summary, n_ctx, options)
        own = next((target for target in held if target.model_id == status.summary.id), None)
        frees = ahead.frees if ahead is not None else ()
        goes = [target for target in held if target is own or target.public_id in frees]
        return Outlook(
            summary=status.summary,
            state=status.state,
            n_ctx=n_ctx,
            forecast=ahead,
            target=own,
            in_flight=sum(target.in_flight for target in goes),
            has_other_options=options is not None and options != self.options_of(status.summary),
        )

    def newest_failure(self) -> tuple[str, FailureNote] | None:
        """Public id and failure of the model that failed last and still is failed."""
        failed = [
            (row.summary.public_id, row.failure)
            for row in self.snapshot.models
            if row.state is TargetState.FAILED and row.failure is not None
        ]
        return max(failed, key=lambda entry: entry[1].at, default=None)

    def hear(self, batch: LogBatch) -> None:
        """Keep new log lines, and what they say of the layers."""
        for line in batch.lines:
            if "offloaded" in line and (found := _OFFLOADED.search(line)):
                self._offloaded[batch.public_id] = found[1]
        lines = self._logs.pop(batch.public_id, None) or deque[str](maxlen=MAX_LINES)
        lines.extend(batch.lines)
        self._logs[batch.public_id] = lines
        while len(self._logs) > MOST_LOGS:
            del self._logs[next(iter(self._logs))]

    def offloaded(self, public_id: str) -> str:
        """Layers on devices and all layers by the newest log of this model, as `49/49`; empty for unknown."""
        return self._offloaded.get(public_id, "")

    def log(self, public_id: str) -> tuple[str, ...]:
        """The log lines heard of this model, oldest first."""
        return tuple(self._logs.get(public_id, ()))

    def log_tail(self, public_id: str, n_lines: int) -> tuple[str, ...]:
        """The newest of them."""
        lines = self._logs.get(public_id, deque[str]())
        return tuple(lines[at] for at in range(max(0, len(lines) - n_lines), len(lines)))

    def newest_log(self) -> str:
        """Public id of the model heard last; empty when none was."""
        return next(reversed(self._logs), "")

    def log_subject(self) -> str:
        """Whose log `l` shows: the model under the cursor when it has one, else what runs, else the first."""
        selected = self.selected
        target = self.target
        if selected is not None and self._logs.get(selected.summary.public_id):
            return selected.summary.public_id
        if target is not None:
            return target.public_id
        return selected.summary.public_id if selected is not None else ""
