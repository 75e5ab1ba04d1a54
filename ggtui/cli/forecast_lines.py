"""A forecast in words and as JSON: the line before a load, the parts, the verdict of a row."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ggtui.core.forecast import PoolKind, Verdict
from ggtui.core.units import gib, tokens, used_of_total

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast


def forecast_line(name: str, ahead: Forecast) -> str:
    """`load NAME  ctx 8k → 2.1/24.0G  fits`, with what it frees and where it goes."""
    about = "≈" if ahead.verdict is Verdict.GUESS else ""
    pool = "RAM " if ahead.pool is PoolKind.RAM else ""
    held = f"{pool}{about}{used_of_total(ahead.after_bytes, ahead.total_bytes or None)}"
    parts = [f"load {name}", f"ctx {tokens(ahead.n_ctx)} → {held}", verdict_words(ahead)]
    if ahead.frees:
        parts.append(f"frees {', '.join(ahead.frees)}")
    return "  ".join(parts)


def verdict_words(ahead: Forecast) -> str:
    """The verdict and what makes it one."""
    if ahead.verdict is Verdict.PART and ahead.n_layers_on_gpu is not None:
        return f"part, {ahead.n_layers_on_gpu} of {ahead.n_layers} layers on GPU"
    if ahead.verdict is Verdict.GUESS:
        return "guess, architecture not modelled"
    return str(ahead.verdict)


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
