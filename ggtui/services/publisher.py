"""Puts the whole state together and hands it to everybody who watches, at most four times a second."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from ggtui.core.context import choose_context
from ggtui.core.decisions import Phase
from ggtui.core.memory.parts import pool_bytes
from ggtui.core.snapshot import EngineSnapshot, ModelStatus, TargetStatus
from ggtui.core.state import TargetState
from ggtui.services.queue_report import QueueReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.decisions import Resident
    from ggtui.core.schedule import Scheduler
    from ggtui.services.backends.book import Backends
    from ggtui.services.catalog import CatalogService
    from ggtui.services.deployments.book import Deployments
    from ggtui.services.downloads.book import Downloads
    from ggtui.services.endpoints import Endpoints
    from ggtui.services.engine_lookup import EngineLookup
    from ggtui.services.gpu_watch import GpuWatch
    from ggtui.services.history import History
    from ggtui.services.launches import Launch, LaunchLedger

_LOG = logging.getLogger(__name__)
COALESCE_S = 0.05
"""Changes within this time are told together."""
APART_S = 0.25
"""From one telling to the next: requests come and go by the thousand, and each telling costs a redraw."""


class Publisher:
    """Builds snapshots from the services and tells subscribers. Lives on the engine's loop."""

    def __init__(
        self,
        *,
        catalog: CatalogService,
        ledger: LaunchLedger,
        scheduler: Scheduler,
        gpu: GpuWatch,
        lookup: EngineLookup,
        endpoints: Endpoints,
        history: History,
        default_n_ctx: int,
        deployments: Deployments | None = None,
        backends: Backends | None = None,
        downloads: Downloads | None = None,
        strategy: str = "single",
        is_read_only: bool = False,
        most_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        """deployments, backends, downloads: None where there are none.

        most_bytes: what all servers may take together at most; 0 for what the machine has.
        """
        self.url = ""
        """What clients use as base URL; set by whoever opens the door."""
        self._catalog = catalog
        self._ledger = ledger
        self._scheduler = scheduler
        self._gpu = gpu
        self._lookup = lookup
        self._endpoints = endpoints
        self._history = history
        self._deployments = deployments
        self._backends = backends
        self._downloads = downloads
        self._default_n_ctx = default_n_ctx
        self._strategy = strategy
        self._queue = QueueReport(scheduler, ledger)
        self._is_read_only = is_read_only
        self._most_bytes = most_bytes
        # Added to the scheduler's times; taken once, so that an idle server is the same in every snapshot.
        self._epoch = time.time() - time.monotonic()
        self._version = 0
        self._rows: dict[int, ModelStatus] = {}
        self._hearers: list[Callable[[EngineSnapshot], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._told_at = -APART_S
        for source in (catalog, ledger, gpu, lookup, endpoints, history):
            source.changed = self.changed
        for optional in (deployments, backends, downloads):
            if optional is not None:
                optional.changed = self.changed

    def changed(self) -> None:
        """Something is different: subscribers hear of it within COALESCE_S seconds, or APART_S when busy."""
        self._version += 1
        if self._hearers and self._timer is None:
            loop = asyncio.get_running_loop()
            moment = max(loop.time() + COALESCE_S, self._told_at + APART_S)
            self._timer = loop.call_at(moment, self._tell)

    def subscribe(self, hear: Callable[[EngineSnapshot], None]) -> Callable[[], None]:
        """Call `hear` with the state now and after every change; returns what ends it."""
        hear(self.snapshot())
        self._hearers.append(hear)
        return lambda: self._hearers.remove(hear) if hear in self._hearers else None

    def snapshot(self) -> EngineSnapshot:
        """The state now."""
        now = asyncio.get_running_loop().time()
        names = {model.id: model.public_id for model in self._catalog.models}
        return EngineSnapshot(
            version=self._version,
            url=self.url,
            models=self._models(now),
            targets=tuple(self._target(resident, now) for resident in self._scheduler.residents),
            queue=self._queue.entries(names, now),
            memory=self._gpu.reading,
            memory_history=self._gpu.history,
            gpu_history=self._gpu.gpu_history,
            engine=self._lookup.info,
            catalog=self._catalog.report(),
            is_scanning=self._catalog.is_scanning,
            strategy=self._strategy,
            options=self._catalog.settings.common.options,
            default_n_ctx=self._default_n_ctx,
            is_read_only=self._is_read_only,
            memory_budget_bytes=self._most_bytes(),
            endpoints=self._endpoints.all,
            names=self._endpoints.names,
            last_route=self._endpoints.last_route,
            history=self._history.recent,
            deployments=self._deployments.statuses if self._deployments is not None else (),
            backends=self._backends.get() if self._backends is not None else (),
            rows=self._backends.rows if self._backends is not None else (),
            is_reconciling=self._backends is not None and self._backends.is_reconciling,
            downloads=self._downloads.jobs if self._downloads is not None else (),
        )

    def _tell(self) -> None:
        self._timer = None
        self._told_at = asyncio.get_running_loop().time()
        snapshot = self.snapshot()
        for hear in list(self._hearers):
            try:
                hear(snapshot)
            except Exception:
                _LOG.exception("a subscriber failed")

    def _states(self, now: float) -> dict[int, TargetState]:
        queued = {ticket.model_id: TargetState.QUEUED for ticket in self._scheduler.waiting}
        leading = (self._scheduler.server_of(r.model_id) for r in self._scheduler.residents)
        return queued | {each.model_id: self._state(each, now) for each in leading if each is not None}

    def _state(self, resident: Resident, now: float) -> TargetState:
        if resident.phase is Phase.LOADING:
            return TargetState.LOADING
        if resident.phase is Phase.STOPPING:
            return TargetState.STOPPING
        return TargetState.DRAINING if self._scheduler.is_draining(resident, now) else TargetState.READY

    def _models(self, now: float) -> tuple[ModelStatus, ...]:
        """All rows; a row that is as it was is the same object, because most of a thousand are."""
        states, pinned, rows = self._states(now), self._scheduler.pinned, {}
        for model in self._catalog.models:
            failure = self._ledger.failure_of(model.id)
            idle = TargetState.FAILED if failure or model.problem else TargetState.IDLE
            options = self._catalog.options_of(model)
            plan = self._catalog.replicas_of(model.public_id)
            now_so = (model, states.get(model.id, idle), failure, model.id in pinned, options, plan)
            row = self._rows.get(model.id)
            if row is None or now_so != _compared(row):
                choice = choose_context(
                    None, model.n_ctx_chosen, self._default_n_ctx, model.n_ctx_train, model.n_ctx_advised
                )
                row = ModelStatus(model, now_so[1], choice.n_ctx, failure, now_so[3], options, plan)
            rows[model.id] = row
        self._rows = rows
        return tuple(rows.values())

    def _target(self, resident: Resident, now: float) -> TargetStatus:
        launch = self._ledger.launch(resident.launch_id)
        model = next((m for m in self._catalog.models if m.id == resident.model_id), None)
        target = launch.process.target if launch and launch.process else None
        options = launch.options if launch else self._catalog.settings.common.options
        return TargetStatus(
            model_id=resident.model_id,
            public_id=launch.public_id if launch else (model.public_id if model else ""),
            state=self._state(resident, now),
            since=launch.since if launch else time.time(),
            pid=launch.pid if launch else None,
            port=launch.port if launch else None,
            base_url=target.base_url if target else "",
            n_ctx=target.effective_ctx if target else resident.n_ctx,
            n_slots=target.n_slots if target else options.n_parallel,
            in_flight=len(resident.leases),
            progress=launch.share_done if launch else None,
            expected_load_s=self._ledger.load_seconds_of(resident.model_id),
            argv=launch.argv if launch else (),
            memory_bytes=self._memory_of(launch),
            predicted_bytes=pool_bytes(launch.predicted) if launch and launch.predicted else None,
            load=launch.record if launch and launch.process else None,
            adapters=self._endpoints.weights(target.model_name, target.adapters) if target else (),
            replica=launch.number if launch else None,
            last_used_at=self._epoch + resident.last_used if resident.last_used else None,
            keep_alive_s=self._scheduler.keep_alive_s(resident),
            prompt_per_second=launch.prompt_per_second if launch else None,
            predicted_per_second=launch.predicted_per_second if launch else None,
        )

    def _memory_of(self, launch: Launch | None) -> int | None:
        if launch is None or launch.pid is None:
            return None
        on_devices = [gpu.process_bytes.get(launch.pid) for gpu in self._gpu.reading.gpus]
        known = [n_bytes for n_bytes in on_devices if n_bytes is not None]
        if known:
            return sum(known)
        logged = launch.record.device_bytes if launch.record is not None else 0
        return logged or self._gpu.reading.process_ram_bytes.get(launch.pid)


def _compared(row: ModelStatus) -> tuple[object, ...]:
    return row.summary, row.state, row.failure, row.is_pinned, row.options, row.plan
