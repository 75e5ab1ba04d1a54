"""From flags, environment and file to one Config: a flag wins over all, the file over the defaults."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ggtui.config.kinds import FOLDERS, PROGRAM
from ggtui.config.model_file import read_models
from ggtui.config.paths import default_config_file, directories, models_file_beside
from ggtui.config.plain_file import read_plain
from ggtui.config.schema import Config
from ggtui.config.settings import BACKENDS, BY_FIELD, DECLARED, DEPLOYMENTS, NAMES, OPTIONS, SETTINGS
from ggtui.config.stores import store_roots
from ggtui.config.toml_file import read_settings
from ggtui.core.backends.backend import Declared
from ggtui.core.client_keys import ClientKey, is_sound, parse_keys
from ggtui.core.deployment.secret import SecretSource
from ggtui.core.errors import ConfigInvalid
from ggtui.core.models import LaunchOptions
from ggtui.core.routing.name_settings import NameSettings
from ggtui.core.stores import STORES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.config.settings import Setting

_LOG = logging.getLogger(__name__)

LARGEST_KEY_FILE = 1024 * 1024
"""Bytes."""


def load(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    config_file: str | Path | None = None,
) -> Config:
    """Read everything that a person set.

    flags: by field of Config; text as typed, a list of texts, or a bool; None means not given.
    environ: None for the process's own. config_file: None for GGTUI_CONFIG or the default place.
    Raises: ConfigInvalid, which names the flag, the variable, or file, table and key.
    """
    environ = os.environ if environ is None else environ
    file = _config_file(config_file or environ.get("GGTUI_CONFIG") or None)
    values: dict[Setting, object] = {}
    if file is not None:
        values |= _anchored(read_settings(file), file.parent)
        for words in key_warnings(values.get(DEPLOYMENTS, ()), values.get(DECLARED, Declared())):
            _LOG.warning("%s: %s", file, words)
    values |= _anchored(_of_environment(environ), Path.cwd())
    values |= _anchored(_of_flags(flags or {}), Path.cwd())
    config = _config(values, file, environ)
    for words in sharing_warnings(config):
        _LOG.warning("%s: %s", file, words)
    return config


def sharing_warnings(config: Config) -> list[str]:
    """A sentence for each deployment whose limits should count for each key, where keys have no names."""
    if any(each.name for each in config.client_keys):
        return []
    return [
        f"deployment '{each.name}': rate_limits.per_key does nothing, for no API key has a name: all clients "
        "share its limits"
        for each in config.deployments
        if each.rate_limits.per_key
    ]


def key_warnings(deployments: object, declared: object) -> list[str]:
    """A sentence for each deployment and each backend whose key stands in the file; never the key."""
    assert isinstance(deployments, tuple)
    assert isinstance(declared, Declared)
    keys = [(f"deployment '{each.name}'", each.runtime_config.api_key) for each in deployments]
    keys += [(f"backend '{each.name}'", each.api_key) for each in declared.backends]
    return [
        f'the key of {owner} stands in the file: from = "env" or from = "file" keeps it out of copies '
        "and backups"
        for owner, key in keys
        if key is not None and key.source is SecretSource.INLINE
    ]


def _config(values: Mapping[Setting, object], file: Path | None, environ: Mapping[str, str]) -> Config:
    fields, options, names, backends = (_of_part(values, part) for part in ("", OPTIONS, NAMES, BACKENDS))
    declared: Declared = fields.pop("declared", Declared())
    data_dir: Path | None = fields.pop("data_dir", None)
    folders = directories(data_dir)
    models_file = models_file_beside(file, data_dir)
    key_file: Path | None = fields.pop("api_key_file", None)
    stores: tuple[str, ...] = fields.pop("stores", STORES)
    return Config(
        data_dir=folders.data,
        cache_dir=folders.cache,
        log_dir=folders.log,
        runtime_dir=folders.runtime,
        config_file=file,
        models_file=models_file,
        model_settings=read_models(models_file),
        client_keys=_client_keys(environ.get("GGTUI_API_KEY", ""), key_file),
        options=LaunchOptions(**options),
        names=NameSettings(**names),
        declared=replace(declared, **backends),
        stores=store_roots(stores, environ),
        **fields,
    )


def _of_part(values: Mapping[Setting, object], part: str) -> dict[str, Any]:
    return {each.field: value for each, value in values.items() if each.part == part}


def _config_file(named: str | Path | None) -> Path | None:
    if named is None:
        default = default_config_file()
        return default if default.is_file() else None
    file = Path(named).expanduser().absolute()
    if not file.is_file():
        raise ConfigInvalid(f"{file} does not exist", hint="--config and GGTUI_CONFIG name a file to read")
    return file


def _of_environment(environ: Mapping[str, str]) -> dict[Setting, object]:
    return {
        each: _read(each, each.env, environ[each.env])
        for each in SETTINGS
        if each.env and environ.get(each.env, "").strip()
    }


def _of_flags(flags: Mapping[str, object]) -> dict[Setting, object]:
    given = {BY_FIELD[field]: raw for field, raw in flags.items() if raw is not None}
    return {each: _read(each, each.flag, raw) for each, raw in given.items()}


def _read(setting: Setting, name: str, raw: object) -> object:
    try:
        return setting.kind.read(raw, is_text=isinstance(raw, str))
    except ValueError:
        raise ConfigInvalid(f"{name} must be {setting.kind.expected}, not {raw!r}", param=name) from None


def _anchored(values: Mapping[Setting, object], folder: Path) -> dict[Setting, object]:
    return {each: _absolute(each, value, folder) for each, value in values.items()}


def _absolute(setting: Setting, value: object, folder: Path) -> object:
    if isinstance(value, Path):
        return Path(os.path.normpath(folder / value))
    if setting.kind is FOLDERS and isinstance(value, tuple):
        return tuple(_absolute(setting, each, folder) for each in value)
    if setting.kind is PROGRAM and isinstance(value, str) and os.sep in value:
        return os.path.normpath(folder / Path(value).expanduser())
    return value


def _client_keys(given: str, file: Path | None) -> tuple[ClientKey, ...]:
    """given: GGTUI_API_KEY, which takes the place of the file."""
    if given:
        key = given.strip()
        if not is_sound(key):
            raise ConfigInvalid("GGTUI_API_KEY must hold one key without spaces, in ASCII")
        return (ClientKey(key),)
    if file is None:
        return ()
    try:
        data = read_plain(file, LARGEST_KEY_FILE + 1)
        if len(data) > LARGEST_KEY_FILE:
            raise ValueError("it is too large")
        return parse_keys(data.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigInvalid(f"api_key_file {file} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigInvalid(f"api_key_file {file} cannot be read: not text") from None
    except ValueError as error:
        raise ConfigInvalid(f"api_key_file {file}: {error}") from None
