"""What a load would do to the memory as it is now; the log has it before every load."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from ggtui.core.decisions import Phase
from ggtui.core.deployment.replicas import ONE
from ggtui.core.deployment.server_pools import pool_of_server
from ggtui.core.forecast import allocated_bytes, forecast
from ggtui.core.forecast_servers import needs
from ggtui.core.forecast_words import forecast_line
from ggtui.core.look_ahead import Standing, look_ahead
from ggtui.core.memory.pool import pool_of
from ggtui.core.units import gib

if TYPE_CHECKING:
    from ggtui.core.decisions import Resident
    from ggtui.core.forecast import Forecast
    from ggtui.core.memory.pool import MemoryPool
    from ggtui.core.models import ModelSummary
    from ggtui.core.schedule import Scheduler
    from ggtui.services.catalog import CatalogService
    from ggtui.services.engine_lookup import EngineLookup
    from ggtui.services.gpu_watch import GpuWatch
    from ggtui.services.launches import LaunchLedger

_LOG = logging.getLogger(__name__)


class Foresight:
    """Feeds the one forecast function with what the services know.

    Decisions are made by it in the middle of others, so a model whose forecast fails counts as unknown.
    """

    def __init__(
        self,
        *,
        catalog: CatalogService,
        ledger: LaunchLedger,
        gpu: GpuWatch,
        lookup: EngineLookup,
        most_bytes: int = 0,
    ) -> None:
        """most_bytes: what all our servers may take together at most; 0 for what the machine has."""
        self._catalog = catalog
        self._ledger = ledger
        self._gpu = gpu
        self._lookup = lookup
        self.most_bytes = most_bytes
        self.strategy = ""
        self.scheduler: Scheduler | None = None
        """Knows what stands; set once it exists."""
        self._unforeseen: set[int] = set()
        """Ids of the models whose forecast has failed, each told once."""

    def pool(self) -> MemoryPool:
        """The memory our servers may share, their own part given back."""
        return pool_of(self._gpu.reading, self._ledger.servers, engine_has_gpu=self._lookup.has_gpu)

    def forecast(self, model: ModelSummary, n_ctx: int) -> Forecast | None:
        """The forecast of a load among what stands now; None for a model that cannot be loaded."""
        return look_ahead(
            model,
            n_ctx,
            self._catalog.options_of(model),
            self.pool(),
            self._standing(),
            strategy=self.strategy,
            budget_bytes=self.most_bytes,
            plan=self._catalog.replicas_of(model.public_id),
        )

    def forecast_of_server(self, model: ModelSummary, n_ctx: int, replica: int = 0) -> Forecast | None:
        """The same of one server alone, for a model that shall have several. replica: its number, from 0."""
        plan = self._catalog.replicas_of(model.public_id)
        if plan == ONE:
            return self.forecast(model, n_ctx)
        pool = pool_of_server(plan, self.pool(), replica)
        return forecast(model, n_ctx, self._catalog.options_of(model), pool)

    def _standing(self) -> tuple[Standing, ...]:
        if self.scheduler is None:
            return ()
        return tuple(self._stands(resident, self.scheduler.pinned) for resident in self.scheduler.residents)

    def _stands(self, resident: Resident, pinned: frozenset[int]) -> Standing:
        model = self._model(resident.model_id)
        return Standing(
            resident.model_id,
            model.public_id if model is not None else "",
            resident.n_ctx,
            self.need_bytes(resident.model_id, resident.n_ctx),
            is_pinned=resident.model_id in pinned,
            is_busy=bool(resident.leases),
            is_ending=resident.phase is Phase.STOPPING,
            idle_s=max(0.0, time.monotonic() - resident.last_used),
            load_s=resident.load_s,
        )

    def impossible(self, model_id: int, n_ctx: int) -> str:
        """Why this machine cannot hold a model at this context at all; empty when it may be tried.

        Mapped weights may exceed the memory, slowly. What the engine allocates may not: such a launch fills
        the memory page by page and takes the machine with it.
        """
        model, reading = self._model(model_id), self._gpu.reading
        if model is None or not reading.ram_total_bytes:
            return ""
        try:
            allocated = allocated_bytes(model, n_ctx, self._catalog.options_of(model))
        except Exception:
            self._note_failure(model)
            return ""
        there = reading.ram_total_bytes + sum(
            gpu.total_bytes or 0 for gpu in reading.gpus if not gpu.is_unified
        )
        if allocated <= there:
            return ""
        return f"context {n_ctx} needs {gib(allocated)} beside the weights; this machine has {gib(there)}"

    def need_bytes(self, model_id: int, n_ctx: int) -> int:
        """What a model takes of the pool at this context, by forecast; 0 for one that is unknown.

        Of one that shall have several servers, what the first of them takes.
        """
        return self._needs(model_id, n_ctx)[0]

    def more_bytes(self, model_id: int, n_ctx: int) -> int:
        """What another server of a model takes beside one that stands."""
        return self._needs(model_id, n_ctx)[1]

    def _needs(self, model_id: int, n_ctx: int) -> tuple[int, int]:
        model = self._model(model_id)
        if model is None:
            return 0, 0
        plan = self._catalog.replicas_of(model.public_id)
        try:
            return needs(model, n_ctx, self._catalog.options_of(model), self.pool(), plan)
        except Exception:
            self._note_failure(model)
            return 0, 0

    def _note_failure(self, model: ModelSummary) -> None:
        if model.id not in self._unforeseen:
            self._unforeseen.add(model.id)
            _LOG.exception("no forecast of %s", model.public_id)

    def budget_bytes(self) -> int:
        """What all our servers may take together: what others leave, less the reserve, within the limit."""
        room = self.pool().room_bytes
        return min(room, self.most_bytes) if self.most_bytes else room

    def line(self, model_id: int, n_ctx: int) -> str:
        """The forecast in words; empty when there is none."""
        model = self._model(model_id)
        ahead = self.forecast(model, n_ctx) if model is not None else None
        return forecast_line(model.public_id, ahead) if model is not None and ahead is not None else ""

    def _model(self, model_id: int) -> ModelSummary | None:
        return self._catalog.by_name(str(model_id))
