"""Which rules count where a declared backend serves: those of a deployment, else the usual ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ggtui.core.backends.names import spellings
from ggtui.core.backends.wanted import asked, wanted
from ggtui.core.deployment.deployment import ApiKind, Deployment
from ggtui.core.deployment.runtimes import RuntimeKind

if TYPE_CHECKING:
    from collections.abc import Container

    from ggtui.core.backends.backend import Declared


def declared_names(declared: Declared) -> tuple[str, ...]:
    """Every name that leads to backends, each once; also where none may serve it: a request is told why.

    A model of this disk has none.
    """
    of_places = (
        name
        for backend in asked(declared)
        for model in wanted(declared, backend)
        for name in spellings(backend.type, model.name)
    )
    of_backends = (model.name for backend in declared.backends for model in backend.models)
    of_groups = (model.name for model in declared.models if not model.repository)
    return tuple(dict.fromkeys((*of_places, *of_backends, *of_groups)))


def implicit_rules(name: str) -> Deployment:
    """What counts for a name that declared backends serve and that is no deployment."""
    return Deployment(name, name, RuntimeKind.CUSTOM)


WHY_BY_BACKENDS: Final = "it names no server, and declared backends have its model"
"""In place of why a kind of runtime serves such a deployment, half a sentence."""


def is_by_backends(rules: Deployment, kind: RuntimeKind, names: Container[str]) -> bool:
    """True when backends serve a deployment: it names no server, and one of them declares its model.

    kind: what serves it. names: see declared_names.
    """
    config = rules.runtime_config
    names_server = bool(config.endpoint) or config.kind is not ApiKind.DIRECT
    return not (kind.is_local or names_server) and rules.model in names
