"""What a configuration declares of backends, in words for a person and as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.backends.wanted import asked, on_this_disk, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ggtui.core.backends.backend import Backend, Declared


def backend_lines(declared: Declared) -> Iterator[str]:
    """Each backend with the models that it should have, then what should lie on this disk."""
    for backend in declared.backends:
        names = ", ".join(each.name for each in wanted(declared, backend))
        yield f"backend {backend.name}: {backend.type}{_at(backend)}; models {names or 'none'}"
    for model in on_this_disk(declared):
        yield f"model {model.name}: {model.repository}, on this disk"


def _at(backend: Backend) -> str:
    return f" at {backend.base_url}" if backend.base_url else ""


def backend_warnings(declared: Declared) -> list[str]:
    """What is allowed and seldom meant."""
    return [
        *_unasked(declared),
        *_keyless(declared),
        *_unreachable(declared),
    ]


def _unasked(declared: Declared) -> Iterator[str]:
    names = {each.name for each in asked(declared)}
    for backend in declared.backends:
        if backend.name not in names:
            yield f"backend '{backend.name}' is in no group, and groups count: it is not asked"
        elif not wanted(declared, backend):
            yield f"backend '{backend.name}' should have no model: nothing is sent to it"


def _keyless(declared: Declared) -> Iterator[str]:
    for backend in declared.backends:
        if backend.type.has_home and backend.api_key is None:
            yield f"backend '{backend.name}' has no api_key, and {backend.type} wants one"


def _unreachable(declared: Declared) -> Iterator[str]:
    groups = {group for backend in declared.backends for group in backend.groups}
    for model in declared.models:
        if not model.repository and not groups & set(model.groups):
            yield f"model '{model.name}' is in no group that a backend is in: nothing serves it"


def declared_document(declared: Declared) -> dict[str, object]:
    """The same for programs; no key is in it."""
    names = {each.name for each in asked(declared)}
    return {
        "backends": [
            {
                "name": each.name,
                "type": str(each.type),
                "base_url": each.base_url or None,
                "groups": list(each.groups),
                "models": [model.name for model in wanted(declared, each)],
                "is_asked": each.name in names,
            }
            for each in declared.backends
        ],
        "models": [
            {"name": each.name, "repository": each.repository or None, "groups": list(each.groups)}
            for each in declared.models
        ],
        "groups": [
            {"name": each.name, "policy": None if each.policy is None else str(each.policy)}
            for each in declared.groups
        ],
    }
