"""The settings of single models as they count now: who wants one asks here, who changes one writes here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ggtui.core.errors import StoreUnavailable
from ggtui.core.model_settings import NOTHING_SET, CommonSettings, launch_options, settings_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.model_settings import ModelSettings, SettingsView
    from ggtui.core.models import LaunchOptions
    from ggtui.core.ports.model_settings import ModelSettingsPort


class SettingsBook:
    """Answers from memory. Lives on the engine's loop; making a change count is for SettingsEffects."""

    def __init__(
        self,
        own: Mapping[str, ModelSettings] | None = None,
        common: CommonSettings | None = None,
        port: ModelSettingsPort | None = None,
    ) -> None:
        """own: by public id. common: for models without. port: None where nothing can be written."""
        self._port = port
        self._turn = asyncio.Lock()
        self.take(own or {}, common or CommonSettings())

    def take(self, own: Mapping[str, ModelSettings], common: CommonSettings) -> None:
        """From now on these settings count."""
        self.own, self.common = dict(own), common
        self._options = {name: launch_options(common.options, each) for name, each in own.items()}
        times = ((name, each.keep_alive_s) for name, each in own.items())
        self._keep_alive_s = {name: time_s for name, time_s in times if time_s is not None}

    def of(self, public_id: str) -> ModelSettings:
        """What was set for one model."""
        return self.own.get(public_id, NOTHING_SET)

    def options_of(self, public_id: str) -> LaunchOptions:
        """How one model is launched now; the same object until something changes."""
        return self._options.get(public_id, self.common.options)

    def keep_alive_of(self, public_id: str) -> float | None:
        """Idle seconds that were set for this model; None when the common ones count."""
        return self._keep_alive_s.get(public_id)

    def view(self, public_id: str, n_ctx_advised: int | None = None) -> SettingsView:
        """All settings of one model with their sources. n_ctx_advised: what this machine holds, in tokens."""
        return settings_view(public_id, self.of(public_id), self.common, n_ctx_advised)

    @property
    def pins(self) -> dict[str, bool]:
        """Every name for which a pin was set, and whether it is to be pinned."""
        own = {name: each.pinned for name, each in self.own.items() if each.pinned is not None}
        return dict.fromkeys(self.common.pinned, True) | own

    async def write(self, public_id: str, changes: Mapping[str, object]) -> ModelSettings:
        """Keep changed settings of one model; None removes a key. What others wrote for it counts too.

        Raises: ConfigInvalid, StoreUnavailable; then nothing was changed.
        """
        if self._port is None:
            raise StoreUnavailable("settings of models are kept nowhere")
        async with self._turn:
            now = await self._port.write(public_id, changes)
            self.take(self.own | {public_id: now}, self.common)
        return now
