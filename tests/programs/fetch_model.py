"""Fetches a model from the hub that the environment names: `python -m tests.programs.fetch_model MODEL`.

Prints `done` at the end, or the name of the failure and its message.
"""

from __future__ import annotations

import asyncio
import os
import sys

from ggtui.adapters.remote.downloads.hub import Hub
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads.jobs import Job, JobKind
from ggtui.core.errors import Failure


async def fetch(model: str) -> str:
    """What came of it."""
    hub = Hub(os.environ, stall_s=10.0, pause_s=0.1)
    job = Job(1, JobKind.HUB, model, THIS_MACHINE)
    try:
        await hub.fetch(job, lambda *_: None, lambda _: 0.0)
    except Failure as error:
        return f"{type(error).__name__}: {error.message}"
    return "done"


if __name__ == "__main__":
    print(asyncio.run(fetch(sys.argv[1])), flush=True)
