"""Names a models folder in config.toml, and leaves everything else there as a person wrote it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from ggtui.adapters.settings_file.replacing import replaced
from ggtui.config.toml_file import parsed
from ggtui.core.errors import ConfigInvalid
from ggtui.core.text import plain

KEY = "models_dirs"
NEW_FILE = "# The configuration of ggtui; the README lists the settings.\n"
LONGEST = 4096


class ConfigFolders:
    """The ModelsFoldersPort on the configuration file, which need not exist yet."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def add(self, folder: str) -> Path:
        """Name one more folder; see ModelsFoldersPort."""
        return await asyncio.to_thread(self._add, folder)

    def _add(self, folder: str) -> Path:
        path = checked_folder(folder)
        replaced(
            self._file, lambda text: self._edited(text, path), f"name the folder in {self._file} by hand"
        )
        return path

    def _edited(self, text: str, path: Path) -> str:
        """The new text, proved to differ from the old one in nothing else."""
        known = parsed(text, self._file)
        named = _named(known.get(KEY, []), self._file)
        if str(path) in named:
            return text
        try:
            new = _with_folder(text, named, str(path))
            is_sound = parsed(new, self._file) == known | {KEY: [*named, str(path)]}
        except (ConfigInvalid, ValueError, LookupError, TypeError, AttributeError):
            is_sound = False
        if not is_sound:
            raise ConfigInvalid(
                f"{self._file}: {KEY} cannot be changed", hint="name the folder there by hand"
            )
        return new


def checked_folder(text: str) -> Path:
    """The folder that a person means, absolute; `~` is the home. Raises: ConfigInvalid."""
    typed = text.strip()
    if not typed:
        raise ConfigInvalid("type the path of a folder")
    shown = plain(typed, LONGEST)
    if not typed.isprintable() or len(typed) > LONGEST:
        raise ConfigInvalid(f"{shown} has characters that a configuration cannot hold")
    try:
        path = Path(typed).expanduser()
        is_folder = path.is_dir()
        exists = path.exists()
    except (OSError, ValueError, RuntimeError):
        raise ConfigInvalid(f"{shown} cannot be looked at") from None
    if not path.is_absolute():
        raise ConfigInvalid(f"{shown} must begin with / or ~")
    if not exists:
        raise ConfigInvalid(f"{shown} does not exist")
    if not is_folder:
        raise ConfigInvalid(f"{shown} is not a folder")
    if not os.access(path, os.R_OK | os.X_OK):
        raise ConfigInvalid(f"{shown} cannot be read: no permission")
    return Path(os.path.normpath(path))


def _named(value: object, file: Path) -> list[str]:
    """What is named so far: a list, or one text."""
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise ConfigInvalid(f"{file}: {KEY} must be a list of folders", hint="correct it by hand")
    return named


def _with_folder(text: str, named: list[str], folder: str) -> str:
    import tomlkit

    document: Any = tomlkit.parse(text or NEW_FILE)
    if KEY in document and isinstance(document[KEY], list):
        document[KEY].append(folder)
    else:
        document[KEY] = [*named, folder]
    return str(document.as_string())
