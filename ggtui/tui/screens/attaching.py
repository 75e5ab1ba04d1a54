"""A LoRA file on its way to a model: its name behind the colon, and how much of it is applied."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual.widgets import Input

from ggtui.core.routing.adapters import NAME_RULE, WEIGHT_RULE, is_adapter_name, is_weight
from ggtui.tui.lora_files import proposed_name
from ggtui.tui.screens.folder import NextFolder
from ggtui.tui.screens.form import FormScreen, Line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container

    from ggtui.tui.glyphs import Glyphs

    Bring = Callable[[str, str, float], Awaitable[str]]
    """Takes file, name and weight; returns why it cannot be attached, empty when it was."""


class AttachScreen(FormScreen):
    """Dismisses once the file was attached. It stays open, and says why, as long as it is not."""

    def __init__(
        self,
        public_id: str,
        file: str,
        file_name: str,
        taken: Container[str],
        words: str,
        bring: Bring,
        glyphs: Glyphs,
    ) -> None:
        """file: what is attached; empty to have its path typed. file_name: what the proposed name is made of.

        taken: names that adapters and stacks of the model have. words: what follows of it.
        """
        self._public_id = public_id
        self._file = file
        self._taken = taken
        self._bring = bring
        self._is_named = bool(file)
        """True when the name is a person's, or was proposed for a file that is known."""
        proposed = proposed_name(file_name, taken) if file else ""
        name = Line("name", f"Name: who asks for {public_id}:NAME gets it", proposed, "code")
        weight = Line("weight", "Weight, 0 to 1", "1")
        path = Line("file", "LoRA file", "", "~/loras/code.gguf", NextFolder(".gguf"))
        form = (name, weight) if file else (path, name)
        super().__init__(f"Attach to {public_id}", words, form, "Attach", glyphs)

    def on_input_changed(self, event: Input.Changed) -> None:
        """A typed path proposes a name, until one is typed."""
        if event.input.id == "line-file" and not self._is_named:
            base = os.path.basename(event.value.strip())
            named = self.query_one("#line-name", Input)
            with self.prevent(Input.Changed):
                named.value = proposed_name(base, self._taken) if base else ""
                named.cursor_position = len(named.value)
        elif event.input.id == "line-name" and event.input.has_focus:
            self._is_named = True
        super().on_input_changed(event)

    def why_not(self) -> str:
        """What is wrong with what was typed."""
        name = self.value("name").strip()
        if not self._file and not self.value("file").strip():
            return "type the path of a LoRA file"
        if not is_adapter_name(name):
            return f"the name of an adapter is {NAME_RULE}"
        if name in self._taken:
            return f"{self._public_id} has an adapter or a stack called {name} already"
        return "" if self._weight is not None else f"the weight is {WEIGHT_RULE}"

    @property
    def _weight(self) -> float | None:
        if not self._file:
            return 1.0
        try:
            weight = float(self.value("weight").replace(",", "."))
        except ValueError:
            return None
        return weight if is_weight(weight) else None

    def take(self) -> None:
        """Try it; the engine looks at the file, so the screen never waits for a disk."""
        problem = self.why_not()
        if problem:
            self.say(problem)
        else:
            file = self._file or os.path.abspath(os.path.expanduser(self.value("file").strip()))
            self.run_worker(self._try(file), exclusive=True, group="attach", exit_on_error=False)

    async def _try(self, file: str) -> None:
        weight = self._weight
        problem = await self._bring(file, self.value("name").strip(), 1.0 if weight is None else weight)
        if problem:
            self.say(problem)
        else:
            self.dismiss(None)
