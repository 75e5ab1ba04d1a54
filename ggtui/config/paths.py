"""Where ggtui keeps its files, and how the folders are made: private to their owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_FOLDER = 0o700
MODELS_FILE = "models.toml"


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


def models_file_beside(config_file: Path | None, data_dir: Path | None) -> Path:
    """Where the settings of single models are kept: beside the configuration file.

    config_file: the one that was read. Without one, a data_dir that somebody named has everything inside it.
    """
    if config_file is None and data_dir is not None:
        return data_dir.expanduser().absolute() / MODELS_FILE
    return (config_file or default_config_file()).with_name(MODELS_FILE)


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
