"""The parts of a forecast in lines and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ggtui.core.forecast import Verdict
from ggtui.core.memory.inverse import LargestContext, Limit
from ggtui.core.units import gib, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.forecast import Forecast
    from ggtui.core.memory.parts import DeviceShare

_PARTS = ("weights", "kv", "state", "compute", "output", "overhead", "adapters", "projector", "draft")
_ALWAYS = frozenset({"weights", "kv", "compute", "output"})


def part_lines(ahead: Forecast, largest: Iterable[LargestContext] = ()) -> list[str]:
    """The sum behind the line, one part each, then what each device would hold and how sure that is.

    largest: the largest context by cache type.
    """
    by_type = ", ".join(f"{each.cache_type} {_largest(each)}" for each in largest)
    lines = [
        *_figures(ahead),
        f"  model    {gib(ahead.model_bytes)}",
        f"  spare    {gib(ahead.spare_bytes)}",
        f"  fits to  {by_type or _tokens(ahead.largest_ctx)}",
    ]
    if len(ahead.devices) > 1:
        lines += [f"  on {share.name:<5} {gib(share.total_bytes)}" for share in ahead.devices]
    return [*lines, f"  trust    {'; '.join((str(ahead.confidence), *ahead.reasons))}"]


def _figures(ahead: Forecast) -> list[str]:
    figures = {
        "weights": ahead.weights_bytes,
        "kv": ahead.kv_bytes,
        "state": ahead.state_bytes,
        "compute": ahead.compute_bytes,
        "output": ahead.output_bytes,
        "driver": ahead.overhead_bytes,
        "beside": ahead.beside_bytes,
    }
    shown = {name: n_bytes for name, n_bytes in figures.items() if n_bytes or name in _ALWAYS}
    return [f"  {name:<8} {gib(n_bytes)}" for name, n_bytes in shown.items()]


def _tokens(n_ctx: int | None) -> str:
    return "nothing" if n_ctx is None else tokens(n_ctx)


def _largest(each: LargestContext) -> str:
    if each.limit is Limit.REFUSED:
        return "refused"
    return f"{_tokens(each.n_ctx)} (as trained)" if each.limit is Limit.TRAINED else _tokens(each.n_ctx)


def forecast_document(ahead: Forecast | None) -> dict[str, object] | None:
    """The forecast in plain JSON values; null for a model that cannot be loaded."""
    if ahead is None:
        return None
    fields = asdict(ahead) | {
        "verdict": str(ahead.verdict),
        "pool": str(ahead.pool),
        "model_bytes": ahead.model_bytes,
        "frees": list(ahead.frees),
        "confidence": str(ahead.confidence),
        "reasons": list(ahead.reasons),
        "limit": str(ahead.limit),
        "devices": device_documents(ahead),
    }
    return {"total_bytes": fields.pop("total_bytes") or None, **fields}


def device_documents(ahead: Forecast) -> list[dict[str, object]]:
    """What each device and, last, the host would hold."""
    return [_device(share) for share in ahead.devices]


def _device(share: DeviceShare) -> dict[str, object]:
    parts = {f"{part}_bytes": getattr(share, f"{part}_bytes") for part in _PARTS}
    return {
        "name": share.name,
        "is_host": share.is_host,
        **parts,
        "mapped_bytes": share.mapped_bytes,
        "total_bytes": share.total_bytes,
        "n_layers": share.n_layers,
    }


def estimate_document(
    name: str, ahead: Forecast, n_parallel: int, largest: Iterable[LargestContext]
) -> dict[str, object]:
    """One estimate: what the model would hold and where, and the forecast it is a part of."""
    return {
        "schema": 1,
        "model": name,
        "ctx": ahead.n_ctx,
        "parallel": n_parallel,
        "servers": ahead.n_servers,
        "devices": device_documents(ahead),
        "total_bytes": sum(share.total_bytes for share in ahead.devices),
        "largest_ctx": ahead.largest_ctx,
        "largest_ctx_by_cache_type": {str(each.cache_type): each.n_ctx for each in largest},
        "confidence": str(ahead.confidence),
        "reasons": list(ahead.reasons),
        "verdict": str(ahead.verdict),
        "refusal": ahead.refusal,
        "forecast": forecast_document(ahead),
    }


def needs_consent(ahead: Forecast | None) -> bool:
    """True when a person should say yes first: it does not fit the memory it would go to."""
    return ahead is not None and ahead.verdict in (Verdict.NO, Verdict.PART)
