"""A model that a backend deletes: its name is typed before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.tui.screens.form import FormScreen, Line

if TYPE_CHECKING:
    from ggtui.tui.glyphs import Glyphs


class PruneScreen(FormScreen):
    """Dismisses with True once the name of the model was typed, else with None."""

    def __init__(self, model: str, backend: str, base_url: str, glyphs: Glyphs) -> None:
        self._model = model
        text = (
            f"{backend} at {base_url} deletes {model} from its own disk, for all who use it. "
            "There is no way back but to fetch it again."
        )
        line = Line("name", f"Type {model} to delete it")
        super().__init__(f"Delete {model} from {backend}?", text, (line,), "Delete", glyphs)

    def why_not(self) -> str:
        """Until the whole name stands there."""
        return "" if self.value("name").strip() == self._model else f"type {self._model} to delete it"

    def answer(self) -> bool:
        """It was typed."""
        return True
