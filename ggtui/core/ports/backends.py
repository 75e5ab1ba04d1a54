"""What backends need of the outside: someone who asks them what they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ggtui.core.backends.backend import Backend
    from ggtui.core.backends.observed import PulledModel
    from ggtui.core.deployment.secret import Secret


class BackendObserverPort(Protocol):
    """Asks backends what they have; changes nothing there."""

    async def observe(self, backend: Backend, key: Secret | None) -> tuple[PulledModel, ...]:
        """Its models, in its order. Bounded: 5 to 10 s by type.

        Raises: BackendError, whose detail is the text that clients may match on.
        """

    async def close(self) -> None:
        """Release what is held; may be called twice, and without use."""


class PullerPort(Protocol):
    """Has a backend fetch a model."""

    async def pull(
        self,
        backend: Backend,
        key: Secret | None,
        model: str,
        progress: Callable[[str, str, int, int], None],
    ) -> None:
        """Return when the backend has it. A caller that is cancelled ends the pull; parts stay there.

        progress: called with what the backend says: status, digest, bytes in all (0 unknown), completed.
        Raises: BackendError.
        """

    async def delete(self, backend: Backend, key: Secret | None, model: str) -> None:
        """Delete a model there: only what a person has confirmed by name. Raises: BackendError."""

    def close(self) -> Awaitable[None]:
        """Release what is held."""
