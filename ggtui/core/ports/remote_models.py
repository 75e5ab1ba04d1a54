"""What a choice before a download needs of the outside: someone who reads headers of files on the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ggtui.core.models import ModelSummary
    from ggtui.core.ports.downloads import Offer


class RemoteModelsPort(Protocol):
    """Tells what a model would be before it is downloaded; nothing but headers is read."""

    async def summary(self, offer: Offer) -> ModelSummary:
        """What the headers of the offered files tell, the projector left out; a broken one has a `problem`.

        Bounded in time and bytes. A caller that is cancelled ends the reading.
        Raises: RemoteFailure, HeaderUnreadable, ConfigInvalid.
        """
