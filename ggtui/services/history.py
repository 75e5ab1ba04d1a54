"""Hears what is served and how it ends, shows the newest and keeps them all."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ggtui.core.history import SHOWN, WEIGHTS_CHANGED, Generation, HistoryUnavailable, with_newest
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.history import HistoryPort
    from ggtui.core.routing.adapters import AdapterRef
    from ggtui.services.launches import Launch, LaunchLedger

_LOG = logging.getLogger(__name__)
_LONGEST_PATH = 4096


class History:
    """Lives on the engine's loop. Numbers begin behind those of the run before, so what happens before that
    is known waits for it. Where nothing can be kept, the newest are shown all the same.
    """

    def __init__(
        self,
        port: HistoryPort,
        ledger: LaunchLedger,
        *,
        weights: Callable[[str, Iterable[str]], tuple[AdapterRef, ...]] = lambda _model, _names: (),
        n_requests: Callable[[int], int] = lambda _launch_id: 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """weights: adapters of a model, by public id and names, with the weights that count now.

        n_requests: how many requests a launch has been given so far. clock: Unix time.
        """
        self.changed: Callable[[], None] = lambda: None
        """Called after every change of what is shown; set by whoever publishes."""
        self.recent: tuple[Generation, ...] = ()
        """Newest first, SHOWN at most; the same object until something changes."""
        self._port = port
        self._weights = weights
        self._n_requests = n_requests
        self._clock = clock
        self._serving: dict[int, Generation] = {}
        """By launch id."""
        self._n_before: dict[int, int] = {}
        """By launch id, the requests of its earlier generations."""
        self._early: list[Callable[[], None]] | None = []
        """What happened before the numbers of earlier runs were known; None from then on."""
        self._unwritten: dict[int, Generation] = {}
        self._there_is_work = asyncio.Event()
        self._is_stopping = False
        self._has_warned = False
        self._work: asyncio.Task[None] | None = None
        ledger.when_up.append(self._came_up)
        ledger.when_ended.append(self._ended)

    async def start(self) -> None:
        """Begin to look at what is kept; nothing waits for it."""
        self._work = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        """Write what is not written yet. Everything that serves must have ended before."""
        self._is_stopping = True
        self._there_is_work.set()
        try:
            if self._work is not None:
                await self._work
        finally:
            await self._port.close()

    # What happened

    def weights_changed(self, public_id: str) -> None:
        """Weights of a model's adapters are others now.

        What its server serves begins a new generation, once something was served with the weights before.
        """
        self._in_turn(partial(self._reweigh, public_id, self._clock()))

    def _came_up(self, launch: Launch) -> None:
        if launch.process is not None:
            generation = self._of(launch, launch.process.target)
            self._in_turn(partial(self._begin, launch.launch_id, generation))

    def _of(self, launch: Launch, target: RunningTarget) -> Generation:
        """What begins now, before it has a number."""
        return Generation(
            number=0,
            public_id=launch.public_id,
            path=plain(str(launch.path or ""), _LONGEST_PATH),
            n_ctx=target.effective_ctx,
            began=self._clock(),
            why=launch.why,
            adapters=self._weights(launch.public_id, target.adapters),
        )

    def _ended(self, launch: Launch) -> None:
        n_requests = self._n_requests(launch.launch_id)
        self._in_turn(partial(self._end, launch.launch_id, launch.end_words, n_requests, self._clock()))

    def _in_turn(self, note: Callable[[], None]) -> None:
        if self._early is None:
            note()
        else:
            self._early.append(note)

    # What it makes of it

    def _begin(self, launch_id: int, generation: Generation) -> None:
        number = 1 + (self.recent[0].number if self.recent else 0)
        self._serving[launch_id] = numbered = replace(generation, number=number)
        self._show(numbered)

    def _end(self, launch_id: int, how: str, n_requests: int, at: float) -> None:
        """Ends of loads that never served are no news."""
        serving = self._serving.pop(launch_id, None)
        if serving is not None:
            served = n_requests - self._n_before.pop(launch_id, 0)
            self._show(replace(serving, ended=at, how_ended=plain(how), n_requests=served))

    def _reweigh(self, public_id: str, at: float) -> None:
        for launch_id, serving in list(self._serving.items()):
            weights = self._weights(public_id, [each.name for each in serving.adapters])
            if serving.public_id != public_id or weights == serving.adapters:
                continue
            n_requests = self._n_requests(launch_id)
            if n_requests == self._n_before.get(launch_id, 0):  # nothing was served with those before
                self._serving[launch_id] = reweighed = replace(serving, adapters=weights)
                self._show(reweighed)
                continue
            self._end(launch_id, WEIGHTS_CHANGED, n_requests, at)
            self._n_before[launch_id] = n_requests
            self._begin(launch_id, replace(serving, began=at, why=WEIGHTS_CHANGED, adapters=weights))

    def _show(self, generation: Generation) -> None:
        self.recent = with_newest(self.recent, generation)
        self._unwritten[generation.number] = generation
        self._there_is_work.set()
        self.changed()

    # Keeping them

    async def _keep(self) -> None:
        is_open = await self._open()
        while True:
            await self._there_is_work.wait()
            self._there_is_work.clear()
            if is_open:
                await self._write()
            self._forget_unwritten()
            if self._is_stopping and not self._there_is_work.is_set():
                return

    async def _open(self) -> bool:
        """Take over the numbers of earlier runs, then what happened meanwhile; False: nothing can be kept."""
        is_open = True
        try:
            self.recent = await self._port.open()
        except HistoryUnavailable as error:
            self._warn(error)
            is_open = False
        early, self._early = self._early or [], None
        for note in early:
            note()
        self.changed()
        return is_open

    async def _write(self) -> None:
        batch = tuple(self._unwritten.values())
        if not batch:
            return
        try:
            await self._port.keep(batch)
        except HistoryUnavailable as error:
            self._warn(error)
            return
        for each in batch:
            if self._unwritten[each.number] is each:
                del self._unwritten[each.number]

    def _forget_unwritten(self) -> None:
        """What cannot be written is tried again with the next; what is not shown any more is given up."""
        for number in sorted(self._unwritten)[:-SHOWN]:
            del self._unwritten[number]

    def _warn(self, error: HistoryUnavailable) -> None:
        if not self._has_warned:
            self._has_warned = True
            _LOG.warning("the history of what is served is not kept: %s", error.detail)
