"""The waiting room of a deployment as callers see it: they await their turn, and leave."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from ggtui.core.deployment.waiting_room import Admit, TurnAway, TurnedAway, WaitingRoom
from ggtui.core.errors import CapacityExhausted, QueueTimeout

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from ggtui.core.deployment.policies import Priority, Serving
    from ggtui.core.deployment.waiting_room import Answer
    from ggtui.core.errors import Failure, PolicyRefusal
    from ggtui.services.deployments.clock import Clock


class Room:
    """Does what a WaitingRoom decides. Invariant: a caller that was not let in holds nothing."""

    def __init__(self, name: str, serving: Serving, slots: int | None, clock: Clock) -> None:
        """name: of the deployment. slots: served at once; None for any number."""
        self.slots = slots
        self._name = name
        self._serving = serving
        self._clock = clock
        self.decided = WaitingRoom(serving, slots)
        """Whoever finds a slot free may be let in by this alone; what it answers is to be told."""
        self._waiting: dict[Hashable, asyncio.Future[Failure | None]] = {}
        """By ticket; the result is why it is not served, None once it is."""

    @property
    def n_served(self) -> int:
        """Those who were let in and have not left."""
        return self.decided.n_served

    @property
    def n_waiting(self) -> int:
        """Those who wait."""
        return self.decided.n_waiting

    async def enter(self, ticket: Hashable, priority: Priority, deadline: float) -> None:
        """Wait for a slot, which `leave` takes back.

        ticket: whoever asks, once. deadline: monotonic seconds until which this caller waits.
        Raises: CapacityExhausted, QueueTimeout, and what `turn_away` was given.
        """
        answers = self.decided.join(ticket, priority, self._clock.monotonic())
        if not answers:
            await self._turn_of(ticket, deadline)
        elif isinstance(answers[0], TurnAway):
            raise self._refusal(answers[0].why)

    def leave(self, ticket: Hashable) -> None:
        """A caller has ended, or does not wait any more; an unknown ticket is ignored."""
        self.tell(self.decided.leave(ticket, self._clock.monotonic()))

    def adapt(self, serving: Serving, slots: int | None) -> None:
        """Other rules or another number of slots from now on; whoever waits goes on waiting."""
        if slots != self.slots or (serving is not self._serving and serving != self._serving):
            self._serving, self.slots = serving, slots
            self.tell(self.decided.adapt(serving, slots, self._clock.monotonic()))

    def turn_away(self, failure: Failure) -> None:
        """Everybody who waits hears this; those who are served go on."""
        for ticket, answer in list(self._waiting.items()):
            if not answer.done():  # else it has its answer, and perhaps its slot, and will leave by itself
                answer.set_result(failure)
                self.decided.leave(ticket, self._clock.monotonic())

    async def _turn_of(self, ticket: Hashable, deadline: float) -> None:
        self._waiting[ticket] = answer = asyncio.get_running_loop().create_future()
        alarm = self._clock.call_at(deadline, partial(self._overdue, ticket))
        try:
            refusal = await answer
            if refusal is not None:
                raise refusal
        except BaseException:
            self.leave(ticket)  # the slot may have been given in the moment of the cancellation
            raise
        finally:
            alarm.cancel()
            self._waiting.pop(ticket, None)

    def _overdue(self, ticket: Hashable) -> None:
        self._answer(ticket, self._refusal(TurnedAway.TIMED_OUT))

    def tell(self, answers: Iterable[Answer]) -> None:
        """Have those who wait know what was decided."""
        for each in answers:
            why = None if isinstance(each, Admit) else self._refusal(each.why)
            self._answer(each.ticket, why)

    def _answer(self, ticket: Hashable, refusal: Failure | None) -> None:
        answer = self._waiting.get(ticket)
        if answer is not None and not answer.done():
            answer.set_result(refusal)

    def _refusal(self, why: TurnedAway) -> PolicyRefusal:
        retry_after_s = self.decided.retry_after_s
        if why is TurnedAway.TIMED_OUT:
            return QueueTimeout(self._name, self._serving.queue_timeout_s, retry_after_s=retry_after_s)
        return CapacityExhausted(
            self._name, retry_after_s=retry_after_s, is_queue_full=why is TurnedAway.QUEUE_FULL
        )
