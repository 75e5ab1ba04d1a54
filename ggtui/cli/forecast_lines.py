"""The parts of a forecast in lines and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ggtui.core.forecast import Verdict
from ggtui.core.units import gib, tokens

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast


def part_lines(ahead: Forecast) -> list[str]:
    """The sum behind the line, one part each."""
    largest = "nothing" if ahead.largest_ctx is None else tokens(ahead.largest_ctx)
    return [
        f"  weights  {gib(ahead.weights_bytes)}",
        f"  kv       {gib(ahead.kv_bytes)}",
        f"  compute  {gib(ahead.compute_bytes)}",
        f"  output   {gib(ahead.output_bytes)}",
        f"  model    {gib(ahead.model_bytes)}",
        f"  spare    {gib(ahead.spare_bytes)}",
        f"  fits to  {largest}",
    ]


def forecast_document(ahead: Forecast | None) -> dict[str, object] | None:
    """The forecast in plain JSON values; null for a model that cannot be loaded."""
    if ahead is None:
        return None
    fields = asdict(ahead) | {
        "verdict": str(ahead.verdict),
        "pool": str(ahead.pool),
        "model_bytes": ahead.model_bytes,
        "frees": list(ahead.frees),
    }
    return {"total_bytes": fields.pop("total_bytes") or None, **fields}


def needs_consent(ahead: Forecast | None) -> bool:
    """True when a person should say yes first: it does not fit the memory it would go to."""
    return ahead is not None and ahead.verdict in (Verdict.NO, Verdict.PART)
