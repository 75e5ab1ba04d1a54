"""What should be on each backend: its own models, and those of its groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.backends.names import is_same

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
    found: list[DeclaredModel] = []
    for model in _claims(declared, backend):
        same = [each for each in found if is_same(backend.type, each.name, model.name)]
        if same:
            found[found.index(same[0])] = _both(same[0], model)
        else:
            found.append(model)
    return tuple(found)


def on_this_disk(declared: Declared) -> tuple[DeclaredModel, ...]:
    """The models that should lie on this disk, as listed."""
    return tuple(each for each in declared.models if each.repository)


def _claims(declared: Declared, backend: Backend) -> Iterator[DeclaredModel]:
    if not declared.has_groups:
        yield from backend.models
        return
    own = (replace(each, groups=each.groups or backend.groups) for each in backend.models)
    for model in (*own, *(each for each in declared.models if not each.repository)):
        shared = tuple(each for each in model.groups if each in backend.groups)
        if shared:
            yield replace(model, groups=shared)


def _both(own: DeclaredModel, other: DeclaredModel) -> DeclaredModel:
    """One model that is declared twice: what the first leaves open the second tells."""
    return replace(
        own,
        groups=tuple(dict.fromkeys((*own.groups, *other.groups))),
        capabilities=other.capabilities if own.capabilities is None else own.capabilities,
        context_length=other.context_length if own.context_length is None else own.context_length,
    )
