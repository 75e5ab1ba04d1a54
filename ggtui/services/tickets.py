"""Those who want a model: each asks with a ticket, waits for its turn, and leaves with the ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.admission import Admission
from ggtui.core.causes import Wish
from ggtui.core.context import clamp_context
from ggtui.core.decisions import Ticket
from ggtui.core.errors import LoadCancelled, SpawnReason
from ggtui.services.launch_specs import choice_of

if TYPE_CHECKING:
    from ggtui.core.models import ModelLaunchSpec, RunningTarget
    from ggtui.core.schedule import Scheduler
    from ggtui.services.dispatcher import Dispatcher
    from ggtui.services.launch_specs import LaunchSpecs
    from ggtui.services.refusals import Refusals


class Tickets:
    """The only ones who ask the scheduler for a server.

    Lives on the engine's loop. Invariant: every ticket it asked with is left exactly once.
    """

    def __init__(
        self, scheduler: Scheduler, specs: LaunchSpecs, refusals: Refusals, dispatcher: Dispatcher
    ) -> None:
        """refusals: asked before a ticket is, so that no start is tried that would fail."""
        self._scheduler = scheduler
        self._specs = specs
        self._refusals = refusals
        self._dispatcher = dispatcher
        self._pressed: set[int] = set()
        """Ids of the tickets of people who pressed the key."""
        self._next_id = 1

    async def ask(
        self, model_name: str, num_ctx: int | None, default_ctx: int, wishes: Admission
    ) -> tuple[int, RunningTarget]:
        """The id of a new ticket and the server it is let in to; the caller leaves with the id.

        Raises: ModelRuntimeError; then, and when it is cancelled, no ticket is left.
        """
        spec = await self._specs.resolve(model_name)
        if spec.options.adapters:
            self._retire_lacking(spec)
        ticket = Ticket(
            id=self._new_id(),
            model_id=spec.model_id,
            start_ctx=choice_of(spec, num_ctx, default_ctx).n_ctx,
            needed_ctx=clamp_context(num_ctx, spec.n_ctx_train) if num_ctx is not None else None,
            arrived=self._dispatcher.now(),
            keep_alive_s=wishes.keep_alive_s,
            needs_slot=wishes.needs_slot,
            wish=wishes.wish,
        )
        self._refuse_if_hopeless(spec, ticket)
        try:
            return ticket.id, await self._admitted(ticket, wishes)
        except BaseException:
            self.leave(ticket.id)
            raise

    async def press(self, model_name: str, n_ctx: int | None, default_ctx: int) -> RunningTarget:
        """The server that a person wants now, with exactly n_ctx when given. Takes an older press's turn.

        Raises: ModelRuntimeError.
        """
        spec = await self._specs.resolve(model_name)
        if spec.options.adapters:
            self._retire_lacking(spec)
        self._refusals.forgive(spec.model_id)
        self._withdraw_pressed()
        ticket = Ticket(
            id=self._new_id(),
            model_id=spec.model_id,
            start_ctx=choice_of(spec, n_ctx, default_ctx).n_ctx,
            needed_ctx=None,
            arrived=self._dispatcher.now(),
            is_exact=n_ctx is not None,
            is_urgent=True,
            needs_slot=False,
            wish=Wish.PERSON,
        )
        self._pressed.add(ticket.id)
        try:
            self._refuse_if_hopeless(spec, ticket)
            target = await self._admitted(ticket, Admission())
            self._dispatcher.look_again()  # for replicas that had failed
            return target
        finally:
            self._pressed.discard(ticket.id)
            self.leave(ticket.id)

    def leave(self, ticket_id: int) -> None:
        """Whoever asked with this ticket needs its server no longer, or waits no longer."""
        now = self._dispatcher.now()
        self._dispatcher.carry_out(self._scheduler.leave(ticket_id, now), now)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _retire_lacking(self, spec: ModelLaunchSpec) -> None:
        """A server that was started before an adapter's file was there ends after its requests."""
        lacking = self._specs.lacking(self._scheduler.residents, spec)
        if lacking:
            self._dispatcher.retire(lacking)

    def _refuse_if_hopeless(self, spec: ModelLaunchSpec, ticket: Ticket) -> None:
        """A start that would fail is not tried, nor a server ended for it; who can join one is not asked.

        Raises: ModelRuntimeError.
        """
        server = self._scheduler.server_of(ticket.model_id)
        if server is not None and server.suits(ticket):
            return
        resting = self._refusals.why_resting(spec, ticket.arrived)
        if resting is not None:
            raise resting
        self._refusals.check_possible(ticket.model_id, ticket.start_ctx)

    async def _admitted(self, ticket: Ticket, admission: Admission) -> RunningTarget:
        """Wait for the ticket's turn. The caller leaves with the ticket's id, whatever happens here."""
        dispatcher = self._dispatcher
        granted = dispatcher.grants.expect(ticket.id)
        try:
            dispatcher.carry_out(self._scheduler.request(ticket, ticket.arrived), ticket.arrived)
            if granted.done():
                return granted.result()
            admission.now_waiting_for = lambda: dispatcher.waits.words(ticket, dispatcher.now())
            target = await granted
        finally:
            dispatcher.grants.forget(ticket.id)
        admission.waited = dispatcher.waits.made_of(ticket, dispatcher.now())
        return target

    def _withdraw_pressed(self) -> None:
        for ticket_id in list(self._pressed):
            chosen_other = LoadCancelled("another model was chosen", reason=SpawnReason.CANCELLED)
            self._dispatcher.grants.refuse(ticket_id, chosen_other)
            self.leave(ticket_id)
