"""A name and tags for one model, or tags for all marked ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.errors import InvalidRequest
from ggtui.core.labels import LabelChange, label_change, typed_tags
from ggtui.tui.screens.form import FormScreen, Line

if TYPE_CHECKING:
    from ggtui.core.models import ModelSummary
    from ggtui.tui.glyphs import Glyphs


class LabelScreen(FormScreen):
    """Dismisses with a LabelChange, or None."""

    def __init__(self, models: tuple[ModelSummary, ...], glyphs: Glyphs) -> None:
        """models: at least one; the name is asked of a single one only."""
        self._is_single = len(models) == 1
        first = models[0]
        tags = Line("tags", "Tags", " ".join(first.tags), "words, such as: coding small")
        name = Line("name", "Name", first.given_name, first.name)
        many = Line("tags", "Tags to add; -word takes one away", "", "coding -old")
        if self._is_single:
            text = "An empty name gives the file's own back. A filter of #word finds tags."
            super().__init__(first.public_id, text, (name, tags), "Save", glyphs)
        else:
            names = ", ".join(model.public_id for model in models)
            super().__init__(f"Tags of {len(models)} models", names, (many,), "Save", glyphs)

    def answer(self) -> LabelChange:
        """The change that was typed. Raises: InvalidRequest."""
        words = typed_tags(self.value("tags"))
        if self._is_single:
            return label_change(name=self.value("name"), tags=words)
        added = tuple(word for word in words if not word.startswith("-"))
        removed = tuple(word[1:] for word in words if word.startswith("-"))
        return label_change(added=added, removed=removed)

    def why_not(self) -> str:
        """What is wrong with a name or a tag."""
        try:
            self.answer()
        except InvalidRequest as error:
            return error.message
        return ""
