"""What is wrong in a file that was read to its end, and what was sound in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui.core.errors import ConfigInvalid

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.config.settings import Setting


@dataclass(frozen=True, slots=True)
class FileMistake:
    """One thing that must be put right in a file."""

    line: int | None
    """From 1; None when it cannot be told."""
    words: str
    """A sentence without the place in the file; it names table and key, or such as deployment and field."""
    hint: str = ""
    field: str = ""
    table: str = ""
    """The list of tables it stands in, such as `deployment`; empty for what stands elsewhere."""
    name: str = ""
    """How a message calls its table, `'qwen'` or `number 2`; empty for what stands elsewhere."""


@dataclass(slots=True)
class FileReading:
    """A file that was read to its end: what was sound in it, and every mistake."""

    file: Path
    text: str
    found: dict[Setting, object] = field(default_factory=dict)
    mistakes: list[FileMistake] = field(default_factory=list)
    lines: tuple[int | None, ...] = ()
    """Of the deployments, where somebody needed them."""

    def told(self, failure: ConfigInvalid, line: int | None = None) -> None:
        """Keep a mistake that is told as a failure."""
        words = failure.detail.removeprefix(f"{self.file}: ")
        self.mistakes.append(FileMistake(line, words, failure.hint, failure.param or ""))

    def failure(self) -> ConfigInvalid:
        """The first mistake, as what is raised."""
        first, more = self.mistakes[0], len(self.mistakes) - 1
        where = f"{self.file}, line {first.line}" if first.name and first.line else str(self.file)
        others = f"{more} more: ggtui validate {self.file}" if more else ""
        hint = "; ".join(filter(None, (first.hint, others)))
        return ConfigInvalid(f"{where}: {first.words}", hint=hint, param=first.field)
