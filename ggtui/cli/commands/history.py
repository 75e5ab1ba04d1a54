"""`ggtui history`: what was served, when and why; from the running ggtui, else from what is kept on disk."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ggtui.adapters.history.store import read_history
from ggtui.cli.client import running
from ggtui.cli.exits import ExitCode
from ggtui.core.state_json import history_document
from ggtui.core.units import duration, tokens

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.config.schema import Config

HEAD = ("#", "BEGAN", "LASTED", "MODEL", "CTX", "ADAPTERS", "WHY", "ENDED")
RIGHT = frozenset({0, 2, 4})


def run(call: Call) -> ExitCode:
    """Print the newest generations, newest first."""
    document = _document(call.config, call.arguments.generations)
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    now = time.time()
    rows = [_row(generation, now) for generation in document["generations"]]
    call.out.table(HEAD, rows, RIGHT)
    if not rows:
        call.out.say("nothing was served yet")
    return ExitCode.DONE


def _document(config: Config, n: int) -> dict[str, Any]:
    instance = running(config)
    if instance is not None:
        return instance.get(f"/ggtui/history?n={n}")
    return history_document(read_history(config.history_file, n))


def _row(generation: dict[str, Any], now: float) -> tuple[str, ...]:
    began = datetime.fromisoformat(generation["began_at"])
    adapters = ", ".join(f"{each['name']} {each['weight']:g}" for each in generation["adapters"])
    return (
        str(generation["generation"]),
        began.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        _lasted(generation, began.timestamp(), now),
        str(generation["model"]),
        tokens(generation["n_ctx"]),
        adapters or "–",
        str(generation["why"]),
        generation["how_ended"] or "still serves",
    )


def _lasted(generation: dict[str, Any], began: float, now: float) -> str:
    """How long; nobody knows it of one whose end nobody saw."""
    if generation["is_serving"]:
        return duration(now - began)
    if generation["ended_at"] is None:
        return "–"
    return duration(datetime.fromisoformat(generation["ended_at"]).timestamp() - began)
