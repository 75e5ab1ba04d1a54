"""What the scheduler decides upon, and its decisions: tickets, servers, and what is to be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.causes import Wish

if TYPE_CHECKING:
    from ggtui.core.causes import End


class Phase(StrEnum):
    """Where a server stands, as far as decisions go."""

    LOADING = "loading"
    READY = "ready"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request's place in the queue."""

    id: int
    model_id: int
    start_ctx: int
    """Context of a server started for this request."""
    needed_ctx: int | None
    """A running server must offer at least this; None takes any."""
    arrived: float
    """Monotonic seconds."""
    is_exact: bool = False
    """Only a server launched with start_ctx will do: a person chose it."""
    is_urgent: bool = False
    """Goes first and waits for no turn and no slot: a person pressed the key."""
    keep_alive_s: float | None = None
    """How long the server stays when it is idle after this; negative for ever, None leaves it as it is."""
    needs_slot: bool = True
    """False for what a server answers beside its slots, such as counting tokens."""
    wish: Wish = Wish.REQUEST
    """Who it is."""


@dataclass(slots=True)
class Resident:
    """A server that takes up room."""

    launch_id: int
    model_id: int
    n_ctx: int
    """What it was launched with."""
    replica: int = 0
    """Its number among the servers of its model, from 0."""
    started_at: float = 0.0
    phase: Phase = Phase.LOADING
    effective_ctx: int = 0
    n_slots: int = 0
    """Requests it serves at once; 0 for any number."""
    ready_at: float = 0.0
    last_used: float = 0.0
    load_s: float = 0.0
    """How long its load took."""
    leases: set[int] = field(default_factory=set)
    """Ids of the tickets that use it now."""
    n_slots_taken: int = 0
    """How many of them hold a slot."""
    turn: set[int] = field(default_factory=set)
    """Tickets that waited when it became ready: they are served in this turn, whoever else waits."""
    unwanted: End | None = None
    """Why it is to end as soon as nobody uses it: nobody new joins. None while it may stay."""
    keep_alive_s: float | None = None
    """Idle seconds after which it is stopped, as a request said last; None: as the rules say."""
    restore_ctx: int | None = None
    """The size that worked before this launch with another one."""
    n_requests: int = 0
    """Requests that were let in to it so far."""

    @property
    def is_unwanted(self) -> bool:
        """True when somebody asked to stop it."""
        return self.unwanted is not None

    @property
    def is_full(self) -> bool:
        """True when every slot is taken."""
        return 0 < self.n_slots <= self.n_slots_taken

    def suits(self, ticket: Ticket) -> bool:
        """True when this server can serve the ticket without a restart.

        A server that was launched with the needed size and reports less is at its ceiling: another
        restart would give the same, so it counts as enough.
        """
        if ticket.is_exact:
            return self.n_ctx == ticket.start_ctx
        needed = ticket.needed_ctx
        return needed is None or needed <= max(self.effective_ctx, self.n_ctx)


@dataclass(frozen=True, slots=True)
class Grant:
    """Let this ticket use this server now."""

    ticket_id: int
    launch_id: int
    why: str


@dataclass(frozen=True, slots=True)
class Start:
    """Start a server."""

    launch_id: int
    model_id: int
    n_ctx: int
    why: Wish
    replica: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a server, or cancel its load; report `ended` when it is dead."""

    launch_id: int
    why: End
    room_for: int | None = None
    """The model that needs its room, when it makes way."""


class Refusal(StrEnum):
    """Why a ticket gets nothing."""

    LAUNCH_FAILED = "launch_failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    QUEUE_FULL = "queue_full"
    NO_ROOM = "no_room"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell this ticket's owner that it gets nothing."""

    ticket_id: int
    why: Refusal


Decision = Grant | Start | Stop | Refuse
