"""What a person or a script may ask of backends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.backends.rows import RowState
from ggtui.core.errors import BackendNotFound, InvalidRequest, ReadOnly

if TYPE_CHECKING:
    from ggtui.core.backends.backend import Backend
    from ggtui.core.backends.observed import BackendState
    from ggtui.core.backends.rows import Row
    from ggtui.core.ports.backends import PullerPort
    from ggtui.services.backends.book import Backends
    from ggtui.services.backends.loop import ReconcileLoop


class BackendsControl:
    """Lives on the engine's loop. Without a book nothing is declared."""

    def __init__(
        self,
        book: Backends | None = None,
        loop: ReconcileLoop | None = None,
        puller: PullerPort | None = None,
        *,
        is_read_only: bool = False,
    ) -> None:
        """loop: who runs the cycles of the book. puller: who can delete on a backend."""
        self._book = book
        self._loop = loop
        self._puller = puller
        self._is_read_only = is_read_only

    @property
    def states(self) -> tuple[BackendState, ...]:
        """What was seen of each backend. Whoever finds it old has a cycle begin."""
        if self._loop is not None:
            self._loop.refresh()
        return self._book.get() if self._book is not None else ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """How declared and observed differ."""
        return self._book.rows if self._book is not None else ()

    async def reconcile(self, *, is_dry_run: bool = False) -> tuple[Row, ...]:
        """Run one cycle now and say how declared and observed differ then.

        is_dry_run: look only, and queue nothing.
        Raises: ReadOnly unless it is a dry run, and what a cycle raises.
        """
        if not is_dry_run:
            self._refuse_when_read_only()
        if self._book is not None:
            self._book.changed()  # soon whoever watches sees that backends are asked
        if self._book is not None and is_dry_run:
            await self._book.look()
        elif self._loop is not None:
            await self._loop.run()
        return self.rows

    async def prune(self, backend: str, model: str) -> None:
        """Delete an undeclared model on a backend; a person has confirmed it by name.

        model: as the backend calls it. Raises: BackendNotFound, InvalidRequest, BackendError, ReadOnly.
        """
        self._refuse_when_read_only()
        place = self._place(backend)
        if self._puller is None or not place.type.can_pull:
            raise InvalidRequest(f"ggtui can delete nothing on a backend of type {place.type}")
        if not any(self._is_extra(row, backend, model) for row in self.rows):
            hint = "only what is there and not declared can be deleted"
            raise InvalidRequest(f"'{model}' is no undeclared model of backend '{backend}'", hint=hint)
        assert self._book is not None
        await self._puller.delete(place, await self._book.key(backend), model)
        self._book.trigger()

    def _place(self, name: str) -> Backend:
        found = (each.backend for each in self.states if each.name == name)
        place = next(found, None)
        if place is None:
            raise BackendNotFound(f"no backend '{name}' is declared", hint="ggtui backends lists them")
        return place

    @staticmethod
    def _is_extra(row: Row, backend: str, model: str) -> bool:
        return (row.backend, row.model, row.state) == (backend, model, RowState.EXTRA)

    def _refuse_when_read_only(self) -> None:
        if self._is_read_only:
            raise ReadOnly
