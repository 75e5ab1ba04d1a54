"""The push channel: a server's progress as lines on its stdout, and the line that asks it to end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

EXIT_LINE: Final = b"cmd_router_to_child:exit\n"

_STATE_PREFIX: Final = b"cmd_child_to_router:state:"


@dataclass(frozen=True, slots=True)
class PushState:
    """One state line."""

    state: str
    """`loading`, `ready` or `sleeping`."""
    progress: float | None = None
    """Share of the whole load, 0 to 1; None outside a load."""


def parse(line: bytes) -> PushState | None:
    """The state a stdout line tells; None for any other line, and for one that cannot be read."""
    if not line.startswith(_STATE_PREFIX):
        return None
    try:
        told = json.loads(line[len(_STATE_PREFIX) :])
        state, payload = told["state"], told.get("payload")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(state, str):
        return None
    return PushState(state, _progress(payload) if state == "loading" else None)


def _progress(payload: object) -> float | None:
    """The stages of a load (text model, projector, draft) count the same."""
    if not isinstance(payload, dict):
        return None
    value, stages, current = (payload.get(name) for name in ("value", "stages", "current"))
    if not isinstance(value, int | float):
        return None
    done, count = 0, 1
    if isinstance(stages, list) and current in stages:
        done, count = stages.index(current), len(stages)
    return min(1.0, max(0.0, (done + value) / count))
