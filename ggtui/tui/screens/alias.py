"""Another name for an endpoint, typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.routing.name_settings import alias_problem
from ggtui.tui.screens.form import FormScreen, Line

if TYPE_CHECKING:
    from collections.abc import Container

    from ggtui.tui.glyphs import Glyphs


class AliasScreen(FormScreen):
    """Dismisses with the alias, or None."""

    def __init__(self, endpoint_id: str, ids: Container[str], glyphs: Glyphs) -> None:
        """ids: of all endpoints: none of them can be an alias."""
        self._ids = ids
        line = Line("alias", "Alias", "", "gpt-4")
        text = f"Who asks for it gets {endpoint_id}, from the next request on."
        super().__init__(f"Alias of {endpoint_id}", text, (line,), "Save", glyphs)

    def answer(self) -> str:
        """What was typed."""
        return self.value("alias").strip()

    def why_not(self) -> str:
        """What is wrong with it."""
        alias = self.answer()
        if problem := alias_problem(alias):
            return f"the alias {problem}"
        return f"{alias} is an id itself, and an id counts before an alias" if alias in self._ids else ""
