"""The places that are looked at: each is walked as its store is laid out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.adapters.gguf import folders
from ggtui.adapters.gguf.found import Walk, folder_stamp, reason
from ggtui.adapters.gguf.stores import hub, ollama
from ggtui.core.stores import StoreKind, StoreRoot
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Root:
    """One place. A store that does not exist is no problem; a folder that a person named is."""

    path: str
    """Absolute."""
    store: StoreKind = StoreKind.FOLDER

    def holds(self, path: str) -> bool:
        """True for what lies under it."""
        return path.startswith(self.path.rstrip(os.sep) + os.sep)

    def walk(self, is_stopped: Callable[[], bool] = lambda: False) -> Walk:
        """Everything in it, within bounds. Never raises for what it meets."""
        found = Walk()
        if self.store is not StoreKind.FOLDER and not self._exists(found):
            return found
        match self.store:
            case StoreKind.FOLDER:
                folders.look(self.path, found, is_stopped)
            case StoreKind.LM_STUDIO:
                folders.look_lm_studio(self.path, found, is_stopped)
            case StoreKind.OLLAMA:
                ollama.look(self.path, found, is_stopped)
            case StoreKind.HUGGING_FACE | StoreKind.LLAMA_CPP:
                hub.look(self.path, self.store, found, is_stopped)
        return found

    def _exists(self, found: Walk) -> bool:
        found.watched[self.path] = folder_stamp(self.path)
        try:
            os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            found.is_absent = True
        except (OSError, ValueError) as error:
            found.problems.append(f"{plain(self.path)}: {reason(error)}")
        else:
            return True
        return False


def roots_of(given: Sequence[Path], stores: Iterable[StoreRoot] = ()) -> tuple[Root, ...]:
    """The folders in their order, then the stores; a folder that is a store's own is read as that store."""
    found = {os.path.abspath(folder): StoreKind.FOLDER for folder in given}
    taken: set[str] = set()
    for each in stores:
        path = os.path.abspath(each.path)
        if path not in taken:
            taken.add(path)
            found[path] = each.store
    return tuple(Root(path, store) for path, store in found.items())


def has_changed(found: Walk, is_stopped: Callable[[], bool] = lambda: False) -> bool:
    """True when a folder of this walk, is not what it was."""
    for folder, stamp in found.watched.items():
        if stamp < 0 or folder_stamp(folder) != stamp:
            return True
        if is_stopped():
            return False
    return False
