"""A forecast as one line of plain words, for the command line and the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.forecast import Verdict
from ggtui.core.memory.pool import PoolKind
from ggtui.core.units import tokens, used_of_total

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast


def forecast_line(name: str, ahead: Forecast) -> str:
    """`load NAME  ctx 8k → 2.1/24.0G  fits`, with what it frees and where it goes."""
    about = "≈" if ahead.verdict is Verdict.GUESS else ""
    pool = "RAM " if ahead.pool is PoolKind.RAM else ""
    held = f"{pool}{about}{used_of_total(ahead.after_bytes, ahead.total_bytes or None)}"
    parts = [f"load {name}", *_servers(ahead), f"ctx {tokens(ahead.n_ctx)} → {held}", verdict_words(ahead)]
    if ahead.frees:
        parts.append(f"frees {', '.join(ahead.frees)}")
    return "  ".join(parts)


def _servers(ahead: Forecast) -> list[str]:
    """How many of its servers come up, for a model that shall have several."""
    if ahead.n_wanted == 1:
        return []
    of = "" if ahead.n_servers == ahead.n_wanted else f"{ahead.n_servers} of "
    return [f"{of}{ahead.n_wanted} servers"]


def verdict_words(ahead: Forecast) -> str:
    """The verdict and what makes it one."""
    if ahead.verdict is Verdict.PART and ahead.n_layers_on_gpu is not None:
        return f"part, {ahead.n_layers_on_gpu} of {ahead.n_layers} layers on GPU"
    if ahead.refusal:
        return f"no, {ahead.refusal}"
    if ahead.verdict is Verdict.GUESS:
        return f"guess, {ahead.reasons[0]}" if ahead.reasons else "guess, the memory cannot be read"
    return str(ahead.verdict)
