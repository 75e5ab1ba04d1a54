"""The model hub as this process asks it, by the variables of its surroundings."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ggtui.core.ports.downloads import HubPort


@asynccontextmanager
async def opened_hub() -> AsyncIterator[HubPort]:
    """The hub, closed at the end."""
    from ggtui.adapters.remote.downloads.hub import Hub

    hub = Hub(os.environ)
    try:
        yield hub
    finally:
        await hub.close()
