"""The lines about what runs: the server's state, where it answers, how long, how fast, and what it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.state import TargetState
from ggtui.core.units import GIB, duration, gib
from ggtui.tui.format import Part, cut, fit_line
from ggtui.tui.glyphs import STATES, Glyphs
from ggtui.tui.panes.lora_line import lora_line

if TYPE_CHECKING:
    from textual.content import Content

    from ggtui.core.forecast import Forecast
    from ggtui.core.routing.adapters import AdapterRef
    from ggtui.core.snapshot import FailureNote, TargetStatus

FACTS = 3
"""Rows about a server that come before its adapters and the names of the others."""
_LOG_PREFIX = re.compile(r"^\d+(?:\.\d+){3} [A-Z] \w+ +(?:[\w()]+: )?")
"""Time, level and place that llama.cpp writes before the words: there is no room for them here."""


@dataclass(frozen=True, slots=True)
class RunningView:
    """What the pane shows."""

    target: TargetStatus | None = None
    url: str = ""
    forecast: Forecast | None = None
    """The forecast of the running model at its own context: the parts of what it holds."""
    failed: tuple[str, FailureNote] | None = None
    """Public id and failure of the newest failed model, shown while nothing runs."""
    has_models: bool = False
    """False while there is nothing that could be loaded."""
    log_tail: tuple[str, ...] = ()
    """Last lines of the server that loads or failed."""
    others: tuple[TargetStatus, ...] = ()
    """Servers beside the target."""
    is_pinned: bool = False
    """True when the target makes way for no other model."""
    layers: str = ""
    """Layers on devices and all layers, such as `49/49`; empty when nobody told."""
    adapters: tuple[AdapterRef, ...] = ()
    """LoRA adapters that the target carries, with what is applied of each now."""


def running_lines(
    view: RunningView, now: float, width: int, glyphs: Glyphs, chosen: str = ""
) -> list[Content]:
    """The pane's lines for this state, each at most `width` cells. chosen: the adapter that keys change."""
    if view.target is None:
        rows = _failed_rows(view, width, glyphs) if view.failed else _idle_rows(view)
    elif view.target.state is TargetState.LOADING:
        rows = _loading_rows(view, view.target, now, width, glyphs)
    else:
        rows = _serving_rows(view, view.target, now, width, glyphs)
    carried = [lora_line(view.adapters, chosen, width, glyphs)] if view.adapters else []
    rows[FACTS:FACTS] = [*carried, *(_head(other, now, glyphs) for other in view.others)]
    return [fit_line(row, width, glyphs) for row in rows]


def _idle_rows(view: RunningView) -> list[list[Part]]:
    rows: list[list[Part]] = [[("nothing loaded", "$quiet")]]
    if view.has_models:
        rows.append([("enter loads what the cursor is on", "$quiet")])
    if view.url:
        words = "or ask for one at" if view.has_models else "clients find ggtui at"
        rows += [[(words, "$quiet")], [view.url]]
    return rows


def _head(target: TargetStatus, now: float, glyphs: Glyphs) -> list[Part]:
    look = STATES[target.state]
    return [
        (f"{glyphs.state(target.state)} {state_words(target, now)}  ", look.style),
        (target.title, "bold"),
    ]


def state_words(target: TargetStatus, now: float) -> str:
    """`READY`, `LOADING 43% 6s/14s` (done, so far, expected), `DRAINING 2`."""
    word = STATES[target.state].word
    if target.state is TargetState.LOADING:
        share = f" {round(100 * target.progress)}%" if target.progress is not None else ""
        expected = f"/{duration(target.expected_load_s)}" if target.expected_load_s is not None else ""
        return f"{word}{share} {duration(now - target.since)}{expected}"
    if target.state is TargetState.DRAINING:
        return f"{word} {target.in_flight}"
    return word


def _where(view: RunningView, target: TargetStatus, glyphs: Glyphs) -> str:
    own = f":{target.port}" if target.port else "no port yet"
    door = view.url.removesuffix("/v1").rpartition(":")[2] if view.url else ""
    return f":{door} {glyphs.arrow} {own}" if door.isdigit() else own


def _serving_rows(
    view: RunningView, target: TargetStatus, now: float, width: int, glyphs: Glyphs
) -> list[list[Part]]:
    pid = f"  pid {target.pid}" if target.pid else ""
    rows: list[list[Part]] = [
        _head(target, now, glyphs),
        [f"{_where(view, target, glyphs)}{pid}  {duration(now - target.since)}"],
        [_sizes(view, target, width)],
        [(_speeds(target, glyphs), "")],
    ]
    if parts := _parts(view, target, glyphs):
        rows.append([parts])
    rows.append([glyphs.twin(_compared(target))])
    if policy := _policy(view, target):
        rows.append([("policy  ", "$quiet"), policy])
    if target.argv:
        rows.append([("args    ", "$quiet"), " ".join(target.argv[1:])])
    return rows


def _sizes(view: RunningView, target: TargetStatus, width: int) -> str:
    sizes = f"ctx {target.n_ctx}   slots {target.in_flight}/{target.n_slots}{'   pinned' * view.is_pinned}"
    longer = f"{sizes}   ngl {view.layers}" if view.layers else sizes
    return longer if len(longer) <= width else sizes


def _parts(view: RunningView, target: TargetStatus, glyphs: Glyphs) -> str:
    """What the engine says it holds by part; by forecast, and marked so, until it has told."""
    if target.load is not None:
        held = target.load.actual
        weights = sum(share.weights_bytes for share in held)
        cache = sum(share.kv_bytes + share.state_bytes for share in held)
        compute = sum(share.compute_bytes + share.output_bytes for share in held)
        return f"weights {_g(weights)}  kv {_g(cache)}  comp {_g(compute)}"
    ahead = view.forecast
    if ahead is None:
        return ""
    cache, compute = ahead.kv_bytes + ahead.state_bytes, ahead.compute_bytes + ahead.output_bytes
    return f"{glyphs.approx}weights {_g(ahead.weights_bytes)}  kv {_g(cache)}  comp {_g(compute)}"


def _compared(target: TargetStatus) -> str:
    """Forecast and truth of the same buffers, once the engine has told; else what the driver counts."""
    if target.load is not None:
        return f"predicted {gib(target.load.predicted_bytes)}   actual {gib(target.load.actual_bytes)}"
    return f"predicted {gib(target.predicted_bytes)}   actual {gib(target.memory_bytes)}"


def _policy(view: RunningView, target: TargetStatus) -> str:
    """What ends it without anybody asking."""
    if view.is_pinned:
        return "pinned, stays loaded"
    if target.keep_alive_s is None:
        return ""
    if target.keep_alive_s < 0:
        return "stays until room is needed"
    return f"keep-alive {duration(target.keep_alive_s)}"


def _speeds(target: TargetStatus, glyphs: Glyphs) -> str:
    if target.prompt_per_second is None and target.predicted_per_second is None:
        return glyphs.twin("pp –   tg –")
    pp = glyphs.twin("–") if target.prompt_per_second is None else f"{target.prompt_per_second:.0f} t/s"
    tg = glyphs.twin("–") if target.predicted_per_second is None else f"{target.predicted_per_second:.1f} t/s"
    return f"pp {pp}   tg {tg}"


def _loading_rows(
    view: RunningView, target: TargetStatus, now: float, width: int, glyphs: Glyphs
) -> list[list[Part]]:
    elapsed = now - target.since
    facts = f"ctx {target.n_ctx}"
    if target.expected_load_s is not None:
        left = target.expected_load_s - elapsed
        facts += f"   about {duration(left)} left" if left > 0 else "   longer than last time"
    pid = f"  pid {target.pid}" if target.pid else ""
    rows: list[list[Part]] = [
        _head(target, now, glyphs),
        [f"{_where(view, target, glyphs)}{pid}"],
        [facts],
        _progress(target, width, glyphs),
    ]
    rows += [[(cut(_LOG_PREFIX.sub("", text), width, glyphs), "$quiet")] for text in view.log_tail[-4:]]
    return rows


def _progress(target: TargetStatus, width: int, glyphs: Glyphs) -> list[Part]:
    """A bar where the engine tells how far it is, and how to end it."""
    cure = "s cancels"
    if target.progress is None:
        return [(cure, "$quiet")]
    n_cells = max(4, min(40, width - len(cure) - 2))
    n_done = min(n_cells, round(n_cells * target.progress))
    bar = (glyphs.line * n_done, "$warning")
    return [bar, (glyphs.rest * (n_cells - n_done), "$quiet"), (f"  {cure}", "$quiet")]


def _failed_rows(view: RunningView, width: int, glyphs: Glyphs) -> list[list[Part]]:
    assert view.failed is not None
    public_id, note = view.failed
    look = STATES[TargetState.FAILED]
    rows: list[list[Part]] = [
        [(f"! {look.word}  ", look.style), (public_id, "bold")],
        [(note.title, "$error")],
        [cut(note.detail.splitlines()[0] if note.detail else note.hint, width, glyphs)],
        [("i what happened   r try again", "$quiet")],
    ]
    if note.log_tail:
        rows.append([(_LOG_PREFIX.sub("", note.log_tail[-1]), "$quiet")])
    return rows


def _g(n_bytes: int) -> str:
    return f"{n_bytes / GIB:.1f}" if n_bytes >= GIB // 10 else gib(n_bytes)
