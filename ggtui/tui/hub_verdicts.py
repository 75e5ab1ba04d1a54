"""Whether what the hub offers would fit here: the desk's forecast of a model that is not on this disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.context import choose_context
from ggtui.core.forecast import advised_ctx

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast
    from ggtui.core.models import ModelSummary
    from ggtui.tui.desk import Desk


def forecast_of_offer(desk: Desk, summary: ModelSummary, n_ctx: int | None) -> Forecast | None:
    """What a load would do to the memory as it is now; None for a model that cannot be loaded.

    n_ctx: tokens; None for what the model would get as soon as it is here.
    """
    advised = advised_ctx(summary, desk.options_of(summary), desk.pool)
    chosen = choose_context(n_ctx, None, desk.snapshot.default_n_ctx, summary.n_ctx_train, advised)
    return desk.forecast_at(summary, chosen.n_ctx)
