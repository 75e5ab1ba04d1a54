"""Replaces a file of settings as a whole: never half written, and never over what another program wrote."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.config.paths import make_private
from ggtui.config.toml_file import read_text
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_TRIES = 20
"""How often a change is made anew because another program wrote the file in the same moment."""


def replaced(file: Path, edited: Callable[[str], str], hint: str) -> str:
    """Put in place what `edited` makes of the file's text, which is empty without a file; returns it.

    A file whose text stays the same is not touched.

    hint: what a person can do when it cannot be written.
    Raises: StoreUnavailable, ConfigInvalid when it cannot be read, and what `edited` raises.
    """
    # Dotfiles are often links: what they point to is replaced, not the link.
    real = Path(os.path.realpath(file))
    make_private(real.parent)
    try:
        with _turn(real.parent):
            return _replaced(real, edited)
    except OSError as error:
        raise StoreUnavailable(f"{file} cannot be written: {error.strerror or error}", hint=hint) from error


def _replaced(file: Path, edited: Callable[[str], str]) -> str:
    for _ in range(MOST_TRIES):
        before = _stamp(file)
        old = read_text(file) if before is not None else ""
        new = edited(old)
        if new == old:
            return new
        with _beside(file, new) as written:
            if _stamp(file) == before:
                os.replace(written, file)
                return new
    raise StoreUnavailable(f"{file} is being written by another program")


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
