"""Looks at scriptable backends, as the tests of each type take them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.remote.backends.observer import BackendObserver
from ggtui.core.backends.backend import Backend, BackendType, DeclaredModel
from ggtui.core.deployment.secret import Secret
from ggtui.core.errors import BackendError

if TYPE_CHECKING:
    from ggtui.core.backends.observed import PulledModel
    from tests.backends import Shape

KEY = "sk-0123456789abcdef"
"""What the scriptable providers ask for."""


def backend_of(type: BackendType, url: str, *declared: str) -> Backend:
    return Backend("far", type, url, models=tuple(DeclaredModel(each) for each in declared))


def declared_at(shape: Shape, *declared: str) -> Backend:
    return backend_of(BackendType(shape.type), shape.url, *declared)


def look(
    backend: Backend, key: str | None = None, observer: BackendObserver | None = None
) -> tuple[PulledModel, ...]:
    """One look."""

    async def scenario() -> tuple[PulledModel, ...]:
        one = observer or BackendObserver()
        try:
            return await one.observe(backend, Secret(key) if key is not None else None)
        finally:
            if observer is None:
                await one.close()

    return asyncio.run(scenario())


def error(backend: Backend, key: str | None = None, observer: BackendObserver | None = None) -> str:
    """What the same look fails with."""
    with pytest.raises(BackendError) as caught:
        look(backend, key, observer)
    return caught.value.message


def paths(shape: Shape) -> list[str]:
    """What was asked, in order."""
    return [f"{each['method']} {each['path']}" for each in shape.seen]
