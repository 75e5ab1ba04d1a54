"""Why servers come and go, in words that a person reads in the log and in the history."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ggtui.core.units import duration

RESTARTED_AFTER_CRASH: Final = "restarted after a crash"
RESTARTED_AFTER_HANGING: Final = "restarted after it hung"
RESTARTED_CHANGED: Final = "restarted after its settings changed"
RESTARTED_LARGER: Final = "restarted with a larger context for a request"


class Wish(StrEnum):
    """Who wants a server."""

    REQUEST = "asked for by a request"
    PERSON = "loaded by a person"
    PRELOAD = "loaded at the start (preload)"
    LAST_RUN = "restored from the last run"
    REPLICA = "another replica for its deployment"
    EARLIER_CONTEXT = "started again with its earlier context, as the other one failed"


class End(StrEnum):
    """Why a server ends."""

    ROOM = "made room"
    LARGER_CONTEXT = "larger context"
    OTHER_CONTEXT = "other context"
    SETTINGS = "settings changed"
    IDLE = "idle"
    PERSON = "stopped by a person"
    UNWANTED = "nobody waits for it any more"
    CLOSING = "ggtui ended"
    CRASH = "crashed"
    HANG = "hung"
    FAULT = "stopped after a fault of ggtui"


@dataclass(frozen=True, slots=True)
class PastServer:
    """How a model was served last."""

    n_ctx: int
    """What it was launched with."""
    end: End


def why_begun(wish: Wish, n_ctx: int, before: PastServer | None) -> str:
    """Why a server starts: who wants it, unless how the one before it ended says more.

    n_ctx: what it is launched with. before: the last server of the same model in this run.
    """
    if wish not in (Wish.REQUEST, Wish.REPLICA) or before is None:
        return str(wish)
    if before.end is End.CRASH:
        return RESTARTED_AFTER_CRASH
    if before.end is End.HANG:
        return RESTARTED_AFTER_HANGING
    if before.end is End.SETTINGS:
        return RESTARTED_CHANGED
    is_larger = before.end is End.LARGER_CONTEXT and n_ctx > before.n_ctx
    return RESTARTED_LARGER if is_larger else str(wish)


def how_ended(end: End, *, room_for: str = "", idle_s: float = 0.0, cause: str = "") -> str:
    """The end in words.

    room_for: public id of the model that needed the room. idle_s: its keep-alive time in seconds.
    cause: of a crash, as far as it is known.
    """
    if end is End.ROOM and room_for:
        return f"{end} for {room_for}"
    if end is End.IDLE:
        return f"{end} for {_span(idle_s)}"
    return f"{end}: {cause}" if end is End.CRASH and cause else str(end)


def _span(seconds: float) -> str:
    """A time without the smaller unit where that is zero: `10m`, `1h`, `1m30s`."""
    return duration(seconds).removesuffix("00s").removesuffix("00m")
