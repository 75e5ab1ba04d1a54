"""The files in which the system tells about itself, under a root folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")
TEXT_LIMIT: Final = 1 << 16


class Tree:
    """Reads `/sys` and `/proc` below a root; a made-up root stands for any machine.

    A file that is missing, forbidden or odd reads as None or as nothing: the system may change under us.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """The file of an absolute name, below the root."""
        return self.root / name.lstrip("/")

    def text(self, name: str, limit: int = TEXT_LIMIT) -> str | None:
        """The first `limit` bytes as text; None when it cannot be read."""
        content = self.content(name, limit)
        return None if content is None else content.decode("utf-8", "replace")

    def content(self, name: str, limit: int = TEXT_LIMIT) -> bytes | None:
        """The first `limit` bytes; None when it cannot be read."""
        try:
            with self.path(name).open("rb", buffering=0) as file:
                return file.read(limit)
        except OSError:
            return None

    def number(self, name: str) -> int | None:
        """A decimal or `0x` number; None when there is none."""
        try:
            return int((self.text(name) or "").strip(), 0)
        except ValueError:
            return None

    def names(self, folder: str) -> list[str]:
        """What is in a folder, sorted; empty when it cannot be read."""
        try:
            return sorted(os.listdir(self.path(folder)))
        except OSError:
            return []

    def link(self, name: str) -> str:
        """Where a symbolic link leads, as it is written; empty when it is none."""
        try:
            return os.readlink(self.path(name))
        except OSError:
            return ""

    def exists(self, name: str) -> bool:
        """True when there is such a file or folder."""
        return self.path(name).exists()

    def may_open(self, name: str) -> bool:
        """True when this user may read and write it."""
        return os.access(self.path(name), os.R_OK | os.W_OK)
