"""Where the folders with models are named for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class ModelsFoldersPort(Protocol):
    """The configuration, as far as it names folders."""

    async def add(self, folder: str) -> Path:
        """Name one more folder, as a person typed it; returns it absolute. Named already is success.

        Raises: ConfigInvalid when it is no folder that can be read, or cannot be written there;
        StoreUnavailable when the configuration cannot be written. Then nothing was changed.
        """
