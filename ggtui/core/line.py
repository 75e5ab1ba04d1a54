"""Those who wait, in the order of service: adding, leaving and the usual questions cost no walk."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, KeysView

    from ggtui.core.decisions import Ticket


class Line:
    """Urgent tickets first, then the others, both by arrival."""

    def __init__(self) -> None:
        self._urgent: dict[int, Ticket] = {}
        self._patient: dict[int, Ticket] = {}
        self._n_of_model: Counter[int] = Counter()
        self._n_slotless = 0

    def add(self, ticket: Ticket) -> None:
        """Somebody begins to wait. Tickets come in order of arrival."""
        (self._urgent if ticket.is_urgent else self._patient)[ticket.id] = ticket
        self._n_of_model[ticket.model_id] += 1
        self._n_slotless += not ticket.needs_slot

    def remove(self, ticket: Ticket) -> None:
        """Somebody is served, refused or gone. Raises: KeyError."""
        del (self._urgent if ticket.is_urgent else self._patient)[ticket.id]
        self._n_of_model[ticket.model_id] -= 1
        if not self._n_of_model[ticket.model_id]:
            del self._n_of_model[ticket.model_id]
        self._n_slotless -= not ticket.needs_slot

    def get(self, ticket_id: int) -> Ticket | None:
        """The ticket if it waits."""
        return self._urgent.get(ticket_id) or self._patient.get(ticket_id)

    def __iter__(self) -> Iterator[Ticket]:
        """In the order of service. The line must not change meanwhile."""
        return chain(self._urgent.values(), self._patient.values())

    def __len__(self) -> int:
        """How many wait."""
        return len(self._urgent) + len(self._patient)

    @property
    def models(self) -> KeysView[int]:
        """Ids of the models that are waited for."""
        return self._n_of_model.keys()

    @property
    def has_slotless(self) -> bool:
        """True when somebody waits who needs no slot."""
        return self._n_slotless > 0

    def of_model(self, model_id: int) -> list[Ticket]:
        """Who waits for this model, in the order of service."""
        if model_id not in self._n_of_model:
            return []
        return [ticket for ticket in self if ticket.model_id == model_id]

    def firsts(self) -> Iterator[Ticket]:
        """The longest waiting of each kind: whoever's patience ends first is among them."""
        for lane in (self._urgent, self._patient):
            first = next(iter(lane.values()), None)
            if first is not None:
                yield first
