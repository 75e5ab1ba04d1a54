"""Taking a model off the disk: which files go, which stay and why, or why nothing can go."""

from __future__ import annotations

from dataclasses import dataclass

from ggtui.core.text import plain
from ggtui.core.units import gib

LONGEST_PATH = 4096


@dataclass(frozen=True, slots=True)
class DoomedFile:
    """One name in a folder that will be removed."""

    path: str
    """Absolute, as the file system has it: it may hold characters that cannot be shown."""
    freed_bytes: int
    """0 for a link."""
    stamp: tuple[int, ...]
    """Device, inode, size and time of the name itself; whatever differs from it later is left alone."""
    is_link: bool = False

    @property
    def words(self) -> str:
        """The path, and what its removal gives back."""
        return f"{plain(self.path, LONGEST_PATH)}  {'link' if self.is_link else gib(self.freed_bytes)}"


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """What would become of a model's files. Equal plans would do the same."""

    model_id: int
    public_id: str
    files: tuple[DoomedFile, ...] = ()
    """In the order in which they go; none when there is a refusal."""
    kept: tuple[str, ...] = ()
    """One sentence per file or copy that stays."""
    refusal: str = ""
    """Why nothing is removed, in one sentence; empty when it may be."""
    hint: str = ""
    """How it can be removed where that is not for ggtui to do."""

    @property
    def freed_bytes(self) -> int:
        """What the disk gets back."""
        return sum(file.freed_bytes for file in self.files)

    @property
    def words(self) -> str:
        """What goes, as a sentence."""
        n_files = len(self.files)
        noun = "file goes" if n_files == 1 else "files go"
        return f"{n_files} {noun}, which frees {gib(self.freed_bytes)}"


def removal_document(plan: RemovalPlan, *, is_removed: bool) -> dict[str, object]:
    """The plan in plain JSON values."""
    return {
        "schema": 1,
        "model": plan.public_id,
        "is_removed": is_removed,
        "files": [
            {
                "path": plain(file.path, LONGEST_PATH),
                "is_link": file.is_link,
                "freed_bytes": file.freed_bytes,
            }
            for file in plan.files
        ],
        "freed_bytes": plan.freed_bytes,
        "kept": list(plan.kept),
        "refusal": plan.refusal or None,
        "hint": plan.hint or None,
    }
