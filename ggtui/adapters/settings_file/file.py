"""models.toml on disk: read as it is at this moment, replaced as a whole, never left half written."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.config.model_file import checked, models_in, read_models
from ggtui.config.paths import make_private
from ggtui.config.toml_file import read_text
from ggtui.core.errors import ConfigInvalid, StoreUnavailable
from ggtui.core.model_settings import NOTHING_SET, ModelSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_TRIES = 20
"""How often a change is made anew because another program wrote the file in the same moment."""


class ModelSettingsFile:
    """The ModelSettingsPort on a file. Several ggtui may write it: each waits for the other's turn."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, ModelSettings]:
        """All settings; none without a file. See ModelSettingsPort."""
        return read_models(self._file)

    async def write(self, public_id: str, changes: Mapping[str, object]) -> ModelSettings:
        """Change one table; see ModelSettingsPort."""
        checked(changes, self._file.parent)
        return await asyncio.to_thread(self._write, public_id, changes)

    def _write(self, public_id: str, changes: Mapping[str, object]) -> ModelSettings:
        # Dotfiles are often links: what they point to is replaced, not the link.
        file = Path(os.path.realpath(self._file))
        make_private(file.parent)
        try:
            with _turn(file.parent):
                return self._replaced(file, public_id, changes)
        except OSError as error:
            raise StoreUnavailable(
                f"{self._file} cannot be written: {error.strerror or error}",
                hint="make it writable, or set the model's settings there by hand",
            ) from error

    def _replaced(self, file: Path, public_id: str, changes: Mapping[str, object]) -> ModelSettings:
        for _ in range(MOST_TRIES):
            before = _stamp(file)
            text = read_text(file) if before is not None else ""
            new = self._edited(text, public_id, changes)
            with _beside(file, new) as written:
                if _stamp(file) == before:
                    os.replace(written, file)
                    return models_in(new, self._file).get(public_id, NOTHING_SET)
        raise StoreUnavailable(f"{self._file} is being written by another program")

    def _edited(self, text: str, public_id: str, changes: Mapping[str, object]) -> str:
        """The new text, proved to differ from the old one in nothing else."""
        from ggtui.adapters.settings_file.edit import edited  # its library costs what reading need not pay

        known = models_in(text, self._file)
        wanted = known.get(public_id, NOTHING_SET).given | dict(changes)
        own = checked(wanted, self._file.parent)
        try:
            new = edited(text, public_id, changes)
            is_sound = _without_empty(models_in(new, self._file)) == _without_empty(known | {public_id: own})
        except (ConfigInvalid, ValueError, LookupError, TypeError, AttributeError):
            is_sound = False
        if not is_sound:
            raise ConfigInvalid(
                f'{self._file}: ["{public_id}"] is written in a way that ggtui cannot change',
                hint="write it as a table of its own, or change it by hand",
            )
        return new


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Hold the folder against other writers of this kind, where its file system knows such locks."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _beside(file: Path, text: str) -> Iterator[str]:
    """A finished file beside the old one, with its rights and line ends; removed when it is not taken."""
    line_end = "\r\n" if file.exists() and b"\r\n" in file.read_bytes() else "\n"
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", newline=line_end) as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileNotFoundError):
            shutil.copymode(file, name)
        yield name
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What tells one writing of the file from another; None without a file."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _without_empty(models: Mapping[str, ModelSettings]) -> dict[str, ModelSettings]:
    return {name: own for name, own in models.items() if own != NOTHING_SET}
