"""Which files of a model go, and its name to be typed before they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.tui.screens.form import FormScreen, Line

if TYPE_CHECKING:
    from ggtui.core.removal import RemovalPlan
    from ggtui.tui.glyphs import Glyphs


class RemovalScreen(FormScreen):
    """Dismisses with True once the public id was typed, else with None."""

    def __init__(self, plan: RemovalPlan, glyphs: Glyphs) -> None:
        self._public_id = plan.public_id
        listed = "\n".join(file.words for file in plan.files)
        kept = "".join(f"\n{sentence}" for sentence in plan.kept)
        text = f"{plan.words}. There is no way back.\n\n{listed}{kept}"
        line = Line("name", f"Type {plan.public_id} to remove it")
        super().__init__(f"Remove {plan.public_id}?", text, (line,), "Remove", glyphs)

    def why_not(self) -> str:
        """Until the whole name stands there."""
        return "" if self.value("name").strip() == self._public_id else f"type {self._public_id} to remove it"

    def answer(self) -> bool:
        """It was typed."""
        return True
