"""What has to be read of the models that were found, and reading it for a short while at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.copies import content_digest, of_equal_size
from ggtui.adapters.gguf.freshness import is_unchanged
from ggtui.adapters.gguf.heirs import heirs
from ggtui.adapters.gguf.scan import read_facts
from ggtui.adapters.gguf.store import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ggtui.adapters.gguf.found import FoundModel
    from ggtui.adapters.gguf.store import StoredModel

SLICE_S = 0.05
"""Headers are read for so long before the thread looks for other work."""


@dataclass(slots=True)
class Task:
    """One scan's reading: the headers of what is new, then the content of what may be copies."""

    models: list[FoundModel]
    known: dict[str, StoredModel]
    """Rows by canonical path."""
    moved: dict[str, int] = field(default_factory=dict)
    """Ids of the rows that go over to another file, by its canonical path."""
    readings: dict[str, Reading] = field(default_factory=dict)
    """What was read, by canonical path."""
    _new: list[FoundModel] = field(default_factory=list)
    _alike: list[FoundModel] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        models: list[FoundModel],
        rows: Iterable[StoredModel],
        remembered: Callable[[], Iterable[StoredModel]],
    ) -> Task:
        """What these models need that the rows do not have.

        remembered: gives all rows, those of vanished files among them; asked when there are new files.
        """
        known = {row.canonical: row for row in rows}
        has_strangers = any(model.first.canonical not in known for model in models)
        moved = heirs(models, known.values(), remembered()) if has_strangers else {}
        # An older revision whose row has gone over to the current one is read as a new file.
        for row in moved.values():
            known.pop(row.canonical, None)
        new = [model for model in models if not is_unchanged(model, known.get(model.first.canonical))]
        fresh = {model.first.canonical for model in new}
        alike = [
            model
            for model in of_equal_size(models)
            if model.first.canonical in fresh or not known[model.first.canonical].digest
        ]
        ids = {canonical: row.id for canonical, row in moved.items()}
        return cls(models, known, ids, {}, new[::-1], alike)

    def read_for_a_while(self) -> bool:
        """Go on reading; True when there is more to read."""
        until = time.monotonic() + SLICE_S
        while self._new or self._alike:
            if self._new:
                model = self._new.pop()
                self.readings[model.first.canonical] = Reading(model, read_facts(model))
            else:
                self._compare(self._alike.pop())
            if time.monotonic() >= until:
                break
        return bool(self._new or self._alike)

    def _compare(self, model: FoundModel) -> None:
        key = model.first.canonical
        reading = self.readings.get(key) or Reading(model, self.known[key].facts)
        if reading.facts.problem is None:
            self.readings[key] = replace(reading, digest=content_digest(model))

    @property
    def gone(self) -> list[int]:
        """Ids of rows whose file was not found."""
        present = {model.first.canonical for model in self.models}
        return [row.id for canonical, row in self.known.items() if canonical not in present]
