"""The first run: a folder with models, typed and looked at before it is taken."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from textual.suggester import Suggester

from ggtui.tui.screens.form import FormScreen, Line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ggtui.tui.glyphs import Glyphs

MOST_ENTRIES = 2000
"""Entries of a folder that are looked through for one that begins as typed."""


class FolderScreen(FormScreen):
    """Dismisses once the folder was taken. It stays open, and says why, as long as it is not."""

    def __init__(
        self, name_folder: Callable[[str], Awaitable[str]], config_path: str, glyphs: Glyphs
    ) -> None:
        """name_folder: takes what was typed; returns why it cannot be taken, empty when it was."""
        self._name_folder = name_folder
        where = f"It is kept in {config_path}." if config_path else ""
        text = f"Every .gguf file in it is listed, at any depth. {where}"
        line = Line("folder", "Folder", "", "~/models", NextFolder())
        super().__init__("Models folder", text, (line,), "Look there", glyphs)

    def take(self) -> None:
        """Look at it; the engine does, so the screen never waits for a disk."""
        self.run_worker(self._try(), exclusive=True, group="folder", exit_on_error=False)

    async def _try(self) -> None:
        problem = await self._name_folder(self.value("folder"))
        if problem:
            self.say(problem)
        else:
            self.dismiss(None)


class NextFolder(Suggester):
    """Completes the last part of a path, as shells do; the right arrow takes it."""

    def __init__(self, suffix: str = "") -> None:
        """suffix: of files that complete a path beside folders, such as `.gguf`; empty for none."""
        super().__init__(use_cache=False, case_sensitive=True)
        self._suffix = suffix

    async def get_suggestion(self, value: str) -> str | None:
        """The text with its end, None when nothing begins so."""
        return await asyncio.to_thread(completed, value, self._suffix)


def completed(typed: str, suffix: str = "") -> str | None:
    """The typed path up to the end of the first folder that begins so; None without one.

    suffix: of files that count like folders; empty for none.
    """
    folder, begun = os.path.split(typed)
    if not typed.startswith(("/", "~")) or not folder:
        return None
    try:
        with os.scandir(os.path.expanduser(folder)) as entries:
            near = (entry for entry, _ in zip(entries, range(MOST_ENTRIES), strict=False))
            names = sorted(entry.name for entry in near if _fits(entry, begun, suffix))
    except (OSError, ValueError):
        return None
    shown = [name for name in names if name.isprintable()]
    return os.path.join(folder, shown[0]) if shown else None


def _fits(entry: os.DirEntry[str], begun: str, suffix: str) -> bool:
    is_hidden = entry.name.startswith(".") and not begun.startswith(".")
    if is_hidden or not entry.name.startswith(begun):
        return False
    return entry.is_dir() or (bool(suffix) and entry.name.lower().endswith(suffix))
