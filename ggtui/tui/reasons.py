"""Why a key can do nothing now, in one sentence each: what the footer dims and a press explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.state import TargetState

if TYPE_CHECKING:
    from ggtui.core.snapshot import ModelStatus
    from ggtui.tui.desk import Desk
    from ggtui.tui.outlook import Outlook

READ_ONLY = "this ggtui is read-only"
NO_RETRY = "there is nothing to try again here"


def why_not_load(desk: Desk, status: ModelStatus | None, outlook: Outlook | None = None) -> str:
    """Why this model cannot be loaded now; empty when it can.

    outlook: of another load than the one that is chosen.
    """
    snapshot = desk.snapshot
    if status is None:
        return "no model under the cursor" if snapshot.models else "there is no model to load yet"
    if snapshot.is_read_only:
        return READ_ONLY
    if status.summary.problem is not None:
        return f"{status.summary.public_id} cannot be loaded: {status.summary.problem}"
    if snapshot.engine is not None and snapshot.engine.problem is not None:
        return snapshot.engine.problem
    if status.state is TargetState.LOADING:
        return f"{status.summary.public_id} is loading already; s cancels"
    if (outlook or desk.outlook(status)).is_loaded_as_chosen:
        return f"{status.summary.public_id} is loaded with this context already"
    return ""


def why_not_stop(desk: Desk) -> str:
    """Why nothing can be stopped now; empty when something can."""
    if desk.snapshot.is_read_only:
        return READ_ONLY
    target = desk.target
    if target is None:
        return "nothing is running"
    return f"{target.public_id} is being stopped already" if target.state is TargetState.STOPPING else ""


def why_not_pin(desk: Desk) -> str:
    """Why the model under the cursor can be neither pinned nor unpinned; empty when it can."""
    if desk.selected is None:
        return "no model under the cursor"
    return READ_ONLY if desk.snapshot.is_read_only else ""


def why_not_options(status: ModelStatus | None) -> str:
    """Why there are no launch options to show; empty when there are."""
    if status is None:
        return "no model under the cursor"
    if status.summary.problem is not None:
        return f"{status.summary.public_id} cannot be loaded: {status.summary.problem}"
    return ""


def why_not(desk: Desk, binding_id: str) -> str:
    """Why this key can do nothing now; empty when it can, or when it can always."""
    match binding_id:
        case "load" | "load-here":
            return why_not_load(desk, desk.selected)
        case "stop":
            return why_not_stop(desk)
        case "pin":
            return why_not_pin(desk)
        case "favourite" | "label" | "remove":
            return why_not_pin(desk)
        case "options" | "options-here":
            return why_not_options(desk.selected)
        case "save" | "save-load" | "option-change" | "option-down" | "option-up" | "option-default":
            return READ_ONLY if desk.snapshot.is_read_only else ""
        case "weight-down" | "weight-up":
            return READ_ONLY if desk.snapshot.is_read_only else ""
        case "lora":
            return why_not_options(desk.selected)
        case "ctx-down" | "info":
            return "" if desk.selected is not None else "no model under the cursor"
        case "filter":
            return "" if desk.snapshot.models else "there is nothing to filter yet"
        case "copy":
            return "" if desk.snapshot.url else "no proxy is open, so there is no URL"
        case _:
            return ""
