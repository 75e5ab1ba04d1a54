"""Asks all backends at once, each by its own key; the lists of remote providers are kept for an hour."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ggtui.core.backends.wanted import asked, wanted
from ggtui.core.errors import BackendError, ConfigInvalid
from ggtui.services.backends.keys import ending_of
from ggtui.services.backends.look import look

if TYPE_CHECKING:
    from ggtui.core.backends.backend import Backend, Declared
    from ggtui.core.deployment.secret import Secret
    from ggtui.core.ports.backends import BackendObserverPort
    from ggtui.services.backends.keys import Keys
    from ggtui.services.backends.states import States
    from ggtui.services.deployments.clock import Clock

KEPT_LIST_S: Final = 3600.0
"""How long the list of a remote provider counts: it seldom changes, and asking for it may cost."""


@dataclass(frozen=True, slots=True)
class _KeptList:
    """What was asked, by which key, and when: another key may be shown another list."""

    backend: Backend
    key: Secret | None
    at: float
    """Monotonic."""


class Looks:
    """What is seen goes into the states as soon as it is there: a slow backend delays no other."""

    def __init__(self, observer: BackendObserverPort, keys: Keys, states: States, clock: Clock) -> None:
        self._observer = observer
        self._keys = keys
        self._states = states
        self._clock = clock
        self._kept: dict[str, _KeptList] = {}
        self._n_failures: Counter[str] = Counter()
        """Failures in traffic: a look that began before one does not say that the backend is well."""
        self._open: dict[str, asyncio.Task[None]] = {}
        self._distrusted: set[str] = set()
        """Those that failed in traffic and were not looked at since."""
        self._next_end: asyncio.Future[None] | None = None
        """Who waits for the end of a look."""

    async def at_all(self, declared: Declared) -> None:
        """Look at all that are asked; whoever is cancelled leaves no look behind.

        Raises: the first failure that is no backend's, after all looks have ended.
        """
        backends = [replace(each, models=wanted(declared, each)) for each in asked(declared)]
        self._open = {each.name: asyncio.ensure_future(self._at(each)) for each in backends}
        try:
            ends = await asyncio.gather(*self._open.values(), return_exceptions=True)
        finally:
            self._open = {}
        for end in ends:
            if isinstance(end, Exception):
                raise end

    def distrust(self, name: str) -> None:
        """It failed in traffic: what was seen of it before, or is being seen now, counts no more."""
        self._n_failures[name] += 1
        self._distrusted.add(name)
        self._kept.pop(name, None)

    def forget(self, name: str) -> None:
        """It has gone, or is another place: a look that is under way ends."""
        self._kept.pop(name, None)
        self._distrusted.discard(name)
        if (open_look := self._open.get(name)) is not None:
            open_look.cancel()

    def is_distrusted(self, name: str) -> bool:
        """True from a failure in traffic until a look that began after it has ended."""
        return name in self._distrusted

    async def one_ended(self, limit_s: float) -> bool:
        """Wait for the end of the next look at any backend; False when none ended in time."""
        if self._next_end is None:
            self._next_end = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait({self._next_end}, timeout=limit_s)
        return bool(done)

    def _ended(self, name: str, n_failures: int) -> None:
        if n_failures == self._n_failures[name]:
            self._distrusted.discard(name)
        if self._next_end is not None:
            self._next_end.set_result(None)
            self._next_end = None

    async def _at(self, backend: Backend) -> None:
        """backend: with all models that it should have, because some types are asked for just these."""
        n_failures = self._n_failures[backend.name]
        try:
            await self._ask(backend)
        except ConfigInvalid as failure:
            self._is_ill(backend, _no_key(backend, failure))
        except BackendError as failure:
            self._is_ill(backend, failure.message)
        except Exception as error:
            self._is_ill(backend, type(error).__name__)
            raise
        finally:
            self._ended(backend.name, n_failures)

    async def _ask(self, backend: Backend) -> None:
        n_failures, began = self._n_failures[backend.name], self._clock.monotonic()
        key = await self._keys.read(backend)
        if self._is_kept(backend, key, began):
            return
        models = await look(self._observer, backend, key, self._clock)
        if n_failures != self._n_failures[backend.name]:
            return
        if backend.type.is_remote_list:
            self._kept[backend.name] = _KeptList(backend, key, began)
        self._states.well(backend, models, self._clock.monotonic() - began, ending_of(key))

    def _is_kept(self, backend: Backend, key: Secret | None, now: float) -> bool:
        kept = self._kept.get(backend.name)
        if kept is None or now - kept.at >= KEPT_LIST_S:
            return False
        return (kept.backend, kept.key) == (backend, key)

    def _is_ill(self, backend: Backend, error: str) -> None:
        self._kept.pop(backend.name, None)
        self._states.ill(backend, error)


def _no_key(backend: Backend, failure: ConfigInvalid) -> str:
    return "API key not configured" if backend.type.is_remote_list else failure.message
