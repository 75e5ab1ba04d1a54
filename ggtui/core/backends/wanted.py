"""What should be on each backend: its own models, and those of its groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.backends.names import identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ggtui.core.backends.backend import Backend, Declared, DeclaredModel


def asked(declared: Declared) -> tuple[Backend, ...]:
    """The backends that are observed, as listed: where groups count, those that have one."""
    return tuple(each for each in declared.backends if each.groups or not declared.has_groups)


def wanted(declared: Declared, backend: Backend) -> tuple[DeclaredModel, ...]:
    """The models that this backend should have, each once, its own first.

    Where groups count, each has the groups that it is reached by.
    """
    found: dict[str, DeclaredModel] = {}
    for model in _claims(declared, backend):
        _add(found, backend, model)
    return tuple(found.values())


def wanted_as(declared: Declared, backend: Backend, name: str) -> DeclaredModel | None:
    """The one of them that this name means, in any spelling; None when there is none."""
    found: dict[str, DeclaredModel] = {}
    for model in _claims(declared, backend, identity(backend.type, name)):
        _add(found, backend, model)
    return next(iter(found.values()), None)


def _add(found: dict[str, DeclaredModel], backend: Backend, model: DeclaredModel) -> None:
    key = identity(backend.type, model.name)
    found[key] = _both(found[key], model) if key in found else model


def on_this_disk(declared: Declared) -> tuple[DeclaredModel, ...]:
    """The models that should lie on this disk, as listed."""
    return tuple(each for each in declared.models if each.repository)


def _claims(declared: Declared, backend: Backend, only: str = "") -> Iterator[DeclaredModel]:
    """only: the identity of a model; empty for all."""
    for index, model in enumerate((*backend.models, *(declared.models if declared.has_groups else ()))):
        if model.repository or (only and identity(backend.type, model.name) != only):
            continue
        if not declared.has_groups:
            yield model
            continue
        groups = model.groups or (backend.groups if index < len(backend.models) else ())
        shared = tuple(each for each in groups if each in backend.groups)
        if shared:
            yield model if shared == model.groups else replace(model, groups=shared)


def _both(own: DeclaredModel, other: DeclaredModel) -> DeclaredModel:
    """One model that is declared twice: what the first leaves open the second tells."""
    return replace(
        own,
        groups=tuple(dict.fromkeys((*own.groups, *other.groups))),
        capabilities=other.capabilities if own.capabilities is None else own.capabilities,
        context_length=other.context_length if own.context_length is None else own.context_length,
    )
