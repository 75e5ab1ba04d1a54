"""All backends of the configuration: what is declared, what was seen last, and the cycle that compares."""

from __future__ import annotations

import asyncio
import random as chance
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ggtui.core.backends.backend import Declared
from ggtui.core.backends.choice import places
from ggtui.core.backends.difference import difference
from ggtui.core.backends.names import is_same
from ggtui.core.backends.wanted import asked, on_this_disk
from ggtui.core.errors import ConfigInvalid, EndpointNotReady
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.services.backends.disk import Disk
from ggtui.services.backends.keys import Keys
from ggtui.services.backends.looks import Looks
from ggtui.services.backends.missing import Missing
from ggtui.services.backends.states import States
from ggtui.services.deployments.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ggtui.core.backends.backend import Backend, Capability, DeclaredModel
    from ggtui.core.backends.choice import BackendPlace
    from ggtui.core.backends.observed import BackendState
    from ggtui.core.backends.rows import Row
    from ggtui.core.deployment.deployment import ChoicePolicy
    from ggtui.core.deployment.secret import Secret
    from ggtui.core.errors import Failure
    from ggtui.core.ports.backends import BackendObserverPort
    from ggtui.core.ports.deployments import SecretsPort
    from ggtui.services.backends.missing import DownloadsPort
    from ggtui.services.deployments.clock import Clock

LOOK_WAIT_S: Final = 10.0
"""A request waits this long for a look that may find a place for it."""


class Backends:
    """A part of the engine, on its loop. One unit of work for each call; who calls owns the schedule."""

    def __init__(
        self,
        declared: Declared | None = None,
        *,
        observer: BackendObserverPort,
        secrets: SecretsPort,
        downloads: DownloadsPort,
        local_has: Callable[[DeclaredModel], Awaitable[bool]],
        clock: Clock | None = None,
        r: Callable[[], float] = chance.random,
        is_read_only: bool = False,
    ) -> None:
        """local_has: whether a model with a repository lies on this disk, whole. r: from 0 up to 1.

        is_read_only: cycles look, and queue nothing.
        """
        self.changed: Callable[[], None] = lambda: None
        """Called after every change of what is shown; set by whoever publishes."""
        self.known_anew: Callable[[], None] = lambda: None
        """Called before that when backends are declared or seen otherwise; set by whoever makes endpoints."""
        self.triggered: Callable[[], None] = lambda: None
        """Called when a cycle is due at once; set by whoever runs cycles."""
        self.was_read: Callable[[], None] = lambda: None
        """Called when a request looks for a place; set likewise."""
        clock = clock or SystemClock()
        self._declared = declared or Declared()
        self._observer = observer
        self._downloads = downloads
        self._r = r
        self._is_read_only = is_read_only
        self._keys = Keys(secrets)
        self._states = States(clock, self._changed)
        self._looks = Looks(observer, self._keys, self._states, clock)
        self._disk = Disk(local_has, clock)
        self._missing = Missing(downloads)
        self._rows: tuple[Row, ...] = ()
        self._rows_made_of: object = None
        self._turn = asyncio.Lock()
        self._is_looking = False
        self._n_begun = self._last_whole = 0
        """Looks that have begun; the last of them that has ended well."""
        self._was_seen_looking = False
        self._states.declare(self._declared)

    async def start(self) -> None:
        """Nothing is asked before a cycle is run."""

    async def stop(self) -> None:
        """Release what asks; whoever runs cycles was stopped before."""
        await self._observer.close()

    # What is declared

    @property
    def declared(self) -> Declared:
        """What counts now."""
        return self._declared

    def backend(self, name: str) -> Backend | None:
        """The declared one of this name, whether it is asked or not."""
        return next((each for each in self._declared.backends if each.name == name), None)

    @property
    def is_idle(self) -> bool:
        """True when a cycle has nothing to look at, and nothing to take back."""
        return not (asked(self._declared) or on_this_disk(self._declared)) and self._missing.is_idle

    def take(self, declared: Declared) -> None:
        """From now on this counts. A backend that is the same place keeps what was seen of it."""
        if declared == self._declared:
            return
        self._declared = declared
        for name in self._states.declare(declared):
            self._keys.forget(name)
            self._looks.forget(name)
        self._changed()
        self.trigger()

    def trigger(self) -> None:
        """Have a cycle run soon."""
        self.triggered()

    # What is known

    def get(self) -> tuple[BackendState, ...]:
        """Those that are asked, as listed; the same object until a look has ended."""
        return self._states.all

    @property
    def rows(self) -> tuple[Row, ...]:
        """How declared and observed differ; the same object until something changes."""
        disk = self._disk
        made_of = (self._declared, self._states.all, self._downloads.jobs, disk.found, disk.looked_at)
        if made_of != self._rows_made_of:
            self._rows_made_of = made_of
            known = (each for each in self._declared.models if not each.repository or disk.is_known(each))
            declared = replace(self._declared, models=tuple(known))
            rows = difference(
                declared, self._states.all, self._downloads.jobs, disk.has, disk_looked_at=disk.looked_at
            )
            self._rows = self._rows if rows == self._rows else rows
        return self._rows

    @property
    def is_reconciling(self) -> bool:
        """True while backends are asked. Only where that was read is the end of it a change."""
        self._was_seen_looking |= self._is_looking
        return self._is_looking

    def places(
        self,
        model: str,
        *,
        policy: ChoicePolicy | None = None,
        groups: Sequence[str] = (),
        capability: Capability | None = None,
        n_ctx: int = 0,
    ) -> tuple[BackendPlace, ...]:
        """See ggtui.core.backends.choice.places. Raises: NoneMatched, CapabilityMissing, EndpointNotReady."""
        self.was_read()
        return places(
            self._declared,
            self._states.all,
            model,
            policy=policy,
            groups=groups,
            capability=capability,
            n_ctx=n_ctx,
            r=self._r,
        )

    async def key(self, name: str, chosen: Backend | None = None) -> Secret | None:
        """The key of a backend, for a request to it; None when it needs none.

        chosen: where the request goes, if that was found a while ago: its name may mean another place now.
        Raises: EndpointNotReady when it cannot be read, or the backend has gone: no fault of the client.
        """
        backend = self.backend(name)
        if backend is None or (chosen is not None and backend.place != chosen.place):
            raise EndpointNotReady(name, EndpointStatus.ERROR, hint=f"backend '{name}' is declared no more")
        try:
            return await self._keys.get(backend)
        except ConfigInvalid as failure:
            raise EndpointNotReady(name, EndpointStatus.ERROR, hint=failure.message) from failure

    def failed(self, name: str, failure: Failure) -> None:
        """A request to it failed: it gets none until a look that begins from now on goes well."""
        state = self._states.get(name)
        if state is None:
            return
        self._keys.forget(name)
        self._looks.distrust(name)
        self._states.ill(state.backend, failure.public)
        self.trigger()

    async def look_ended(self, model: str) -> bool:
        """Wait for the end of a look while one is due at a backend of this model.

        Due is one that was not looked at since it was declared, or since it failed in traffic. False when
        none is, or none was looked at in time.
        """
        of_model = (
            each
            for each in self._states.all
            if any(is_same(each.backend.type, name, model) for name in each.models)
        )
        is_due = any(each.observed_at is None or self._looks.is_distrusted(each.name) for each in of_model)
        return is_due and await self._looks.one_ended(LOOK_WAIT_S)

    # The cycle

    async def run_backend_cycle(self) -> None:
        """Ask all backends at once, look what lies on this disk, and queue what is missing.

        It changes nothing on any backend by itself, and writes nothing when nothing has changed.
        Raises: StoreUnavailable, or what kept a look from ending that is no backend's failure.
        """
        async with self._turn:
            await self._look()
            if self._is_read_only:
                return
            await self._missing.declare(self._declared)
            await self._missing.queue(self._declared, self._states.all, self.rows)

    async def look(self) -> None:
        """The first half of a cycle: see what is, and queue nothing. Raises: as a cycle does.

        However many ask at once share one that begins from now on: a cycle waits for no more than that.
        """
        n_begun = self._n_begun
        async with self._turn:
            if self._last_whole <= n_begun:
                await self._look()

    async def _look(self) -> None:
        self._n_begun += 1
        self._is_looking = True
        rows = self.rows
        looks = self._look_at_disk(), self._looks.at_all(self._declared)
        try:
            ends = await asyncio.gather(*looks, return_exceptions=True)
        finally:
            self._is_looking = False
            if self._was_seen_looking:
                self._was_seen_looking = False
                self.changed()
        for end in ends:
            if isinstance(end, Exception):
                raise end
        self._last_whole = self._n_begun
        if self.rows is not rows:
            self.changed()  # that a look found nothing new is news of a download that has ended before it

    def _changed(self) -> None:
        self.known_anew()
        self.changed()

    async def _look_at_disk(self) -> None:
        if await self._disk.look(self._declared):
            self.changed()
