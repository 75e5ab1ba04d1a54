"""What a load would do to the memory as it is now; the log has it before every load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.forecast import forecast, own_bytes, pool_of
from ggtui.core.forecast_words import forecast_line

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast
    from ggtui.core.models import LaunchOptions, ModelSummary
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
        options: LaunchOptions,
    ) -> None:
        self._catalog = catalog
        self._ledger = ledger
        self._gpu = gpu
        self._lookup = lookup
        self._options = options

    def forecast(self, model: ModelSummary, n_ctx: int) -> Forecast | None:
        """The forecast of a load in place of what runs; None for a model that cannot be loaded."""
        reading, has_gpu = self._gpu.reading, self._lookup.has_gpu
        ours = own_bytes(reading, self._ledger.pids, engine_has_gpu=has_gpu)
        return forecast(model, n_ctx, self._options, pool_of(reading, ours, has_gpu))

    def line(self, model_id: int, n_ctx: int) -> str:
        """The forecast in words; empty when there is none."""
        model = next((model for model in self._catalog.models if model.id == model_id), None)
        ahead = self.forecast(model, n_ctx) if model is not None else None
        return forecast_line(model.public_id, ahead) if model is not None and ahead is not None else ""
