"""The rows of a long list, each worked out when it is first looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class _Row(Protocol):
    @property
    def model_id(self) -> int:
        """Whose row it is."""


R = TypeVar("R", bound=_Row)


class LazyRows(Generic[R]):
    """Equal to others that show the same models from the same facts: nothing has to be worked out for that.

    A row costs a forecast. Of some thousand models a screen shows forty, and all of them at once would hold
    the screen for a second.
    """

    def __init__(
        self, ids: Sequence[int], make: Callable[[int], R], facts: object, own: dict[int, R] | None = None
    ) -> None:
        """ids: of the models, in order. make: the row at an index. facts: everything that rows depend on.

        own: rows that stand in place of those that `make` would give, by model.
        """
        self._ids = tuple(ids)
        self._make = make
        self._facts = facts
        self._own = own or {}
        self._made: dict[int, R] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: int) -> R:
        model_id = self._ids[index]
        row = self._own.get(model_id) or self._made.get(model_id)
        if row is None:
            row = self._made[model_id] = self._make(index)
        return row

    def __iter__(self) -> Iterator[R]:
        return (self[index] for index in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LazyRows):
            return NotImplemented
        return (self._ids, self._facts, self._own) == (other._ids, other._facts, other._own)

    def __hash__(self) -> int:
        return hash(self._ids)

    def index_of(self, model_id: int | None) -> int | None:
        """Where this model stands; None when it is not among them."""
        return self._ids.index(model_id) if model_id is not None and model_id in self._ids else None

    def id_at(self, index: int) -> int | None:
        """The model at a place; None beyond the last."""
        return self._ids[index] if 0 <= index < len(self._ids) else None

    def with_row(self, row: R) -> LazyRows[R]:
        """The same with this row in the place of its model's."""
        if self.index_of(row.model_id) is None or self._own.get(row.model_id) == row:
            return self
        changed = LazyRows(self._ids, self._make, self._facts, self._own | {row.model_id: row})
        changed._made = self._made
        return changed
