"""Where the settings of single models are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.model_settings import ModelSettings


class ModelSettingsPort(Protocol):
    """The settings that people wrote by hand or chose on the screen, by public id."""

    def read(self) -> Mapping[str, ModelSettings]:
        """All of them as they are kept now; models for which nothing is set may be missing.

        Raises: ConfigInvalid, which names the place.
        """

    async def write(self, public_id: str, changes: Mapping[str, object]) -> ModelSettings:
        """Set some keys of one model, or remove those whose value is None; returns what it has now.

        Values are those of ModelSettings or plain TOML and JSON ones: an adapter is an AttachedAdapter or
        {"name", "path"?, "weight"?}, a stack a NamedStack or {"name", "adapters", "normalise"?}. A list takes
        the place of the one before. A relative path counts from where the settings are kept.
        Whatever else is kept stays as it is, also what another program wrote a moment before.
        Raises: ConfigInvalid for a key or a value that cannot be, or when what is kept is not valid;
        StoreUnavailable when it cannot be written. Then nothing was changed.
        """
