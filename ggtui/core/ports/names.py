"""Where aliases, the default and what is switched off are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ggtui.core.routing.name_settings import NameSettings


class NamesPort(Protocol):
    """Changes one thing at a time; whatever else is kept there stays as a person wrote it.

    Each call returns what is kept then. Raises: ConfigInvalid for a name that cannot be or when what is
    kept is not valid, StoreUnavailable when it cannot be written; then nothing was changed.
    """

    async def set_alias(self, alias: str, target: str | None) -> NameSettings:
        """Let this alias lead to an id, or remove it with None; removing what is not there is success."""

    async def set_default(self, target: str | None) -> NameSettings:
        """Make an id the default, or have none."""

    async def set_disabled(self, target: str, is_disabled: bool) -> NameSettings:
        """Switch an endpoint off or on."""
