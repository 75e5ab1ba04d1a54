"""Where all ggtui of one person on this machine meet, whatever data folders they have."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

SHARED_FILE = "counters.sqlite3"


def shared_file() -> Path:
    """The file of the counts that they share; it need not outlive a restart of the machine."""
    return Path(tempfile.gettempdir()) / f"ggtui-{os.getuid()}" / SHARED_FILE


def check_private(folder: Path) -> None:
    """Make a folder of this person's own, in a place where everybody may make folders.

    Raises: OSError; PermissionError when somebody else made it first.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    if not is_own:
        raise PermissionError(0, f"the folder {folder} belongs to somebody else")
