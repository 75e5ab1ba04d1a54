"""What was seen of each backend that is declared, kept while it is the same place."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.backends.observed import BackendState
from ggtui.core.backends.wanted import asked, wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.backends.backend import Backend, Declared
    from ggtui.core.backends.observed import PulledModel
    from ggtui.services.deployments.clock import Clock

_LOG = logging.getLogger(__name__)


class States:
    """By name, in the order of the configuration. Times alone are no news."""

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        """changed: called after every change of more than the times."""
        self.all: tuple[BackendState, ...] = ()
        """The same object until a look has ended."""
        self._clock = clock
        self._changed = changed
        self._by_name: dict[str, BackendState] = {}

    def get(self, name: str) -> BackendState | None:
        """Of the backend of this name; None for one that is not asked."""
        return self._by_name.get(name)

    def declare(self, declared: Declared) -> frozenset[str]:
        """From now on these are asked. Returns the names of those that have gone or are another place."""
        before, self._by_name = self._by_name, {}
        for backend in asked(declared):
            models = tuple(each.name for each in wanted(declared, backend))
            state = before.get(backend.name)
            if state is not None and state.backend.place == backend.place:
                self._by_name[backend.name] = replace(state, backend=backend, models=models)
            else:
                self._by_name[backend.name] = BackendState(backend.id, backend.name, backend, models)
        self.all = tuple(self._by_name.values())
        return frozenset(name for name, state in before.items() if self._current(state.backend) is None)

    def well(
        self, backend: Backend, models: tuple[PulledModel, ...], latency_s: float, key_ending: str = ""
    ) -> None:
        """It has answered. Nothing happens where it has gone, or is another place, meanwhile."""
        at = self._clock.unix()
        if (state := self._current(backend)) is not None:
            # the same object while nothing changes: what was made of thousands is not made anew
            models = state.pulled_models if models == state.pulled_models else models
            self._know(
                replace(
                    state,
                    pulled_models=models,
                    error="",
                    last_seen=at,
                    observed_at=at,
                    latency_s=latency_s,
                    key_ending=key_ending,
                )
            )

    def ill(self, backend: Backend, error: str) -> None:
        """It has failed: the models of better times stay shown, and get no traffic. Else as `well`."""
        if (state := self._current(backend)) is not None:
            self._know(replace(state, error=error, observed_at=self._clock.unix(), latency_s=None))

    def _current(self, backend: Backend) -> BackendState | None:
        """Its state, while the place is still the one that is declared."""
        state = self._by_name.get(backend.name)
        return state if state is not None and state.backend.place == backend.place else None

    def _know(self, state: BackendState) -> None:
        before = self._by_name[state.name]
        self._by_name[state.name] = state
        self.all = tuple(self._by_name.values())
        if before.error != state.error:
            _tell(state)
        if _without_times(before) != _without_times(state):
            self._changed()


def _without_times(state: BackendState) -> tuple[object, ...]:
    is_asked = state.observed_at is not None
    return state.backend, state.models, state.pulled_models, state.error, is_asked, state.key_ending


def _tell(state: BackendState) -> None:
    if state.error:
        _LOG.warning("backend '%s': %s", state.name, state.error)
    else:
        _LOG.info("backend '%s' is well again", state.name)
