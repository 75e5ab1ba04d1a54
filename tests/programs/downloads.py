"""A process that works on a queue of downloads until nothing is left to do, and tells how far each is.

Arguments: the queue's file, bytes per second (0: no limit), models that a cycle finds missing, and orders
such as `resume=1`. The hub comes from the environment. Each line on stdout is a JSON list of jobs: model,
state, completed, total, why. A line on stdin is an order too.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from ggtui.adapters.downloads.queue import SqliteDownloads
from ggtui.adapters.memory.downloads import MemoryPuller
from ggtui.adapters.remote.downloads.hub import Hub
from ggtui.core.errors import Failure
from ggtui.services.downloads.book import Downloads
from ggtui.services.downloads.loop import DownloadLoop


async def work(queue: Path, max_bytes_per_s: float, wishes: list[str]) -> None:
    """Returns when every job is paused, done or failed."""
    hub, puller = Hub(os.environ), MemoryPuller()

    async def no_key(_: str) -> None:
        return None

    downloads = Downloads(
        SqliteDownloads(queue),
        hub,
        puller,
        backend_of=lambda _: None,
        key_of=no_key,
        max_bytes_per_s=max_bytes_per_s,
    )
    is_over = asyncio.Event()

    def tell() -> None:
        jobs = downloads.jobs
        told = [(job.model, job.state, job.completed_bytes, job.total_bytes, job.why) for job in jobs]
        print(json.dumps(told), flush=True)
        if jobs and not any(job.state.is_open for job in jobs):
            is_over.set()

    downloads.changed = tell
    loop = DownloadLoop(downloads)
    await downloads.start()
    await loop.start()
    listening = asyncio.create_task(listen(downloads))
    try:
        for wish in wishes:
            if "=" in wish:
                await obey(downloads, wish)
            else:
                await downloads.add(wish, by_person=False)
        tell()
        await is_over.wait()
    except Failure as failure:
        print(json.dumps({"failure": failure.message}), flush=True)
    listening.cancel()
    await loop.stop()
    await downloads.stop()
    await hub.close()


async def obey(downloads: Downloads, order: str) -> None:
    name, _, number = order.strip().partition("=")
    await getattr(downloads, name)(int(number))


async def listen(downloads: Downloads) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await obey(downloads, line.decode())


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
