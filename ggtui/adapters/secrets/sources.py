"""The SecretsPort: keys from the environment, from files, from the keyring and from the configuration."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ggtui.config.plain_file import read_plain
from ggtui.core.deployment.secret import Secret, SecretSource
from ggtui.core.errors import ConfigInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.deployment.secret import SecretRef

_LOG = logging.getLogger(__name__)

LARGEST_KEY: Final = 4096
"""Bytes."""
KEYRING_SERVICE: Final = "ggtui"
"""Under which entries of the keyring are looked for."""


class SecretSources:
    """Nothing is kept: a key that was changed counts from the next reading on."""

    def __init__(self, environ: Mapping[str, str] | None = None, folder: Path | None = None) -> None:
        """environ: None for the process's own. folder: what a relative path counts from; None for the
        current one."""
        self._environ = os.environ if environ is None else environ
        self._folder = folder or Path.cwd()
        self._warned: set[Path] = set()

    async def read(self, ref: SecretRef) -> Secret:
        """See SecretsPort."""
        if ref.source is SecretSource.ENV:
            return _key(self._environ.get(ref.name), ref, f"export {ref.name}=KEY before ggtui starts")
        if ref.source is SecretSource.FILE:
            return await asyncio.to_thread(self._of_file, ref)
        if ref.source is SecretSource.KEYRING:
            return await asyncio.to_thread(_of_keyring, ref)
        return _key(ref.value.reveal() if ref.value is not None else None, ref, "")

    def _of_file(self, ref: SecretRef) -> Secret:
        file = self._folder / Path(os.path.expanduser(ref.name))
        try:
            data = read_plain(file, LARGEST_KEY + 1)
            self._warn_of_readers(file)
        except OSError as error:
            raise ConfigInvalid(f"{ref.described} cannot be read: {error.strerror or error}") from None
        return _key(data.decode("latin-1"), ref, f"write the key into {file}, and nothing else")

    def _warn_of_readers(self, file: Path) -> None:
        """Once for each file."""
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and file not in self._warned:
            self._warned.add(file)
            _LOG.warning("the key in %s can be read by others: chmod 600 it", file)


def _of_keyring(ref: SecretRef) -> Secret:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        hint = 'install the Python package keyring beside ggtui, or use from = "env" or from = "file"'
        raise ConfigInvalid(f"{ref.described} cannot be read: there is no keyring here", hint=hint) from None
    hint = f"keyring set {KEYRING_SERVICE} {ref.name}"
    try:
        found = keyring.get_password(KEYRING_SERVICE, ref.name)
    except Exception as error:  # each backend has errors of its own, whose texts nobody knows
        words = f"{ref.described} cannot be read: {type(error).__name__}"
        raise ConfigInvalid(words, hint=hint) from None
    return _key(found, ref, hint)


def _key(text: str | None, ref: SecretRef, hint: str) -> Secret:
    """A text as a key. Raises: ConfigInvalid for none, and for what no header can carry; never repeats it."""
    key = (text or "").strip()
    if not key:
        raise ConfigInvalid(f"there is no key in {ref.described}", hint=hint)
    if len(key) > LARGEST_KEY or not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigInvalid(f"what is in {ref.described} is no key: it is one word of ASCII", hint=hint)
    return Secret(key)
