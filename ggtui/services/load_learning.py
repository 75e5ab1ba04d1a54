"""Compares every load with what was forecast for it, and keeps what that teaches."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from ggtui.core.errors import CatalogFailure
from ggtui.core.load_history import LoadRecord
from ggtui.core.memory.compute import learned
from ggtui.core.memory.request import request_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.memory.compute import MeasuredCompute
    from ggtui.core.models import LaunchOptions, ModelSummary
    from ggtui.core.ports.gpu import MemoryReading
    from ggtui.services.catalog import CatalogService
    from ggtui.services.engine_lookup import EngineLookup
    from ggtui.services.foresight import Foresight
    from ggtui.services.launches import Launch, LaunchLedger

_LOG = logging.getLogger(__name__)

_Kind: TypeAlias = "tuple[int, int, int, LaunchOptions]"
"""Model, size of its file, context, options: loads that are alike in these take the same memory."""

MOST_KNOWN = 512
"""Kinds of loads of this run that are remembered."""

SETTLES_S = 1.5
"""After this long its log has been read to the end of the load, and the driver has counted its memory."""


class LoadLearning:
    """Hears of loads from the ledger. As a Part it ends what it has begun."""

    def __init__(
        self,
        *,
        catalog: CatalogService,
        ledger: LaunchLedger,
        lookup: EngineLookup,
        foresight: Foresight,
        reading: Callable[[], MemoryReading],
        settles_s: float = SETTLES_S,
    ) -> None:
        """reading: the newest look at the devices' memory."""
        self._catalog = catalog
        self._lookup = lookup
        self._foresight = foresight
        self._reading = reading
        self._settles_s = settles_s
        self._ledger = ledger
        self._known: dict[_Kind, LoadRecord] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        ledger.when_begun.append(self._begun)
        ledger.when_up.append(self._came_up)

    async def start(self) -> None:
        """Nothing to do before the first load."""

    async def stop(self) -> None:
        """Forget the loads that have not settled."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begun(self, launch: Launch) -> None:
        """The forecast is the one before the load: afterwards the memory is another."""
        model = self._model(launch)
        if model is None:
            return
        ahead = self._foresight.forecast_of_server(model, launch.n_ctx, launch.replica or 0)
        launch.predicted = ahead.devices if ahead is not None else ()
        launch.record = self._known.get(_kind(model, launch))
        # Where layers may go to devices, the same load can come out otherwise.
        launch.is_verbose = launch.record is None or self._lookup.has_gpu

    def _came_up(self, launch: Launch) -> None:
        task = asyncio.get_running_loop().create_task(self._learn(launch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _learn(self, launch: Launch) -> None:
        await asyncio.sleep(self._settles_s)
        try:
            await self._compare(launch)
        except CatalogFailure as error:
            _LOG.warning("%s: %s", error.title, error.message)
        except Exception:  # a log may hold anything; the model serves all the same
            _LOG.exception("nothing is learned from the load of %s", launch.public_id)

    async def _compare(self, launch: Launch) -> None:
        model = self._model(launch)
        if model is None or not launch.predicted or not launch.load_log.is_told:
            return
        record = LoadRecord(
            at=time.time(),
            engine=_name(self._lookup),
            n_ctx=launch.n_ctx,
            n_parallel=launch.options.n_parallel,
            predicted=launch.predicted,
            actual=launch.load_log.shares(),
            measured=_taught(model, launch),
            process_bytes=_device_bytes(self._reading(), launch.pid),
        )
        if record.measured is not None:
            record = replace(record, measured=replace(record.measured, overhead_bytes=record.overhead_bytes))
        launch.record = record
        self._keep(_kind(model, launch), record)
        self._ledger.changed()
        await self._catalog.note_load(model.id, record)

    def _keep(self, kind: _Kind, record: LoadRecord) -> None:
        self._known[kind] = record
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def _model(self, launch: Launch) -> ModelSummary | None:
        return self._catalog.by_name(launch.public_id)


def _kind(model: ModelSummary, launch: Launch) -> _Kind:
    return (model.id, model.size_bytes, launch.n_ctx, launch.options)


def _taught(model: ModelSummary, launch: Launch) -> MeasuredCompute | None:
    """The compute buffer of the place where the layers run: a device's where there is one."""
    shares = launch.load_log.shares()
    places = [share for share in shares if not share.is_host and share.weights_bytes] or shares
    logged = max((share.compute_bytes for share in places), default=0)
    if model.shape is None or not logged:
        return None
    return learned(model.shape, request_of(launch.options), launch.n_ctx, logged)


def _device_bytes(reading: MemoryReading, pid: int | None) -> int | None:
    counts = [gpu.process_bytes[pid] for gpu in reading.gpus if pid is not None and pid in gpu.process_bytes]
    return sum(counts) if counts else None


def _name(lookup: EngineLookup) -> str:
    return f"{lookup.info.kind} {lookup.info.version}".strip() if lookup.info is not None else ""
