"""What a load would do to the memory as it is now; the log has it before every load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.fit import estimate
from ggtui.core.forecast import forecast, own_bytes, pool_of
from ggtui.core.forecast_words import forecast_line
from ggtui.core.units import gib

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast, MemoryPool
    from ggtui.core.models import ModelSummary
    from ggtui.services.catalog import CatalogService
    from ggtui.services.engine_lookup import EngineLookup
    from ggtui.services.gpu_watch import GpuWatch
    from ggtui.services.launches import LaunchLedger


class Foresight:
    """Feeds the one forecast function with what the services know."""

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

    def pool(self) -> MemoryPool:
        """The memory our servers may share, their own part given back."""
        reading, has_gpu = self._gpu.reading, self._lookup.has_gpu
        ours = own_bytes(reading, self._ledger.pids, engine_has_gpu=has_gpu)
        return pool_of(reading, ours, has_gpu)

    def forecast(self, model: ModelSummary, n_ctx: int) -> Forecast | None:
        """The forecast of a load in place of all that runs; None for a model that cannot be loaded."""
        return forecast(model, n_ctx, self._catalog.options_of(model), self.pool())

    def impossible(self, model_id: int, n_ctx: int) -> str:
        """Why this machine cannot hold a model at this context at all; empty when it may be tried.

        Mapped weights may exceed the memory, slowly. What the engine allocates may not: such a launch fills
        the memory page by page and takes the machine with it.
        """
        model, reading = self._model(model_id), self._gpu.reading
        if model is None or not reading.ram_total_bytes:
            return ""
        parts = estimate(model, n_ctx, self._catalog.options_of(model))
        allocated = parts.total_bytes - parts.weights_bytes
        there = reading.ram_total_bytes + sum(gpu.total_bytes or 0 for gpu in reading.gpus)
        if allocated <= there:
            return ""
        return f"context {n_ctx} needs {gib(allocated)} beside the weights; this machine has {gib(there)}"

    def need_bytes(self, model_id: int, n_ctx: int) -> int:
        """What a model takes at this context, by forecast; 0 for one that is unknown."""
        model = self._model(model_id)
        if model is None:
            return 0
        return estimate(model, n_ctx, self._catalog.options_of(model)).total_bytes

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
        return next((model for model in self._catalog.models if model.id == model_id), None)
