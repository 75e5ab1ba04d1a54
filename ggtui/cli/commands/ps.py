"""`ggtui ps`: what runs, asked from the running ggtui. Nothing running is an empty list, not a failure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ggtui.cli.client import running
from ggtui.cli.exits import ExitCode
from ggtui.core.names_json import weights_text
from ggtui.core.snapshot import EngineSnapshot
from ggtui.core.state_json import state_document
from ggtui.core.units import duration, gib, tokens

if TYPE_CHECKING:
    from ggtui.cli.call import Call

HEAD = ("MODEL", "STATE", "CTX", "SLOTS", "IN FLIGHT", "MEMORY", "SINCE", "PID", "URL", "ADAPTERS")
RIGHT = frozenset({2, 3, 4, 5, 6, 7})


def run(call: Call) -> ExitCode:
    """Print the targets."""
    instance = running(call.config)
    document: dict[str, Any] = instance.state() if instance else _nothing()
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    rows = [_row(target, document["url"]) for target in document["targets"]]
    call.out.table(HEAD, rows, RIGHT)
    if instance is None:
        call.out.say("no ggtui is running")
    elif not rows:
        call.out.say(f"no model is loaded; ggtui serves at {document['url']}")
    for waiter in document["queue"]:
        call.out.say(f"queued: {waiter['model']} for {duration(waiter['waiting_s'])}")
    if route := document.get("last_route"):
        call.out.say(f"a request without a model went to {route['endpoint']}: {route['words']}")
    return ExitCode.DONE


def _nothing() -> dict[str, Any]:
    return state_document(EngineSnapshot(0), time.time())


def _row(target: dict[str, Any], url: str) -> tuple[str, ...]:
    state = str(target["state"])
    if target["progress"] is not None and state == "loading":
        state += f" {target['progress']:.0%}"
    number = f" #{target['replica']}" if target.get("replica") else ""
    return (
        f"{target['model']}{number}",
        state,
        tokens(target["n_ctx"]),
        str(target["n_slots"]),
        str(target["in_flight"]),
        gib(target["memory_bytes"]),
        duration(target["uptime_s"]),
        str(target["pid"] or "–"),
        url,
        weights_text(target.get("adapters", ())) or "–",
    )
