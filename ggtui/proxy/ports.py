"""What the door needs of the services behind it; the composition hands it the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ggtui.core.ports.runtime import ModelRuntimePort

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ggtui.core.labels import LabelChange
    from ggtui.core.model_settings import SettingsView
    from ggtui.core.models import ModelSummary, RunningTarget
    from ggtui.core.ports.catalog import CatalogReport
    from ggtui.core.reload import ReloadReport
    from ggtui.core.snapshot import EngineSnapshot, LogBatch


class RunningServers(Protocol):
    """Which servers run."""

    async def list_running(self) -> Sequence[RunningTarget]:
        """All targets that became ready and live, those that are being stopped among them."""


class RuntimePort(ModelRuntimePort, RunningServers, Protocol):
    """The runtime; `ggtui.services.runtime.ModelRuntime` is it."""


class ControlPort(Protocol):
    """What the door needs of ggtui's control surface; `ggtui.services.control.Control` is it."""

    def snapshot(self) -> EngineSnapshot:
        """The state now."""

    def subscribe(self, hear: Callable[[EngineSnapshot], None]) -> Callable[[], None]:
        """Hear every new snapshot until the returned call."""

    def subscribe_logs(self, hear: Callable[[LogBatch], None]) -> Callable[[], None]:
        """Hear new log lines until the returned call."""

    def log_tail(self, public_id: str, n_lines: int, *, is_verbose: bool = False) -> tuple[str, ...]:
        """The last lines of a model's server."""

    async def load(self, name: str, n_ctx: int | None = None) -> RunningTarget:
        """Make this model the running one."""

    async def stop(self, name: str | None = None, *, is_forced: bool = False) -> None:
        """Stop this model, or whatever runs or loads."""

    async def set_context(self, name: str, n_ctx: int | None) -> None:
        """Keep a context choice for a model."""

    async def label(self, name: str, change: LabelChange) -> ModelSummary:
        """Change what a person calls a model."""

    async def rescan(self) -> CatalogReport:
        """Look at the model folders again."""

    async def pin(self, name: str, is_pinned: bool) -> None:
        """Keep this model resident once it is loaded, or no longer."""

    async def settings(self, name: str) -> SettingsView:
        """The settings of a model, with what is in force where none was set."""

    async def change_settings(self, name: str, changes: Mapping[str, object]) -> SettingsView:
        """Write settings of a model; None removes a key."""

    async def reload(self) -> ReloadReport:
        """Read the configuration again and apply what changed."""
