"""What follows when settings of models change: a restart where a launch differs, the rest at once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ggtui.core.model_settings import NOTHING_SET
from ggtui.core.nearness import near_names
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ggtui.core.model_settings import ModelSettings, SettingsView
    from ggtui.services.catalog import CatalogService
    from ggtui.services.runtime import ModelRuntime

_LOG = logging.getLogger(__name__)


class SettingsEffects:
    """Carries the settings of the catalog's book over to the runtime. Lives on the engine's loop."""

    def __init__(self, catalog: CatalogService, runtime: ModelRuntime) -> None:
        self._catalog = catalog
        self._book = catalog.settings
        self._runtime = runtime
        self._pinned: dict[int, bool] = {}
        """By model id, what the settings said last; a person may have pinned otherwise since."""
        self._told: set[str] = set()
        self.weighed: Callable[[str], None] = lambda _public_id: None
        """Called when only weights of a model's adapters may be others; set by whoever keeps the history."""
        catalog.read_anew = self.pin
        catalog.scanned = self.tell_of_strangers

    async def change(self, public_id: str, changes: Mapping[str, object]) -> SettingsView:
        """Keep settings of one model and make them count; None removes a key.

        Raises: ConfigInvalid, StoreUnavailable; then nothing was changed.
        """
        before = dict(self._book.own)
        await self._book.write(public_id, changes)
        await self.settle(before)
        model = self._catalog.by_name(public_id)
        if model is not None:  # what failed with the settings before may work now
            self._runtime.forgive(model.id)
        return self._book.view(public_id, model.n_ctx_advised if model is not None else None)

    async def choose_context(self, public_id: str, n_ctx: int | None) -> None:
        """Keep the context that a person chose; None forgets it. A running server is not touched.

        Raises: ConfigInvalid, StoreUnavailable; then nothing was changed.
        """
        if self._book.of(public_id).ctx != n_ctx:
            await self._book.write(public_id, {"ctx": n_ctx})
            await self._catalog.reread()

    async def settle(self, before: Mapping[str, ModelSettings]) -> tuple[str, ...]:
        """Make what is in the book count; returns the models whose settings differ from those before.

        A server that would be launched otherwise now, or with another context of its own, ends after its
        requests; the next request starts it again.
        """
        names = before.keys() | self._book.own.keys()
        changed = [name for name in names if before.get(name, NOTHING_SET) != self._book.of(name)]
        other_ctx = [name for name in changed if before.get(name, NOTHING_SET).ctx != self._book.of(name).ctx]
        await self._catalog.reread()
        ids = (self._id_of(name) for name in other_ctx)
        await self._runtime.relaunch_changed(frozenset(each for each in ids if each is not None))
        for name in changed:
            if _files(before.get(name, NOTHING_SET)) == _files(self._book.of(name)):
                self.weighed(name)
        self._told.clear()
        if not self._catalog.is_scanning:
            self.tell_of_strangers()
        return tuple(sorted(changed))

    def pin(self) -> None:
        """Pin and unpin what the settings say, where they say something else than before."""
        wanted = {self._id_of(name): is_pinned for name, is_pinned in self._book.pins.items()}
        wanted |= {model_id: False for model_id in self._pinned if model_id not in wanted}
        for model_id, is_pinned in wanted.items():
            if model_id is not None and self._pinned.get(model_id, False) != is_pinned:
                self._pinned[model_id] = is_pinned
                self._runtime.pin(model_id, is_pinned)

    def tell_of_strangers(self) -> None:
        """Warn once of settings for models that are not in the catalog: a disk may be unplugged."""
        known = [model.public_id for model in self._catalog.models]
        for name in sorted({*self._book.own, *self._book.common.pinned} - self._told):
            if self._id_of(name) is None:
                self._told.add(name)
                near = near_names(name, known, limit=1)
                words = f"; is {near[0]} meant?" if near else ""
                _LOG.warning("there are settings for %s, and no such model%s", plain(name), words)

    def _id_of(self, name: str) -> int | None:
        model = self._catalog.by_name(name)
        return model.id if model is not None else None


def _files(own: ModelSettings) -> list[tuple[str, str]]:
    """What a server carries, whatever its weights."""
    return [(each.name, each.path) for each in own.adapters or ()]
