"""Where ggtui keeps its files, and how the folders are made: private to their owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Directories:
    """The folders of one ggtui, absolute, not yet made."""

    data: Path
    cache: Path
    log: Path
    runtime: Path


def directories(data_dir: Path | None = None) -> Directories:
    """The platform's folders, or everything inside data_dir when one is given."""
    if data_dir is not None:
        root = data_dir.expanduser().absolute()
        return Directories(root, root / "cache", root / "logs", root / "run")
    import platformdirs  # costs what `--version` and `--help` need not pay

    data = platformdirs.user_data_path("ggtui", appauthor=False)
    return Directories(
        data,
        platformdirs.user_cache_path("ggtui", appauthor=False),
        platformdirs.user_log_path("ggtui", appauthor=False),
        data / "run",
    )


def default_config_file() -> Path:
    """Where the configuration file is looked for when nobody names one."""
    import platformdirs

    return platformdirs.user_config_path("ggtui", appauthor=False) / "config.toml"


def make_private(folder: Path) -> None:
    """Make the folder and its parents; a new folder is readable by its owner only.

    Raises: StoreUnavailable when it cannot be made or written.
    """
    try:
        for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
            missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"{folder} cannot be made: {error.strerror or error}", hint="choose another with --data-dir DIR"
        ) from error
