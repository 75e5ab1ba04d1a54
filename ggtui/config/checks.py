"""What can be said of the settings: the file, the folders, the key."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from ggtui import __version__
from ggtui.core.health import Check, Health

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.config.schema import Config


def config_checks(config: Config) -> list[Check]:
    """All of them. Looks at the disk."""
    return [versions(), config_file(config), *folders(config), api_key(config)]


def versions() -> Check:
    """ggtui and what it runs on."""
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return Check("version", Health.OK, f"ggtui {__version__}, {system}")


def config_file(config: Config) -> Check:
    """Which file was read."""
    if config.config_file is None:
        return Check("config", Health.OK, "no file; defaults, environment and flags")
    return Check("config", Health.OK, str(config.config_file))


def folders(config: Config) -> list[Check]:
    """Whether ggtui can keep what it wants to keep, and whether others can read it."""
    wanted = {
        "data folder": config.data_dir,
        "cache folder": config.cache_dir,
        "log folder": config.log_dir,
        "runtime folder": config.runtime_dir,
    }
    return [_folder(name, path) for name, path in wanted.items()]


def _folder(name: str, folder: Path) -> Check:
    if not folder.exists():
        parent = next(each for each in folder.parents if each.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            return Check(name, Health.OK, f"{folder}, made when it is needed")
        return Check(name, Health.FAIL, f"{folder} cannot be made", "choose another with --data-dir DIR")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check(name, Health.FAIL, f"{folder} cannot be written", f"chown or chmod u+rwx {folder}")
    if folder.stat().st_mode & 0o077:
        return Check(name, Health.WARN, f"{folder} can be entered by others", f"chmod 700 {folder}")
    return Check(name, Health.OK, str(folder))


def api_key(config: Config) -> Check:
    """Who may ask."""
    if config.client_keys:
        n_keys = len(config.client_keys)
        words = "set; clients must send it" if n_keys == 1 else f"{n_keys} are set; clients must send one"
        return Check("api key", Health.OK, words)
    return Check("api key", Health.OK, "none; only this machine can connect")
