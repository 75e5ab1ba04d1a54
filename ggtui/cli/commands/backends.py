"""`ggtui backends`: what was seen of each backend, and how it differs from what is declared."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ggtui.cli.difference_lines import HEAD as ROW_HEAD
from ggtui.cli.difference_lines import NOTHING, difference_rows
from ggtui.cli.download_progress import DownloadProgress
from ggtui.cli.exits import ExitCode
from ggtui.cli.reconcile_desk import reconcile_desk
from ggtui.core.text import plain
from ggtui.core.units import duration

if TYPE_CHECKING:
    from ggtui.cli.call import Call

HEAD = ("BACKEND", "TYPE", "STATE", "WANTS", "HAS", "SEEN", "TOOK", "URL")
RIGHT = frozenset({3, 4, 5, 6})


def run(call: Call) -> ExitCode:
    """Print them, then each model where it stands."""
    document = reconcile_desk(call.config, DownloadProgress(call.out).show).backends()
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    backends, rows = document["backends"], document["rows"]
    now = time.time()
    call.out.table(HEAD, [_row(each, now) for each in backends], RIGHT)
    if backends and rows:
        call.out.line()
    call.out.table(ROW_HEAD, difference_rows(rows, call.config.declared), frozenset())
    if not backends and not rows:
        call.out.say(NOTHING)
    return ExitCode.DONE


def _row(backend: dict[str, Any], now: float) -> tuple[str, ...]:
    took = backend["latencySeconds"]
    return (
        plain(backend["name"]),
        backend["backend"]["type"],
        "ready" if backend["isReady"] else "error" if backend.get("error") else "not asked yet",
        str(len(backend["models"])),
        str(len(backend["pulledModels"])),
        _age(backend["lastSeen"], now),
        "–" if took is None else f"{took * 1000:.0f}ms",
        plain(backend["backend"]["baseUrl"]) or "–",
    )


def _age(seen: str | None, now: float) -> str:
    return "never" if seen is None else f"{duration(now - datetime.fromisoformat(seen).timestamp())} ago"
