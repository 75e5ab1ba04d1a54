"""What serves a model by name: the door the proxy uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ggtui.core.admission import Admission
    from ggtui.core.models import RunningTarget


class ModelRuntimePort(Protocol):
    """Brings the wanted model up and keeps it up for as long as somebody uses it."""

    async def ensure_model_running(
        self, model_name: str, num_ctx: int | None, default_ctx: int
    ) -> RunningTarget:
        """Resolve, reuse when the context is enough, else start or restart; returns when it answers.

        num_ctx: what this request wishes, in tokens; None leaves a running model as it is.
        default_ctx: for a cold start when neither request nor model chooses.
        Raises: ModelRuntimeError.
        """

    def acquire(
        self,
        model_name: str,
        num_ctx: int | None,
        default_ctx: int,
        admission: Admission | None = None,
    ) -> AbstractAsyncContextManager[RunningTarget]:
        """The same, holding a lease: the target is not stopped by a swap until the context ends.

        Leaving the context in any way ends the lease exactly once; a caller cancelled while it waits
        leaves no trace. admission: further wishes; how the wait went is written back into it.
        Raises: ModelRuntimeError, on entry.
        """

    async def current_model(self) -> RunningTarget | None:
        """The most recently ready target; None when nothing is running."""

    async def stop_current(self) -> None:
        """Stop what runs or loads; returns with the process dead. Nothing running is success."""
