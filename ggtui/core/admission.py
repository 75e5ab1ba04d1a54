"""How a request asks to be let in, and what its wait was made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui.core.causes import Wish

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Waited:
    """What a wait was made of, in seconds. All zero for a request that was let in at once."""

    queued_s: float = 0.0
    """Behind others, until its own model's turn."""
    stop_s: float = 0.0
    """While another model's server ended."""
    spawn_s: float = 0.0
    """Until the process existed."""
    load_s: float = 0.0
    """Until it was ready."""


NO_WAIT = Waited()


@dataclass(slots=True)
class Admission:
    """One request's wishes towards the runtime; the runtime writes back how it went."""

    needs_slot: bool = True
    """False for what a server answers beside its slots, such as counting tokens."""
    keep_alive_s: float | None = None
    """How long the server stays when idle after this; negative for ever, None leaves it as it is."""
    wish: Wish = Wish.REQUEST
    """Who asks, for those who read later why the model was loaded."""
    waited: Waited = NO_WAIT
    """Written when the request is let in."""
    now_waiting_for: Callable[[], str] = field(default=lambda: "")
    """Written when it begins to wait: in a few words, what it waits for at this moment."""
